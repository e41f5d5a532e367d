"""The commands import_test_run and test_run."""

import io
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from missiondeck.models import TestRun
from missiondeck.selectors.missions import missing_of
from tests.missiondeck.helpers import mission

pytestmark = pytest.mark.django_db

REPORT = '<testsuite name="pytest"><testcase name="a"/><testcase name="b"><failure/></testcase></testsuite>'
WARNED = '<testsuite name="s" tests="7"><testcase name="a"/></testsuite>'


@pytest.fixture
def file(tmp_path):
    def write(text: str, name: str = "report.xml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def run(*arguments: str) -> tuple[str, str]:
    """Run the command; returns stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    call_command("import_test_run", *arguments, stdout=out, stderr=err, no_color=True)
    return out.getvalue(), err.getvalue()


def test_report_is_imported(file):
    made = mission()
    out, err = run(str(made.number), file(REPORT))
    assert out == "Imported: failed; 2 tests, 1 passed, 1 failed, 0 errors, 0 skipped.\n"
    assert err == ""
    assert TestRun.objects.get().mission == made


def test_repeated_import_is_reported(file):
    number, path = str(mission().number), file(REPORT)
    run(number, path)
    out, _err = run(number, path)
    assert out.startswith("Already imported: failed; 2 tests")
    assert TestRun.objects.count() == 1


def test_several_files_become_one_run(file):
    number = str(mission().number)
    out, _err = run(number, file(REPORT), file(WARNED, "second.xml"))
    assert out == "Imported: failed; 3 tests, 2 passed, 1 failed, 0 errors, 0 skipped.\n"
    assert TestRun.objects.count() == 1


def test_pattern_imports_all_matching_files(file, tmp_path):
    number = str(mission().number)
    file(REPORT), file(WARNED, "second.xml"), file("hello", "third.txt")
    out, _err = run(number, str(tmp_path / "**" / "*.xml"))
    assert out == "Imported: failed; 3 tests, 2 passed, 1 failed, 0 errors, 0 skipped.\n"
    with pytest.raises(CommandError, match=r"^No file matches .*\.trx\.$"):
        run(number, str(tmp_path / "*.trx"))


def test_other_key_creates_new_run(file):
    number, path = str(mission().number), file(REPORT)
    for key, words in (("build-1", "Imported: "), ("build-1", "Already imported: "), ("build-2", "Imported: ")):
        assert run(number, path, "--key", key)[0].startswith(words)
    with pytest.raises(CommandError, match=r"This key was already used for another report\..* Nothing was imported\.$"):
        run(number, file(WARNED), "--key", "build-1")
    with pytest.raises(CommandError, match="A key must have 1 to 255 visible ASCII characters"):
        run(number, file(WARNED), "--key", "build 1")
    assert TestRun.objects.count() == 2


def test_rejected_file_among_several_is_named(file):
    with pytest.raises(CommandError, match=r"^Report 2 of 2 \(second\.xml\): .* Nothing was imported\.$"):
        run(str(mission().number), file(REPORT), file("hello", "second.xml"))
    assert not TestRun.objects.exists()


def test_logs_are_imported(file):
    run(str(mission().number), file(REPORT), "--logs", file("line 1\nline 2", "out.txt"))
    assert TestRun.objects.get().logs == "line 1\nline 2"


@pytest.mark.seed("001 reports by command")
def test_warnings_are_printed_on_stderr(file):
    out, err = run(str(mission().number), file(WARNED))
    assert out.startswith("Imported: passed; 1 tests")
    assert err.startswith("warning: ")
    assert "7" in err


def test_flaky_tests_are_printed(file):
    made = mission()
    for hour, status in ((2, "failed"), (1, "passed")):
        connection.cursor().execute(
            """INSERT INTO test_runs (mission_id, status, results, created_at)
               VALUES (%s, %s, jsonb_build_array(jsonb_build_object('name', 'b', 'status', %s, 'suite', 'pytest')),
                   now() - %s * interval '1 hour')""",
            [made.pk, status, status, hour],
        )
    out, _err = run(str(made.number), file(REPORT))
    assert "Flaky: pytest \u203a b.\n" in out


@pytest.mark.parametrize("number", ["4747", "0", "-1", "99999999999999999999"])
def test_unknown_mission_is_rejected(file, number):
    with pytest.raises(CommandError, match=f"Client mission {number} does not exist."):
        run("--", number, file(REPORT))


def test_invalid_number_is_rejected(file):
    with pytest.raises(CommandError, match="invalid int value"):
        run("forty-seven", file(REPORT))


def test_missing_file_is_rejected(tmp_path):
    with pytest.raises(CommandError, match=r"none\.xml cannot be read: No such file or directory\."):
        run(str(mission().number), str(tmp_path / "none.xml"))
    assert not TestRun.objects.exists()


def test_missing_logs_are_rejected(file, tmp_path):
    with pytest.raises(CommandError, match=r"none\.txt cannot be read: No such file or directory\."):
        run(str(mission().number), file(REPORT), "--logs", str(tmp_path / "none.txt"))
    assert not TestRun.objects.exists()


def test_folder_is_rejected(tmp_path):
    with pytest.raises(CommandError, match=r"cannot be read: Is a directory\."):
        run(str(mission().number), str(tmp_path))


def test_rejected_report_prints_reason(file):
    with pytest.raises(CommandError, match=r"\. Nothing was imported\.$"):
        run(str(mission().number), file("<testsuite>"))
    assert not TestRun.objects.exists()


# --- Runs whose reports arrive later ------------------------------------------------------------------


def step(*arguments: str) -> str:
    out = io.StringIO()
    call_command("test_run", *arguments, stdout=out)
    return out.getvalue()


def test_run_is_started_and_finished_by_command(file):
    made = mission()
    key = step("start", str(made.number), "--commit", "c" * 40, "--job", "unit", "--shards", "2").strip()
    assert [each["what"] for each in missing_of(made)] == ["no_items", "open_run"]
    with pytest.raises(CommandError, match=r"No report of this run was received\..*Nothing was changed\."):
        step("finish", key)
    out, _err = run(str(made.number), file(REPORT), "--commit", "c" * 40, "--job", "unit", "--shard", "1/2")
    assert out.startswith("1 of 2 shards received.")
    passing = file(REPORT.replace("<failure/>", ""), "b.xml")
    assert step("finish", key, passing) == "Finished: failed; 4 tests, 1 failed.\n"
    with pytest.raises(CommandError, match="finished"):
        step("give-up", key)


def test_run_is_given_up_by_command(file):
    key = step("start", str(mission().number), "--name", "nightly").strip()
    assert step("give-up", key) == "Finished: failed; 0 tests, 0 failed.\n"
    assert TestRun.objects.get(pk=key).is_given_up
    with pytest.raises(CommandError, match="does not exist"):
        step("give-up", "00000000-0000-4000-8000-000000000000")
    with pytest.raises(CommandError, match="0 is not a number of shards"):
        step("start", "47", "--shards", "0")


# --- As a process -----------------------------------------------------------------------------------


def process(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess:
    """Run the command in a process against the test database."""
    import os

    site = connection.settings_dict
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**site)
    return subprocess.run(
        [sys.executable, "manage.py", "import_test_run", *arguments],
        cwd=settings.BASE_DIR,
        input=stdin,
        text=True,
        capture_output=True,
        env=os.environ | {"DATABASE_URL": url, "SECRET_KEY": "only for this test " * 4},
    )


@pytest.mark.seed("001 reports by command")
@pytest.mark.django_db(transaction=True)
def test_report_is_read_from_standard_input():
    number = str(mission().number)
    done = process(number, "-", stdin=WARNED)
    assert (done.returncode, done.stdout) == (
        0,
        "Imported: passed; 1 tests, 1 passed, 0 failed, 0 errors, 0 skipped.\n",
    )
    assert done.stderr.startswith("warning: ")
    assert TestRun.objects.get().status == "passed"
    rejected = process(number, "-", stdin="hello")
    assert (rejected.returncode, rejected.stdout) == (1, "")
    assert rejected.stderr.startswith("CommandError: ")
    assert "Traceback" not in rejected.stderr
    assert TestRun.objects.count() == 1

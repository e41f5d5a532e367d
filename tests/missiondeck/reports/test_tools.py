"""Reports written by the tools: totals are those that the tool printed."""

import os
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from missiondeck.reports import read_report
from tests.missiondeck.reports.helpers import statuses

DATA = Path(__file__).parent / "data"


def printed() -> list[tuple]:
    """The rows of the tables in data/README.md: file, format, passed, failed, skipped, extra errors, flaky."""
    rows = []
    for line in (DATA / "README.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 9 and "." in cells[0]:
            rows.append((cells[0], cells[1], *map(int, cells[3:8])))
    return rows


def test_table_lists_every_report():
    assert {row[0] for row in printed()} == {path.name for path in DATA.glob("*.*") if path.name != "README.md"}


@pytest.mark.seed("001 reports of real tools have the totals each tool printed")
@pytest.mark.parametrize(("file", "source", "passed", "failed", "skipped", "beside", "flaky"), printed())
def test_totals_equal_output_of_tool(file, source, passed, failed, skipped, beside, flaky):
    data = (DATA / file).read_bytes()

    with (DATA / file).open("rb") as opened:
        report = read_report(opened)

    summary = report.summary
    assert summary["passed"] == passed
    assert summary["failed"] + summary["errors"] == failed + beside
    assert summary["skipped"] == skipped
    assert summary["total"] == passed + failed + skipped + beside == len(report.results)
    assert sum(result.get("flaky", False) for result in report.results) == flaky
    assert report.source == source
    assert report.digest == sha256(data).hexdigest()
    bad = [result for result in report.results if result["status"] in ("failed", "error")]
    # CTest writes no message, only what the test printed.
    assert all(result.get("error") for result in bad) or file == "ctest.xml"


def test_surefire_report_has_retries():
    report = read_report((DATA / "surefire.xml").open("rb"))

    by_name = {result["name"]: result for result in report.results}
    assert by_name["passesAtTheSecondTry"]["flaky"] is True
    assert by_name["passesAtTheSecondTry"]["retries"] == 1
    assert by_name["passesAtTheSecondTry"]["error"] == "expected: <2> but was: <1>"
    assert by_name["subtracts"]["status"] == "failed"
    assert by_name["subtracts"]["retries"] == 2
    assert by_name["subtracts"]["error"] == "the balance <&> ==> expected: <1> but was: <2>"
    assert by_name["subtracts"]["traceback"].endswith("at sample.LedgerTest.subtracts(LedgerTest.java:13)")
    assert by_name["subtracts"]["output"].startswith("[system-err]\ncomplained by subtracts")
    assert by_name["closes"]["output"] == "[skipped] not before spring"
    assert report.name == by_name["closes"]["suite"] == "sample.LedgerTest"


def test_playwright_attachment_markers_stay_text():
    report = read_report((DATA / "playwright.xml").open("rb"))

    (failed,) = (result for result in report.results if "is in euro" in result["name"])
    assert "[[ATTACHMENT|test-results/" in failed["output"]
    assert failed["error"] == "expect(received).toBe(expected) // Object.is equality"
    assert [name for name, status in statuses(report).items() if status == "error"] == ["slow \u203a takes too long"]


def test_jest_suite_output_is_in_logs():
    report = read_report((DATA / "jest.xml").open("rb"))

    assert report.logs.startswith("=== cart: system-out ===\n")
    assert "printed by a test" in report.logs
    assert report.name == "jest tests"


def test_unittest_suite_name_is_stable():
    report = read_report((DATA / "unittest.xml").open("rb"))

    assert 'name="test_seats.SeatTest-20' in (DATA / "unittest.xml").read_text()
    assert report.results[0]["suite"] == report.results[0]["classname"] == "test_seats.SeatTest"


# --- Installed tools --------------------------------------------------------------------------

TESTS = """
import sys
import pytest

def test_adds(): print("printed by adds"); assert 1 + 2 == 3
def test_differs(): print("to stderr", file=sys.stderr); assert "a" == "b"
def test_raises(): raise KeyError("callback_data")
@pytest.mark.skip(reason="no network")
def test_is_skipped(): pass
@pytest.mark.xfail(reason="not yet")
def test_fails_as_expected(): assert False
@pytest.mark.xfail(reason="not yet")
def test_passes_against_expectation(): pass
@pytest.mark.xfail(strict=True, reason="not yet")
def test_passes_and_must_not(): pass
@pytest.fixture
def database(): raise OSError("no database")
def test_has_a_broken_fixture(database): pass
@pytest.fixture
def file():
    yield
    raise OSError("not closed")
def test_has_a_broken_end(file): pass
@pytest.mark.parametrize("text", ["<script>", "a&b", "\\x00\\x1b[31m", "\\ud800", "é" * 10])
def test_takes(text): print(text.encode("utf-8", "replace")); assert text != "a&b", text
class TestGroup:
    def test_inside(self, record_property): record_property("weight", "7")
"""


@pytest.mark.parametrize("family", ["xunit1", "xunit2"])
def test_current_pytest_report_is_read(tmp_path, family):
    (tmp_path / "test_sample.py").write_text(TESTS)
    (tmp_path / "test_broken.py").write_text("import no_such_module\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q"]
    command += ["--continue-on-collection-errors", "--junitxml=report.xml", "-o", f"junit_family={family}"]
    command += ["-o", "junit_logging=all", "-c", "none.ini", "--rootdir=."]
    (tmp_path / "none.ini").write_text("[pytest]\n")

    # Without the plugins and settings of this project.
    alone = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "DJANGO"))}
    alone["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"

    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=alone)

    assert ran.stdout, ran.stderr
    assert ran.returncode == 1, ran.stdout
    last = ran.stdout.strip().splitlines()[-1]
    numbers = {word: int(number) for number, word in re.findall(r"(\d+) ([a-z]+)", last)}
    assert numbers["failed"] == 4
    with (tmp_path / "report.xml").open("rb") as file:
        report = read_report(file)
    summary = report.summary
    # An unexpected pass counts as passed, an expected failure as skipped. The test with a broken teardown is printed
    # twice, as passed and as an error.
    assert summary["passed"] == numbers["passed"] + numbers["xpassed"] - 1
    assert summary["failed"] == numbers["failed"]
    assert summary["errors"] == numbers["error" if "error" in numbers else "errors"]
    assert summary["skipped"] == numbers["skipped"] + numbers["xfailed"]
    by_name = {result["name"]: result for result in report.results}
    assert by_name["test_raises"]["error"] == "KeyError: 'callback_data'"
    assert by_name["test_raises"]["traceback"].rstrip().endswith("test_sample.py:7: KeyError")
    assert by_name["test_is_skipped"]["output"].startswith("[skipped] ")
    assert "no network" in by_name["test_is_skipped"]["output"]
    assert "printed by adds" in by_name["test_adds"]["output"]


@pytest.mark.skipif(not shutil.which("node"), reason="Node is not installed")
def test_current_node_report_is_read(tmp_path):
    (tmp_path / "sample.test.js").write_text(
        """
        const { test, describe } = require('node:test');
        test('adds', () => {});
        test('fails', () => { throw new Error('</failure> & '); });
        test('is skipped', { skip: 'no network' }, () => {});
        describe('outer', () => { describe('inner', () => { test('is nested', () => {}); }); });
        """
    )
    command = ["node", "--test"]
    for reporter, to in (("junit", "report.xml"), ("tap", "stdout")):
        command += [f"--test-reporter={reporter}", f"--test-reporter-destination={to}"]

    ran = subprocess.run([*command, "sample.test.js"], cwd=tmp_path, capture_output=True, text=True, check=False)

    if "bad option" in ran.stderr:
        pytest.skip("this Node writes no JUnit reports")
    numbers = {word: int(number) for word, number in re.findall(r"^# (\w+) (\d+)$", ran.stdout, re.MULTILINE)}
    assert numbers["tests"] == 4
    with (tmp_path / "report.xml").open("rb") as file:
        report = read_report(file)
    summary = report.summary
    assert (summary["passed"], summary["failed"], summary["skipped"], summary["total"]) == (
        numbers["pass"], numbers["fail"], numbers["skipped"], numbers["tests"],
    )  # fmt: skip
    (nested,) = (result for result in report.results if result["name"] == "is nested")
    assert nested["suite"] == "outer > inner"
    (failed,) = (result for result in report.results if result["status"] == "failed")
    assert failed["error"] == "</failure> &"

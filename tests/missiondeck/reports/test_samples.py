"""Reports that once lost, hid or invented a failure: each file of data/samples is read as its tool meant it."""

import io
from pathlib import Path

import pytest

from missiondeck.reports import Limits, ReportRejected, read_report
from tests.missiondeck.reports.helpers import case, only, read, statuses

NO_TESTS = "The report contains no tests, so the run failed. Check that the tool found tests to run."
DATA = Path(__file__).parent / "data" / "samples"


def sample(number: str, *more: str):
    files = [next(DATA.glob(f"{each}-*")).open("rb") for each in (number, *more)]
    try:
        return read_report(files[0], more=files[1:])
    finally:
        for file in files:
            file.close()


def counts(report) -> tuple[int, int, int, int, int]:
    return tuple(report.summary[key] for key in ("total", "passed", "failed", "errors", "skipped"))


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("01", (1, 1, 0, 0, 0)),
        ("02", (1, 0, 1, 0, 0)),
        ("04", (2, 2, 0, 0, 0)),
        ("05", (3, 2, 0, 0, 1)),
        ("06", (2, 2, 0, 0, 0)),
        ("08", (1, 0, 1, 0, 0)),
        ("10", (1, 0, 1, 0, 0)),
        ("11", (1, 1, 0, 0, 0)),
        ("13", (2, 2, 0, 0, 0)),
        ("25", (1, 0, 1, 0, 0)),
        ("26", (1, 1, 0, 0, 0)),
        ("27", (1, 0, 1, 0, 0)),
        ("28", (1, 1, 0, 0, 0)),
    ],
)
def test_sample_has_expected_counts(number, expected):
    assert counts(sample(number)) == expected


def test_surefire_reruns_become_retries():
    result = only(report := sample("01"))
    assert (result["flaky"], result["retries"], result["error"]) == (True, 2, "one\ntwo")
    assert report.warning_texts == []
    result = only(report := sample("02"))
    assert (result["status"], result["retries"], "flaky" in result) == ("failed", 2, False)
    assert report.warning_texts == []


def test_pytest_reruns_become_retries():
    report = sample("04")
    flaky, good = report.results
    assert (flaky["name"], flaky["flaky"], flaky["retries"]) == ("test_flaky", True, 1)
    assert (good["name"], "flaky" in good, "retries" in good) == ("test_ok", False, False)
    assert report.warning_texts == []


@pytest.mark.parametrize(("number", "name", "retries"), [("05", "TestReconnect", 1), ("06", "first()", 2)])
def test_repeated_test_becomes_one_flaky_test(number, name, retries):
    report = sample(number)
    (flaky,) = [result for result in report.results if result["name"] == name]
    assert (flaky["status"], flaky["flaky"], flaky["retries"]) == ("passed", True, retries)
    assert flaky["error"].startswith(("Failed", "org.opentest4j.AssertionFailedError: first try"))
    assert report.warning_texts == []


def test_stderr_lines_of_gotestsum_are_warning():
    report = sample("07")
    assert counts(report) == (1, 1, 0, 0, 0)
    assert report.warning_texts == [
        "gotestsum states 1 error: a line on standard error, such as a warning of the compiler. No test failed."
    ]


@pytest.mark.parametrize(
    ("root", "suite"),
    [
        ('tests="1" failures="0" errors="1" time="2"', 'tests="1" failures="0" name="p"'),
        ('tests="1" failures="1" errors="0" time="2"', 'tests="1" failures="0" time="1" name="p"'),
        ('tests="1" failures="0" errors="1"', 'tests="1" failures="0" time="1" name="p"'),
    ],
)
def test_other_errors_of_root_fail_run(root, suite):
    report = read(
        f'<testsuites {root}><testsuite {suite}>{GO}<testcase classname="p" name="TestA"/></testsuite></testsuites>'
    )
    assert counts(report) == (2, 1, 0, 1, 0)


@pytest.mark.parametrize(("number", "error"), [("08", "red boom"), ("10", "expected a\ufffdb")])
def test_control_characters_are_replaced_with_warning(number, error):
    result = only(report := sample(number))
    assert (result["status"], result["error"]) == ("failed", error)
    assert report.warning_texts == [
        "The report has terminal colours or characters that XML forbids; they were removed or replaced by \ufffd."
    ]


def test_invalid_bytes_are_replaced_with_warning():
    result = only(report := sample("11"))
    assert result["name"] == "pr\ufffdfen"
    assert report.warning_texts == [
        "The report has bytes that are invalid in its encoding; they were replaced by \ufffd. Save it in UTF-8."
    ]


def test_qt_test_is_named():
    text = '<TestCase name="tst"><TestFunction name="b"><Incident type="fail"/></TestFunction></TestCase>'
    with pytest.raises(ReportRejected, match="This is a Qt Test report"):
        read(text)


def test_passed_element_does_not_skip_test():
    assert statuses(report := sample("13")) == {"t": "passed", "u": "passed"}
    assert report.warning_texts == []


# --- Characters -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("&#27;[31mred&#x1b;[39;49m", "red"),
        ("\x1b[1;38;5;196mred\x1b[K", "red"),
        ("#x1B[31mred#x1B[0m", "red"),
        ("\x1b]8;;https://example.org\x07link\x1b]8;;\x07", "link"),
        ("a\x1bb", "a\ufffdb"),
        ("a\x00b", "a\ufffdb"),
        ("a&#0;b&#x8;c", "a\ufffdb\ufffdc"),
        ("a\x07b", "a\ufffdb"),
        ("a&#xFFFF;b&#xD800;c&#99999999;d", "a\ufffdb\ufffdc\ufffdd"),
        ("a&#x9b;b\x7fc", "a\ufffdb\ufffdc"),
        ("\x1b[31", "\ufffd[31"),
        ("tab\tand&#10;line", "tab\tand\nline"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "iso-8859-1"])
def test_failure_text_is_cleaned(written, stored, encoding):
    head = f'<?xml version="1.0" encoding="{"utf-16" if "16" in encoding else encoding}"?>'
    text = f'{head}<testsuite><testcase name="a"><failure>{written}</failure></testcase></testsuite>'
    report = read(text.encode(encoding))

    result = only(report)
    # ISO 8859-1 does not have U+FFFD.
    expected = stored.replace("\ufffd", "?") if encoding.startswith("iso") else stored
    assert result["error"] == expected.splitlines()[0]
    assert bool(report.warning_texts) == (written != "tab\tand&#10;line")


def test_name_keeps_line_breaks_only():
    report = read('<testsuite><testcase name="one&#10;two&#27;[1m&#7;"/></testsuite>')
    assert only(report)["name"] == "one\ntwo\ufffd"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
def test_character_is_cleaned_across_chunks(size):
    class Slow(io.BytesIO):
        def read(self, wanted=-1):
            return super().read(min(wanted, size))

    text = case("<failure>\x1b[31mred&#27;[0m &#27; \xff\x00</failure>", "classname='é &amp; &#233;'")
    report = read_report(Slow(text.encode()))
    assert (only(report)["classname"], only(report)["error"]) == ("é & é", "red \ufffd \xff\ufffd")


def test_chunked_cleaning_equals_whole(monkeypatch):
    text = case("<failure>\x1b[31mred&#27;[0m &#27; ☕\x00</failure>", "classname='é &amp; &#233;'")
    whole = read(text)
    for size in range(1, 40):
        monkeypatch.setattr("missiondeck.reports.xmlstream.PIECE", size)
        monkeypatch.setattr("missiondeck.reports.stream.PIECE", size)
        assert read(text).results == whole.results


def test_suite_logs_are_cleaned():
    report = read(
        "<testsuite name='s'><testcase name='a'/><system-out>\x1b[31mFAILED\x1b[0m tests\x07</system-out></testsuite>"
    )
    assert report.logs.endswith("\nFAILED tests\ufffd")


def test_json_with_control_characters_is_read():
    raw = b'{"results": [{"name": "a", "status": "failed", "error": "\\u001b[31mred\\u001b[0m \x07 \xff"}]}'
    report = read(raw)
    assert only(report)["error"] == "red \ufffd \ufffd"
    assert len(report.warning_texts) == 2


# --- Elements and attributes inside a test --------------------------------------------------------


@pytest.mark.parametrize(
    "inside",
    [
        "<passed message='fine'/>",
        "<success/>",
        "<time>0.1</time>",
        "<steps><step name='x' status='passed'/></steps>",
        "<assertions><assertion/></assertions>",
        "<rerun message='x'>trace</rerun>",
        "<passed>true</passed>",
    ],
)
def test_neutral_element_does_not_skip_test(inside):
    assert only(read(case(inside)))["status"] == "passed"


@pytest.mark.parametrize(
    ("inside", "status"),
    [
        ("<passed/><failure/>", "failed"),
        ("<success>false</success>", "skipped"),
        ("<passed>no</passed>", "skipped"),
        ("<steps><step name='x' status='failed'/></steps>", "failed"),
        ("<steps><step><failure/></step></steps>", "failed"),
        ("<assertions><assertion result='error'/></assertions>", "error"),
        ("<assertions><assertion passed='false'/></assertions>", "failed"),
        ("<time/><blocked/>", "skipped"),
        ("<rerun/><failure/>", "failed"),
        ("<notrun/>", "skipped"),
        ("<broken/>", "error"),
    ],
)
def test_stated_failure_still_counts(inside, status):
    assert only(read(case(inside)))["status"] == status


def test_rerun_element_is_retry():
    result = only(read(case("<rerun message='first'>trace</rerun>")))
    assert (result["flaky"], result["retries"], result["error"]) == (True, 1, "first")


# --- Failures are not hidden by retries -----------------------------------------------------------

GO = '<properties><property name="go.version" value="go1.22"/></properties>'
GRADLE = 'name="s" tests="{n}" skipped="0" failures="{bad}" errors="0" timestamp="t" hostname="h" time="1"'
BAD, GOOD = '<testcase name="a" classname="c"><failure/></testcase>', '<testcase name="a" classname="c"/>'
BROKEN = '<testcase name="a" classname="c"><error/></testcase>'


@pytest.mark.parametrize(
    "report",
    [
        # Two tests with the same title, as Jest and Mocha allow.
        f'<testsuite name="s" tests="2" failures="1">{BAD}{GOOD}</testsuite>',
        f'<testsuite name="s" tests="2" failures="1">{GOOD}{BAD}</testsuite>',
        f'<testsuite name="s">{BAD}{GOOD}</testsuite>',
        # The same tests on two systems, in one file.
        f'<testsuites><testsuite name="s">{GO}{BAD}</testsuite><testsuite name="s">{GO}{GOOD}</testsuite></testsuites>',
        # go test -count=2: what passed is repeated too.
        f'<testsuite tests="4" failures="1">{GO}{BAD}{GOOD}<testcase name="b"/><testcase name="b"/></testsuite>',
        f'<testsuite tests="2" failures="1">{GO}{GOOD}{BAD}</testsuite>',
        f'<testsuite tests="3" failures="1">{GO}{BAD}{GOOD}{GOOD}</testsuite>',
        # A test whose last retry failed.
        f'<testsuite tests="2" failures="2">{GO}{BAD}{BAD}</testsuite>',
        # More failures than retries.
        f'<testsuite tests="2" failures="2">{GO}{BAD}{GOOD}</testsuite>',
        f"<testsuite {GRADLE.format(n=2, bad=2)}>{BAD}{GOOD}</testsuite>",
        # Each test is counted once, so the failure belongs to a test.
        f'<testsuite tests="1" failures="1">{GO}{BAD}{GOOD}</testsuite>',
        f'<testsuite tests="1" failures="1">{GOOD}{GOOD}</testsuite>',
        '<testsuite tests="1" failures="1"><testcase name="a"><flakyFailure/></testcase></testsuite>',
        '<testsuite failures="1"><testcase name="a"><flakyFailure/></testcase></testsuite>',
        '<testsuite tests="2" failures="2"><testcase name="a"><flakyFailure/></testcase></testsuite>',
        '<testsuite tests="2" failures="1"><testcase name="a"><rerun/></testcase><testcase name="b"/></testsuite>',
        # A test that failed, and failed again in teardown, as pytest writes it.
        f'<testsuite tests="1" failures="1" errors="1">{BAD}{BROKEN}</testsuite>',
        f'<testsuites errors="1"><testsuite tests="1" failures="0" name="s">{GOOD}</testsuite></testsuites>',
    ],
)
def test_retries_do_not_hide_other_failure(report):
    found = read(report)
    assert found.summary["failed"] + found.summary["errors"] > 0


def test_repeated_runs_with_failed_test_are_retries():
    """The format of pytest-rerunfailures: each failure counts as a test, a repeated run does not."""
    report = read(
        f'<testsuite tests="3" failures="1" errors="1">{GOOD * 3}{BAD}{BROKEN}<testcase name="b"/></testsuite>'
    )
    assert [(result["status"], result.get("retries")) for result in report.results] == [
        ("failed", None),
        ("error", 3),
        ("passed", None),
    ]
    assert report.warning_texts == []


def test_final_failure_is_not_retry():
    report = read(f'<testsuite tests="1" failures="1" errors="1">{BAD}{BROKEN}</testsuite>')
    assert [result["status"] for result in report.results] == ["failed", "error"]


# --- Several files --------------------------------------------------------------------------------


def test_several_files_become_one_report():
    report = sample("25", "26")
    assert counts(report) == (2, 1, 1, 0, 0)
    assert [result["suite"] for result in report.results] == ["unit 1/2", "unit 2/2"]
    assert sample("26", "25").digest == report.digest
    assert report.digest not in (sample("25").digest, sample("26").digest)


def test_same_test_in_two_files_is_not_retry():
    assert counts(sample("27", "28")) == (2, 1, 1, 0, 0)


def test_file_without_tests_becomes_error():
    report = read_report(_file("<testsuite><testcase name='a'/></testsuite>"), more=[_file("<testsuite name='2/2'/>")])
    assert statuses(report) == {"a": "passed", "2/2": "error"}


def test_files_without_any_test_have_no_results():
    report = read_report(_file("<testsuite/>"), more=[_file("<testsuite/>")])
    assert report.results == []
    assert report.warning_texts == [NO_TESTS]


def test_error_names_the_file():
    file = _file("hello")
    file.name = "reports/shard-2.xml"
    with pytest.raises(ReportRejected, match=r"^Report 2 of 2 \(shard-2\.xml\): The file is neither XML nor JSON"):
        read_report(_file("<testsuite><testcase name='a'/></testsuite>"), more=[file])


def test_json_and_xml_files_are_combined():
    report = read_report(
        _file("<testsuite name='s' time='2'><testcase name='a'/></testsuite>"),
        more=[
            _file(
                '{"results": [{"name": "b", "status": "passed", "duration": 3}], "summary": {"passed": 1, "failed": 1}}'
            )
        ],
    )
    assert statuses(report) == {"a": "passed", "b": "passed", "Summary of the report": "error"}
    assert report.summary["duration"] == 5.0


def test_limit_applies_to_all_files_together():
    text = "<testsuite><testcase name='a'/></testsuite>"
    limits = Limits(file_bytes=2 * len(text))
    assert counts(read_report(_file(text), more=[_file(text)], limits=limits)) == (2, 2, 0, 0, 0)
    with pytest.raises(ReportRejected, match="Report 3 of 3: The report files together are larger than"):
        read_report(_file(text), more=[_file(text)] * 1 + [_file(text)], limits=limits)


def _file(text: str):
    return io.BytesIO(text.encode())

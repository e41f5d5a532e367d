"""Verdicts: a test passes only if nothing contradicts it, a report only if no test failed."""

import pytest

from tests.missiondeck.reports.helpers import case, only, read, statuses


@pytest.mark.parametrize(
    ("inside", "attributes", "status"),
    [
        ("", "", "passed"),
        ("<failure/>", "", "failed"),
        ("<error/>", "", "error"),
        ("<failure/><error/>", "", "failed"),
        ("<error/><failure/>", "", "error"),
        ("<skipped/><failure/>", "", "failed"),
        ("<failure/><skipped/>", "", "failed"),
        ("<skipped/>", "", "skipped"),
        ("<disabled/>", "", "skipped"),
        ("<rerunFailure/>", "", "failed"),
        ("<flakyFailure/>", "", "passed"),
        ("<flakyError/><flakyFailure/>", "", "passed"),
        ("<flakyFailure/><failure/>", "", "failed"),
        ("<steps><step><failure/></step></steps>", "", "failed"),
        ("<system-out><error/></system-out>", "", "error"),
        ("", 'status="passed"', "passed"),
        ("", 'status="run" result="completed"', "passed"),
        ("", 'status="notrun"', "skipped"),
        ("", 'status="disabled"', "skipped"),
        ("", 'status="run" result="suppressed"', "skipped"),
        ("", 'status="FAILED"', "failed"),
        ("", 'result="timed out"', "error"),
        ("<skipped/>", 'status="failed"', "failed"),
        ("<failure/>", 'status="passed"', "failed"),
    ],
)
def test_status_attribute_gives_verdict(inside, attributes, status):
    report = read(case(inside, attributes))

    assert only(report)["status"] == status
    key = {"error": "errors"}.get(status, status)
    assert {
        name: report.summary[name] for name in ("passed", "failed", "errors", "skipped") if report.summary[name]
    } == {key: 1}


@pytest.mark.seed("001 odd and hostile reports: the right result or a clear rejection, memory bounded")
@pytest.mark.parametrize(
    ("inside", "attributes"),
    [
        ("<inconclusive/>", ""),
        ("<blocked/>", 'status="run"'),
        ("<system-out>x</system-out><blocked/>", ""),
        ("", 'status="undefined"'),
        ("", 'status="passed" result="who knows"'),
    ],
)
def test_unknown_status_is_not_passed(inside, attributes):
    report = read(case(inside, attributes))

    assert only(report)["status"] == "skipped"
    assert any("neither passed nor failed" in sentence for sentence in report.warning_texts)


def test_unknown_element_with_passed_status_passes():
    report = read(case("<mood>good</mood>", 'status="passed"'))

    assert only(report)["status"] == "passed"
    assert report.warning_texts == ["The element <mood> is unknown and was ignored."]


def test_unknown_elements_give_one_counted_warning():
    report = read(case("<blocked message='by rain'/>" * 3))

    assert "The element <blocked> is unknown and was ignored 3 times." in report.warning_texts
    assert only(report)["output"].startswith("[blocked] by rain")


def test_unknown_element_named_like_failure_is_error():
    report = read(case('<setupFailure message="no disk"/>'))

    assert (only(report)["status"], only(report)["error"]) == ("error", "no disk")
    (warning,) = report.warning_texts
    assert warning.endswith("named like a failure and counts as an error: <setupfailure>, line 1.")


def test_tests_inside_unknown_element_count():
    report = read("<testsuite><group><testcase name='a'><failure/></testcase></group></testsuite>")

    assert statuses(report) == {"a": "failed"}


def test_suite_failure_becomes_result_with_suite_name():
    report = read('<testsuites><testsuite name="outer"><testsuite name="s" file="s.js"><testcase name="a"/>'
                  '<error message="cannot be loaded">at 3\nof s.js</error></testsuite></testsuite>'
                  "</testsuites>")  # fmt: skip

    assert report.results[1] == {
        "name": "s", "status": "error", "suite": "outer > s", "file": "s.js", "error": "cannot be loaded",
        "traceback": "at 3\nof s.js",
    }  # fmt: skip
    assert report.summary["errors"] == 1


@pytest.mark.parametrize("stated", ['failures="1"', 'errors="1"', 'failures="0" errors="1"'])
def test_extra_failures_of_suite_add_error(stated):
    report = read(f'<testsuite name="s" tests="2" {stated}><testcase name="a"/><testcase name="b"/></testsuite>')

    assert statuses(report) == {"a": "passed", "b": "passed", "s": "error"}
    assert report.results[2]["error"] == "The suite states 1 more failure than its tests show."
    assert report.warning_texts == [
        "Suite “s” (line 1) states 2 tests, 1 failure; counted: 2 tests, 0 failures."
    ]  # fmt: skip


def test_extra_failures_of_root_add_error():
    report = read(
        '<testsuites name="all" failures="2"><testsuite name="s"><testcase name="a"/></testsuite></testsuites>'
    )

    assert statuses(report) == {"a": "passed", "all": "error"}
    assert report.warning_texts == ["The report as a whole (line 1) states 2 failures; counted: 0 failures."]


def test_missing_failure_is_added_once():
    report = read('<testsuites failures="1"><testsuite name="o" failures="1"><testsuite name="s" failures="1">'
                  '<testcase name="a"/></testsuite></testsuite></testsuites>')  # fmt: skip

    assert statuses(report) == {"a": "passed", "s": "error"}


def test_failures_without_tests_do_not_pass():
    assert statuses(read('<testsuite name="s" tests="0" errors="1"/>')) == {"s": "error"}


@pytest.mark.parametrize(
    ("attributes", "inside"),
    [
        # Some tools include nested suites, others do not.
        ('tests="1"', '<testcase name="a"/><testsuite><testcase name="b"/></testsuite>'),
        ('tests="2"', '<testcase name="a"/><testsuite><testcase name="b"/></testsuite>'),
        # The same for several failures of one test.
        ('failures="2"', '<testcase name="a"><failure/><failure/></testcase>'),
        ('failures="1"', '<testcase name="a"><failure/><failure/></testcase>'),
        ('failures="1" errors="0"', '<testcase name="a"><error/></testcase>'),
        # The same for disabled tests.
        ('skipped="2" disabled="1"', '<testcase name="a"><skipped/></testcase><testcase name="b" status="notrun"/>'),
        ('skipped="1" disabled="1"', '<testcase name="a"><skipped/></testcase><testcase name="b" status="notrun"/>'),
        ('tests="" failures=""', '<testcase name="a"/>'),
    ],
)
def test_plausible_totals_give_no_warning(attributes, inside):
    report = read(f"<testsuite {attributes}>{inside}</testsuite>")

    assert report.warning_texts == []
    assert not [result for result in report.results if result["name"] not in ("a", "b")]


def test_totals_never_count_as_passed():
    report = read('<testsuite name="s" tests="10" skipped="3"><testcase name="a"/></testsuite>')

    assert (report.summary["passed"], report.summary["total"]) == (1, 1)
    assert report.warning_texts == [
        "Suite “s” (line 1) states 10 tests, 3 skipped; counted: 1 test, 0 skipped."
    ]  # fmt: skip


def test_invalid_totals_give_warning():
    report = read('<testsuite name="s" tests="many" failures="-1"><testcase name="a"/></testsuite>')

    assert statuses(report) == {"a": "passed"}
    assert report.warning_texts == [
        "2 totals of suites are not numbers and were ignored; the first is “many” of tests, line 1."
    ]


def test_warnings_are_limited_to_fifty():
    report = read("<testsuites>" + '<testsuite tests="7"><testcase name="a"/></testsuite>' * 80 + "</testsuites>")

    assert len(report.warning_texts) == 50
    assert report.warning_texts[48].startswith("A suite without a name (line 1) states 7 tests")
    assert report.warning_texts[49] == "31 more warnings are not listed."

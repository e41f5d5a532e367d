"""Formats other than JUnit: what is stored, and that a doubtful report never passes."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from missiondeck.reports import ReportRejected
from tests.missiondeck.reports.helpers import only, read, rejected, statuses
from tests.missiondeck.reports.test_jsonreports import go, outcome
from tests.missiondeck.reports.test_random import read as read_checked

DATA = Path(__file__).parent / "data"


def stored(file: str) -> dict[str, dict]:
    """The results of a sample by name."""
    return {result["name"]: result for result in read((DATA / file).read_bytes()).results}


# --- .NET -----------------------------------------------------------------------------------------


def test_trx_result_has_class_and_texts():
    report = read((DATA / "mstest.trx").read_bytes())
    by_name = {result["name"]: result for result in report.results}
    assert by_name["Adds"] == {
        "name": "Adds", "status": "passed", "duration": 0.0123, "classname": "Shop.CartTests", "output": "printed",
    }  # fmt: skip
    assert by_name["Fails"]["error"] == "Assert.AreEqual failed. Expected:<1>. Actual:<2>."
    assert by_name["Fails"]["classname"] == by_name["Rows (2)"]["classname"] == "Shop.CartTests"
    assert by_name["Fails"]["traceback"].endswith("line 12")
    assert by_name["Skips"]["output"] == "[skipped] no network"
    assert report.logs == "written by the run\na warning of the adapter\n"
    assert report.warning_texts == []


def test_nunit_result_has_suite_and_texts():
    result = stored("nunit3.xml")["Fails"]
    assert (result["suite"], result["file"]) == ("shop.tests.dll > CartTests", "shop.tests.dll")
    assert (result["error"], result["classname"]) == ("Expected: 1\n  But was:  2", "Shop.CartTests")
    assert stored("nunit3.xml")["Skips"]["output"] == "[skipped] no network"
    assert stored("nunit3.xml")["Rows(1)"]["output"] == "slow"


def test_xunit_result_has_suite_and_texts():
    by_name = stored("xunit2.xml")
    failed, broken = by_name["Shop.CartTests.Fails"], by_name["Shop.Database"]
    assert failed["suite"] == "Shop.Tests.dll > Test collection for Shop.CartTests"
    assert (failed["error"], failed["duration"]) == ("Assert.Equal() Failure: 1 and 2", 0.5)
    assert failed["traceback"].startswith("Xunit.Sdk.EqualException\n")
    assert (broken["status"], broken["error"]) == ("error", "cannot close")
    assert stored("xunit3.xml")["Adds"]["file"] == "/src/CartTests.cs"


TRX = '<TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results>{}</Results>{}</TestRun>'
TRX_GOOD = '<UnitTestResult testName="a" outcome="Passed"/>'
NUNIT_GOOD = '<test-case name="a" result="Passed"/>'
XUNIT_GOOD = '<test name="a" result="Pass"/>'
ROBOT_GOOD = '<test name="a"><status status="PASS"/></test>'
DOUBTFUL = {
    "trx without tests": TRX.format("", '<ResultSummary outcome="Completed"/>'),
    "trx result without outcome": TRX.format('<UnitTestResult testName="a"/>' + TRX_GOOD, ""),
    "trx unknown outcome": TRX.format('<UnitTestResult testName="a" outcome="New"/>' + TRX_GOOD, ""),
    "trx totals": TRX.format(TRX_GOOD, '<ResultSummary outcome="Completed"><Counters failed="1"/></ResultSummary>'),
    "trx failed run": TRX.format(TRX_GOOD, '<ResultSummary outcome="Failed"/>'),
    "trx crashed host": TRX.format(
        TRX_GOOD,
        '<ResultSummary outcome="Completed"><RunInfos><RunInfo outcome="Error"><Text>crashed</Text></RunInfo>'
        "</RunInfos></ResultSummary>",
    ),
    "trx failed test of passed rows": TRX.format(
        f'<UnitTestResult testName="b" outcome="Failed"><InnerResults>{TRX_GOOD}</InnerResults></UnitTestResult>', ""
    ),
    "nunit failed run": f'<test-run result="Failed">{NUNIT_GOOD}</test-run>',
    "nunit totals": f'<test-run result="Passed" failed="2">{NUNIT_GOOD}</test-run>',
    "nunit broken assembly": f'<test-run><test-suite type="Assembly" name="x.dll" result="Failed" label="Invalid"/>'
    f"{NUNIT_GOOD}</test-run>",
    "nunit teardown": f'<test-run><test-suite result="Failed" site="TearDown">{NUNIT_GOOD}</test-suite></test-run>',
    "nunit unknown result": f'<test-run>{NUNIT_GOOD}<test-case name="b" result="New"/></test-run>',
    "nunit without result": f'<test-run>{NUNIT_GOOD}<test-case name="b"/></test-run>',
    "xunit totals": f'<assemblies><assembly failed="1"><collection>{XUNIT_GOOD}</collection></assembly></assemblies>',
    "xunit stated error": f'<assembly errors="1"><collection>{XUNIT_GOOD}</collection></assembly>',
    "xunit failure in passed test": '<assembly><test name="a" result="Pass"><failure/></test></assembly>',
    "xunit unknown result": f'<assembly><class>{XUNIT_GOOD}<test name="b" result="New"/></class></assembly>',
    "robot totals": f'<robot><suite name="s">{ROBOT_GOOD}</suite><statistics><total><stat pass="1" fail="1">All Tests'
    "</stat></total></statistics></robot>",
    "robot failed suite": f'<robot><suite name="s">{ROBOT_GOOD}<status status="FAIL">no</status></suite></robot>',
    "robot teardown": f'<robot><suite>{ROBOT_GOOD}<kw type="TEARDOWN"><status status="FAIL"/></kw></suite></robot>',
    "robot test without status": f'<robot><suite name="s">{ROBOT_GOOD}<test name="b"/></suite></robot>',
    "tap too few": "1..2\nok 1\n",
    "tap too many": "1..1\nok 1\nok 2\n",
    "tap without plan": "ok 1\nok 2\n",
    "tap bail out": "1..2\nok 1\nBail out! no database\n",
    "tap skipped whole": "1..0 # skip no network\n",
    "tap stated failure": "1..1\nok 1\n# fail 1\n",
    "tap failed subtest": "# Subtest: a\n    not ok 1 - b\n    1..1\nok 1 - a\n1..1\n",
    "tap failed outer test": "# Subtest: a\n    ok 1 - b\n    1..1\nnot ok 1 - a\n1..1\n",
    "tap too few subtests": "# Subtest: a\n    ok 1 - b\n    1..2\nok 1 - a\n1..1\n",
    "tap failed outer test in braces": "1..1\nnot ok 1 - a {\n    1..1\n    ok 1 - b\n}\n",
    "cucumber without end": '{"meta":{}}\n',
    "cucumber parse error": '{"meta":{}}\n{"parseError":{"message":"no"}}\n{"testRunFinished":{"success":true}}\n',
    "cucumber failed run": '{"meta":{}}\n{"testRunFinished":{"success":false}}\n',
    "cucumber failed hook": '{"meta":{}}\n{"testRunHookFinished":{"result":{"status":"FAILED"}}}\n'
    '{"testRunFinished":{"success":true}}\n',
    "go before 1.20, not built": 'FAIL\texample.org/p [build failed]\n{"Action":"pass","Package":"q","Test":"A"}\n',
}  # fmt: skip


@pytest.mark.seed("001 odd and hostile reports: the right result or a clear rejection, memory bounded")
@pytest.mark.parametrize("text", DOUBTFUL.values(), ids=DOUBTFUL)
def test_doubtful_report_never_passes(text):
    assert outcome(read(text)) == "failed"


@pytest.mark.seed("001 odd and hostile reports: the right result or a clear rejection, memory bounded")
@pytest.mark.parametrize(
    "file",
    ["bats.tap", "node.tap", "vitest.tap", "cucumber.ndjson", "robot.xml", "mstest.trx", "nunit3.xml", "xunit2.xml"],
)
def test_cut_off_report_never_passes(file):
    data = (DATA / file).read_bytes()
    for end in range(1, len(data), max(1, len(data) // 40)):
        try:
            report = read(data[:end])
        except ReportRejected:
            continue
        assert outcome(report) == "failed", data[:end][-80:]


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(["bats.tap", "cucumber.ndjson", "go.jsonl", "robot.xml", "mstest.trx", "playwright.json"]),
    st.floats(0, 1),
    st.integers(0, 200),
    st.binary(max_size=20),
)
def test_changed_report_is_read_or_rejected(file, where, length, inserted):
    data = (DATA / file).read_bytes()
    place = int(where * len(data))
    read_checked(data[:place] + inserted + data[place + length :])


# --- Robot Framework, TAP -------------------------------------------------------------------------


def test_robot_result_has_suite_and_error():
    by_name = stored("robot.xml")
    assert by_name["Fails"]["error"] == "a != <b & c>"
    assert by_name["Passes"]["error"] == "The suite could not be torn down."
    assert by_name["Passes"]["suite"] == "Suite & Td > Td > Broken"


def test_tap_result_has_details():
    node, bats, mocha = stored("node.tap"), stored("bats.tap"), stored("mocha.tap")
    assert node["fails"]["error"] == "</failure> &"
    assert node["fails"]["duration"] == pytest.approx(0.000530423)
    assert node["is nested"]["suite"] == "outer > inner"
    assert node["is skipped"]["output"] == "[skipped] no network"
    assert bats["fails with <&>"]["error"].endswith("failed")
    assert bats["fails with <&>"]["traceback"].endswith("printed")
    assert mocha["cart fails"]["error"] == "1 == 2"


@pytest.mark.parametrize(
    ("text", "name", "suite"),
    [
        ("    # Subtest: a\n    ok 1 - b\n    1..1\nok 1 - a\n1..1\n", "b", "a"),
        ("1..1\nok 1 - a {\n    1..1\n    ok 1 - b\n}\n", "b", "a"),
        ("TAP version 14\n1..1\nok 1 - b \\# c # time=5ms\n", "b # c", None),
        ("> npm test\n\nTAP version 13\n1..1\nok\n", "Test 1", None),
        ("TAP version 13\r\n1..1\r\nok 1 b\r\n", "b", None),
    ],
)
def test_tap_names_are_read(text, name, suite):
    for encoding in ("utf-8", "utf-16"):
        result = only(read(text.encode(encoding)))
        assert (result["name"], result["status"], result.get("suite")) == (name, "passed", suite)


def test_tap_plans_of_two_outputs_are_added():
    assert statuses(read("TAP version 13\n1..1\nok 1 a\nTAP version 13\n1..1\nok 1 b\n")) == {
        "a": "passed",
        "b": "passed",
    }


def test_go_text_output_is_rejected():
    assert "neither XML nor JSON nor TAP" in rejected("ok  \texample.org/p\t0.002s\n")


# --- Lines of JSON --------------------------------------------------------------------------------


def test_go_rerun_of_failed_tests_is_flaky():
    """The file of gotestsum --rerun-fails --jsonfile."""
    first = [("run", "TestA"), ("pass", "TestA"), ("run", "TestB"), ("fail", "TestB"), ("fail", None)]
    again = [("start", None), ("run", "TestB"), ("pass", "TestB"), ("pass", None)]
    report = read(go(("start", None), *first, *again))
    assert statuses(report) == {"TestA": "passed", "TestB": "passed"}
    flaky = report.results[1]
    assert (flaky["flaky"], flaky["retries"], flaky["error"]) == (True, 1, "Failed")


@pytest.mark.parametrize(
    "again",
    [
        [("run", "TestA"), ("pass", "TestA"), ("run", "TestB"), ("pass", "TestB"), ("pass", None)],
        [("run", "TestB"), ("fail", "TestB"), ("fail", None)],
        [("fail", None)],
        [("run", "TestB")],
    ],
)
def test_second_go_run_never_hides_failure(again):
    first = [("run", "TestA"), ("pass", "TestA"), ("run", "TestB"), ("fail", "TestB"), ("fail", None)]
    assert outcome(read(go(("start", None), *first, ("start", None), *again))) == "failed"


def test_go_output_in_utf16_is_read():
    """`>` of Windows PowerShell."""
    report = read(go(("run", "TestA"), ("pass", "TestA")).decode().encode("utf-16"))
    assert statuses(report) == {"TestA": "passed"}


def test_cucumber_attempts_are_retries():
    flaky = stored("cucumber.ndjson")["is flaky"]
    assert (flaky["flaky"], flaky["retries"], flaky["suite"]) == (True, 1, "Shop")
    assert flaky["error"] == "first"
    assert stored("cucumber.ndjson")["fails"]["error"] == "no <&>"
    assert stored("cucumber.ndjson")["undefined"]["error"] == "undefined"


def test_behave_durations_are_seconds():
    assert stored("behave.json")["pays"]["duration"] == pytest.approx(0.0001272, abs=1e-6)

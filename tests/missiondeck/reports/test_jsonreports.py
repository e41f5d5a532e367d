"""JSON reports of other tools: go test, CTRF, Jest, Mocha, Playwright and Cucumber, in the shapes they write."""

import json
from pathlib import Path

import pytest

from tests.missiondeck.reports.helpers import only, read, rejected, statuses

DATA = Path(__file__).parent / "data"
PACKAGE = "example.org/p"


def go(*events: tuple[str, str | None] | dict) -> bytes:
    """Lines of `go test -json`: (action, test), or a whole event."""
    lines = []
    for event in events:
        if not isinstance(event, dict):
            action, test = event
            event = {"Time": "2026-01-01T00:00:00Z", "Action": action, "Package": PACKAGE, "Elapsed": 0.1}
            event |= {"Test": test} if test else {}
        lines.append(json.dumps(event))
    return "\n".join(lines).encode()


def outcome(report) -> str:
    """What the run becomes: passed, or failed."""
    passed, bad = (
        any(each["status"] in kinds for each in report.results) for kinds in (["passed"], ["failed", "error"])
    )
    return "passed" if passed and not bad else "failed"


@pytest.mark.seed("001 reports of real tools have the totals each tool printed")
@pytest.mark.parametrize("tool", ["jest", "mocha"])
def test_report_of_real_tool_has_its_totals(tool):
    """Both printed 1 passing, 1 pending or skipped, 1 failing."""
    report = read((DATA / f"{tool}.json").read_bytes())
    assert statuses(report) == {"pays": "passed", "fails": "failed", "sleeps": "skipped"}
    assert report.warning_texts == []
    failed = next(each for each in report.results if each["status"] == "failed")
    assert "strictEqual" in failed["error"] or "strictly equal" in failed["error"]
    assert "a.test.js" in failed["traceback"]


# --- go test ----------------------------------------------------------------------------------


def test_go_tests_are_read():
    output = {"Action": "output", "Package": PACKAGE, "Test": "TestB", "Output": "    b_test.go:7: 1 != 2\n"}
    report = read(
        go(
            ("start", None),
            ("run", "TestA"), ("pass", "TestA"), ("run", "TestB"), output, ("fail", "TestB"),
            ("run", "TestC"), ("skip", "TestC"), ("fail", None),
        )
    )  # fmt: skip
    assert statuses(report) == {"TestA": "passed", "TestB": "failed", "TestC": "skipped"}
    failed = next(each for each in report.results if each["name"] == "TestB")
    assert (failed["classname"], failed["duration"], failed["traceback"]) == (PACKAGE, 0.1, "    b_test.go:7: 1 != 2")


@pytest.mark.parametrize(
    ("events", "name"),
    [
        ([("run", "TestA"), ("pass", "TestA"), ("fail", None)], PACKAGE),
        ([("run", "TestA"), ("pass", "TestA"), ("run", "TestB")], "TestB"),
        ([("start", None), ("run", "TestA"), ("pass", "TestA")], PACKAGE),
        (
            [("run", "TestA"), ("pass", "TestA"), {"ImportPath": "example.org/q", "Action": "build-fail"}],
            "example.org/q",
        ),
    ],
    ids=["package failed", "test did not end", "package did not end", "build failed"],
)
def test_go_package_that_broke_fails_run(events, name):
    report = read(go(*events))
    assert statuses(report) == {"TestA": "passed", name: "error"}


def test_cut_off_go_output_is_rejected():
    assert "not well-formed JSON" in rejected(go(("run", "TestA"), ("pass", "TestA"))[:-5])


# --- CTRF -------------------------------------------------------------------------------------


def ctrf(*tests: dict, **summary) -> bytes:
    results = {"tool": {"name": "demo"}, "summary": summary, "tests": list(tests)}
    return json.dumps({"reportFormat": "CTRF", "specVersion": "0.0.0", "results": results}).encode()


def test_ctrf_is_read():
    report = read(
        ctrf(
            {"name": "a", "status": "passed", "duration": 5, "flaky": True, "retries": 1},
            {"name": "b", "status": "failed", "duration": 7, "message": "no", "trace": "at b\n", "suite": ["x", "y"]},
            {"name": "c", "status": "pending", "duration": 0},
            {"name": "d", "status": "other", "duration": 0},
            tests=4, passed=1, failed=1,
        )
    )  # fmt: skip
    assert statuses(report) == {"a": "passed", "b": "failed", "c": "skipped", "d": "skipped"}
    flaky, failed = report.results[:2]
    assert (flaky["flaky"], flaky["retries"], flaky["duration"]) == (True, 1, 0.005)
    assert (failed["error"], failed["traceback"], failed["suite"]) == ("no", "at b", "x > y")


@pytest.mark.parametrize(
    "report",
    [
        ctrf({"name": "a", "status": "passed"}, failed=1),
        ctrf({"name": "a", "status": "passed"}, {"name": "b", "status": "exploded"}),
        ctrf({"name": "a", "status": "passed"}, {"name": "b", "status": 7}),
        ctrf(tests=0),
    ],
)
def test_doubtful_ctrf_never_passes(report):
    assert outcome(read(report)) == "failed"


# --- Jest, Vitest -----------------------------------------------------------------------------


def jest(*tests: dict, suite: dict | None = None, **more) -> bytes:
    file = {"name": "/app/a.test.js", "status": "passed", "message": "", "assertionResults": list(tests)}
    report = {"numTotalTests": len(tests), "numFailedTests": 0, "success": True, "testResults": [file | (suite or {})]}
    return json.dumps(report | more).encode()


def test_jest_is_read():
    report = read(
        jest(
            {"ancestorTitles": ["shop"], "title": "pays", "status": "passed", "duration": 2, "invocations": 2},
            {"ancestorTitles": ["shop"], "title": "fails", "status": "failed", "failureMessages": ["1 != 2\n at a"]},
            {"ancestorTitles": [], "title": "later", "status": "todo"},
            success=False,
            numFailedTests=1,
        )
    )
    assert statuses(report) == {"pays": "passed", "fails": "failed", "later": "skipped"}
    assert (report.results[0]["flaky"], report.results[0]["classname"]) == (True, "shop")
    assert (report.results[1]["error"], report.results[1]["traceback"]) == ("1 != 2", "1 != 2\n at a")


PASSED = {"title": "a", "status": "passed", "ancestorTitles": []}


@pytest.mark.parametrize(
    "report",
    [
        jest(PASSED, suite={"status": "failed", "message": "Cannot find module"}),
        jest(PASSED, success=False),
        jest(PASSED, wasInterrupted=True),
        jest(PASSED, numFailedTestSuites=1),
        jest(PASSED, {"title": "b", "status": "unknown"}),
    ],
)
def test_doubtful_jest_never_passes(report):
    assert outcome(read(report)) == "failed"


# --- Mocha ------------------------------------------------------------------------------------


def mocha(*, passes=(), failures=(), pending=(), failed: int = 0) -> bytes:
    report = {"stats": {"failures": failed}, "passes": list(passes), "failures": list(failures)}
    return json.dumps(report | {"pending": list(pending), "tests": []}).encode()


def test_mocha_is_read():
    report = read(
        mocha(
            passes=[{"title": "pays", "fullTitle": "shop pays", "duration": 3, "currentRetry": 1, "err": {}}],
            failures=[
                {
                    "title": '"before all" hook',
                    "fullTitle": 'shop "before all" hook',
                    "err": {"message": "no", "stack": "Error: no\n at a"},
                }
            ],
            pending=[{"title": "sleeps", "fullTitle": "shop sleeps", "err": {}}],
            failed=1,
        )
    )
    assert statuses(report) == {'"before all" hook': "failed", "sleeps": "skipped", "pays": "passed"}
    assert {each["status"]: (each["suite"], each.get("flaky")) for each in report.results} == {
        "failed": ("shop", None), "skipped": ("shop", None), "passed": ("shop", True),
    }  # fmt: skip


@pytest.mark.parametrize(
    "report",
    [
        mocha(passes=[{"title": "a", "err": {}}], failed=1),
        mocha(passes=[{"title": "a", "err": {"message": "no"}}]),
        mocha(),
    ],
)
def test_doubtful_mocha_never_passes(report):
    assert outcome(read(report)) == "failed"


# --- Playwright -------------------------------------------------------------------------------


def playwright(*tests: dict, errors=(), unexpected: int = 0) -> bytes:
    specs = [{"title": f"t{place}", "file": "a.spec.ts", "tests": [test]} for place, test in enumerate(tests)]
    suites = [{"title": "a.spec.ts", "specs": [], "suites": [{"title": "shop", "specs": specs}]}]
    return json.dumps({"suites": suites, "errors": list(errors), "stats": {"unexpected": unexpected}}).encode()


def test_playwright_is_read():
    broken = {"status": "failed", "duration": 1_000, "error": {"message": "no", "stack": "Error: no"}}
    report = read(
        playwright(
            {"projectName": "chromium", "status": "expected", "results": [{"status": "passed", "duration": 500}]},
            {"projectName": "chromium", "status": "flaky", "results": [broken, {"status": "passed", "duration": 500}]},
            {"projectName": "chromium", "status": "unexpected", "results": [broken, broken]},
            {"projectName": "chromium", "status": "skipped", "results": []},
            unexpected=1,
        )
    )
    assert statuses(report) == {"t0": "passed", "t1": "passed", "t2": "failed", "t3": "skipped"}
    flaky = report.results[1]
    assert (flaky["flaky"], flaky["retries"], flaky["duration"], flaky["error"]) == (True, 1, 1.5, "no")
    assert (flaky["classname"], flaky["suite"], flaky["file"]) == ("chromium", "a.spec.ts > shop", "a.spec.ts")


GOOD = {"status": "expected", "results": [{"status": "passed"}]}


@pytest.mark.parametrize(
    "report",
    [
        playwright(GOOD, unexpected=1),
        playwright(GOOD, errors=[{"message": "Error: no tests found"}]),
        playwright(GOOD, {"status": "skipped", "results": [{"status": "interrupted"}]}),
        playwright(GOOD, {"status": "new", "results": []}),
        playwright(),
    ],
)
def test_doubtful_playwright_never_passes(report):
    assert outcome(read(report)) == "failed"


# --- Cucumber ---------------------------------------------------------------------------------


def cucumber(*scenarios: list[str], kind: str = "scenario") -> bytes:
    elements = [
        {
            "name": f"s{place}",
            "type": kind,
            "steps": [{"result": {"status": each, "duration": 10**9}} for each in steps],
        }
        for place, steps in enumerate(scenarios)
    ]
    return json.dumps([{"uri": "a.feature", "name": "Shop", "keyword": "Feature", "elements": elements}]).encode()


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        (["passed", "passed"], "passed"),
        (["passed", "failed", "skipped"], "failed"),
        (["passed", "undefined"], "failed"),
        (["pending"], "failed"),
        (["ambiguous"], "failed"),
        (["passed", "skipped"], "skipped"),
        ([], "skipped"),
    ],
)
def test_cucumber_scenario_is_read(steps, status):
    result = only(read(cucumber(steps)))
    assert (result["status"], result["suite"], result["file"]) == (status, "Shop", "a.feature")


def test_failed_background_fails_run():
    assert only(read(cucumber(["failed"], kind="background")))["status"] == "failed"
    assert read(cucumber(["passed"], kind="background")).results == []


# --- Any shape --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '{"results": {"tests": [7, {"name": 1, "status": null}]}}',
        '{"testResults": [7, {"assertionResults": [{}]}], "numTotalTests": 1}',
        '{"stats": {}, "passes": [1], "failures": [{}]}',
        '{"stats": {}, "suites": [{"specs": [{"tests": [{}]}]}]}',
        '[{"uri": 1, "elements": [{"steps": [{}]}]}]',
        '{"Action": "pass", "Package": 7}',
    ],
)
def test_wrong_values_never_pass(text):
    assert outcome(read(text)) == "failed"

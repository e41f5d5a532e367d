"""JSON reports of other tools, converted to the JSON format of a run: CTRF, Jest, Mocha, Playwright, Cucumber.

A report is read item by item: a function converts each item of a list, such as a file of tests, to results, and
another the values beside the lists to {"name", "status", "summary", "results"}. jsonformat.py checks every value.

Sources: ctrf.io/docs/specification; jestjs.io/docs/configuration (testResultsProcessor);
mochajs.org/#json; playwright.dev/docs/api/class-testreporter; github.com/cucumber/cucumber-json-schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.utils.translation import gettext_noop

from missiondeck.reports.collector import ERROR, FAILED, PASSED, SKIPPED


def _result(name: Any, status: str, **more: Any) -> dict:
    """A result of a run without empty values."""
    named = name if isinstance(name, str) and name.strip() else gettext_noop("Test without a name")
    return {"name": named, "status": status} | {key: value for key, value in more.items() if value not in (None, "")}


def _dicts(value: Any) -> list[dict]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _texts(value: Any, between: str = "\n") -> str:
    """A text, or texts of a list joined."""
    parts = value if isinstance(value, list) else [value]
    return between.join(each for each in parts if isinstance(each, str))


def _seconds(value: Any, divisor: float = 1_000) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    return round(value / divisor, 9) if is_number else None


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


# --- CTRF -------------------------------------------------------------------------------------

_CTRF = {"passed": PASSED, "failed": FAILED, "skipped": SKIPPED, "pending": SKIPPED, "other": SKIPPED}


def _ctrf_results(test: Any) -> Iterator[dict]:
    if not isinstance(test, dict):
        return
    status = _CTRF.get(_texts(test.get("status")), ERROR)
    yield _result(
        test.get("name"),
        status,
        duration=_seconds(test.get("duration")),
        suite=_texts(test.get("suite"), " > "),
        file=_texts(test.get("filePath")),
        error=_texts(test.get("message")) if status in (FAILED, ERROR) else "",
        traceback=_texts(test.get("trace")),
        flaky=test.get("flaky") is True and status == PASSED,
        retries=_count(test.get("retries")),
    )


def _ctrf_summary(report: dict) -> dict:
    summary, tool = report.get("summary"), report.get("tool")
    return {
        "name": _texts(tool.get("name")) if isinstance(tool, dict) else "",
        "summary": {"failed": _count(summary.get("failed"))} if isinstance(summary, dict) else {},
    }


# --- Jest and Vitest --------------------------------------------------------------------------

_JEST = {
    "passed": PASSED, "failed": FAILED, "pending": SKIPPED, "skipped": SKIPPED, "todo": SKIPPED, "disabled": SKIPPED,
}  # fmt: skip


def _jest_results(suite: Any) -> Iterator[dict]:
    """The tests of a file."""
    if not isinstance(suite, dict):
        return
    file = _texts(suite.get("name"))
    tests = _dicts(suite.get("assertionResults"))
    for test in tests:
        status = _JEST.get(_texts(test.get("status")), ERROR)
        messages = _texts(test.get("failureMessages"))
        retries = max(_count(test.get("invocations")) - 1, 0)
        yield _result(
            test.get("title"),
            status,
            classname=_texts(test.get("ancestorTitles"), " > "),
            file=file,
            duration=_seconds(test.get("duration")),
            error=messages.partition("\n")[0],
            traceback=messages if "\n" in messages else "",
            flaky=status == PASSED and retries > 0,
            retries=retries,
        )
    if suite.get("status") == "failed" and not any(test.get("status") == "failed" for test in tests):
        # A file that could not be loaded.
        text = _texts(suite.get("message")) or gettext_noop("The file of tests failed to run.")
        yield _result(file, ERROR, error=text.strip().partition("\n")[0], traceback=text)


def _jest_summary(report: dict) -> dict:
    is_bad = report.get("success") is not True or report.get("wasInterrupted") is True
    is_bad |= _count(report.get("numFailedTestSuites")) > 0
    failed = _count(report.get("numFailedTests"))
    return {"name": "jest", "summary": {"failed": failed}, "status": FAILED if is_bad else None}


# --- Mocha ------------------------------------------------------------------------------------


def _mocha_results(status: str, test: Any) -> Iterator[dict]:
    if not isinstance(test, dict):
        return
    error: Any = test.get("err") if isinstance(test.get("err"), dict) else {}
    # A test with an error never passed.
    verdict = FAILED if status == PASSED and error else status
    retries = _count(test.get("currentRetry"))
    full, title = _texts(test.get("fullTitle")), _texts(test.get("title"))
    yield _result(
        title or full,
        verdict,
        suite=full.removesuffix(title).strip(),
        file=_texts(test.get("file")),
        duration=_seconds(test.get("duration")),
        error=_texts(error.get("message")),
        traceback=_texts(error.get("stack")),
        flaky=verdict == PASSED and retries > 0,
        retries=retries,
    )


def _mocha_summary(report: dict) -> dict:
    return {"name": "mocha", "summary": {"failed": _count(report["stats"].get("failures"))}}


# --- Playwright -------------------------------------------------------------------------------

_PLAYWRIGHT = {"expected": PASSED, "flaky": PASSED, "skipped": SKIPPED}


def _playwright_results(suite: Any) -> Iterator[dict]:
    """The tests of a file."""
    for titles, spec in _specs(_dicts([suite]), ()):
        for test in _dicts(spec.get("tests")):
            tries = _dicts(test.get("results"))
            status = _PLAYWRIGHT.get(_texts(test.get("status")), FAILED)
            if any(each.get("status") == "interrupted" for each in tries):
                status = ERROR
            errors = [each["error"] for each in tries if isinstance(each.get("error"), dict)]
            yield _result(
                spec.get("title"),
                status,
                classname=_texts(test.get("projectName")),
                suite=" > ".join(titles),
                file=_texts(spec.get("file")),
                duration=_seconds(sum(_count(each.get("duration")) for each in tries)),
                error=_texts(errors[0].get("message")) if errors else "",
                traceback=_texts(errors[0].get("stack")) if errors else "",
                flaky=test.get("status") == "flaky",
                retries=max(len(tries) - 1, 0),
            )


def _playwright_summary(report: dict) -> dict:
    stats, config = report["stats"], report.get("config")
    fails_on_flaky = isinstance(config, dict) and config.get("failOnFlakyTests") is True and _count(stats.get("flaky"))
    return {
        "name": "playwright",
        "summary": {"failed": _count(stats.get("unexpected"))},
        "status": FAILED if fails_on_flaky else None,
        "results": [
            _result(
                gettext_noop("Playwright"),
                ERROR,
                error=_texts(error.get("message")),
                traceback=_texts(error.get("stack")),
            )
            for error in _dicts(report.get("errors"))
        ],
    }


def _specs(suites: list[dict], titles: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict]]:
    for suite in suites:
        below = (*titles, title) if (title := _texts(suite.get("title"))) else titles
        for spec in _dicts(suite.get("specs")):
            yield below, spec
        yield from _specs(_dicts(suite.get("suites")), below)


# --- Cucumber ---------------------------------------------------------------------------------


def is_feature(value: Any) -> bool:
    return (
        isinstance(value, dict) and isinstance(value.get("elements"), list) and ("uri" in value or "keyword" in value)
    )


def feature_results(feature: dict) -> Iterator[dict]:
    """The scenarios of a feature.

    Undefined, ambiguous and pending steps fail a scenario, as in Cucumber's strict mode. behave writes durations in
    seconds, and the status of a scenario as well.
    """
    has_failed = False
    for element in _dicts(feature["elements"]):
        steps = [each for key in ("before", "steps", "after") for each in _dicts(element.get(key))]
        outcomes = [each["result"] for each in steps if isinstance(each.get("result"), dict)]
        statuses = {_texts(each.get("status")).lower() for each in outcomes}
        wrong = statuses - {"passed", "skipped"}
        if element.get("type") == "background" and not wrong:
            # Its steps are those of each scenario.
            continue
        stated = _texts(element.get("status")).lower()
        if wrong or len(outcomes) < len(steps) or stated not in _CUCUMBER:
            status = FAILED
        elif statuses == {"passed"}:
            status = PASSED
        else:
            status = SKIPPED
        has_failed |= status == FAILED
        messages = _texts([each.get("error_message") for each in outcomes])
        error = messages.partition("\n")[0] or ", ".join(sorted(wrong)) or stated
        yield _result(
            element.get("name") or element.get("keyword"),
            status,
            suite=_texts(feature.get("name")),
            file=_texts(feature.get("uri")) or _texts(feature.get("location")).rpartition(":")[0],
            duration=_seconds(sum(_step_seconds(each.get("duration")) for each in outcomes), 1),
            error=error if status == FAILED else "",
            traceback=messages,
        )
    if _texts(feature.get("status")).lower() not in _CUCUMBER and not has_failed:
        error = gettext_noop("The report has the status failed, but none of its results failed.")
        yield _result(feature.get("name"), ERROR, error=error)


# Statuses of a feature or scenario without a failure; most tools write none.
_CUCUMBER = ("", "passed", "skipped", "untested")


def _step_seconds(value: Any) -> float:
    """Cucumber writes nanoseconds, behave seconds with a fraction."""
    return value if isinstance(value, float) and value >= 0 else _count(value) / 1e9


# --- All tools that write an object -----------------------------------------------------------

# The list `tests` in the object `results`.
CTRF = "results.tests"
# The lists that are read item by item: the results of an item.
LISTS: dict[str, Callable[[Any], Iterator[dict]]] = {
    CTRF: _ctrf_results,
    "testResults": _jest_results,
    "suites": _playwright_results,
    "failures": partial(_mocha_results, FAILED),
    "pending": partial(_mocha_results, SKIPPED),
    "passes": partial(_mocha_results, PASSED),
}
# The other keys that are used.
OF_TOOLS = {
    "summary", "tool", "numTotalTests", "numFailedTests", "numFailedTestSuites", "success", "wasInterrupted", "stats",
    "config", "errors",
}  # fmt: skip


@dataclass(frozen=True)
class Tool:
    """A tool that writes an object. lists: those with its results. needs: those it always writes. key: a further key
    that it always writes. summary: converts the values beside the lists."""

    source: str
    lists: frozenset[str]
    needs: frozenset[str]
    key: str
    summary: Callable[[dict], dict]

    def wrote(self, lists: set[str], values: dict[str, Any]) -> bool:
        """Whether this is its report. lists: the lists of the document. values: its values beside them."""
        if not self.needs <= lists or (self.key and self.key not in values):
            return False
        return self.key != "stats" or isinstance(values["stats"], dict)


# The first that fits.
TOOLS = (
    Tool("ctrf", frozenset({CTRF}), frozenset({CTRF}), "", _ctrf_summary),
    Tool("jest", frozenset({"testResults"}), frozenset({"testResults"}), "numTotalTests", _jest_summary),
    Tool("playwright", frozenset({"suites"}), frozenset({"suites"}), "stats", _playwright_summary),
    Tool(
        "mocha",
        frozenset({"failures", "pending", "passes"}),
        frozenset({"failures", "passes"}),
        "stats",
        _mocha_summary,
    ),
)

"""JSON reports of other tools, converted to the JSON format of a run: CTRF, Jest, Mocha, Playwright, Cucumber.

Each converter takes the parsed document and returns {"name", "status", "summary", "results"} for jsonformat.py, which
checks every value. A document of another shape is returned unchanged.

Sources: ctrf.io/docs/specification; jestjs.io/docs/configuration (testResultsProcessor);
mochajs.org/#json; playwright.dev/docs/api/class-testreporter; github.com/cucumber/cucumber-json-schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_noop

from missiondeck.reports.collector import ERROR, FAILED, PASSED, SKIPPED


def convert(document: Any) -> tuple[Any, str]:
    """The document in the JSON format of a run and its source, if it is the report of a known tool; else unchanged."""
    if isinstance(document, list):
        if document and all(_is_feature(each) for each in document):
            return _cucumber(document), "cucumber"
        return document, "json"
    if not isinstance(document, dict):
        return document, "json"
    if isinstance(document.get("results"), dict) and isinstance(document["results"].get("tests"), list):
        return _ctrf(document["results"]), "ctrf"
    if isinstance(document.get("testResults"), list) and "numTotalTests" in document:
        return _jest(document), "jest"
    if isinstance(document.get("stats"), dict):
        if isinstance(document.get("suites"), list):
            return _playwright(document), "playwright"
        if isinstance(document.get("passes"), list) and isinstance(document.get("failures"), list):
            return _mocha(document), "mocha"
    return document, "json"


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


def _ctrf(report: dict) -> dict:
    results = []
    for test in _dicts(report["tests"]):
        status = _CTRF.get(_texts(test.get("status")), ERROR)
        results.append(
            _result(
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
        )
    summary = report.get("summary")
    stated = {"failed": _count(summary.get("failed"))} if isinstance(summary, dict) else {}
    tool = report.get("tool")
    return {"name": _texts(tool.get("name")) if isinstance(tool, dict) else "", "results": results, "summary": stated}


# --- Jest and Vitest --------------------------------------------------------------------------

_JEST = {
    "passed": PASSED, "failed": FAILED, "pending": SKIPPED, "skipped": SKIPPED, "todo": SKIPPED, "disabled": SKIPPED,
}  # fmt: skip


def _jest(report: dict) -> dict:
    results = []
    for suite in _dicts(report["testResults"]):
        file = _texts(suite.get("name"))
        tests = _dicts(suite.get("assertionResults"))
        for test in tests:
            status = _JEST.get(_texts(test.get("status")), ERROR)
            messages = _texts(test.get("failureMessages"))
            retries = max(_count(test.get("invocations")) - 1, 0)
            results.append(
                _result(
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
            )
        if suite.get("status") == "failed" and not any(test.get("status") == "failed" for test in tests):
            # A file that could not be loaded.
            text = _texts(suite.get("message")) or gettext_noop("The file of tests failed to run.")
            results.append(_result(file, ERROR, error=text.strip().partition("\n")[0], traceback=text))
    failed = _count(report.get("numFailedTests"))
    is_bad = report.get("success") is not True or report.get("wasInterrupted") is True
    is_bad |= _count(report.get("numFailedTestSuites")) > 0
    return {"name": "jest", "results": results, "summary": {"failed": failed}, "status": FAILED if is_bad else None}


# --- Mocha ------------------------------------------------------------------------------------


def _mocha(report: dict) -> dict:
    results = []
    for key, status in (("failures", FAILED), ("pending", SKIPPED), ("passes", PASSED)):
        for test in _dicts(report.get(key)):
            error: Any = test.get("err") if isinstance(test.get("err"), dict) else {}
            # A test with an error never passed.
            verdict = FAILED if status == PASSED and error else status
            retries = _count(test.get("currentRetry"))
            full, title = _texts(test.get("fullTitle")), _texts(test.get("title"))
            results.append(
                _result(
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
            )
    return {"name": "mocha", "results": results, "summary": {"failed": _count(report["stats"].get("failures"))}}


# --- Playwright -------------------------------------------------------------------------------

_PLAYWRIGHT = {"expected": PASSED, "flaky": PASSED, "skipped": SKIPPED}


def _playwright(report: dict) -> dict:
    results = [
        _result(
            gettext_noop("Playwright"), ERROR, error=_texts(error.get("message")), traceback=_texts(error.get("stack"))
        )
        for error in _dicts(report.get("errors"))
    ]
    for titles, spec in _specs(_dicts(report["suites"]), ()):
        for test in _dicts(spec.get("tests")):
            tries = _dicts(test.get("results"))
            status = _PLAYWRIGHT.get(_texts(test.get("status")), FAILED)
            if any(each.get("status") == "interrupted" for each in tries):
                status = ERROR
            errors = [each["error"] for each in tries if isinstance(each.get("error"), dict)]
            project = _texts(test.get("projectName"))
            results.append(
                _result(
                    spec.get("title"),
                    status,
                    classname=project,
                    suite=" > ".join(titles),
                    file=_texts(spec.get("file")),
                    duration=_seconds(sum(_count(each.get("duration")) for each in tries)),
                    error=_texts(errors[0].get("message")) if errors else "",
                    traceback=_texts(errors[0].get("stack")) if errors else "",
                    flaky=test.get("status") == "flaky",
                    retries=max(len(tries) - 1, 0),
                )
            )
    stats, config = report["stats"], report.get("config")
    fails_on_flaky = isinstance(config, dict) and config.get("failOnFlakyTests") is True and _count(stats.get("flaky"))
    return {
        "name": "playwright",
        "results": results,
        "summary": {"failed": _count(stats.get("unexpected"))},
        "status": FAILED if fails_on_flaky else None,
    }


def _specs(suites: list[dict], titles: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict]]:
    for suite in suites:
        below = (*titles, title) if (title := _texts(suite.get("title"))) else titles
        for spec in _dicts(suite.get("specs")):
            yield below, spec
        yield from _specs(_dicts(suite.get("suites")), below)


# --- Cucumber ---------------------------------------------------------------------------------


def _is_feature(value: Any) -> bool:
    return (
        isinstance(value, dict) and isinstance(value.get("elements"), list) and ("uri" in value or "keyword" in value)
    )


def _cucumber(features: list[dict]) -> dict:
    """Undefined, ambiguous and pending steps fail a scenario, as in Cucumber's strict mode.

    behave writes durations in seconds, and the status of a scenario as well.
    """
    results: list[dict] = []
    for feature in features:
        found = len(results)
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
            messages = _texts([each.get("error_message") for each in outcomes])
            error = messages.partition("\n")[0] or ", ".join(sorted(wrong)) or stated
            results.append(
                _result(
                    element.get("name") or element.get("keyword"),
                    status,
                    suite=_texts(feature.get("name")),
                    file=_texts(feature.get("uri")) or _texts(feature.get("location")).rpartition(":")[0],
                    duration=_seconds(sum(_step_seconds(each.get("duration")) for each in outcomes), 1),
                    error=(messages.partition("\n")[0] or ", ".join(sorted(wrong)) or stated)
                    if status == FAILED
                    else "",
                    traceback=messages,
                )
            )
        if _texts(feature.get("status")).lower() not in _CUCUMBER and not any(
            result["status"] == FAILED for result in results[found:]
        ):
            error = gettext_noop("The report has the status failed, but none of its results failed.")
            results.append(_result(feature.get("name"), ERROR, error=error))
    return {"name": "cucumber", "results": results}


# Statuses of a feature or scenario without a failure; most tools write none.
_CUCUMBER = ("", "passed", "skipped", "untested")


def _step_seconds(value: Any) -> float:
    """Cucumber writes nanoseconds, behave seconds with a fraction."""
    return value if isinstance(value, float) and value >= 0 else _count(value) / 1e9

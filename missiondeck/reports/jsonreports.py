"""JSON reports of other tools, converted to the JSON format of a run: go test, CTRF, Jest, Mocha, Playwright, Cucumber.

Each converter takes the parsed document and returns {"name", "status", "summary", "results"} for jsonformat.py, which
checks every value. A document of another shape is returned unchanged.

Sources: `go doc test2json`; ctrf.io/docs/specification; jestjs.io/docs/configuration (testResultsProcessor);
mochajs.org/#json; playwright.dev/docs/api/class-testreporter; github.com/cucumber/cucumber-json-schema.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext

from missiondeck.reports.collector import ERROR, FAILED, PASSED, SKIPPED

# Characters of the output of one Go test that are kept while reading; more than one text may have.
_OUTPUT = 200_000


def convert(document: Any) -> Any:
    """The document in the JSON format of a run, if it is the report of a known tool; else unchanged."""
    if isinstance(document, list):
        if document and all(_is_feature(each) for each in document):
            return _cucumber(document)
        if document and all(is_go_event(each) for each in document):
            return _go(document)
        return document
    if not isinstance(document, dict):
        return document
    if is_go_event(document):
        return _go([document])
    if isinstance(document.get("results"), dict) and isinstance(document["results"].get("tests"), list):
        return _ctrf(document["results"])
    if isinstance(document.get("testResults"), list) and "numTotalTests" in document:
        return _jest(document)
    if isinstance(document.get("stats"), dict):
        if isinstance(document.get("suites"), list):
            return _playwright(document)
        if isinstance(document.get("passes"), list) and isinstance(document.get("failures"), list):
            return _mocha(document)
    return document


def is_go_event(value: Any) -> bool:
    """Whether a value is a line of `go test -json`."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("Action"), str)
        and ("Package" in value or "ImportPath" in value)
    )


def _result(name: Any, status: str, **more: Any) -> dict:
    """A result of a run without empty values."""
    named = name if isinstance(name, str) and name.strip() else gettext("Test without a name")
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


# --- go test -json ----------------------------------------------------------------------------


def _go(lines: list[dict]) -> dict:
    """Each test that ended is a result. A package that failed without a failed test, or never ended, is an error."""
    results: list[dict] = []
    output: dict[tuple[str, str], list[str]] = {}
    sizes: dict[tuple[str, str], int] = {}
    open_tests: dict[tuple[str, str], None] = {}
    failed_packages: set[str] = set()
    for event in lines:
        package = _texts(event.get("Package")) or _texts(event.get("ImportPath"))
        test = _texts(event.get("Test"))
        key = package, test
        match event["Action"]:
            case "run" | "start":
                open_tests[key] = None
            case "output" | "build-output":
                text = event.get("Output")
                if isinstance(text, str) and sizes.get(key, 0) < _OUTPUT:
                    output.setdefault(key, []).append(text)
                    sizes[key] = sizes.get(key, 0) + len(text)
            case "pass" | "bench" if test:
                results.append(_result(test, PASSED, classname=package, duration=_seconds(event.get("Elapsed"), 1)))
            case "skip" if test:
                results.append(_result(test, SKIPPED, classname=package, output=_said(output, key)))
            case "fail" if test:
                failed_packages.add(package)
                seconds = _seconds(event.get("Elapsed"), 1)
                text = _said(output, key)
                error = gettext("Failed")
                results.append(_result(test, FAILED, classname=package, duration=seconds, error=error, traceback=text))
            case "fail" if package not in failed_packages:
                failed_packages.add(package)
                error = gettext("The package failed, but none of its tests did.")
                results.append(_result(package, ERROR, error=error, traceback=_said(output, key)))
            case "build-fail":
                failed_packages.add(package)
                error = gettext("The package could not be built.")
                results.append(_result(package, ERROR, error=error, traceback=_said(output, key)))
        if event["Action"] in ("pass", "fail", "skip", "bench"):
            open_tests.pop(key, None)
            output.pop(key, None)
    for package, test in open_tests:
        error = gettext("It did not end.")
        results.append(_result(test or package, ERROR, classname=package if test else "", error=error))
    return {"name": "go test", "results": results}


def _said(output: dict[tuple[str, str], list[str]], key: tuple[str, str]) -> str:
    return "".join(output.get(key, []))


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
            text = _texts(suite.get("message")) or gettext("The file of tests failed to run.")
            results.append(_result(file, ERROR, error=text.strip().partition("\n")[0], traceback=text))
    failed = max(_count(report.get("numFailedTests")), _count(report.get("numFailedTestSuites")))
    is_bad = report.get("success") is not True or report.get("wasInterrupted") is True
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
        _result(gettext("Playwright"), ERROR, error=_texts(error.get("message")), traceback=_texts(error.get("stack")))
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
    return {"name": "playwright", "results": results, "summary": {"failed": _count(report["stats"].get("unexpected"))}}


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
    """Undefined, ambiguous and pending steps fail a scenario, as in Cucumber's strict mode."""
    results = []
    for feature in features:
        for element in _dicts(feature["elements"]):
            steps = [each for key in ("before", "steps", "after") for each in _dicts(element.get(key))]
            outcomes = [each["result"] for each in steps if isinstance(each.get("result"), dict)]
            statuses = {_texts(each.get("status")).lower() for each in outcomes}
            if len(outcomes) < len(steps) or not statuses <= {"passed", "skipped"}:
                status = FAILED
            elif statuses == {"passed"}:
                status = PASSED
            else:
                status = SKIPPED
            if element.get("type") == "background" and status != FAILED:
                continue
            messages = _texts([each.get("error_message") for each in outcomes])
            wrong = ", ".join(sorted(statuses - {"passed", "skipped"}))
            results.append(
                _result(
                    element.get("name") or element.get("keyword"),
                    status,
                    suite=_texts(feature.get("name")),
                    file=_texts(feature.get("uri")),
                    duration=_seconds(sum(_count(each.get("duration")) for each in outcomes), 1e9),
                    error=(messages.partition("\n")[0] or wrong) if status == FAILED else "",
                    traceback=messages,
                )
            )
    return {"name": "cucumber", "results": results}

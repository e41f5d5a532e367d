"""The events of `go test -json`. Source: `go doc test2json`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop

from missiondeck.reports.collector import ERROR, FAILED, PASSED, SKIPPED, Collector
from missiondeck.reports.values import Text, is_number

_BROKEN = re.compile(r"FAIL\t(\S+)")
_MARK = re.compile(r"=== |--- |FAIL|ok |PASS|exit status")


@dataclass
class _Result:
    test: str
    status: str
    duration: float | None
    error: str
    traceback: str
    output: str


@dataclass
class _Package:
    is_open: bool = True
    # Go from 1.20 states when a package starts; only then is it known that it did not end.
    has_started: bool = False
    # Whether a test of the current run failed.
    has_failed: bool = False
    # Indexes of the results of the first run.
    places: dict[str, int] = field(default_factory=dict)
    # Results of a further run, until it ends.
    again: list[_Result] | None = None


class GoTests:
    """Each test that ended is a result. A package that failed without a failed test, or never ended, is an error.

    A package that runs again after it ended, with tests that had failed only, is a retry, as of gotestsum
    --rerun-fails.
    """

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self._packages: dict[str, _Package] = {}
        # Open tests; "" is the package.
        self._open: dict[tuple[str, str], None] = {}
        self._output: dict[tuple[str, str], Text] = {}
        self._seconds = 0.0

    def event(self, event: dict[str, Any]) -> None:
        path, action = _text(event.get("Package")), _text(event.get("Action"))
        test = _text(event.get("Test"))
        if not path and not event.get("ImportPath"):
            return
        package = self._package(path, action) if path else None
        key = path or _text(event.get("ImportPath")), test
        match action:
            case "start" if package:
                package.has_started = True
            case "run":
                self._open[key] = None
            case "output" | "build-output":
                self._output.setdefault(key, Text(self.collector.limits.text)).add(_text(event.get("Output")))
            case "build-fail":
                self._error(key[0], gettext_noop("The package could not be built."), self._text_of(key))
            case "pass" | "bench" | "skip" | "fail" if package and test:
                self._end_test(package, key, action, event.get("Elapsed"))
            case "pass" | "bench" | "skip" | "fail" if package:
                self._end_package(package, path, is_failed=action == "fail")
        if action in ("pass", "fail", "skip", "bench"):
            self._open.pop(key, None)
            self._output.pop(key, None)

    def line(self, line: str) -> None:
        """A line that is not an event: before Go 1.20, that of a package that could not be built."""
        if found := _BROKEN.match(line):
            self._error(found[1], gettext_noop("The package could not be built."), line)

    def finish(self) -> float:
        """Add what did not end. Returns the sum of the durations."""
        for path, test in self._open:
            self._store(
                path, _Result(test, ERROR, None, gettext_noop("It did not end."), self._text_of((path, test)), "")
            )
        for path, package in self._packages.items():
            if not package.is_open:
                continue
            self._add_again(package, path)
            if package.has_started:
                self._error(path, gettext_noop("It did not end."), self._text_of((path, "")))
        return self._seconds

    def _package(self, path: str, action: str) -> _Package:
        package = self._packages.setdefault(path, _Package())
        if not package.is_open and action in ("start", "run"):
            package.is_open, package.has_failed, package.again = True, False, []
        return package

    def _end_test(self, package: _Package, key: tuple[str, str], action: str, elapsed: object) -> None:
        path, test = key
        status = {"skip": SKIPPED, "fail": FAILED}.get(action, PASSED)
        package.has_failed |= status == FAILED
        text = self._text_of(key) if status != PASSED else ""
        duration = round(float(elapsed), 9) if is_number(elapsed) and elapsed >= 0 else None
        is_bad = status == FAILED
        result = _Result(
            test, status, duration, _first_line(text) if is_bad else "", text if is_bad else "", "" if is_bad else text
        )
        if package.again is None:
            package.places[test] = len(self.collector.results)
            self._store(path, result)
        else:
            package.again.append(result)

    def _end_package(self, package: _Package, path: str, *, is_failed: bool) -> None:
        package.is_open = False
        text = self._text_of((path, ""))
        self._add_again(package, path)
        if is_failed and not package.has_failed:
            self._error(path, gettext_noop("The package failed, but none of its tests did."), text)

    def _add_again(self, package: _Package, path: str) -> None:
        """Add the results of a further run: as retries of failed tests, or else as tests of their own."""
        again, package.again = package.again or [], None
        results = self.collector.results

        def failed_before(test: str) -> bool:
            while test not in package.places and "/" in test:
                test = test.rpartition("/")[0]
            place = package.places.get(test)
            return place is not None and results[place]["status"] == FAILED

        if not all(failed_before(each.test) for each in again):
            for each in again:
                self._store(path, each)
            return
        for each in again:
            if (place := package.places.get(each.test)) is None:
                package.places[each.test] = len(results)
                self._store(path, each)
                continue
            earlier = results[place]
            earlier["retries"] = earlier.get("retries", 0) + 1
            earlier["status"] = each.status
            if each.status == PASSED:
                earlier["flaky"] = True

    def _store(self, path: str, result: _Result) -> None:
        self._seconds += 0 if "/" in result.test else result.duration or 0
        self.collector.add(
            name=self.collector.name(result.test or path) or gettext_noop("(test without a name)"),
            status=result.status,
            duration=result.duration,
            classname=self.collector.name(path) if result.test else "",
            error=result.error,
            traceback=result.traceback,
            output=result.output,
        )

    def _error(self, path: str, error: str, text: str) -> None:
        self._store(path, _Result("", ERROR, None, error, text, ""))

    def _text_of(self, key: tuple[str, str]) -> str:
        text = self._output.pop(key, None)
        return self.collector.cut(text) if text else ""


def _first_line(text: str) -> str:
    """The first line of the output that a test printed itself."""
    lines = (line.strip() for line in text.split("\n"))
    return next((line for line in lines if line and not _MARK.match(line)), "") or gettext_noop("Failed")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

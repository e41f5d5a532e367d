"""The messages of Cucumber, one per line. Source: github.com/cucumber/messages, jsonschema."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext, gettext_noop

from missiondeck.reports.collector import ERROR, FAILED, PASSED, SKIPPED, Collector
from missiondeck.reports.report import ReportRejected
from missiondeck.reports.values import Text, is_number

# The worst status of the steps is that of the scenario. Undefined and pending steps fail it, as in strict mode.
_ORDER = ("PASSED", "SKIPPED", "PENDING", "UNDEFINED", "AMBIGUOUS", "UNKNOWN", "FAILED")
_STATUSES = {"SKIPPED": SKIPPED, "PASSED": PASSED}
# Scenarios, attempts and features that are kept in memory.
_MOST = 400_000


@dataclass
class _Attempt:
    test_case: str
    steps: int = 0
    statuses: set[str] = field(default_factory=set)
    seconds: float = 0.0
    error: str = ""
    traceback: str = ""


class CucumberMessages:
    """Each scenario is a result. An attempt that will be retried is a retry."""

    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self._features: dict[str, str] = {}
        # Name and file.
        self._pickles: dict[str, tuple[str, str]] = {}
        # The scenario and the number of its steps.
        self._test_cases: dict[str, tuple[str, int]] = {}
        self._attempts: dict[str, _Attempt] = {}
        # The first failure of a scenario that is retried.
        self._retried: dict[str, tuple[int, str, str]] = {}
        self._is_ended = False
        self._is_failed = False
        self._seconds = 0.0
        self._bad = 0

    def envelope(self, envelope: dict[str, Any]) -> None:
        for kind, value in envelope.items():
            if isinstance(value, dict):
                self._message(kind, value)
        kept = len(self._pickles) + len(self._test_cases) + len(self._attempts) + len(self._features)
        if kept > _MOST:
            raise ReportRejected(
                gettext("The report has more than %(cases)s tests. Split it into several runs.")
                % {"cases": f"{self.collector.limits.cases:,}"}
            )

    def finish(self) -> float:
        """Add what did not end. Returns the sum of the durations."""
        for attempt in self._attempts.values():
            self._add(attempt, ERROR, gettext_noop("It did not end."))
        for test_case in list(self._retried):
            # The next attempt is missing.
            self._add(_Attempt(test_case), ERROR, gettext_noop("It did not end."))
        if not self._is_ended:
            self._error(gettext_noop("The run did not end: the report is incomplete."))
        elif self._is_failed and not self._bad:
            self._error(gettext_noop("The report has the status failed, but none of its results failed."))
        return self._seconds

    def _message(self, kind: str, value: dict[str, Any]) -> None:
        match kind:
            case "gherkinDocument":
                feature = value.get("feature")
                if isinstance(feature, dict):
                    self._features[_text(value.get("uri"))] = self.collector.name(_text(feature.get("name")))
            case "pickle":
                names = self.collector.name(_text(value.get("name"))), self.collector.name(_text(value.get("uri")))
                self._pickles[_text(value.get("id"))] = names
            case "testCase":
                steps = value.get("testSteps")
                number = len(steps) if isinstance(steps, list) else 0
                self._test_cases[_text(value.get("id"))] = _text(value.get("pickleId")), number
            case "testCaseStarted":
                self._attempts[_text(value.get("id"))] = _Attempt(_text(value.get("testCaseId")))
            case "testStepFinished":
                if attempt := self._attempts.get(_text(value.get("testCaseStartedId"))):
                    self._add_step(attempt, value.get("testStepResult"))
            case "testCaseFinished":
                self._end_attempt(value)
            case "testRunHookFinished":
                self._add_hook(value.get("result"))
            case "parseError":
                self._error(_text(value.get("message")) or gettext_noop("A file could not be parsed."))
            case "testRunFinished":
                self._is_ended = True
                self._is_failed |= value.get("success") is not True
                if isinstance(value.get("exception"), dict) or _text(value.get("message")):
                    exception = value.get("exception")
                    message = _text(exception.get("message")) if isinstance(exception, dict) else ""
                    self._error(message or _text(value.get("message")))

    def _add_step(self, attempt: _Attempt, result: object) -> None:
        attempt.steps += 1
        if not isinstance(result, dict):
            attempt.statuses.add("UNKNOWN")
            return
        status = _text(result.get("status")).upper()
        attempt.statuses.add(status if status in _ORDER else "UNKNOWN")
        attempt.seconds += _seconds(result.get("duration"))
        message = _text(result.get("message"))
        if message and not attempt.traceback:
            exception = result.get("exception")
            stated = _text(exception.get("message")) if isinstance(exception, dict) else ""
            attempt.error = self._cut(stated or message.strip().partition("\n")[0])
            attempt.traceback = self._cut(message)

    def _end_attempt(self, value: dict[str, Any]) -> None:
        attempt = self._attempts.pop(_text(value.get("testCaseStartedId")), None)
        if attempt is None:
            return
        worst = max(attempt.statuses, key=_ORDER.index, default="SKIPPED")
        status = _STATUSES.get(worst, FAILED)
        _pickle, planned = self._test_cases.get(attempt.test_case, ("", 0))
        if attempt.steps < planned and status == PASSED:
            status = ERROR
        if value.get("willBeRetried") is True:
            number, error, traceback = self._retried.get(attempt.test_case, (0, attempt.error, attempt.traceback))
            self._retried[attempt.test_case] = number + 1, error, traceback
            return
        self._add(attempt, status, attempt.error or (worst.lower() if status in (FAILED, ERROR) else ""))

    def _add(self, attempt: _Attempt, status: str, error: str) -> None:
        pickle, _planned = self._test_cases.get(attempt.test_case, ("", 0))
        name, file = self._pickles.get(pickle, ("", ""))
        retries, first_error, first_traceback = self._retried.pop(attempt.test_case, (0, "", ""))
        self._seconds += attempt.seconds
        self._bad += status in (FAILED, ERROR)
        self.collector.add(
            name=name or gettext_noop("(test without a name)"),
            status=status,
            duration=round(attempt.seconds, 9),
            suite=self._features.get(file, ""),
            file=file,
            error=error if status != PASSED else first_error,
            traceback=attempt.traceback if status != PASSED else first_traceback,
            flaky=status == PASSED and retries > 0,
            retries=retries,
        )

    def _add_hook(self, result: object) -> None:
        if not isinstance(result, dict) or _text(result.get("status")).upper() not in ("PASSED", "SKIPPED"):
            message = _text(result.get("message")) if isinstance(result, dict) else ""
            self._error(message or gettext_noop("A hook of the run failed."))

    def _error(self, message: str) -> None:
        self._bad += 1
        text = self._cut(message)
        self.collector.add(name="Cucumber", status=ERROR, error=text.strip().partition("\n")[0], traceback=text)

    def _cut(self, text: str) -> str:
        collected = Text(self.collector.limits.text)
        collected.add(text)
        return self.collector.cut(collected)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _seconds(value: object) -> float:
    """A duration of {"seconds", "nanos"}."""
    if not isinstance(value, dict):
        return 0.0
    parts = [(value.get("seconds"), 1.0), (value.get("nanos"), 1e-9)]
    found = sum(number * factor for number, factor in parts if is_number(number) and number >= 0)
    return found if found < 1e9 else 0.0

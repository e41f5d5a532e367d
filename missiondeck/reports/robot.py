"""Reads output.xml of Robot Framework, versions 3 to 7. Source: github.com/robotframework, doc/schema/result.xsd."""

import re
from dataclasses import dataclass, field

from django.utils.translation import gettext_noop

from missiondeck.reports.elements import BAD, FAILED, PASSED, SKIPPED, ElementReader, Test
from missiondeck.reports.values import Text

_STATUSES = {"pass": PASSED, "fail": FAILED, "skip": SKIPPED, "not run": SKIPPED}
_CLOCK = re.compile(r"\d{8} (\d\d):(\d\d):(\d\d(?:\.\d{1,6})?)", re.ASCII)
_LEVELS = ("ERROR", "FAIL", "WARN")


@dataclass
class _Suite:
    name: str
    file: str
    # Index of its first result.
    first: int
    failed_teardown: bool = False
    status: str = ""
    messages: list[str] = field(default_factory=list)


class RobotReader(ElementReader):
    source = "robot"
    texts = frozenset({"status", "msg", "stat"})

    def __init__(self, xml, collector) -> None:
        super().__init__(xml, collector)
        self._suites: list[_Suite] = []
        self._test: Test | None = None
        self._level = ""
        # The types of the open keywords, in lower case.
        self._keywords: list[str] = []
        self._stated: int | None = None

    def start(self, name, attrs):
        match name:
            case "suite":
                suite = attrs.get("name") or ""
                self.name = self.name or self.collector.name(suite)
                self._suites.append(_Suite(suite, attrs.get("source") or "", len(self.collector.results)))
            case "test":
                self._test = self.test(name=attrs.get("name") or "")
                self._test.file = self._suites[-1].file if self._suites else ""
            case "kw" | "setup" | "teardown":
                self._keywords.append((attrs.get("type") or name).lower())
            case "status":
                self._start_status(attrs)
            case "msg":
                self._level = attrs.get("level") or ""
            case "stat" if "total" in self.path and self._stated is None:
                self._stated = self.count(attrs, "fail")

    def end(self, name, text):
        match name:
            case "suite" if self._suites:
                self._end_suite()
            case "test" if self._test:
                self.add(self._test, [each.name for each in self._suites])
                self._test = None
            case "kw" | "setup" | "teardown":
                self._keywords.pop()
            case "status" if text:
                self._end_status(text)
            case "msg" if text and self._level in _LEVELS:
                self._end_message(text)

    def finish(self):
        self.check_failures(self._stated)

    @property
    def _parent(self) -> str:
        return self.path[-2] if len(self.path) > 1 else ""

    def _start_status(self, attrs: dict[str, str]) -> None:
        word = attrs.get("status") or ""
        if self._parent == "test" and self._test:
            self._test.status = self.verdict(_STATUSES, word, self._test.name)
            self._test.duration = self._elapsed(attrs, self._test.name)
        elif self._parent == "suite" and self._suites:
            self._suites[-1].status = self.verdict(_STATUSES, word, self._suites[-1].name)
            if len(self._suites) == 1:
                self.stated_seconds = self._elapsed(attrs, self._suites[-1].name)
        elif self._keywords == ["teardown"] and not self._test and self._suites:
            self._suites[-1].failed_teardown |= word.lower() == "fail"

    def _elapsed(self, attrs: dict[str, str], name: str) -> float | None:
        if "elapsed" in attrs:
            return self.duration(attrs["elapsed"], name)
        start, end = (self._clock(attrs.get(key) or "") for key in ("starttime", "endtime"))
        if start is None or end is None:
            return None
        # Past midnight.
        return round((end - start) % 86_400, 3)

    @staticmethod
    def _clock(text: str) -> float | None:
        """Seconds of the day of "20261130 12:00:00.000"."""
        found = _CLOCK.fullmatch(text)
        return int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3]) if found else None

    def _end_status(self, text: Text) -> None:
        if self._parent == "test" and self._test:
            self._test.error.add_text(text)
        elif self._parent == "suite" and self._suites:
            self._suites[-1].messages.append(text.value().strip())

    def _end_message(self, text: Text) -> None:
        if self._test:
            self._test.traceback.add_block(f"[{self._level}] {text.value()}")
        elif "errors" in self.path:
            self.collector.log(f"[{self._level}] {text.value()}\n")

    def _end_suite(self) -> None:
        """A suite that could not be torn down fails all of its tests, as in the totals that Robot Framework prints."""
        suite = self._suites[-1]
        results = self.collector.results[suite.first :]
        if suite.failed_teardown:
            for result in results:
                if result["status"] == PASSED:
                    result["status"] = FAILED
                    self.bad += 1
                    self.collector.describe_error(result, gettext_noop("The suite could not be torn down."))
        if suite.status in BAD and not any(result["status"] in BAD for result in results):
            self.add_error(suite.name, "\n".join(suite.messages), [each.name for each in self._suites])
        self._suites.pop()

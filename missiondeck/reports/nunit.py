"""Reads NUnit XML: <test-run> of version 3, and <test-results> of version 2.

Source: docs.nunit.org/articles/nunit/technical-notes/usage/Test-Result-XML-Format.html, and the NUnit 2.5 schema.
"""

from dataclasses import dataclass, field
from typing import Any

from missiondeck.reports.elements import BAD, ERROR, FAILED, PASSED, SKIPPED, ElementReader, Test
from missiondeck.reports.values import Text, short

# A warning does not fail the run of NUnit.
_RESULTS = {
    "passed": PASSED, "success": PASSED, "warning": PASSED,
    "failed": FAILED, "failure": FAILED,
    "error": ERROR, "notrunnable": ERROR, "cancelled": ERROR, "invalid": ERROR,
    "skipped": SKIPPED, "ignored": SKIPPED, "inconclusive": SKIPPED,
}  # fmt: skip
_ERROR_LABELS = ("error", "cancelled", "invalid")


@dataclass
class _Suite:
    name: str
    file: str
    status: str
    # Where a failure of the suite happened.
    site: str
    # Failed tests before it.
    bad: int
    error: list[str] = field(default_factory=list)
    traceback: list[str] = field(default_factory=list)


class NunitReader(ElementReader):
    source = "nunit"
    texts = frozenset({"message", "stack-trace", "output"})

    def __init__(self, xml, collector) -> None:
        super().__init__(xml, collector)
        self._suites: list[_Suite] = []
        self._test: Test | None = None
        self._stated: int | None = None
        self._is_failed = False

    def start(self, name, attrs):
        match name:
            case "test-case":
                self._test = self.test(name=attrs.get("name") or attrs.get("fullname") or "")
                self._test.classname = attrs.get("classname") or ""
                self._test.status = self._status(attrs, self._test.name)
                self._test.duration = self.duration(attrs.get("duration") or attrs.get("time"), self._test.name)
                self._test.file = next((each.file for each in reversed(self._suites) if each.file), "")
            case "test-suite":
                self._start_suite(attrs)
            case "test-run" | "test-results" if len(self.path) == 1:
                self.name = self.collector.name(attrs.get("name") or attrs.get("fullname") or "")
                self._stated = self.count(attrs, "failed", "failures", "errors", "invalid")
                self._is_failed = _RESULTS.get((attrs.get("result") or "").lower()) in BAD
                self.stated_seconds = self.duration(attrs.get("duration") or attrs.get("time-taken"), name)

    def end(self, name, text):
        if name == "test-case" and self._test:
            self.add(self._test, self._path)
            self._test = None
        elif name == "test-suite" and self._suites:
            self._end_suite()
        elif text:
            self._add_text(name, text)

    def finish(self):
        self.check_failures(self._stated, is_failed=self._is_failed)

    @property
    def _path(self) -> list[str]:
        return [each.name for each in self._suites]

    def _status(self, attrs: dict[str, str], name: str) -> str:
        result = attrs.get("result")
        if result is None:
            # Version 2.4.
            if (attrs.get("executed") or "").lower() == "false":
                return SKIPPED
            return PASSED if (attrs.get("success") or "").lower() == "true" else FAILED
        status = self.verdict(_RESULTS, result, name)
        return ERROR if status == FAILED and (attrs.get("label") or "").lower() in _ERROR_LABELS else status

    def _start_suite(self, attrs: dict[str, str]) -> None:
        name = attrs.get("name") or ""
        is_file = (attrs.get("type") or "").lower() in ("assembly", "project")
        suite: dict[str, Any] = {"name": name, "file": name if is_file else "", "site": attrs.get("site") or ""}
        is_stated = "result" in attrs or "success" in attrs
        self._suites.append(
            _Suite(**suite, status=self._status(attrs, short(name)) if is_stated else PASSED, bad=self.bad)
        )

    def _end_suite(self) -> None:
        """A suite that failed without a failed test in it, or failed when it was torn down, is an error."""
        suite = self._suites[-1]
        if suite.status in BAD and (suite.bad == self.bad or suite.site.lower() == "teardown"):
            self.add_error(suite.name, "\n".join(suite.error), self._path, "\n".join(suite.traceback))
        self._suites.pop()

    def _add_text(self, name: str, text: Text) -> None:
        parent = self.path[-2] if len(self.path) > 1 else ""
        if test := self._test:
            # An assertion has the message of the failure again.
            if name == "message" and parent in ("failure", "reason"):
                test.error.add_text(text)
            elif name == "stack-trace" and parent == "failure":
                test.traceback.add_text(text)
            elif name == "output" or (name == "message" and parent == "assertion" and test.status == PASSED):
                test.output.add_text(text)
        elif self._suites and parent in ("failure", "reason"):
            suite = self._suites[-1]
            (suite.error if name == "message" else suite.traceback).append(text.value().strip())
        elif name == "output":
            self.collector.log(text.raw().strip("\n") + "\n")

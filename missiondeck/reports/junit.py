"""Reads JUnit XML of all common tools. The rules are in README.md of this folder.

Element names are compared without namespace and without case.
"""

import re
from collections.abc import Callable
from functools import partial

from django.utils.translation import gettext_noop

from missiondeck.reports import values
from missiondeck.reports.cases import Case, Problem, is_negative, verdict_of
from missiondeck.reports.collector import ERROR, FAILED, PASSED, SKIPPED, Collector
from missiondeck.reports.messages import Message, message
from missiondeck.reports.reruns import merge_reruns
from missiondeck.reports.simplecases import SimpleCases
from missiondeck.reports.suites import Suite, check_totals, path_of
from missiondeck.reports.values import Unreadable, short
from missiondeck.reports.xmlstream import Xml, local_name

# The kind of problem of an element. Sources: the schemas of Jenkins' xUnit plugin, Maven Surefire (3.0) and nextest.
_PROBLEMS = {
    "failure": FAILED,
    "error": ERROR,
    "skipped": SKIPPED,
    "skip": SKIPPED,
    "disabled": SKIPPED,
    "ignored": SKIPPED,
    "rerunfailure": "rerun",
    "rerunerror": "rerun",
    "flakyfailure": "flaky",
    "flakyerror": "flaky",
    # An earlier run, whose result is not that of the test.
    "rerun": "flaky",
}
# Elements without information about the result of a test.
_IGNORED = {
    "properties", "property", "stacktrace", "attachments", "attachment", "tags", "tag", "labels", "label", "links",
    "link", "description", "parameters", "parameter", "annotations", "metadata", "measurement", "categories",
    "time", "duration", "timestamp", "starttime", "endtime", "assertions", "assertion", "steps", "step", "comment",
    "comments", "traits", "trait", "hostname", "environment",
}  # fmt: skip
# An unknown element with such a name counts as an error.
_SOUNDS_BAD = ("fail", "failed", "failure", "error", "errored", "exception", "crash", "crashed", "timeout")
_IS_OUTPUT = ("std", "standard", "system")
# unittest-xml-reporting adds the start time to the name of a suite.
_STARTED = re.compile(r"-20\d{12}$", re.ASCII)
# The attributes of a suite in the order of Gradle.
_GRADLE = ("name", "tests", "skipped", "failures", "errors", "timestamp", "hostname", "time")
# The attributes of the root and of the suites in the order of gotestsum. Source: its internal/junitxml/report.go.
_GOTESTSUM = {
    ("tests", "failures", "errors", "time"), ("name", "tests", "failures", "errors", "time"),
    ("tests", "failures", "time", "name"), ("tests", "failures", "time", "name", "timestamp"),
}  # fmt: skip
_COUNTS = {"tests": ("tests",), "failures": ("failures",), "errors": ("errors",),
           "skipped": ("skipped", "skip", "skips", "ignored"), "disabled": ("disabled",)}  # fmt: skip

# Texts of durations that are remembered, and the characters of each.
_DURATIONS = 5_000
_TIME = 40


class JunitReader(SimpleCases):
    """Keeps the open problems, and reads what is in suites, and in tests that are not simple."""

    source = "junit"

    def __init__(self, xml: Xml, collector: Collector) -> None:
        super().__init__(xml, collector)
        self.document = self._suite
        self._problems: list[Problem] = []
        # The last value of each attribute, as read and as stored.
        self._last: dict[tuple[str, ...], tuple[str, str]] = {}
        # The opener of an element, by its name as written.
        self._openers: dict[str, Callable] = {}

    def opener_of(self, name: str) -> Callable:
        return self._openers.get(name) or self._find_opener(name)

    def _find_opener(self, name: str) -> Callable:
        local = local_name(name)
        opener: Callable
        if kind := _PROBLEMS.get(local):
            opener = partial(self._open_problem, kind, local)
        elif local in _IGNORED:
            opener = partial(self._open_ignored, local)
        else:
            known: dict[str, Callable] = {
                "testsuites": partial(self._open_suite, is_container=True),
                "testsuite": self._open_suite,
                "testcase": self._open_case,
                "system-out": partial(self._open_output, "system-out"),
                "system-err": partial(self._open_output, "system-err"),
            }
            opener = known.get(local) or partial(self._open_unknown, local)
        self._openers[name] = opener
        return opener

    @property
    def seconds(self) -> float:
        return self.document.seconds

    # --- Suites -------------------------------------------------------------------------------

    def _open_suite(self, attrs, *, is_container: bool = False) -> Callable:
        outer = self._suite
        name = _STARTED.sub("", self.stored(attrs, "name", "package"))
        self.name = self.name or name
        is_root = is_container and not self._open
        suite = Suite(
            name=name,
            path="" if is_root else path_of(outer, name),
            file=self.stored(attrs, "file", "filepath") or outer.file,
            line=self.xml.line,
            is_root=is_root,
            first=len(self.collector.results),
        )
        for key, spellings in _COUNTS.items():
            suite.stated[key] = next((n for each in spellings if (n := self._count(attrs, each)) is not None), None)
        written = tuple(attrs)
        suite.is_gradle = written == _GRADLE
        suite.is_gotestsum = written in _GOTESTSUM
        suite.stated_seconds = self.seconds_of(attrs, name or gettext_noop("a suite without a name"))
        self._outer.append(outer)
        self._suite = suite
        self._send_text_to(None)
        return self._close_suite

    def _close_suite(self) -> None:
        suite, self._suite = self._suite, self._outer.pop()
        results = self.collector.results
        suite.end(len(results))
        merge_reruns(suite, self.collector)
        check_totals(suite, self.collector)
        self._suite.add_suite(suite, len(results))

    # --- Tests --------------------------------------------------------------------------------

    def _open_case(self, attrs) -> Callable:
        get = attrs.get
        classname = self.stored(attrs, "classname", "class")
        name = self.collector.name(get("name") or "")
        if not name:
            name = classname or self._suite.name or "(test without a name)"
            self.collector.warnings.count("no_name", message("test_at_line", name=short(name), line=str(self.xml.line)))
        stated = []
        if "status" in attrs or "result" in attrs:
            stated = [text for text in (attrs.get("status"), attrs.get("result")) if text and text.strip()]
        case = Case(
            name=name,
            classname=classname,
            file=self.stored(attrs, "file", "filepath") if "file" in attrs or "filepath" in attrs else "",
            duration=self.seconds_of(attrs, name),
            stated=stated,
            depth=len(self._open),
            text=self._text,
        )
        self._cases.append(case)
        self._send_text_to(None)
        return self._close_case

    def _close_case(self) -> None:
        case = self._cases.pop()
        suite = self._suite
        status, unsure = (PASSED, False) if case.is_plain else case.verdict()
        if unsure:
            self.collector.warnings.count(
                "no_verdict", message("test_at_line", name=short(case.name), line=str(self.xml.line))
            )
        bad = max(case.bad, status in (FAILED, ERROR)) if status != SKIPPED or not case.may_fail else 0
        suite.count(bad=bad, is_skipped=status == SKIPPED, place=len(self.collector.results), retries=case.retries)
        suite.found_seconds += case.duration or 0.0
        error = traceback = ""
        if errors := case.errors(status):
            error, traceback = (self.collector.cut(text).strip("\n") for text in errors)
        self.collector.add(
            name=case.name,
            status=status,
            duration=case.duration,
            classname=case.classname,
            suite=suite.path,
            file=case.file or suite.file,
            error=error.strip(),
            traceback=traceback,
            output=self.collector.cut(case.output) if case.output else "",
            flaky=status == PASSED and case.retries > 0,
            retries=case.retries,
        )

    # --- Elements inside tests and suites -----------------------------------------------------

    def _open_problem(self, kind: str, name: str, attrs) -> Callable:
        problem = Problem(
            kind=kind,
            name=name,
            message=attrs.get("message") or "",
            type=attrs.get("type") or "",
            text=self._text(),
        )
        self._send_text_to(problem.text.add)
        self._problems.append(problem)
        return self._close_problem

    def _close_problem(self) -> None:
        problem = self._problems.pop()
        if self._cases:
            self._cases[-1].add_problem(problem)
        else:
            self._add_suite_problem(problem)

    def _add_suite_problem(self, problem: Problem) -> None:
        """Add a failure outside of tests as an error result with the name of the suite."""
        suite = self._suite
        if problem.kind in (SKIPPED, "flaky", "stated"):
            self.collector.warnings.unknown("element", problem.name)
            return
        case = Case(name="", classname="", file="", duration=None, stated=[], depth=0, text=self._text)
        case.add_problem(problem)
        if (errors := case.errors(ERROR)) is None:
            return
        error, traceback = (self.collector.cut(text) for text in errors)
        suite.add_failure(len(self.collector.results))
        self.collector.add(
            name=suite.name or gettext_noop("(suite without a name)"),
            status=ERROR,
            suite=suite.path,
            file=suite.file,
            error=error.strip(),
            traceback=traceback,
        )

    def _open_output(self, stream: str, attrs) -> None:
        if self._cases:
            self._send_text_to(self._cases[-1].printer("[system-err]\n" if stream == "system-err" else ""))
            return
        name = self._suite.path or self.name or gettext_noop("The whole report")
        heading = f"=== {name}: {stream} ===\n"
        self._send_text_to(partial(self._log, [heading]))

    def _log(self, before: list[str], text: str) -> None:
        """Add text to the logs. before: the heading, added before the first text that is not blank."""
        if before:
            if not text.strip():
                return
            self.collector.log(("\n" if self.collector.has_logs else "") + before.pop())
        self.collector.log(text)

    def _open_ignored(self, name: str, attrs) -> Callable | None:
        """Open an element without a meaning of its own; its text belongs to the enclosing problem, if any.

        An attribute may still state a failure, as on a step of a test.
        """
        if name == "property" and not self._cases and not self._problems:
            self._suite.note_property(attrs.get("name") or "")
        return self._open_stated_failure(name, attrs)

    def _open_stated_failure(self, name: str, attrs) -> Callable | None:
        """Open a problem if an attribute of an element inside a test states a failure."""
        if not attrs or not self._cases or self._problems:
            return None
        for key in ("status", "result", "outcome"):
            if (text := attrs.get(key)) and (bad := verdict_of(text)) in (FAILED, ERROR):
                return self._open_problem(bad, name, attrs)
        if any(is_negative(attrs.get(key) or "") for key in ("passed", "success")):
            return self._open_problem(FAILED, name, attrs)
        return None

    def _open_unknown(self, name: str, attrs) -> Callable | None:
        if self._problems:
            # Part of the text of the problem.
            return None
        if bad := self._open_stated_failure(name, attrs):
            return bad
        if self._cases and len(self._open) == self._cases[-1].depth + 1 and (verdict := verdict_of(name)):
            # <passed/> means the same as the value in a `status` attribute.
            return self._open_problem(verdict if verdict in (FAILED, ERROR, SKIPPED) else "stated", name, attrs)
        if name.endswith(_SOUNDS_BAD) and not name.startswith(_IS_OUTPUT):
            self.collector.warnings.count(
                "sounds_bad", message("element_at_line", name=short(name), line=str(self.xml.line))
            )
            return self._open_problem(ERROR, name, attrs)
        self.collector.warnings.unknown("element", name)
        if self._cases and len(self._open) == self._cases[-1].depth + 1:
            return self._open_problem("unknown", name, attrs)
        return None

    # --- Attributes ---------------------------------------------------------------------------

    def stored(self, attrs, *keys: str) -> str:
        """The stored value of the first of these attributes that is not empty. Repeated values share one object."""
        for key in keys:
            if text := attrs.get(key):
                last = self._last.get(keys)
                if last is None or last[0] != text:
                    last = self._last[keys] = text, self.collector.name(text)
                return last[1]
        return ""

    def seconds_of(self, attrs, source_name: str) -> float | None:
        text = attrs.get("time")
        if not text:
            return None
        try:
            value, is_ambiguous = values.seconds(text)
        except Unreadable:
            self.collector.warnings.count("time_unreadable", self._example(text, source_name))
            return None
        if is_ambiguous:
            self.collector.warnings.count("time_ambiguous", self._example(text, source_name))
        elif value is not None and len(self._durations) < _DURATIONS and len(text) < _TIME:
            self._durations[text] = value
        return value

    def _count(self, attrs, key: str) -> int | None:
        try:
            return values.count(attrs.get(key))
        except Unreadable:
            self.collector.warnings.count("count_unreadable", self._example(attrs[key], key))
            return None

    def _example(self, text: str, source_name: str) -> Message:
        return message("value_at_line", text=short(text, 40), source_name=short(source_name), line=str(self.xml.line))

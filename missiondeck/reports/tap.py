"""Reads TAP, versions 13 and 14: bats, Node, tape, node-tap, prove. Source: testanything.org, TAP 14 specification.

A test with subtests is their suite, not a test.
"""

import re
from dataclasses import dataclass

from django.utils.translation import gettext, gettext_noop, ngettext, override

from missiondeck.reports import values
from missiondeck.reports.collector import ERROR, FAILED, PASSED, SKIPPED, Collector
from missiondeck.reports.lines import read_lines
from missiondeck.reports.report import Part, ReportRejected
from missiondeck.reports.stream import Source
from missiondeck.reports.values import Text, Unreadable

DEPTH = 50
_POINT = re.compile(r"(not )?ok\b(?:\s+(\d{1,9})\b)?(?:\s+-(?=\s))?\s*(.*)", re.DOTALL)
_PLAN = re.compile(r"1\.\.(\d{1,9})\s*(?:#\s*(.*))?")
_DIRECTIVE = re.compile(r"(?<!\\)#\s*(skip|todo)\S*\s*(.*)", re.IGNORECASE | re.DOTALL)
# node-tap and bats.
_TIME = re.compile(r"\s*(?<!\\)#\s*(?:time=|in )(\d+(?:\.\d+)?)\s*(ms|s|sec)\s*$")
_TIMED_NAME = re.compile(r"\s+in (\d+)(ms|sec)$")
_ESCAPED = re.compile(r"\\([\\#])")
_SUBTEST = re.compile(r"#\s*Subtest:\s*(.*)")
_FAILURES = re.compile(r"#\s*(?:fail|failed|failures|cancelled)\s+(\d{1,9})\s*$")
_TOTALS = re.compile(r"#\s*(?:tests|suites|pass|skipped|skip|todo|duration_ms|ok)\b")
_YAML_TIME = re.compile(r"^\s*duration_ms:\s*['\"]?([\d.]+)", re.MULTILINE)
_YAML_ERROR = re.compile(r"""^\s*(?:error|message):\s*(?:[|>]-?\s*\n\s*)?['"]?(.+?)['"]?\s*$""", re.MULTILINE)


@dataclass
class _Level:
    """The tests of one indentation."""

    name: str = ""
    planned: int | None = None
    seen: int = 0
    bad: int = 0
    # The failed test whose subtests follow it in braces.
    outer: "_Point | None" = None


class _Point:
    """A line of a test, before its comments and details are known."""

    def __init__(self, name: str, status: str, limit: int, *, duration: float | None, reason: str) -> None:
        self.name, self.status, self.duration, self.reason = name, status, duration, reason
        self.details = Text(limit)
        self.comments = Text(limit)


def read_tap(*, head: bytes, source: Source, collector: Collector) -> Part:
    """Add the results of the source to the collector. head: the bytes that were already read."""
    reader = _Reader(collector)
    for line, _is_whole in read_lines(head, source, collector):
        reader.line(line)
    return Part("TAP", "tap", reader.finish())


class _Reader:
    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self._limit = collector.limits.text
        self._levels = [_Level()]
        self._point: _Point | None = None
        # The name of the next level, of a comment before it.
        self._next_name = ""
        # The indentation of the open details.
        self._details: int | None = None
        self._is_bailed_out = False
        self._stated_bad = 0
        self._seconds = 0.0
        self._is_skipped_whole = False

    def line(self, line: str) -> None:
        text = line.lstrip(" ")
        indent = len(line) - len(text)
        if self._details is not None:
            self._add_detail(line, text, indent)
            return
        if not text:
            return
        level, beside = divmod(indent, 4)
        if self._point and text.rstrip() == "---":
            self._details = indent
            return
        if beside:
            if self._point:
                # Mocha writes the error without marks.
                self._point.comments.add(text + "\n")
            return
        if text.startswith("#"):
            self._comment(text, level)
        elif found := _POINT.fullmatch(text):
            self._test_point(level, *found.groups())
        elif found := _PLAN.fullmatch(text):
            self._plan(level, int(found[1]), found[2] or "")
        elif text.startswith("Bail out!"):
            self._bail_out(text.removeprefix("Bail out!").strip())
        elif text.startswith("}") and level < len(self._levels) - 1:
            self._emit()
            self._close_to(level)
        elif not text.startswith(("TAP version", "pragma ")) and level == 0:
            self.collector.log(line + "\n")

    def finish(self) -> float:
        """Check the totals at the end. Returns the sum of the durations."""
        self._emit()
        self._close_to(0)
        root = self._levels[0]
        self._check_plan(root)
        if self._stated_bad > 0 and not root.bad:
            self._error(gettext_noop("The report has the status failed, but none of its results failed."), root)
        return self._seconds

    # --- Levels -------------------------------------------------------------------------------

    def _open_to(self, level: int) -> None:
        while len(self._levels) <= level:
            if len(self._levels) > DEPTH:
                raise ReportRejected(gettext("The subtests are nested too deeply. This is not a test report."))
            self._levels.append(_Level(self._next_name))
            self._next_name = ""

    def _close_to(self, level: int) -> _Level | None:
        """Close deeper levels; returns the one directly below."""
        closed = None
        while len(self._levels) > level + 1:
            self._check_plan(self._levels[-1])
            closed = self._levels.pop()
            self._levels[-1].bad += closed.bad
            if closed.outer and not closed.bad:
                self._point = closed.outer
                self._emit()
        return closed

    def _check_plan(self, level: _Level) -> None:
        if self._is_bailed_out or level.planned == level.seen:
            return
        if level.planned is None:
            if level.seen:
                self._error(gettext_noop("The plan is missing: the output may be incomplete."), level)
            return
        with override("en"):
            planned = ngettext("%(count)s test was planned", "%(count)s tests were planned", level.planned)
        error = gettext_noop("%(planned)s, but %(seen)s ran.") % {
            "planned": planned % {"count": f"{level.planned:,}"},
            "seen": f"{level.seen:,}",
        }
        self._error(error, level)

    def _error(self, error: str, level: _Level) -> None:
        level.bad += 1
        name = self.collector.name(level.name) or gettext_noop("Test run")
        self.collector.add(name=name, status=ERROR, error=error)

    # --- Lines --------------------------------------------------------------------------------

    def _plan(self, level: int, number: int, comment: str) -> None:
        self._emit()
        self._close_to(level)
        self._open_to(level)
        current = self._levels[level]
        # Several outputs in one file have several plans.
        current.planned = (current.planned or 0) + number
        if number == 0 and level == 0:
            reason = _DIRECTIVE.fullmatch(f"#{comment}")
            name = gettext_noop("All tests")
            output = f"[skipped] {reason[2]}" if reason else ""
            self.collector.add(name=name, status=SKIPPED, output=self._cut(output))

    def _comment(self, text: str, level: int) -> None:
        if found := _SUBTEST.match(text):
            self._emit()
            if level >= len(self._levels) and not self._next_name:
                # TAP 14 indents the name like its subtests, Node like their parent.
                self._next_name = found[1]
                self._open_to(level)
            else:
                self._open_to(level)
                self._next_name = found[1]
        elif found := _FAILURES.fullmatch(text):
            self._stated_bad += int(found[1]) if level == 0 else 0
        elif self._point and not _TOTALS.match(text):
            self._point.comments.add(text.removeprefix("#").removeprefix(" ") + "\n")

    def _add_detail(self, line: str, text: str, indent: int) -> None:
        if text.startswith("...") and indent == self._details:
            self._details = None
        elif indent < (self._details or 0) and text:
            # They were not closed.
            self._details = None
            self.line(line)
        elif self._point:
            self._point.details.add(line[self._details :] + "\n")

    def _bail_out(self, reason: str) -> None:
        self._emit()
        self._is_bailed_out = True
        self._error(self._cut(reason) or gettext_noop("The run was stopped."), self._levels[0])

    def _test_point(self, level: int, failed: str | None, number: str | None, description: str) -> None:
        self._emit()
        subtests = self._close_to(level)
        self._open_to(level)
        self._next_name = ""
        current = self._levels[level]
        current.seen += 1
        status, reason = (FAILED if failed else PASSED), ""
        if directive := _DIRECTIVE.search(description):
            description = description[: directive.start()]
            reason = directive[2].strip()
            # A failed test that is still to do was expected to fail; some tools do not run it.
            status = SKIPPED
        is_outer = description.endswith(" {")
        description = description.removesuffix(" {")
        duration = None
        if timed := _TIME.search(description) or _TIMED_NAME.search(description):
            description = description[: timed.start()]
            duration = float(timed[1]) / (1_000 if timed[2] == "ms" else 1)
        name = _ESCAPED.sub(r"\1", description).strip()
        name = name or gettext_noop("Test %(number)s") % {"number": number or current.seen}
        point = _Point(name, status, self._limit, duration=duration, reason=reason)
        if is_outer:
            self._next_name = name
            self._open_to(level + 1)
            self._levels[-1].outer = point if status == FAILED else None
        elif not (subtests and subtests.seen) or (status == FAILED and not subtests.bad):
            self._point = point

    def _emit(self) -> None:
        """Add the last test, whose comments and details are known now."""
        self._details = None
        if (point := self._point) is None:
            return
        self._point = None
        level = self._levels[-1]
        level.bad += point.status == FAILED
        details, comments = self.collector.cut(point.details), self.collector.cut(point.comments)
        error = ""
        if point.status == FAILED:
            found = _YAML_ERROR.search(details)
            error = found[1] if found else _first_line(comments) or gettext_noop("Failed")
        output = f"[skipped] {point.reason}" if point.status == SKIPPED and point.reason else ""
        duration = point.duration
        if found := _YAML_TIME.search(details):
            try:
                duration = (values.seconds(found[1])[0] or 0) / 1_000
            except Unreadable:
                duration = None
        self._seconds += duration or 0
        texts = "\n".join(filter(None, (comments, details)))[: self._limit]
        self.collector.add(
            name=self.collector.name(point.name) or gettext_noop("(test without a name)"),
            status=point.status,
            duration=None if duration is None else round(duration, 9),
            suite=self.collector.name(" > ".join(each.name for each in self._levels if each.name)),
            error=self._cut(error),
            traceback=texts if point.status == FAILED else "",
            output=self._cut(output) or (comments if point.status == PASSED else ""),
        )

    def _cut(self, text: str) -> str:
        collected = Text(self._limit)
        collected.add(text)
        return self.collector.cut(collected).strip()


def _first_line(comments: str) -> str:
    """The first line, without that of bats which names the file."""
    return next((line for line in comments.split("\n") if line.strip() and not line.startswith("(")), "")

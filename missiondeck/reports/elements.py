"""What the readers of XML formats other than JUnit share: open elements, their texts, and the results."""

from dataclasses import dataclass, field

from django.utils.translation import gettext_noop, ngettext, override

from missiondeck.reports import values
from missiondeck.reports.collector import ERROR, FAILED, PASSED, SKIPPED, Collector
from missiondeck.reports.messages import message
from missiondeck.reports.values import Text, Unreadable, short
from missiondeck.reports.xmlstream import ReportHandler, Xml, local_name

BETWEEN = " > "
BAD = (FAILED, ERROR)


@dataclass
class Test:
    """An open test."""

    limit: int
    name: str = ""
    status: str = ERROR
    duration: float | None = None
    classname: str = ""
    file: str = ""
    error: Text = field(init=False)
    traceback: Text = field(init=False)
    output: Text = field(init=False)

    def __post_init__(self) -> None:
        self.error, self.traceback, self.output = Text(self.limit), Text(self.limit), Text(self.limit)


class ElementReader(ReportHandler):
    """Calls `start` and `end` for each element, with the text of those in `texts`.

    path: the local names of the open elements, the current one last.
    """

    # Elements whose text is used.
    texts: frozenset[str] = frozenset()

    def __init__(self, xml: Xml, collector: Collector) -> None:
        super().__init__(xml, collector)
        self.path: list[str] = []
        self._texts: list[Text | None] = []
        self._locals: dict[str, str] = {}
        self._limit = collector.limits.text
        self._found_seconds = 0.0
        self.stated_seconds: float | None = None
        # Failed tests so far, with added errors.
        self.bad = 0

    @property
    def seconds(self) -> float:
        return self.stated_seconds or self._found_seconds

    def start(self, name: str, attrs: dict[str, str]) -> None:
        """An element has started."""

    def end(self, name: str, text: Text | None) -> None:
        """An element has ended."""

    def finish(self) -> None:
        """The root has ended."""

    def startElement(self, name, attrs):
        self.check_limits(len(self.path))
        self.begun = True
        if (local := self._locals.get(name)) is None:
            local = self._locals[name] = local_name(name)
        self.path.append(local)
        self._texts.append(Text(self._limit) if local in self.texts else None)
        self.start(local, attrs)

    def endElement(self, name):
        self.end(self.path[-1], self._texts[-1])
        self.path.pop()
        self._texts.pop()
        if not self.path:
            self.finish()
            self.closed = True

    def characters(self, content):
        if self._texts and (text := self._texts[-1]) is not None:
            text.add(content)

    # --- Results ------------------------------------------------------------------------------

    def test(self, name: str) -> Test:
        return Test(self._limit, name)

    def add(self, test: Test, suites: list[str]) -> None:
        """Add a test that has ended. suites: the names of its suites, the outermost first."""
        name = self.collector.name(test.name)
        if not name:
            name = self.collector.name(test.classname) or gettext_noop("(test without a name)")
            self.collector.warnings.count("no_name", message("test_at_line", name=short(name), line=str(self.xml.line)))
        self.bad += test.status in BAD
        self._found_seconds += test.duration or 0
        error, traceback, output = (self.collector.cut(each) for each in (test.error, test.traceback, test.output))
        if test.status == SKIPPED and error:
            output = f"[skipped] {error}\n{output}"[: self._limit].rstrip()
            error = ""
        if test.status in BAD and not error.strip():
            error = traceback.strip().partition("\n")[0] or gettext_noop(
                "The report states a failure without a message."
            )
        self.collector.add(
            name=name,
            status=test.status,
            duration=test.duration,
            classname=self.collector.name(test.classname),
            suite=self.collector.name(BETWEEN.join(filter(None, suites))),
            file=self.collector.name(test.file),
            error=error.strip(),
            traceback=traceback.strip("\n"),
            output=output,
        )

    def add_error(self, name: str, error: str, suites: list[str], traceback: str = "") -> None:
        """Add a failure outside of tests."""
        test = self.test(name=name or gettext_noop("Test run"))
        test.error.add(error)
        test.traceback.add(traceback)
        self.add(test, suites)

    def check_failures(self, stated: int | None, *, is_failed: bool = False) -> None:
        """At the end, add an error if the report states failures that none of its tests shows.

        stated: the number of failures. is_failed: whether the report states that it failed.
        """
        more = (stated or 0) - self.bad
        if more > 0:
            with override("en"):
                error = ngettext(
                    "The report states %(count)s more failure than its tests show.",
                    "The report states %(count)s more failures than its tests show.",
                    more,
                ) % {"count": f"{more:,}"}
        elif is_failed and not self.bad:
            error = gettext_noop("The report has the status failed, but none of its results failed.")
        else:
            return
        self.add_error(self.name, error, [])

    # --- Attributes ---------------------------------------------------------------------------

    def duration(self, text: str | None, source_name: str) -> float | None:
        """Seconds, or hours, minutes and seconds."""
        try:
            return values.seconds(text or "")[0]
        except Unreadable:
            example = message(
                "value_at_line", text=short(text or "", 40), source_name=short(source_name), line=str(self.xml.line)
            )
            self.collector.warnings.count("time_unreadable", example)
            return None

    def count(self, attrs: dict[str, str], *keys: str) -> int | None:
        """The sum of these counts; None if there is none."""
        found = []
        for key in keys:
            try:
                if (number := values.count(attrs.get(key))) is not None:
                    found.append(number)
            except Unreadable:
                example = message("value_at_line", text=short(attrs[key], 40), source_name=key, line=str(self.xml.line))
                self.collector.warnings.count("count_unreadable", example)
        return sum(found) if found else None

    def verdict(self, known: dict[str, str], word: str, name: str) -> str:
        """The status that a word of the format means. An unknown word is an error, with a warning."""
        if (status := known.get(word.strip().lower())) is None:
            example = message("value_at_line", text=short(word, 40), source_name=short(name), line=str(self.xml.line))
            self.collector.warnings.count("status_unknown", example)
            return ERROR
        return status


__all__ = ["BAD", "ERROR", "FAILED", "PASSED", "SKIPPED", "ElementReader", "Test"]

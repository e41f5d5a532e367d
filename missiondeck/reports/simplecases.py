"""The tests of most reports, read with few calls: empty ones, and those with one failure, skip reason or output.

A test is remembered while it is open. At its end, if everything in it is simple, its result is added at once. Otherwise
it is read again, element by element, by junit.py, which has all rules; what is read here has the same results there.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any

from missiondeck.reports.cases import Case, reason_of_skip
from missiondeck.reports.collector import ERROR, FAILED, NAMES_BYTES, PASSED, SKIPPED, Collector
from missiondeck.reports.suites import Suite
from missiondeck.reports.values import NAME, Text, size_of
from missiondeck.reports.xmlstream import DEPTH, ReportHandler, Xml

# Elements that a simple test may have, at most one of the first three. Spelled as most tools do.
_MOST = 2
_SIMPLE = {"failure": FAILED, "error": ERROR, "skipped": SKIPPED, "system-out": ""}
# For each open element: the function to call at its end, and the target of text after it.
Open = tuple[Callable[[], None] | None, Callable[[str], None] | None]


class SimpleCases(ReportHandler, ABC):
    """Keeps the open elements and the target of text, and reads simple tests."""

    def __init__(self, xml: Xml, collector: Collector) -> None:
        super().__init__(xml, collector)
        self._limit = collector.limits.text
        self._most = collector.limits.cases
        self._parser = xml.parser
        # Makes an empty text.
        self._text = partial(Text, collector.limits.text, is_clean=xml.is_clean)
        # The innermost open suite, and those around it.
        self._suite = Suite()
        self._outer: list[Suite] = []
        self._open: list[Open] = []
        # Open tests that are not simple.
        self._cases: list[Case] = []
        self._sink: Callable[[str], None] | None = None
        # Whether an element that begins now is in a suite, and neither in a test nor in a text.
        self._is_between = False
        # The attributes of an open test, while everything in it is simple; else None. What is in it: name, attributes
        # and text of each element. Whether the last of them is open.
        self._case: Any = None
        self._inside: list[tuple[str, Any, Text]] = []
        self._is_inside = False
        # Texts that need no cleaning.
        self._is_clean = xml.is_clean
        self._durations: dict[str, float] = {}
        # The class of the last test, as read and as stored; its suite if it has both, and the bytes of their names.
        self._classname: tuple[str | None, str] = (None, "")
        self._last_suite: Suite | None = None
        self._last_size = 0

    # --- To be implemented --------------------------------------------------------------------

    @abstractmethod
    def opener_of(self, name: str) -> Callable:
        """The function that opens an element with this name; it returns the one to call at its end."""

    @abstractmethod
    def stored(self, attrs, *keys: str) -> str:
        """The stored value of the first of these attributes that is not empty."""

    @abstractmethod
    def seconds_of(self, attrs, source_name: str) -> float | None:
        """The value of the attribute `time`."""

    # --- Handler methods ----------------------------------------------------------------------

    def startElement(self, name, attrs):
        if self._case is None:
            if name == "testcase" and self._is_between:
                self._case = attrs
                return
        elif name in _SIMPLE and not self._is_inside and len(self._inside) < _MOST:
            text = Text(self._limit, is_clean=True)
            self._inside.append((name, attrs, text))
            self._is_inside = True
            self._parser.CharacterDataHandler = text.add
            return
        else:
            self._read_again()
        self._open_element(name, attrs)

    def endElement(self, name):
        if (attrs := self._case) is None:
            self._close_element()
        elif self._is_inside:
            self._is_inside = False
            self._parser.CharacterDataHandler = None
        else:
            inside = self._inside
            texts = _texts_of(inside) if inside else _NO_TEXTS
            if texts is None or (result := self._add_like_last(attrs) or self._add_case(attrs)) is None:
                self._read_again()
                self._close_element()
                return
            self._case = None
            if inside:
                self._inside = []
                self._add_texts(result, *texts)

    def _open_element(self, name: str, attrs) -> None:
        self.check_limits(len(self._open))
        self.begun = True
        sink = self._sink
        self._open.append((self.opener_of(name)(attrs), sink))
        self._is_between = self._is_clean and self._sink is None and not self._cases and len(self._open) < DEPTH

    def _close_element(self) -> None:
        close, sink = self._open.pop()
        if close:
            close()
        if sink is not self._sink:
            self._send_text_to(sink)
        self._is_between = self._is_clean and sink is None and not self._cases and bool(self._open)
        if not self._open:
            self.closed = True

    def _send_text_to(self, sink: Callable[[str], None] | None) -> None:
        """Text is added here from now on; None ignores it."""
        self._sink = sink
        self._parser.CharacterDataHandler = sink

    def _read_again(self) -> None:
        """Open the test, and what is in it, element by element."""
        attrs, inside, is_inside = self._case, self._inside, self._is_inside
        self._case, self._inside, self._is_inside = None, [], False
        self._open_element("testcase", attrs)
        for number, (name, its_attrs, text) in enumerate(inside, 1):
            self._open_element(name, its_attrs)
            if self._sink:
                text.copy_to(self._sink)
            if not is_inside or number < len(inside):
                self._close_element()

    # --- Simple tests -------------------------------------------------------------------------

    def _add_like_last(self, attrs) -> dict | None:
        """Add a passed result for a test that differs from the last one in name and time only; else return None.

        This runs for most tests of a report, so it calls nothing of the site.
        """
        get, suite, collector = attrs.get, self._suite, self.collector
        name, duration = get("name"), self._durations.get(get("time"))
        if (
            duration is None
            or get("classname") != self._classname[0]
            or suite is not self._last_suite
            or len(attrs) != 3
            or not name
            or len(name) > NAME
            or not name.isascii()
            or not (stored := name.strip())
            or len(collector.results) >= self._most
            or collector.names_bytes > NAMES_BYTES
        ):
            return None
        suite.found_seconds += duration
        collector.names_bytes += len(stored) + self._last_size
        result = {
            "name": stored,
            "status": PASSED,
            "duration": duration,
            "classname": self._classname[1],
            "suite": suite.path,
        }
        collector.results.append(result)
        return result

    def _add_case(self, attrs) -> dict | None:
        """Add a passed result for a test; return None if it is not simple."""
        get, suite = attrs.get, self._suite
        name = (get("name") or "").strip()
        if not name or len(name) > NAME or "status" in attrs or "result" in attrs:
            return None
        duration = self.seconds_of(attrs, name)
        classname = get("classname")
        if classname is None or classname != self._classname[0]:
            self._classname = classname, self.stored(attrs, "classname", "class")
        file = self.stored(attrs, "file", "filepath") if "file" in attrs or "filepath" in attrs else ""
        if duration:
            suite.found_seconds += duration
        result = self.collector.begin(name, PASSED, duration, self._classname[1], suite.path, file or suite.file)
        self._last_suite = suite if classname and suite.path and not suite.file else None
        self._last_size = size_of(self._classname[1]) + size_of(suite.path)
        return result

    def _add_texts(self, result: dict, status: str, error: str, traceback: str, output: str) -> None:
        """Add status and texts to the last result."""
        if status is not PASSED:
            result["status"] = status
            place = len(self.collector.results) - 1
            self._suite.count(bad=status is not SKIPPED, is_skipped=status is SKIPPED, place=place)
        if len(error) > self._limit or len(output) > self._limit:
            error, output = error[: self._limit], output[: self._limit]
            self.collector.warnings.count("text_cut")
        self.collector.keep(result, error=error, traceback=traceback, output=output)


_NO_TEXTS = (PASSED, "", "", "")


def _texts_of(inside: list[tuple[str, Any, Text]]) -> tuple[str, str, str, str] | None:
    """Status, error, traceback and output of a test from what is in it; None if it is not simple."""
    status, error, traceback, output = _NO_TEXTS
    for name, attrs, text in inside:
        if text.beyond:
            return None
        if not (kind := _SIMPLE[name]):
            if output or status is SKIPPED:
                return None
            output = text.value()
        elif status is not PASSED:
            return None
        elif kind is SKIPPED:
            reason = reason_of_skip(attrs.get("message") or "", text.value().strip())
            if output or reason is None:
                return None
            status, output = SKIPPED, reason
        else:
            status = kind
            traceback = text.value().strip("\n")
            shown = traceback.strip()
            error = (attrs.get("message") or "").strip() or shown.partition("\n")[0].strip()
            error = error or (attrs.get("type") or "").strip()
            if shown == error:
                traceback = ""
    return status, error, traceback, output

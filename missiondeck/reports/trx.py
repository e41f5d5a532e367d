"""Reads TRX, the XML of `dotnet test --logger trx`, Visual Studio and MSTest.

Source: learn.microsoft.com/dotnet/core/testing/microsoft-testing-platform-extensions-test-reports, and the schema
vstst.xsd of Visual Studio.
"""

from django.utils.translation import gettext_noop

from missiondeck.reports.elements import BAD, ERROR, FAILED, PASSED, SKIPPED, ElementReader, Test
from missiondeck.reports.values import Text

_OUTCOMES = {
    "passed": PASSED, "warning": PASSED,
    "failed": FAILED,
    "error": ERROR, "timeout": ERROR, "aborted": ERROR, "passedbutrunaborted": ERROR, "notrunnable": ERROR,
    "disconnected": ERROR, "inprogress": ERROR, "pending": ERROR,
    "notexecuted": SKIPPED, "inconclusive": SKIPPED, "completed": SKIPPED,
}  # fmt: skip
_BAD_COUNTS = ("failed", "error", "timeout", "aborted", "passedButRunAborted", "notRunnable", "disconnected")
_RESULTS = ("unittestresult", "generictestresult", "webtestresult", "manualtestresult", "testresultaggregation")


class TrxReader(ElementReader):
    """Results come first; the classes of the tests follow in their definitions."""

    source = "trx"
    texts = frozenset({"message", "stacktrace", "stdout", "stderr", "debugtrace", "text"})

    def __init__(self, xml, collector) -> None:
        super().__init__(xml, collector)
        # The open results: a test with data has one result for each row in it, and is no test itself.
        self._open: list[tuple[Test, str]] = []
        self._has_inner: list[bool] = []
        self._failed_rows: list[bool] = []
        # The results of a test, by its identifier.
        self._by_id: dict[str, list[int]] = {}
        self._definition = ""
        self._stated: int | None = None
        self._is_failed = False
        self._is_bad_info = False
        # Failed tests with rows, which the totals count as well.
        self._bad_parents = 0

    def start(self, name, attrs):
        if name in _RESULTS:
            self._start_result(attrs)
        elif name == "testrun":
            self.name = self.collector.name(attrs.get("name") or "")
        elif name == "unittest":
            self._definition = attrs.get("id") or ""
        elif name == "testmethod" and self._definition:
            classname = self.collector.name((attrs.get("className") or "").partition(",")[0])
            for index in self._by_id.get(self._definition, ()):
                self.collector.describe(index, classname=classname)
        elif name == "resultsummary":
            self._is_failed = self._outcome(attrs, gettext_noop("the summary")) in BAD
        elif name == "counters":
            self._stated = self.count(attrs, *_BAD_COUNTS)
        elif name == "runinfo":
            self._is_bad_info = (attrs.get("outcome") or "").lower() not in ("warning", "passed", "completed")

    def end(self, name, text):
        if name in _RESULTS:
            self._end_result()
        elif name == "unittest":
            self._definition = ""
        elif text is None or not text:
            return
        elif name == "text" and self.path[-2:-1] == ["runinfo"]:
            self._add_info(text)
        elif not self._open:
            if name in ("stdout", "stderr"):
                self.collector.log(text.raw().strip("\n") + "\n")
        else:
            self._add_text(name, text)

    def finish(self):
        self.check_failures((self._stated or 0) - self._bad_parents, is_failed=self._is_failed)

    def _outcome(self, attrs: dict[str, str], name: str) -> str:
        # Without an outcome the value is the first of the type: an error.
        return self.verdict(_OUTCOMES, attrs.get("outcome") or "error", name)

    def _start_result(self, attrs: dict[str, str]) -> None:
        if self._has_inner:
            self._has_inner[-1] = True
        name = attrs.get("testName") or ""
        test = self.test(name=name)
        test.status = self._outcome(attrs, name)
        test.duration = self.duration(attrs.get("duration"), name)
        self._open.append((test, attrs.get("testId") or ""))
        self._has_inner.append(False)
        self._failed_rows.append(False)

    def _end_result(self) -> None:
        test, identifier = self._open.pop()
        has_rows, has_failed_row = self._has_inner.pop(), self._failed_rows.pop()
        is_bad = test.status in BAD
        if self._failed_rows:
            self._failed_rows[-1] |= is_bad or has_failed_row
        if has_rows and not (is_bad and not has_failed_row):
            self._bad_parents += is_bad
            return
        if identifier:
            self._by_id.setdefault(identifier, []).append(len(self.collector.results))
        self.add(test, [])

    def _add_text(self, name: str, text: Text) -> None:
        test = self._open[-1][0]
        match name:
            case "message":
                test.error.add_text(text)
            case "stacktrace":
                test.traceback.add_text(text)
            case "stdout":
                test.output.add_text(text)
            case "stderr" | "debugtrace":
                test.output.add_block(f"[{name}]\n")
                test.output.add_text(text)

    def _add_info(self, text: Text) -> None:
        """Text of the run: an error is one outside of tests, such as a host that crashed."""
        if self._is_bad_info:
            found = text.value().strip()
            self.add_error(self.name, found.partition("\n")[0], [], found)
        else:
            self.collector.log(text.raw().strip("\n") + "\n")

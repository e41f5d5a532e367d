"""A test while it is read: statuses, problems and output, and the verdict that follows."""

import re
from collections.abc import Callable

from missiondeck.reports.collector import ERROR, FAILED, PASSED, SKIPPED
from missiondeck.reports.values import Text

_RAN = "ran"
# CTest lists tests that failed because they could not run as skipped. Source: cmCTestRunTest.cxx.
_NOT_RUN = re.compile("Unable to find executable|Unable to find required file|Failed test dependencies")
_MAY_FAIL = re.compile("TEST_CASE tagged with !mayfail")
# Values of `status` and `result` attributes, in lower case without blanks, dashes and underscores.
# Sources: GoogleTest, CTest, Behave, Godog, Bazel, Catch2, NUnit's and Unity's converters.
_VERDICTS = {
    value: verdict
    for verdict, values in {
        PASSED: "passed pass success successful succeeded ok fixed",
        _RAN: "run ran completed complete executed finished",
        SKIPPED: "notrun disabled skipped skip suppressed ignored ignore pending untested todo filtered excluded xfail"
        " xfailed",
        FAILED: "failed fail failure regression notok",
        ERROR: "error errored broken timeout timedout aborted cancelled canceled crashed crash interrupted",
    }.items()
    for value in values.split()
}


class Problem:
    """An open <failure>, <error>, <skipped>, retry element, or unknown element that may be a verdict."""

    __slots__ = ("kind", "message", "name", "text", "type")

    def __init__(self, *, kind: str, name: str, message: str, type: str, text: Text) -> None:
        self.kind = kind
        self.name = name
        self.message = message.strip()
        self.type = type.strip()
        self.text = text


class _Errors:
    """The errors and tracebacks of one test, one after another."""

    __slots__ = ("error", "traceback")

    def __init__(self, text: Callable[[], Text]) -> None:
        self.error = text()
        self.traceback = text()

    def add(self, problem: Problem) -> None:
        """The error is the message; without one the first line of the text, without that the type."""
        text = problem.text.raw().strip()
        error = problem.message or text.partition("\n")[0].strip() or problem.type
        self.error.add_block(error)
        if text not in ("", error):
            self.traceback.add_text(problem.text)


class Case:
    """An open <testcase>. text: makes an empty text within the limit."""

    # None before the first output.
    output: Text | None = None
    # Its failures and errors.
    bad = 0
    retries = 0
    # An unknown element or status, which may be a verdict.
    has_unknown = False
    has_skip = False
    # Catch2 lists the failures of a test that may fail; they do not fail its run.
    may_fail = False
    # The last retry failed.
    failed_again = False
    # FAILED or ERROR: the kind of its first problem.
    status = ""
    _failures: _Errors | None = None
    _retried: _Errors | None = None

    def __init__(
        self,
        *,
        name: str,
        classname: str,
        file: str,
        duration: float | None,
        stated: list[str],
        depth: int,
        text: Callable[[], Text],
    ) -> None:
        self.name = name
        self.classname = classname
        self.file = file
        self.duration = duration
        self.depth = depth
        self._verdicts = [verdict_of(text) for text in stated] if stated else []
        self._text = text

    @property
    def is_plain(self) -> bool:
        """Whether nothing was found inside of it, and no attribute states a verdict: it passed."""
        return not (self._failures or self._retried or self.has_skip or self.has_unknown or self._verdicts)

    def text_of_output(self) -> Text:
        if self.output is None:
            self.output = self._text()
        return self.output

    def printer(self, heading: str) -> Callable[[str], None]:
        """A function that appends output. The heading is added before the first text that is not blank."""
        before = [heading]
        output = self.text_of_output()
        if not (heading or output):
            return output.add

        def write(text: str) -> None:
            if before and text.strip():
                output.add_block(before.pop() + text)
            elif not before:
                output.add(text)

        return write

    def add_problem(self, problem: Problem) -> None:
        """Add a problem whose element has ended."""
        match problem.kind:
            case "failed" | "error":
                self.bad += 1
                self.status = self.status or problem.kind
                self._failures = self._failures or _Errors(self._text)
                self._failures.add(problem)
            case "rerun" | "flaky":
                self.retries += 1
                self.failed_again |= problem.kind == "rerun"
                self._retried = self._retried or _Errors(self._text)
                self._retried.add(problem)
            case "skipped" if _NOT_RUN.match(problem.message):
                self.bad += 1
                self.status = self.status or ERROR
                self._failures = self._failures or _Errors(self._text)
                self._failures.add(problem)
            case _:
                text = problem.text.value().strip()
                if problem.kind == SKIPPED:
                    self.has_skip = True
                    self.may_fail |= _MAY_FAIL.fullmatch(problem.message) is not None
                elif problem.kind == "stated" and not is_negative(text):
                    self._verdicts.append(verdict_of(problem.name))
                else:
                    self.has_unknown = True
                # pytest repeats the message in the text.
                reason = text if problem.message in text else f"{problem.message} {text}".strip()
                if reason:
                    self.text_of_output().add_block(f"[{problem.name}] {reason}\n")

    def verdict(self) -> tuple[str, bool]:
        """The status, and whether it is only assumed. A test passes only if nothing contradicts it.

        Failed takes precedence over skipped, and skipped over unknown. An unknown element counts as skipped unless a
        `status` attribute says that the test passed.
        """
        if self.bad and not self.may_fail:
            return self.status, False
        if self.failed_again:
            return FAILED, False
        for bad in (FAILED, ERROR):
            if bad in self._verdicts:
                return bad, False
        if self.has_skip or SKIPPED in self._verdicts:
            return SKIPPED, False
        if "" in self._verdicts or (self.has_unknown and PASSED not in self._verdicts):
            return SKIPPED, True
        return PASSED, False

    def errors(self, status: str) -> tuple[Text, Text] | None:
        """The error and traceback of its failures, else of the runs that were repeated."""
        errors = self._failures or (self._retried if status != SKIPPED else None)
        return (errors.error, errors.traceback) if errors else None


def reason_of_skip(message: str, text: str) -> str | None:
    """What is stored for a skipped test; None if the message means something else than that it was skipped."""
    message = message.strip()
    if _NOT_RUN.match(message) or _MAY_FAIL.fullmatch(message):
        return None
    # pytest repeats the message in the text.
    reason = text if message in text else f"{message} {text}".strip()
    return f"[skipped] {reason}" if reason else ""


def verdict_of(word: str) -> str:
    """The verdict of a value such as "passed" or "not run"; "" if unknown."""
    return _VERDICTS.get(_without_separators(word), "")


def is_negative(text: str) -> bool:
    """Whether a value is negative, as in <passed>false</passed>."""
    return text.strip().lower() in ("false", "no", "0")


def _without_separators(text: str) -> str:
    return text[:40].lower().replace(" ", "").replace("-", "").replace("_", "")

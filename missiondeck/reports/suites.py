"""A suite while it is read: stated totals, counted totals, and the check of both."""

from django.utils.translation import ngettext, override

from missiondeck.reports import values
from missiondeck.reports.collector import ERROR, Collector
from missiondeck.reports.messages import Message, message

_BETWEEN = " > "
_NO_NAME = "(suite without a name)"


class Suite:
    """An open <testsuite> or <testsuites>."""

    def __init__(
        self, *, name: str = "", path: str = "", file: str = "", line: int = 0, is_root: bool = False, first: int = 0
    ) -> None:
        self.name = name
        # Its name and those of the enclosing suites. The name of the root is that of the report.
        self.path = path
        self.file = file
        self.line = line
        self.is_root = is_root
        # The totals in its attributes; None if missing.
        self.stated: dict[str, int | None] = {}
        self.stated_seconds: float | None = None
        # Tests including nested suites, and tests directly in it; once it has ended.
        self.tests = self.own_tests = 0
        # Failed tests including added errors; all failures, of which one test may have several.
        self.bad_tests = self.bad = 0
        self.skipped = 0
        # Repeated runs of these tests, and how many of them failed. They do not count as tests.
        self.reruns = self.bad_reruns = 0
        # The index of its first result, and of the ones that are no tests directly in it: start and end.
        self.first = first
        self._others: list[tuple[int, int]] = []
        # Failures of its own tests, by index in the results.
        self.bads: dict[int, int] = {}
        # The tool that wrote it: Go adds its version to each suite, Gradle has its own order of attributes.
        self.is_go = self.is_gradle = False
        # Whether gotestsum wrote it: the root and every suite have its attributes in its order.
        self.is_gotestsum = False
        # Durations of its tests.
        self.found_seconds = 0.0

    @property
    def seconds(self) -> float:
        """The stated duration, else the sum of its tests if it states none or zero."""
        return self.stated_seconds or self.found_seconds

    def note_property(self, name: str) -> None:
        self.is_go |= name == "go.version"

    def count(self, *, bad: int, is_skipped: bool, place: int, retries: int = 0) -> None:
        """Count a test that did not just pass. place: its index in the results. bad: the number of its failures."""
        if retries:
            self.reruns += retries
            self.bad_reruns += retries
        if bad:
            self.bad_tests += 1
            self.bad += bad
            self.bads[place] = bad
        elif is_skipped:
            self.skipped += 1

    def add_failure(self, place: int) -> None:
        """Count a failure of the suite itself, which is a result but no test."""
        self.bad_tests += 1
        self.bad += 1
        self._others.append((place, place + 1))

    def end(self, count: int) -> None:
        """Count its tests. count: the number of results."""
        self.own_tests = count - self.first - sum(end - start for start, end in self._others)
        self.tests += self.own_tests

    def places(self, count: int) -> list[int]:
        """The indexes of its own tests in the results. count: the number of results."""
        others = {place for start, end in self._others for place in range(start, end)}
        return [place for place in range(self.first, count) if place not in others]

    def add_suite(self, inner: "Suite", count: int) -> None:
        """Add the counts of an inner suite that has ended. count: the number of results."""
        self._others.append((inner.first, count))
        self.is_gotestsum &= inner.is_gotestsum
        self.tests += inner.tests
        self.bad_tests += inner.bad_tests
        self.bad += inner.bad
        self.skipped += inner.skipped
        self.reruns += inner.reruns
        self.bad_reruns += inner.bad_reruns
        self.found_seconds += inner.seconds

    def count_as_rerun(self, *, bad: int) -> None:
        """Count a test as a repeated run. bad: its number of failures."""
        self.tests -= 1
        self.own_tests -= 1
        self.bad_tests -= bad > 0
        self.bad -= bad
        self.reruns += 1
        self.bad_reruns += bad

    @property
    def counts_reruns(self) -> bool:
        """Whether its stated number of tests includes repeated runs."""
        return self.reruns > 0 and self.stated.get("tests") == self.tests + self.reruns

    def accounts_for(self, stated_bad: int) -> bool:
        """Whether its tests and repeated runs account for the stated number of failures."""
        return stated_bad <= self.bad or (self.counts_reruns and stated_bad <= self.bad + self.bad_reruns)


def path_of(outer: Suite, name: str) -> str:
    """The names of a suite and its enclosing suites. A suite with the name of its enclosing suite adds nothing."""
    if not outer.path or not name or name == outer.name:
        return name or outer.path
    return values.name(outer.path + _BETWEEN + name)


def check_totals(suite: Suite, collector: Collector) -> None:
    """At the end of a suite, warn if its totals differ from what was counted.

    If it states more failures than it lists, an error is added under its name, so that the run cannot pass.
    """
    totals = suite.stated
    if (totals["tests"], totals["failures"], totals["skipped"]) == (suite.tests, suite.bad, suite.skipped) and not (
        totals["errors"] or totals["disabled"]
    ):
        # Most suites.
        return
    stated_bad = _sum(suite.stated, "failures", "errors")
    if suite.is_root and suite.is_gotestsum:
        stated_bad = _sum(suite.stated, "failures")
    if differences := _differences(suite, stated_bad):
        if suite.is_root:
            name = message("whole_report")
        elif suite.name:
            name = message("suite", name=values.short(suite.name))
        else:
            name = message("suite_without_name")
        stated, found = differences
        collector.warnings.add("totals_differ", name=name, line=str(suite.line), stated=stated, found=found)
    if suite.is_root and suite.is_gotestsum and (suite.stated.get("failures") or 0) <= suite.bad:
        # Its errors are lines on standard error, not tests.
        if errors := suite.stated.get("errors"):
            collector.warnings.add("stderr_lines", n=errors)
    elif stated_bad is not None and not suite.accounts_for(stated_bad):
        more = stated_bad - suite.bad
        with override("en"):
            error = ngettext(
                "The suite states %(count)s more failure than its tests show.",
                "The suite states %(count)s more failures than its tests show.",
                more,
            ) % {"count": f"{more:,}"}
        collector.add(name=suite.name or _NO_NAME, status=ERROR, suite=suite.path, file=suite.file, error=error)
        suite.bad_tests = suite.bad = stated_bad


def _differences(suite: Suite, stated_bad: int | None) -> tuple[list[Message], list[Message]] | None:
    """The stated and the counted totals; None if they agree."""
    stated_tests = suite.stated.get("tests")
    # Some tools include nested suites in the totals, others do not.
    wrong = stated_tests is not None and stated_tests not in (suite.tests, suite.own_tests)
    wrong &= not suite.counts_reruns
    is_bad_explained = suite.counts_reruns and stated_bad is not None and suite.bad < stated_bad
    is_bad_explained &= stated_bad is not None and suite.accounts_for(stated_bad)
    wrong |= stated_bad is not None and stated_bad not in (suite.bad_tests, suite.bad) and not is_bad_explained
    skipped, disabled = suite.stated.get("skipped"), suite.stated.get("disabled")
    # Some tools include disabled tests in the skipped ones, others do not. The root of GoogleTest has only disabled.
    stated_skips = _sum(suite.stated, "skipped", "disabled")
    if skipped is not None:
        wrong |= suite.skipped not in (skipped, disabled, stated_skips)
    elif disabled is not None:
        wrong |= suite.skipped < disabled
    if not wrong:
        return None
    stated, found = [], []
    if stated_tests is not None:
        stated.append(message("tests", n=stated_tests))
        found.append(message("tests", n=suite.tests))
    if stated_bad is not None:
        stated.append(message("failures", n=stated_bad))
        found.append(message("failures", n=suite.bad_tests))
    if stated_skips is not None:
        stated.append(message("skipped", n=stated_skips))
        found.append(message("skipped", n=suite.skipped))
    return stated, found


def _sum(stated: dict[str, int | None], *keys: str) -> int | None:
    numbers = [number for key in keys if (number := stated.get(key)) is not None]
    return sum(numbers) if numbers else None

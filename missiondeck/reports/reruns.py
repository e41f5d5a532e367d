"""Merges several runs of one test in a suite, if the tool is known to write retries this way.

Two tests with one name may be different tests, one of which failed. If this cannot be decided they stay separate, so
that a failure is never taken for an earlier run of a passed test.
"""

from missiondeck.reports.collector import ERROR, FAILED, PASSED, Collector
from missiondeck.reports.suites import Suite

_BAD = (FAILED, ERROR)


def merge_reruns(suite: Suite, collector: Collector) -> None:
    """At the end of a suite, remove the runs of its tests that were repeated."""
    stated, results = suite.stated.get("tests"), collector.results
    if not (suite.is_go or suite.is_gradle) and (stated is None or stated >= suite.tests):
        return
    places = suite.places(len(results))
    groups: dict[tuple, list[int]] = {}
    # Grouped by test, as indexes in the suite.
    for order, index in enumerate(places):
        result = results[index]
        groups.setdefault((result.get("classname"), result["name"], result.get("file")), []).append(order)
    duplicates = [orders for orders in groups.values() if len(orders) > 1]
    if not duplicates:
        return

    def status(order: int) -> str:
        return results[places[order]]["status"]

    # pytest-rerunfailures writes a repeated run as a test without its failure, and does not count it.
    repeated = [[order for order in orders[:-1] if status(order) == PASSED] for orders in duplicates]
    uncounted = sum(map(len, repeated))
    if not uncounted or stated != suite.tests - uncounted:
        if not (suite.is_go or suite.is_gradle):
            return
        # gotestsum --rerun-fails and Gradle test-retry write each run with its failure. Their names are unique.
        if not all(_is_retry([status(order) for order in orders]) for orders in duplicates):
            return
        repeated = [orders[:-1] for orders in duplicates]
    removed = set()
    for orders, again in zip(duplicates, repeated, strict=True):
        _join(results[places[orders[-1]]], [results[places[order]] for order in again])
        for order in again:
            suite.count_as_rerun(bad=suite.bads.get(places[order], 0))
            removed.add(places[order])
    first = min(removed)
    results[first:] = [result for index, result in enumerate(results[first:], first) if index not in removed]


def _is_retry(statuses: list[str]) -> bool:
    """Whether these can be runs of one test: only a failure is retried, until the first pass."""
    *before, last = statuses
    return all(status in _BAD for status in before) and last in (*_BAD, PASSED)


def _join(last: dict, again: list[dict]) -> None:
    """Merge repeated runs into the last one, which keeps the error of the first failure."""
    if not again:
        return
    last["retries"] = last.get("retries", 0) + sum(run.get("retries", 0) + 1 for run in again)
    if last["status"] == PASSED:
        last["flaky"] = True
    if failed := next((run for run in again if run["status"] in _BAD), None):
        for key in ("error", "traceback"):
            if key in failed and key not in last:
                last[key] = failed[key]

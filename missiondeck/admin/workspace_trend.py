"""The trend of a mission's test runs: bars of what passed, failed and was skipped, and the same as a table."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from missiondeck.admin.workspace_url import WorkspaceUrl
from missiondeck.admin.workspace_words import number, seconds_words
from missiondeck.models import RunStatus, TestRun
from missionsite.common.admin.formats import format_datetime

RUNS = 30
# Bars are as wide as if there were at least so many.
SLOTS = 12
HEIGHT = 120
# However few failed among how many: it is seen.
LEAST = 5
MARKS = {RunStatus.PASSED: "✓", RunStatus.FAILED: "✕", RunStatus.RUNNING: "…"}


@dataclass(frozen=True)
class Counts:
    """How the tests of a run ended."""

    passed: int
    failed: int
    skipped: int

    @property
    def total(self) -> int:
        return self.passed + self.failed + self.skipped

    @property
    def words(self) -> str:
        words = f"{number(self.passed)} passed, {number(self.failed)} failed"
        return f"{words}, {number(self.skipped)} skipped" if self.skipped else words


def counts_of(summary: dict | None) -> Counts | None:
    """The counts a summary gives, else the sum of its pairs; None where it has neither."""
    summary = summary or {}
    if {"passed", "failed", "errors", "skipped"} & summary.keys():
        passed, failed, errors, skipped = (
            int(summary.get(key, 0)) for key in ("passed", "failed", "errors", "skipped")
        )
        return Counts(passed, failed + errors, skipped)
    pairs = [
        (passed, summary[f"{key[:-7]}_total"])
        for key, passed in summary.items()
        if key.endswith("_passed") and f"{key[:-7]}_total" in summary
    ]
    if not pairs:
        return None
    passed = int(sum(passed for passed, _ in pairs))
    return Counts(passed, int(sum(total for _, total in pairs)) - passed, 0)


def trend(runs: QuerySet[TestRun], place: WorkspaceUrl, chosen: TestRun) -> dict:
    """A page of runs, oldest first."""
    start = (place.runs - 1) * RUNS
    found = list(runs[start : start + RUNS + 1])
    shown = found[:RUNS][::-1]
    counts = [counts_of(run.summary) for run in shown]
    most = max((each.total for each in counts if each), default=0)
    slots = max(SLOTS, len(shown))
    plain = place.to(page=1, status="", q="", log=0, find="")
    return {
        "bars": [
            _bar(run, each, place=position, slots=slots, most=most, address=plain.to(run=run.pk).address, chosen=chosen)
            for position, (run, each) in enumerate(zip(shown, counts, strict=True))
        ],
        "height": HEIGHT,
        "svg_height": HEIGHT + 26,
        "most": number(most),
        "count": len(shown),
        "older": plain.to(runs=place.runs + 1).address if len(found) > RUNS else "",
        "newer": plain.to(runs=place.runs - 1).address if place.runs > 1 else "",
    }


def _bar(run: TestRun, counts: Counts | None, *, place: int, slots: int, most: int, address: str, chosen) -> dict:
    """One bar: x and width in percent of the plot, heights in its pixels, from the bottom up."""
    width = 100 / slots
    left = place * width
    words = f"{format_datetime(run.created_at)}: {run.get_status_display().lower()}"
    return {
        "address": address,
        "is_chosen": run.pk == chosen.pk,
        "status": run.status,
        "status_words": run.get_status_display(),
        "mark": MARKS[run.status],
        "words": f"{words}, {counts.words}" if counts else words,
        "at": run.created_at,
        "name": run.name,
        "flaky": len(run.flaky_tests),
        "counts": counts,
        "duration": seconds_words((run.summary or {}).get("duration")),
        "slot": f"{left:.3f}%",
        "slot_width": f"{width:.3f}%",
        "left": f"{left + width * 0.12:.3f}%",
        "width": f"{width * 0.76:.3f}%",
        "middle": f"{left + width / 2:.3f}%",
        "parts": parts_of(counts, most) if counts and counts.total else [],
    }


def parts_of(counts: Counts, most: int) -> list[dict]:
    """The parts of a bar: the failed at the bottom, then the skipped, then the passed. most: tests of the tallest."""
    numbers = {"failed": counts.failed, "skipped": counts.skipped, "passed": counts.passed}
    heights = {kind: max(LEAST, HEIGHT * count / most) for kind, count in numbers.items() if count}
    if (beyond := sum(heights.values()) - HEIGHT) > 0:
        heights[max(heights, key=heights.get)] -= beyond
    parts, top = [], float(HEIGHT)
    for kind, height in heights.items():
        top -= height
        parts.append({"kind": kind, "y": f"{top:.1f}", "height": f"{height:.1f}"})
    return parts

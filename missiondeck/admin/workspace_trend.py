"""The trend of a mission's test runs: bars of passed, failed and skipped tests, also shown as a table."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext

from missiondeck.admin.workspace_formats import format_duration
from missiondeck.admin.workspace_url import WorkspaceUrl
from missiondeck.models import RunStatus, TestRun
from missionsite.common.admin.formats import format_datetime, format_number

RUNS = 30
# The minimum number of slots: bars do not get wider with fewer runs.
SLOTS = 12
HEIGHT = 120
# The minimum height of a segment, so that one failed test in many is visible.
MIN_HEIGHT = 5
MARKS: dict[str, str] = {RunStatus.PASSED: "✓", RunStatus.FAILED: "✕", RunStatus.RUNNING: "…"}


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
    def text(self) -> str:
        values = {name: format_number(getattr(self, name)) for name in ("passed", "failed", "skipped")}
        if self.skipped:
            return gettext("%(passed)s passed, %(failed)s failed, %(skipped)s skipped") % values
        return gettext("%(passed)s passed, %(failed)s failed") % values


def counts_of(summary: dict | None) -> Counts | None:
    """The counts of a summary, else the sum of its pairs; None without either."""
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


def trend(runs: QuerySet[TestRun], url: WorkspaceUrl, chosen: TestRun) -> dict:
    """A page of runs, oldest first."""
    start = (url.runs - 1) * RUNS
    found = list(runs[start : start + RUNS + 1])
    shown = found[:RUNS][::-1]
    counts = [counts_of(run.summary) for run in shown]
    max_tests = max((each.total for each in counts if each), default=0)
    slots = max(SLOTS, len(shown))
    plain = url.first_page(status="", q="", show="", against=None, kind="", log=0, find="")
    return {
        "bars": [
            _bar(
                run,
                each,
                position=position,
                slots=slots,
                max_tests=max_tests,
                url=plain.to(run=run.pk).href,
                chosen=chosen,
            )
            for position, (run, each) in enumerate(zip(shown, counts, strict=True))
        ],
        "height": HEIGHT,
        "svg_height": HEIGHT + 26,
        "max_tests": format_number(max_tests),
        "count": len(shown),
        "older": plain.to(runs=url.runs + 1).href if len(found) > RUNS else "",
        "newer": plain.to(runs=url.runs - 1).href if url.runs > 1 else "",
    }


def _bar(
    run: TestRun, counts: Counts | None, *, position: int, slots: int, max_tests: int, url: str, chosen: TestRun
) -> dict:
    """One bar: x and width in percent of the chart, heights in pixels from the bottom up."""
    width = 100 / slots
    left = position * width
    text = f"{format_datetime(run.created_at)}: {run.get_status_display().lower()}"
    return {
        "url": url,
        "is_chosen": run.pk == chosen.pk,
        "status": run.status,
        "status_label": run.get_status_display(),
        "mark": MARKS[run.status],
        "text": f"{text}, {counts.text}" if counts else text,
        "at": run.created_at,
        "name": run.name,
        "flaky": len(run.flaky_tests),
        "counts": counts,
        "duration": format_duration((run.summary or {}).get("duration")),
        "slot": f"{left:.3f}%",
        "slot_width": f"{width:.3f}%",
        "left": f"{left + width * 0.12:.3f}%",
        "width": f"{width * 0.76:.3f}%",
        "middle": f"{left + width / 2:.3f}%",
        "parts": parts_of(counts, max_tests) if counts and counts.total else [],
    }


def parts_of(counts: Counts, max_tests: int) -> list[dict]:
    """The segments of a bar, from the bottom: failed, skipped, passed. max_tests: tests of the highest bar."""
    numbers = {"failed": counts.failed, "skipped": counts.skipped, "passed": counts.passed}
    heights = {kind: max(MIN_HEIGHT, HEIGHT * count / max_tests) for kind, count in numbers.items() if count}
    if (beyond := sum(heights.values()) - HEIGHT) > 0:
        heights[max(heights, key=heights.__getitem__)] -= beyond
    parts, top = [], float(HEIGHT)
    for kind, height in heights.items():
        top -= height
        parts.append({"kind": kind, "y": f"{top:.1f}", "height": f"{height:.1f}"})
    return parts

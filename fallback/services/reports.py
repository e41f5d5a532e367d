"""Reports of runs: one JSON document per run, in the document store.

A report is written after the end of its run is committed; its path is stored on the run after that. `repair_reports`
writes reports that are lost in between.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from fallback.models import MissionFallbackRun
from fallback.rules import ENDED_RUN_STATUSES
from missionsite.common import documents

logger = logging.getLogger(__name__)

FOLDER = "solo-unicorn-docs/fallback"
# Largest report read back, in bytes.
MAX_BYTES = 5_000_000
BATCH = 500


def path_of(run_id: str) -> str:
    """The path of a report in the document store."""
    return f"{FOLDER}/{run_id}.json"


def build_report(run: MissionFallbackRun) -> dict:
    """The content of a report: the run and all decisions. Members are named by stable ID only."""
    items = run.items.select_related("template", "reviewed_by").order_by("created_at", "id")
    return {
        "runId": run.pk,
        "projectId": run.project_id,
        "triggeredBy": run.triggered_by,
        "status": run.status,
        "startedAt": _isoformat(run.started_at),
        "completedAt": _isoformat(run.completed_at),
        "backlog": {"before": run.backlog_count_before, "threshold": run.backlog_threshold},
        "generated": run.generated_count,
        "accepted": run.accepted_count,
        "discarded": run.discarded_count,
        "skipped": run.skipped,
        "error": run.error or None,
        "items": [
            {
                "itemId": item.pk,
                "title": item.title,
                "templateId": item.template_id,
                "template": item.template.name,
                "priority": item.priority,
                "estimatedEffortMinutes": item.estimated_effort_minutes,
                "status": item.status,
                "missionId": item.mission_id,
                "duplicateOf": item.duplicate_of_id,
                "reason": item.reason,
                "feedback": item.feedback or None,
                "reviewer": item.reviewed_by.member_id if item.reviewed_by else item.reviewer_token or None,
                "reviewedAt": _isoformat(item.reviewed_at),
            }
            for item in items
        ],
    }


def write_report(run_id: str) -> bool:
    """Write the report of an ended run and store its path. Returns False if the run is not ended."""
    with transaction.atomic():
        run = MissionFallbackRun.objects.filter(pk=run_id).select_for_update().first()
        if run is None or run.status not in ENDED_RUN_STATUSES:
            return False
        content = json.dumps(build_report(run), ensure_ascii=False, indent=2).encode()
        documents.write(path_of(run.pk), content)
        MissionFallbackRun.objects.filter(pk=run.pk).update(report_path=path_of(run.pk))
    return True


def write_report_when_committed(run_id: str) -> None:
    """Write the report after the commit. A failure is logged; `repair_reports` tries again."""

    def write() -> None:
        try:
            # Several decisions in one transaction request the same report.
            if MissionFallbackRun.objects.filter(pk=run_id, report_path="", status__in=ENDED_RUN_STATUSES).exists():
                write_report(run_id)
        except Exception:
            logger.exception("report of run %s not written; repair_reports will retry", run_id)

    transaction.on_commit(write, robust=True)


def read_report(run: MissionFallbackRun) -> str:
    """The report of a run as text; empty if there is none."""
    if not run.report_path:
        return ""
    try:
        return documents.read(path_of(run.pk), at_most=MAX_BYTES).decode()
    except documents.NoSuchDocument:
        return ""


def repair_reports(*, since: datetime | None = None) -> dict[str, int]:
    """Write missing reports, and delete reports without an ended run.

    since: runs that ended before are not checked for a lost document; by default all are.
    Returns the numbers of written and removed reports.
    """
    written = removed = 0
    unwritten = MissionFallbackRun.objects.filter(report_path="", status__in=ENDED_RUN_STATUSES).order_by("pk")
    last = ""
    while batch := list(unwritten.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        written += sum(write_report(pk) for pk in batch)
        last = batch[-1]
    noted = MissionFallbackRun.objects.exclude(report_path="").filter(status__in=ENDED_RUN_STATUSES)
    if since:
        noted = noted.filter(completed_at__gte=since)
    stems = {name: name.rpartition("/")[2].removesuffix(".json") for name in documents.names(FOLDER)}
    there = {pk for name, pk in stems.items() if name == path_of(pk)}
    for pk in noted.values_list("pk", flat=True).iterator():
        if pk not in there:
            written += write_report(pk)
    for pk in _without_ended_run(sorted(there)):
        # Check again: the end of the run may have been committed meanwhile.
        if _is_old(pk) and not MissionFallbackRun.objects.filter(pk=pk, status__in=ENDED_RUN_STATUSES).exists():
            documents.delete(path_of(pk))
            removed += 1
    return {"written": written, "removed": removed}


def _without_ended_run(names: list[str]) -> Iterator[str]:
    """The names that do not belong to an ended run."""
    for begin in range(0, len(names), BATCH):
        batch = names[begin : begin + BATCH]
        known = set(
            MissionFallbackRun.objects.filter(pk__in=batch, status__in=ENDED_RUN_STATUSES).values_list("pk", flat=True)
        )
        yield from (pk for pk in batch if pk not in known)


def _is_old(pk: str) -> bool:
    """Whether a document is older than a minute. The end of a run may still be uncommitted for a younger one."""
    try:
        return documents.modified_at(path_of(pk)) < timezone.now() - timedelta(minutes=1)
    except documents.NoSuchDocument:
        return False


def _isoformat(value: datetime | None) -> str | None:
    return value.isoformat() if value else None

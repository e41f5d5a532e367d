"""Reports of runs: one JSON document each, in the document store.

A report is written after its run's end is committed, and noted on the run after that. Whatever is lost between two of
these steps is found and written by `repair_reports`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from fallback.models import MissionFallbackRun
from fallback.models.choices import RunStatus
from missionsite.common import documents

logger = logging.getLogger(__name__)

FOLDER = "solo-unicorn-docs/fallback"
ENDED = (RunStatus.COMPLETED, RunStatus.CANCELLED, RunStatus.ERRORED)
# Largest report read back, in bytes.
MAX_BYTES = 5_000_000
BATCH = 500


def path_of(run_id: str) -> str:
    """Where the report of a run is in the document store."""
    return f"{FOLDER}/{run_id}.json"


def build_report(run: MissionFallbackRun) -> dict:
    """What a run did, and what was decided. People appear by stable ID only."""
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
    """Write the report of a run that has ended, and note it on the run; False where there is none to write."""
    with transaction.atomic():
        run = MissionFallbackRun.objects.filter(pk=run_id).select_for_update().first()
        if run is None or run.status not in ENDED:
            return False
        content = json.dumps(build_report(run), ensure_ascii=False, indent=2).encode()
        documents.write(path_of(run.pk), content)
        MissionFallbackRun.objects.filter(pk=run.pk).update(report_path=path_of(run.pk))
    return True


def write_report_when_committed(run_id: str) -> None:
    """Write the report right after the transaction; a failure is logged and left to `repair_reports`."""

    def write() -> None:
        try:
            # Several decisions of one transaction ask for the same report.
            if MissionFallbackRun.objects.filter(pk=run_id, report_path="", status__in=ENDED).exists():
                write_report(run_id)
        except Exception:
            logger.exception("report of run %s not written; it is tried again", run_id)

    transaction.on_commit(write, robust=True)


def read_report(run: MissionFallbackRun) -> str:
    """The report of a run as text; empty where there is none yet, or the document is gone."""
    if not run.report_path:
        return ""
    try:
        return documents.read(path_of(run.pk), at_most=MAX_BYTES).decode()
    except documents.NoSuchDocument:
        return ""


def repair_reports(*, since: datetime | None = None) -> dict[str, int]:
    """Write what is missing, and remove what belongs to no run that has ended.

    since: runs that ended before are not looked at again for a lost document; all are when left out.
    Returns how many were written and removed.
    """
    written = removed = 0
    unwritten = MissionFallbackRun.objects.filter(report_path="", status__in=ENDED).order_by("pk")
    last = ""
    while batch := list(unwritten.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        written += sum(write_report(pk) for pk in batch)
        last = batch[-1]
    noted = MissionFallbackRun.objects.exclude(report_path="").filter(status__in=ENDED)
    if since:
        noted = noted.filter(completed_at__gte=since)
    stems = {name: name.rpartition("/")[2].removesuffix(".json") for name in documents.names(FOLDER)}
    there = {pk for name, pk in stems.items() if name == path_of(pk)}
    for pk in noted.values_list("pk", flat=True).iterator():
        if pk not in there:
            written += write_report(pk)
    for pk in _without_ended_run(sorted(there)):
        # Once more: its end may have been committed since.
        if _is_old(pk) and not MissionFallbackRun.objects.filter(pk=pk, status__in=ENDED).exists():
            documents.delete(path_of(pk))
            removed += 1
    return {"written": written, "removed": removed}


def _without_ended_run(names: list[str]) -> Iterator[str]:
    """Those of these names that are no run which has ended."""
    for begin in range(0, len(names), BATCH):
        batch = names[begin : begin + BATCH]
        known = set(MissionFallbackRun.objects.filter(pk__in=batch, status__in=ENDED).values_list("pk", flat=True))
        yield from (pk for pk in batch if pk not in known)


def _is_old(pk: str) -> bool:
    """Whether a document has lain for a minute; a younger one may belong to a run whose end is being committed."""
    try:
        return documents.modified_at(path_of(pk)) < timezone.now() - timedelta(minutes=1)
    except documents.NoSuchDocument:
        return False


def _isoformat(value: datetime | None) -> str | None:
    return value.isoformat() if value else None

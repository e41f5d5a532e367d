"""The latest runs of projects."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q

from fallback.models import MissionFallbackRun

# Projects without a proposal that are shown because a guardrail skipped a template.
SKIPPED_PROJECTS_SHOWN = 20
SKIPPED_SHOWN_FOR = timedelta(days=7)


def latest_runs(projects: Iterable[str]) -> dict[str, MissionFallbackRun]:
    """The latest run of each project, by project id."""
    runs = (
        MissionFallbackRun.objects.filter(project__in=list(projects))
        .order_by("project_id", "-started_at", "-id")
        .distinct("project_id")
    )
    return {run.project_id: run for run in runs}


def projects_with_skipped_templates(visible: Q, *, at: datetime) -> list[str]:
    """Ids of projects whose latest run of this week skipped a template, newest first."""
    recent = list(
        MissionFallbackRun.objects.filter(visible, started_at__gte=at - SKIPPED_SHOWN_FOR)
        .exclude(skipped=[])
        .order_by("-started_at", "-id")
        .values_list("project_id", "pk")[: SKIPPED_PROJECTS_SHOWN * 5]
    )
    latest = latest_runs({project for project, _run in recent})
    return list(dict.fromkeys(project for project, run in recent if latest[project].pk == run))[:SKIPPED_PROJECTS_SHOWN]

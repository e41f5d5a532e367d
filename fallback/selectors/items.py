"""Proposals to review."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Q, QuerySet

from fallback.models import MissionFallbackItem


def items_to_review(visible: Q, *, at: datetime, snoozed: bool = False) -> QuerySet[MissionFallbackItem]:
    """Open proposals by project, oldest first; either those to review or the snoozed ones.

    visible: the filter of projects, from an item (Rights.project_filter with path `project__`).
    """
    asleep = Q(snoozed_until__gt=at)
    return (
        MissionFallbackItem.objects.proposed()
        .filter(visible, asleep if snoozed else ~asleep | Q(snoozed_until__isnull=True))
        .order_by("project_id", "created_at", "id")
    )


def projects_to_review(visible: Q, *, at: datetime, at_most: int = 200) -> list[dict]:
    """Projects with proposals to review: id, name and number, most first."""
    rows = (
        MissionFallbackItem.objects.proposed()
        .filter(visible, Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=at))
        .order_by()
        .values("project_id", "project__name")
        .annotate(waiting=Count("pk"))
        .order_by("-waiting", "project__name")[:at_most]
    )
    return [{"id": row["project_id"], "name": row["project__name"], "waiting": row["waiting"]} for row in rows]

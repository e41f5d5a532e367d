"""Reads behind the review page and the board: a fixed number of queries, however many projects there are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Q, QuerySet

from fallback.models import Mission, MissionFallbackItem, MissionFallbackRun, Project

# Counting on a page stops here; beyond it a page says "10,000+".
COUNTED = 10_000
# Cards of a list on a board; the rest is a list of missions.
CARDS = 50
# Projects without a proposal that are shown because something was held back.
HELD_BACK_SHOWN = 20
HELD_BACK_FOR = timedelta(days=7)


def waiting_items(visible: Q, *, at: datetime, snoozed: bool = False) -> QuerySet[MissionFallbackItem]:
    """Proposals to decide on, by project and then oldest first; or those put aside until later.

    visible: which projects, from an item (Rights.where with path `project__`).
    """
    asleep = Q(snoozed_until__gt=at)
    return (
        MissionFallbackItem.objects.proposed()
        .filter(visible, asleep if snoozed else ~asleep | Q(snoozed_until__isnull=True))
        .order_by("project_id", "created_at", "id")
    )


def count_up_to(rows: QuerySet, limit: int = COUNTED) -> tuple[int, str]:
    """How many rows there are, and in words; counting stops at a limit."""
    number = rows.order_by().values("pk")[: limit + 1].count()
    return number, f"{limit:,}+" if number > limit else f"{number:,}"


def projects_waiting(visible: Q, *, at: datetime, at_most: int = 200) -> list[dict]:
    """Projects with proposals to decide on: id, name and how many, most first."""
    rows = (
        MissionFallbackItem.objects.proposed()
        .filter(visible, Q(snoozed_until__isnull=True) | Q(snoozed_until__lte=at))
        .order_by()
        .values("project_id", "project__name")
        .annotate(waiting=Count("pk"))
        .order_by("-waiting", "project__name")[:at_most]
    )
    return [{"id": row["project_id"], "name": row["project__name"], "waiting": row["waiting"]} for row in rows]


def latest_runs(projects: Iterable[str]) -> dict[str, MissionFallbackRun]:
    """The latest run of each project, by project id."""
    runs = (
        MissionFallbackRun.objects.filter(project__in=list(projects))
        .order_by("project_id", "-started_at", "-id")
        .distinct("project_id")
    )
    return {run.project_id: run for run in runs}


def projects_held_back(visible: Q, *, at: datetime) -> list[str]:
    """Ids of projects whose latest run held something back this week, newest first."""
    recent = list(
        MissionFallbackRun.objects.filter(visible, started_at__gte=at - HELD_BACK_FOR)
        .exclude(held_back=[])
        .order_by("-started_at", "-id")
        .values_list("project_id", "pk")[: HELD_BACK_SHOWN * 5]
    )
    latest = latest_runs({project for project, _run in recent})
    return list(dict.fromkeys(project for project, run in recent if latest[project].pk == run))[:HELD_BACK_SHOWN]


def backlogs_of(projects: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Ready missions nothing blocks (counted up to the threshold) and the threshold, by project id."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.project_id, b.n, c.backlog_threshold
            FROM mission_fallback_configs c
            CROSS JOIN LATERAL (
                SELECT count(*) FROM (
                    SELECT FROM missions m WHERE m.project_id = c.project_id AND m.list = 'todo' AND m.ready
                        AND m.open_dependency_count = 0 LIMIT c.backlog_threshold) x
            ) b (n)
            WHERE c.project_id = ANY (%s)
            """,
            [list(projects)],
        )
        return {project: (backlog, threshold) for project, backlog, threshold in cursor.fetchall()}


def board_cards(project: Project, in_list: str) -> tuple[list[Mission], str]:
    """The first cards of a list in their order, and how many there are in words."""
    missions = Mission.objects.filter(project=project, list=in_list)
    cards = list(missions.select_related("actor", "repository").order_by("list_order", "id")[:CARDS])
    return cards, count_up_to(missions)[1] if len(cards) == CARDS else str(len(cards))

"""The backlog and the board of a project."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from fallback.models import Mission, Project
from fallback.selectors.counts import count_up_to
from missionsite.common.sql_loader import read_sql

# Cards of a list on a board; a link leads to the rest.
CARDS = 50


def backlogs_of(projects: Iterable[str]) -> dict[str, tuple[int, int]]:
    """The number of ready, unblocked missions (counted up to the threshold) and the threshold, by project id."""
    with connection.cursor() as cursor:
        cursor.execute(read_sql("fallback/queries/backlogs"), {"project_ids": list(projects)})
        return {project: (backlog, threshold) for project, backlog, threshold in cursor.fetchall()}


def board_cards(project: Project, in_list: str) -> tuple[list[Mission], str]:
    """The first cards of a list in order, and the number of all as text."""
    missions = Mission.objects.filter(project=project, list=in_list)
    cards = list(missions.select_related("actor", "repository").order_by("list_order", "id")[:CARDS])
    return cards, count_up_to(missions)[1] if len(cards) == CARDS else str(len(cards))

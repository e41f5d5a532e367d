"""The backlog and the board of a project."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import DurationField, ExpressionWrapper, F, Q, Value

from fallback.models import Mission, Project
from fallback.rules import STALE_LISTS
from fallback.selectors.counts import count_up_to
from missionsite.common.sql_loader import read_sql

# Cards of a list on a board; a link leads to the rest.
CARDS = 25
# The most cards of a list that a page shows after scrolling.
MOST_CARDS = 200


def backlogs_of(projects: Iterable[str]) -> dict[str, tuple[int, int]]:
    """The number of ready, unblocked missions (counted up to the threshold) and the threshold, by project id."""
    with connection.cursor() as cursor:
        cursor.execute(read_sql("fallback/queries/backlogs"), {"project_ids": list(projects)})
        return {project: (backlog, threshold) for project, backlog, threshold in cursor.fetchall()}


def without_movement(at: datetime) -> Q:
    """The condition that a mission is in Doing or Review, and had no event for as long as its project says."""
    wait = ExpressionWrapper(F("project__stale_after_days") * Value(timedelta(days=1)), output_field=DurationField())
    return Q(list__in=STALE_LISTS, last_event_at__lt=Value(at) - wait)


@dataclass(frozen=True)
class BoardList:
    """A list of a board. number: of all its missions, counted up to COUNTED; limit: None for none."""

    cards: list[Mission]
    number: int
    text: str
    limit: int | None

    @property
    def is_over_limit(self) -> bool:
        return self.limit is not None and self.number > self.limit


def board_list(project: Project, in_list: str, *, stale_at: datetime | None = None, cards: int = CARDS) -> BoardList:
    """The first cards of a list in order, and the number of all. stale_at: only cards without movement at this time."""
    missions = Mission.objects.filter(project=project, list=in_list)
    shown = missions if stale_at is None else missions.filter(without_movement(stale_at))
    found = list(shown.select_related("actor", "repository").order_by("list_order", "id")[:cards])
    is_whole = stale_at is None and len(found) < cards
    number, text = (len(found), str(len(found))) if is_whole else count_up_to(missions)
    return BoardList(found, number, text, getattr(project, f"{in_list}_limit", None))

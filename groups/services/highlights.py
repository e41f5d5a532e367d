"""Daily highlights: the participation of each member per day."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.conf import settings
from django.db import connection
from psycopg.types.json import Jsonb

from groups.errors import DaysReversed
from missionsite.common.transactions import service


@service
def roll_up_highlights(
    *, points: Mapping[str, int] | None = None, daily_cap: int | None = None, at_most: int = 100_000
) -> int:
    """Add new participation to the highlights; returns the number of processed changes, 0 if there are none.

    points and daily_cap: from the settings by default. Highlights keep the points valid at their roll-up until they are
    rebuilt. Raises PointsRejected.
    """
    return _call("SELECT roll_up_highlights(%s, %s, %s)", *_rules(points, daily_cap), at_most)


@service
def rebuild_highlights(
    *,
    first_day: date | None = None,
    last_day: date | None = None,
    points: Mapping[str, int] | None = None,
    daily_cap: int | None = None,
) -> int:
    """Rebuild the highlights of days (UTC, both included) from participation; returns how many were corrected.

    Without a first day, from the first event on. Use it after points or cap changed, or events were removed.
    Raises DaysReversed, PointsRejected.
    """
    if first_day and last_day and last_day < first_day:
        raise DaysReversed
    return _call("SELECT rebuild_highlights(%s, %s, %s, %s)", *_rules(points, daily_cap), first_day, last_day)


def _rules(points: Mapping[str, int] | None, daily_cap: int | None) -> tuple[Jsonb, int]:
    if points is None:
        points = settings.PARTICIPATION_POINTS
    if daily_cap is None:
        daily_cap = settings.PARTICIPATION_POINTS_PER_DAY
    return Jsonb(dict(points)), daily_cap


def _call(sql: str, *arguments: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        return cursor.fetchone()[0]

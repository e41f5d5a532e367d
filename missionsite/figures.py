"""Numbers of the whole site by day and week, for the plots of the home page.

Those that an index counts are read from their tables, up to a limit. The others are stored by day in `site_figures`,
which a job refreshes every hour; see docs/decisions/0074.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.db.models import Max
from django.utils import timezone

from engagement.rules import State
from groups.rules import Tier
from missionsite.common.admin.pagination import COUNT_LIMIT
from missionsite.common.sql_loader import read_sql
from missionsite.models import SiteFigure

WEEKS = 12
DAYS = 14
# The days that the first refresh computes; later ones compute today and yesterday.
BACKFILL = timedelta(weeks=WEEKS + 1)


@dataclass(frozen=True)
class Week:
    """A week from Monday. number: what was counted, by name; at most COUNT_LIMIT + 1 where a limit applies."""

    starts_on: date
    ends_on: date
    numbers: dict[str, int]


@dataclass(frozen=True)
class Stored:
    """Stored figures. refreshed_at: None before the first refresh."""

    by_day: dict[tuple[str, date], int]
    refreshed_at: datetime | None

    def value(self, name: str, day: date) -> int | None:
        return self.by_day.get((name, day))

    def total(self, name: str, days: Iterable[date]) -> int:
        return sum(self.by_day.get((name, day), 0) for day in days)


def start_of(day: date) -> datetime:
    """The first instant of a day in the current time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def weeks_until(today: date, *, number: int = WEEKS) -> list[tuple[date, date]]:
    """The first and last day of the last weeks, the current one last."""
    monday = today - timedelta(days=today.weekday())
    starts = [monday - timedelta(weeks=weeks) for weeks in range(number - 1, -1, -1)]
    return [(start, start + timedelta(days=6)) for start in starts]


def joins_and_leaves(periods: Iterable[tuple[date, date]]) -> list[Week]:
    """Memberships that began and that ended in each period, each counted up to COUNT_LIMIT + 1; in one query."""
    periods = list(periods)
    params: dict[str, Any] = {
        "starts": [start_of(first) for first, _last in periods],
        "ends": [start_of(last + timedelta(days=1)) for _first, last in periods],
        "most": COUNT_LIMIT + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(read_sql("missionsite/queries/joins_and_leaves"), params)
        rows = cursor.fetchall()
    return [
        Week(first, last, {"joined": joined, "left": left})
        for (first, last), (joined, left) in zip(periods, rows, strict=True)
    ]


def stored_figures(*, since: date) -> Stored:
    """The stored figures from a day on, in one query."""
    rows = list(SiteFigure.objects.filter(day__gte=since).values_list("name", "day", "value", "refreshed_at"))
    refreshed = max((row[3] for row in rows), default=None)
    return Stored({(name, day): value for name, day, value, _at in rows}, refreshed)


def refresh_figures() -> None:
    """Store the figures of today and of the days since the last refresh; at first those of the last weeks."""
    today = timezone.localdate()
    last = SiteFigure.objects.aggregate(last=Max("day"))["last"]
    since = max(today - BACKFILL, min(last, today) - timedelta(days=1)) if last else today - BACKFILL
    params: dict[str, Any] = {
        "since": since,
        "today": today,
        "zone": timezone.get_current_timezone_name(),
        "states": list(State.values),
        "tiers": list(Tier.values),
    }
    with connection.cursor() as cursor:
        cursor.execute(read_sql("missionsite/queries/refresh_figures"), params)

"""The flow of missions over boards: lists by day, lead and cycle time, throughput, and the age of open missions.

All follows from the events of moves (mission_list_periods in the database), read when the page is shown. A Figure names
the missions behind one point of a plot.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import TruncDate

from fallback.models import Mission
from fallback.models.choices import List
from missionsite.common.sql_loader import read_sql

# The ages of open missions in days, from and to; the last one has no end.
AGES = ((0, 1), (2, 4), (5, 9), (10, 19), (20, 39), (40, None))
OPEN_LISTS = (List.TODO, List.DOING, List.REVIEW)


@dataclass(frozen=True)
class DayOfLists:
    """The number of missions in each list at the end of a day; in Done those that came there in the period."""

    day: date
    counts: dict[str, int]


@dataclass(frozen=True)
class Percentiles:
    """P50 and P85 of durations in days."""

    p50: float
    p85: float


@dataclass(frozen=True)
class Finished:
    """The missions finished in a week from Monday, or in the whole period (starts_on is None).

    started: those that have been in Doing; only they have a cycle time.
    """

    starts_on: date | None
    number: int = 0
    started: int = 0
    lead: Percentiles | None = None
    cycle: Percentiles | None = None


def _read(query: str, projects: Iterable[str], since: date, until: date, zone: ZoneInfo) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(
            read_sql(f"fallback/queries/{query}"),
            {"project_ids": list(projects), "since": since, "until": until, "zone": zone.key},
        )
        return cursor.fetchall()


def daily_lists(projects: Iterable[str], *, since: date, until: date, zone: ZoneInfo) -> list[DayOfLists]:
    """The lists of projects at the end of each day of a period, both ends included."""
    return [DayOfLists(day, json.loads(counts)) for day, counts in _read("lists_by_day", projects, since, until, zone)]


def weekly_finished(
    projects: Iterable[str], *, since: date, until: date, zone: ZoneInfo
) -> tuple[Finished, list[Finished]]:
    """The missions finished in a period: all of them, and by week, with weeks in which none was finished."""
    found = {
        week: Finished(week, number, started, *(_percentiles(values) for values in times))
        for week, number, started, *times in _read("finished_by_week", projects, since, until, zone)
    }
    monday, weeks = since - timedelta(days=since.weekday()), []
    while monday <= until:
        weeks.append(found.get(monday, Finished(monday)))
        monday += timedelta(days=7)
    return found[None], weeks


def _percentiles(values: list[float | None] | None) -> Percentiles | None:
    if not values or values[0] is None or values[1] is None:
        return None
    return Percentiles(values[0], values[1])


def open_ages(projects: Iterable[str], *, today: date, zone: ZoneInfo) -> dict[str, list[int]]:
    """The number of open missions of each age of AGES, by list. Age: days since the mission was created."""
    by_day = (
        Mission.objects.filter(project__in=list(projects), list__in=OPEN_LISTS)
        .annotate(day=TruncDate("created_at", tzinfo=zone))
        .order_by()
        .values_list("list", "day")
        .annotate(number=Count("pk"))
    )
    ages = {str(each): [0] * len(AGES) for each in OPEN_LISTS}
    for in_list, day, number in by_day:
        days = max(0, (today - day).days)
        ages[in_list][next(i for i, (low, high) in enumerate(AGES) if high is None or low <= days <= high)] += number
    return ages


# --- The missions behind a point -----------------------------------------------------------------


@dataclass(frozen=True)
class Figure:
    """The missions behind a point of a plot, as written in the address of their list.

    kind: `in` (in a list at the end of the day `until`; for Done, there since the day `since`), `finished` or `cycle`
    (finished from `since` to `until`; those with a cycle time), `open` (in a list, of the age `index` of AGES).
    """

    kind: str
    list: str = ""
    since: date | None = None
    until: date | None = None
    index: int = 0

    def __str__(self) -> str:
        if self.kind == "open":
            return f"open.{self.list}.{self.index}"
        days = [day.isoformat() for day in (self.since, self.until) if day]
        return ".".join([self.kind, *([self.list] if self.list else []), *days])

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read what `str` writes; None for any other text."""
        kind, *parts = text.split(".")
        try:
            if kind == "open":
                in_list, index = parts
                found = cls(kind, list=str(List(in_list)), index=int(index))
                return found if in_list in OPEN_LISTS and 0 <= found.index < len(AGES) else None
            if kind == "in":
                in_list, *days = parts
                read = [_day(each) for each in days]
                if len(read) == (2 if in_list == List.DONE else 1):
                    return cls(kind, list=str(List(in_list)), since=read[0] if len(read) > 1 else None, until=read[-1])
            elif kind in ("finished", "cycle"):
                since, until = (_day(each) for each in parts)
                return cls(kind, since=since, until=until)
        except ValueError:
            return None
        return None


def _day(text: str) -> date:
    day = date.fromisoformat(text)
    if not 1900 <= day.year <= 9000:
        raise ValueError(text)
    return day


def missions_of(
    figure: Figure, missions: QuerySet[Mission], *, projects: Iterable[str], zone: ZoneInfo, today: date
) -> QuerySet[Mission]:
    """The missions behind a figure, of these projects. zone, today: as of the plot."""

    def start(day: date) -> datetime:
        return datetime.combine(day, time.min, zone)

    def after(day: date) -> datetime:
        return start(day + timedelta(days=1))

    keys = list(projects)
    if figure.kind == "open":
        low, high = AGES[figure.index]
        aged = Q(list=figure.list, project__in=keys)
        # Those of the first age include any with a later date.
        if low:
            aged &= Q(created_at__lt=after(today - timedelta(days=low)))
        if high is not None:
            aged &= Q(created_at__gte=start(today - timedelta(days=high)))
        return missions.filter(aged)
    if figure.until is None:
        return missions.none()
    end = after(figure.until)
    if figure.kind == "in":
        sql = (
            "SELECT mission_id FROM mission_list_periods(%s) WHERE list = %s AND entered_at < %s"
            " AND (left_at IS NULL OR left_at >= %s) AND entered_at >= %s"
        )
        since = start(figure.since) if figure.since else datetime(1900, 1, 1, tzinfo=zone)
        values: list = [keys, figure.list, end, end, since]
    else:
        if figure.since is None:
            return missions.none()
        sql = "SELECT mission_id FROM finished_missions(%s) WHERE finished_at >= %s AND finished_at < %s"
        sql += " AND started_at IS NOT NULL" if figure.kind == "cycle" else ""
        values = [keys, start(figure.since), end]
    return missions.filter(pk__in=RawSQL(sql, values))  # noqa: S611  (the text is fixed; values are parameters)

"""The forecast of the day on which the ready backlog of a project reaches zero, and the record of past forecasts.

A Monte Carlo simulation over the project's own throughput. Reason for the method: decision 0072.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Count, F, Q

from fallback import rules
from fallback.models import Mission, MissionForecast, Project
from missionsite.common.sql_loader import read_sql

SIMULATIONS = 2_000
# A simulation draws blocks of days from a stretch of days: mostly the latest one, else any, because the pace changes.
STRETCH, BLOCK = 42, 14
LATEST_RATIO = 0.7
# The spread of the pace beyond that of the history: the standard deviation of its logarithm.
PACE_SPREAD = 0.32
# Days a simulation goes on for.
HORIZON = 1_095


@dataclass(frozen=True)
class Forecast:
    """The days on which the backlog is empty in half and in 85 % of the simulations; None: later than HORIZON days."""

    made_on: date
    backlog: int
    p50_on: date | None
    p85_on: date | None


@dataclass(frozen=True)
class Record:
    """Past forecasts whose outcome is known, and how many of their P50 and P85 held."""

    known: int
    p50_held: int
    p85_held: int
    open: int


def days_until_empty(history: Sequence[int], backlog: int, *, seed: str) -> tuple[int | None, int | None]:
    """P50 and P85 of the days until so many missions are finished; None beyond HORIZON. 0 for an empty backlog.

    history: missions finished on each past day on which there was work, oldest first. seed: the same seed gives the
    same result.
    """
    if backlog <= 0:
        return 0, 0
    if not sum(history):
        return None, None
    random = Random(seed)  # noqa: S311  (a simulation, no secret)
    results = sorted(_simulate(history, backlog, random) for _ in range(SIMULATIONS))
    p50, p85 = results[SIMULATIONS // 2 - 1], results[int(SIMULATIONS * 0.85) - 1]
    return (p50 if p50 <= HORIZON else None), (p85 if p85 <= HORIZON else None)


def _simulate(history: Sequence[int], backlog: int, random: Random) -> int:
    """One simulation: the days until the backlog is finished; HORIZON + 1 if it takes longer."""
    length = min(len(history), STRETCH)
    end = len(history) if random.random() < LATEST_RATIO else random.randint(length, len(history))
    stretch = history[end - length : end]
    if not sum(stretch):
        stretch = history
    # Blocks may go on from the last day of the stretch to its first.
    sums = [0, *accumulate([*stretch, *stretch])]
    block = min(BLOCK, len(stretch))
    missing = max(1, round(backlog / random.lognormvariate(0, PACE_SPREAD)))
    days = 0
    while days <= HORIZON:
        start = random.randrange(len(stretch))
        finished = sums[start + block] - sums[start]
        if finished >= missing:
            return days + bisect_left(sums, sums[start] + missing, start, start + block + 1) - start
        missing -= finished
        days += block
    return HORIZON + 1


# --- Of projects ---------------------------------------------------------------------------------


def finished_number(project: Project) -> int:
    """How many missions of a project are finished, counted up to the number a forecast needs."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT FROM finished_missions(%s) LIMIT %s) f",
            [[project.pk], rules.FORECAST_FINISHED],
        )
        return cursor.fetchone()[0]


def forecast_of(project: Project, *, today: date) -> Forecast | None:
    """The forecast for the missions of a project that are ready now; None with too few finished missions.

    project: with its organisation.
    """
    if finished_number(project) < rules.FORECAST_FINISHED:
        return None
    backlog = Mission.objects.filter(project=project, **rules.BACKLOG).count()
    history = throughput_of(project, today=today)
    p50, p85 = days_until_empty(history, backlog, seed=f"{project.pk} {today.isoformat()}")
    return Forecast(today, backlog, *(None if days is None else today + timedelta(days=days) for days in (p50, p85)))


def throughput_of(project: Project, *, today: date) -> list[int]:
    """The missions finished on each day before today on which the project had an open mission, oldest first.

    The last FORECAST_DAYS days, or as many as hold the FORECAST_FINISHED latest finished missions.
    """
    zone = ZoneInfo(project.organization.timezone)
    with connection.cursor() as cursor:
        cursor.execute(
            read_sql("fallback/queries/throughput"),
            {
                "project_ids": [project.pk],
                "today": today,
                "zone": zone.key,
                "days": rules.FORECAST_DAYS,
                "finished": rules.FORECAST_FINISHED,
            },
        )
        return [number for (number,) in cursor.fetchall()]


def records_of(projects: Iterable[str]) -> dict[str, Record]:
    """The record of the stored forecasts of projects, by project. Projects without any are omitted."""
    known = Q(emptied_on__isnull=False) | Q(closed_on__isnull=False)
    rows = (
        MissionForecast.objects.filter(project__in=list(projects))
        .order_by()
        .values("project_id")
        .annotate(
            known=Count("pk", filter=known),
            p50=Count("pk", filter=known & Q(emptied_on__lte=F("p50_on"))),
            p85=Count("pk", filter=known & Q(emptied_on__lte=F("p85_on"))),
            open=Count("pk", filter=~known),
        )
    )
    return {row["project_id"]: Record(row["known"], row["p50"], row["p85"], row["open"]) for row in rows}

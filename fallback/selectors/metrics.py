"""The figures of projects: backlog and proposals by day, week and template, and the use of guardrails.

They are read from materialized views, which a job refreshes; `refreshed_at` is their age. Figures by template are read
from the roll-ups.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models import Sum

from fallback.models import MetricsRefresh, MissionFallbackTemplate, ProposalRollup
from missionsite.common.sql_loader import read_sql


@dataclass
class Figures:
    """Figures of a day or a week. starts_on: its first day. backlog, threshold: averages; None without a sample."""

    starts_on: date
    generated: int = 0
    accepted: int = 0
    discarded: int = 0
    backlog: float | None = None
    threshold: float | None = None

    @property
    def decided(self) -> int:
        return self.accepted + self.discarded


@dataclass(frozen=True)
class TemplateFigures:
    """Figures of a template over a period. name: empty if it is deleted."""

    template_id: str
    name: str
    generated: int
    accepted: int
    discarded: int


@dataclass(frozen=True)
class Health:
    """Threshold adherence of a project (ratio of checks with enough ready missions), and the use of its guardrails."""

    adherence_ratio: float | None
    week_used: int
    week_cap: int
    month_used_minutes: int
    month_minutes: int


def refreshed_at() -> datetime | None:
    """When the views were last refreshed; None if never."""
    return MetricsRefresh.objects.values_list("refreshed_at", flat=True).first()


def daily_figures(projects: Iterable[str], *, since: date, until: date) -> list[Figures]:
    """The figures of projects by day, summed over the projects. Days without any are omitted."""
    with connection.cursor() as cursor:
        cursor.execute(
            read_sql("fallback/queries/metrics_daily"),
            {"project_ids": list(projects), "since": since, "until": until},
        )
        return [
            Figures(day, made, accepted, discarded, *(None if n is None else float(n) for n in (backlog, threshold)))
            for day, made, accepted, discarded, backlog, threshold in cursor.fetchall()
        ]


def weekly_figures(days: Iterable[Figures], *, since: date, until: date) -> list[Figures]:
    """Proposals by week from Monday, for every week from `since` to `until`; the backlog is not averaged."""
    monday = since - timedelta(days=since.weekday())
    weeks = {}
    while monday <= until:
        weeks[monday] = Figures(monday)
        monday += timedelta(days=7)
    for day in days:
        week = weeks[day.starts_on - timedelta(days=day.starts_on.weekday())]
        week.generated += day.generated
        week.accepted += day.accepted
        week.discarded += day.discarded
    return list(weeks.values())


def template_figures(projects: Iterable[str], *, since: date, until: date) -> list[TemplateFigures]:
    """The proposals of each template in a period, most proposed first."""
    rows = list(
        ProposalRollup.objects.filter(project__in=list(projects), day__range=(since, until))
        .values("template_id")
        .annotate(made=Sum("generated"), taken=Sum("accepted"), rejected=Sum("discarded"))
        .order_by("-made", "template_id")
    )
    names = dict(
        MissionFallbackTemplate.objects.filter(pk__in=[row["template_id"] for row in rows]).values_list("pk", "name")
    )
    return [
        TemplateFigures(
            row["template_id"], names.get(row["template_id"], ""), row["made"], row["taken"], row["rejected"]
        )
        for row in rows
    ]


def health_of(project_id: str) -> Health | None:
    """The health of a project; None without a configuration, or before the first refresh."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT threshold_adherence_ratio, week_used_missions, weekly_mission_cap, month_used_minutes,"
            " monthly_target_minutes FROM mv_fallback_health WHERE project_id = %s",
            [project_id],
        )
        found = cursor.fetchone()
    if found is None:
        return None
    ratio, *rest = found
    return Health(None if ratio is None else float(ratio), *rest)


def refresh_metrics() -> None:
    """Refresh the views without blocking readers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT refresh_fallback_metrics()")

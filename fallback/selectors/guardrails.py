"""The guardrails of projects: how much of each quota is used, and when it resets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext, ngettext

from fallback import rules
from fallback.models import MissionFallbackAllowance, MissionFallbackConfig, Project
from fallback.models.choices import Guardrail, Period


@dataclass(frozen=True)
class Quota:
    """One guardrail of one project. used, allowed: missions of a week, or minutes of a month."""

    guardrail: str
    used: int
    allowed: int
    resets_at: datetime
    timezone: str

    @property
    def left(self) -> int:
        return max(0, self.allowed - self.used)

    @property
    def resets_at_text(self) -> str:
        """ "Monday 23 November 00:00 (Europe/Lisbon)"."""
        local = self.resets_at.astimezone(ZoneInfo(self.timezone))
        return f"{date_format(local, 'l j F H:i')} ({self.timezone})"

    @property
    def usage_text(self) -> str:
        """The used part of the quota: "3 of 20 missions this week"."""
        if self.guardrail == Guardrail.WEEK:
            return gettext("{used} of {allowed} missions this week").format(used=self.used, allowed=self.allowed)
        return gettext("{used} of {allowed} hours this month").format(
            used=format_hours(self.used), allowed=format_hours(self.allowed)
        )

    @property
    def reached_text(self) -> str:
        """The error message once the guardrail is reached, with the time it resets."""
        if self.guardrail == Guardrail.WEEK:
            return ngettext(
                "The weekly cap of {number} mission is reached. It resets on {when}.",
                "The weekly cap of {number} missions is reached. It resets on {when}.",
                self.allowed,
            ).format(number=self.allowed, when=self.resets_at_text)
        return gettext(
            "{left} of the {allowed} hours of this month are left, less than this needs. They reset on {when}."
        ).format(left=format_hours(self.left), allowed=format_hours(self.allowed), when=self.resets_at_text)


@dataclass(frozen=True)
class Guardrails:
    """Both guardrails of a project."""

    week: Quota
    month: Quota


def format_hours(minutes: int) -> str:
    """Minutes as hours with at most one decimal: "1.5"."""
    value = round(minutes / 60, 1)
    return number_format(int(value) if value == int(value) else value, force_grouping=True)


def week_of(at: datetime, zone: str) -> date:
    """The Monday of the ISO week of a datetime in a time zone."""
    day = at.astimezone(ZoneInfo(zone)).date()
    return day - timedelta(days=day.weekday())


def month_of(at: datetime, zone: str) -> date:
    """The first day of the month of a datetime in a time zone."""
    return at.astimezone(ZoneInfo(zone)).date().replace(day=1)


def guardrails_of(projects: Iterable[Project], at: datetime | None = None) -> dict[str, Guardrails]:
    """The guardrails of projects (with `organization` loaded), by project id. Takes two queries."""
    at = at or timezone.now()
    projects = list(projects)
    caps = {
        pk: (cap, target)
        for pk, cap, target in MissionFallbackConfig.objects.filter(project__in=projects).values_list(
            "project_id", "weekly_mission_cap", "monthly_target_hours"
        )
    }
    weeks = {p.pk: week_of(at, p.organization.timezone) for p in projects}
    months = {p.pk: month_of(at, p.organization.timezone) for p in projects}
    rows = MissionFallbackAllowance.objects.filter(
        Q(period=Period.WEEK, starts_on__in=set(weeks.values()))
        | Q(period=Period.MONTH, starts_on__in=set(months.values())),
        project__in=projects,
    ).values_list("project_id", "period", "starts_on", "used")
    used = {(project, period, starts): spent for project, period, starts, spent in rows}
    found = {}
    for project in projects:
        zone = project.organization.timezone
        cap, target = caps.get(project.pk, (rules.DEFAULT_WEEKLY_MISSION_CAP, rules.DEFAULT_MONTHLY_TARGET_HOURS))
        week, month = weeks[project.pk], months[project.pk]
        found[project.pk] = Guardrails(
            week=Quota(
                Guardrail.WEEK, used.get((project.pk, "week", week), 0), cap, _midnight(_next_week(week), zone), zone
            ),
            month=Quota(
                Guardrail.MONTH,
                used.get((project.pk, "month", month), 0),
                target * 60,
                _midnight(_next_month(month), zone),
                zone,
            ),
        )
    return found


def _next_week(monday: date) -> date:
    return monday + timedelta(days=7)


def _next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone))

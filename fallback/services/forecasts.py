"""Store the daily forecasts of projects, and their outcomes."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import connection

from fallback.models import MissionForecast, Project
from fallback.models.choices import ProjectStatus
from fallback.selectors.forecast import forecast_of
from groups.models import Member
from missionsite.common.sql_loader import read_sql
from missionsite.common.transactions import service


def store_forecasts(*, actor: Member, at: datetime) -> int:
    """Store the forecast of the day of every active project, and outcomes. Returns the number of new forecasts.

    Each project is a transaction of its own. Repeated on the same day, it stores nothing new.
    """
    projects = Project.objects.filter(status=ProjectStatus.ACTIVE).select_related("organization").order_by("pk")
    return sum(store_forecast(actor=actor, project=project, at=at) for project in projects.iterator())


@service
def store_forecast(*, actor: Member, project: Project, at: datetime) -> bool:
    """Store the outcomes of a project's forecasts and its forecast of the day, if it has one. Returns whether it does.

    project: with its organisation. No forecast is stored for an empty backlog, or beyond the horizon.
    """
    zone = ZoneInfo(project.organization.timezone)
    today = at.astimezone(zone).date()
    _store_outcomes(project, today, zone)
    forecast = forecast_of(project, today=today)
    if forecast is None or not forecast.backlog or forecast.p50_on is None or forecast.p85_on is None:
        return False
    _, is_new = MissionForecast.objects.get_or_create(
        project=project,
        made_on=today,
        defaults={"made_at": at, "backlog": forecast.backlog, "p50_on": forecast.p50_on, "p85_on": forecast.p85_on},
    )
    return is_new


def _store_outcomes(project: Project, today: date, zone: ZoneInfo) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            read_sql("fallback/queries/resolve_forecasts"),
            {"project_id": project.pk, "today": today, "zone": zone.key},
        )

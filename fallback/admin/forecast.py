"""The forecast on the metrics pages: when the ready backlog reaches zero, and how good earlier forecasts were."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from fallback import rules
from fallback.admin.plots import Cell, Scope, Section, Table
from fallback.models import MissionForecast, Project
from fallback.selectors import forecast
from fallback.selectors.forecast import Forecast, Record
from missionsite.common.admin.formats import EMPTY, link_to

COLUMNS = (
    ("made_on", _("Made on")),
    ("ready", _("Ready")),
    ("p50_on", "P50"),
    ("p85_on", "P85"),
    ("reached_zero_on", _("Reached zero on")),
    ("p85_held", _("P85 held")),
)


def forecast_part(scope: Scope) -> dict:
    """The part of the page about the forecast; of all projects, the latest stored forecast of each."""
    stored = MissionForecast.objects.filter(project__in=scope.projects)
    records = forecast.records_of(scope.projects)
    if scope.project is None:
        return {"title": gettext("Forecast"), "sections": [_all_section(stored, records)]}
    found = forecast.forecast_of(scope.project, today=scope.until)
    past = stored.filter(made_on__range=(scope.since, scope.until)).order_by("-made_on")
    return {
        "title": gettext("Forecast"),
        "text": _text(scope.project, found),
        "tiles": _tiles(found, records.get(scope.project.pk)),
        "sections": [_past_section(past)],
    }


def _text(project: Project, found: Forecast | None) -> str:
    if found is None:
        number = forecast.finished_number(project)
        return ngettext(
            "A forecast needs {needed} finished missions. This project has {number}.",
            "A forecast needs {needed} finished missions. This project has {number}.",
            number,
        ).format(needed=rules.FORECAST_FINISHED, number=number)
    if not found.backlog:
        return gettext("No mission is ready.")
    return gettext(
        "The day by which as many missions are finished as are ready now, at the pace of the last {days} days, with a"
        " probability of 50 % and of 85 %."
    ).format(days=rules.FORECAST_DAYS)


def _tiles(found: Forecast | None, record: Record | None) -> list[dict]:
    tiles = []
    if found and found.backlog:
        later = gettext("in more than {years} years").format(years=forecast.HORIZON // 365)
        tiles = [
            {"name": gettext("Ready now"), "text": number_format(found.backlog)},
            {"name": gettext("Zero by, P50"), "text": date_format(found.p50_on) if found.p50_on else later},
            {"name": gettext("Zero by, P85"), "text": date_format(found.p85_on) if found.p85_on else later},
        ]
    if record and record.known:
        tiles.append({"name": gettext("P85 forecasts that held"), "text": _held(record)})
    return tiles


def _held(record: Record | None) -> str:
    if record is None or not record.known:
        return EMPTY
    return gettext("{held} of {known}").format(held=record.p85_held, known=record.known)


def _outcome(each: MissionForecast) -> Cell:
    if each.emptied_on and each.emptied_on <= each.p85_on:
        return Cell("yes", gettext("Yes"))
    return Cell("no", gettext("No")) if each.emptied_on or each.closed_on else Cell("", gettext("Not known yet"))


def _past_section(past: QuerySet[MissionForecast]) -> Section:
    rows = [
        (
            Cell(each.made_on, date_format(each.made_on)),
            Cell(each.backlog, number_format(each.backlog)),
            Cell(each.p50_on, date_format(each.p50_on)),
            Cell(each.p85_on, date_format(each.p85_on)),
            Cell(each.emptied_on or "", date_format(each.emptied_on) if each.emptied_on else EMPTY),
            _outcome(each),
        )
        for each in past
    ]
    empty = _("No forecasts in this period. One is stored every night.")
    return Section("forecasts", gettext("Earlier forecasts"), Table(COLUMNS, rows), empty=empty)


def _all_section(stored: QuerySet[MissionForecast], records: dict[str, Record]) -> Section:
    latest = stored.order_by("project_id", "-made_on").distinct("project_id").select_related("project")
    rows = [
        (
            Cell(each.project.name, link_to(each.project)),
            Cell(each.made_on, date_format(each.made_on)),
            Cell(each.backlog, number_format(each.backlog)),
            Cell(each.p50_on, date_format(each.p50_on)),
            Cell(each.p85_on, date_format(each.p85_on)),
            Cell(_held(records.get(each.project_id)), _held(records.get(each.project_id))),
        )
        for each in sorted(latest, key=lambda each: (each.p50_on, each.project.name))
    ]
    columns = (("project", _("Project")), *COLUMNS[:4], ("p85_held", _("P85 forecasts that held")))
    empty = _("No forecasts yet. One of each project with enough finished missions is stored every night.")
    title = gettext("When the ready missions of each project reach zero")
    return Section("forecasts", title, Table(columns, rows), empty=empty, is_open=True)

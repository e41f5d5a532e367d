"""The metrics of a project, or of all projects of the user: plots, each with its table and CSV."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.http import urlencode
from django.utils.translation import gettext, ngettext, override
from django.utils.translation import gettext_lazy as _

from fallback.admin import flow
from fallback.admin.base import rights_of
from fallback.admin.forecast import forecast_part
from fallback.admin.formats import format_hours
from fallback.admin.plots import Cell, Part, Scope, Section, Table, bar_plot, csv_response, line_plot, sampled
from fallback.models import Project
from fallback.selectors import metrics
from fallback.selectors.rights import Right
from missionsite.common import replica
from missionsite.common.admin.formats import EMPTY, format_datetime

PERIODS = (30, 90, 180, 365)


def _parts(scope: Scope) -> list[dict]:
    return [flow.flow_part(scope), forecast_part(scope), _proposals_part(scope)]


def metrics_view(request: HttpRequest, project_id: str = "") -> HttpResponse:
    """Show the metrics; as CSV with `?csv=` the name of a section. `?days=` is one of PERIODS."""
    projects, project = _projects(request, project_id)
    days = int(given) if (given := request.GET.get("days", "")) in map(str, PERIODS) else PERIODS[1]
    zone = ZoneInfo(project.organization.timezone if project else timezone.get_current_timezone_name())
    until = timezone.now().astimezone(zone).date()
    scope = Scope(projects, project, until - timedelta(days=days - 1), until, zone)
    if name := request.GET.get("csv", ""):
        with override("en"):
            parts = replica.read(request, lambda: _parts(scope))
        section = next((each for part in parts for each in part["sections"] if each.name == name), None)
        if section is None:
            raise Http404(gettext("There is no such table."))
        return csv_response(section)
    parts = replica.read(request, lambda: _parts(scope))
    at = metrics.refreshed_at()
    context = {
        "title": project.name if project else gettext("Metrics"),
        "subtitle": gettext("Metrics") if project else "",
        "project": project,
        "age_text": gettext("Figures of proposals: {when}. Figures of missions: now.").format(when=format_datetime(at))
        if at
        else gettext("Figures of proposals: not computed yet. Figures of missions: now."),
        "periods": [
            {"days": n, "text": ngettext("{number} day", "{number} days", n).format(number=n), "is_chosen": n == days}
            for n in PERIODS
        ],
        "days": days,
        "parts": parts,
    }
    request.current_app = admin.site.name
    return TemplateResponse(request, "fallback/metrics.html", {**admin.site.each_context(request), **context})


def _projects(request: HttpRequest, project_id: str) -> tuple[list[str], Project | None]:
    rights = rights_of(request)
    if not rights.in_any_project(Right.VIEW):
        raise PermissionDenied
    visible = rights.projects().select_related("organization")
    if not project_id:
        return list(visible.order_by("pk").values_list("pk", flat=True)), None
    project = visible.filter(pk=project_id).first()
    if project is None:
        raise Http404(gettext("Project not found."))
    return [project.pk], project


def _proposals_part(scope: Scope) -> dict:
    found = metrics.daily_figures(scope.projects, since=scope.since, until=scope.until)
    weeks = metrics.weekly_figures(found, since=scope.since, until=scope.until)
    health = metrics.health_of(scope.project.pk) if scope.project else None
    return {
        "title": gettext("Proposals"),
        "tiles": _tiles(health, found),
        "text": "" if found else gettext("No figures in this period yet. They are computed every ten minutes."),
        "sections": [_backlog_section(found, scope), _weeks_section(weeks, scope), _templates_section(scope)],
    }


def _proposals_url(project: Project | None, **filters: str) -> str:
    """The list of proposals behind a figure."""
    given = {f"{name}__exact" if name == "status" else name: value for name, value in filters.items()}
    if "template" in given:
        given["template__id__exact"] = given.pop("template")
    if project:
        given["project__id__exact"] = project.pk
    return f"{reverse('admin:fallback_missionfallbackitem_changelist')}?{urlencode(given)}"


def _tiles(health: metrics.Health | None, days: list[metrics.Figures]) -> list[dict]:
    accepted, decided = sum(day.accepted for day in days), sum(day.decided for day in days)
    tiles = [
        {"name": gettext("Proposed"), "text": number_format(sum(day.generated for day in days))},
        {"name": gettext("Accepted"), "text": number_format(accepted)},
        {"name": gettext("Discarded"), "text": number_format(decided - accepted)},
    ]
    if health:
        ratio = health.adherence_ratio
        tiles += [
            {
                "name": gettext("Checks with enough ready missions"),
                "text": EMPTY if ratio is None else f"{number_format(round(100 * ratio))} %",
            },
            {"name": gettext("Latest week: missions"), "text": f"{health.week_used} / {health.week_cap}"},
            {
                "name": gettext("Latest month: hours"),
                "text": f"{format_hours(health.month_used_minutes)} / {format_hours(health.month_minutes)}",
            },
        ]
    return tiles


def _backlog_section(found: list[metrics.Figures], scope: Scope) -> Section:
    """Two lines, ready and wanted missions by day; a day without a check breaks none."""
    rows = [day for day in found if day.backlog is not None and day.threshold is not None]
    last = max(1, (scope.until - scope.since).days)

    def points(style: str, field: str) -> tuple[str, list[tuple[float, Part]]]:
        values = [((day.starts_on - scope.since).days / last, day, getattr(day, field)) for day in rows]
        return style, [
            (place, Part(style, value, text=f"{date_format(day.starts_on)}: {number_format(round(value, 1))}"))
            for place, day, value in values
        ]

    title = gettext("Ready missions and threshold, by day")
    plot = line_plot(
        title,
        (("fb-ready", _("ready, counted up to the threshold")), ("fb-wanted", _("threshold"))),
        (points("fb-wanted", "threshold"), points("fb-ready", "backlog")),
        flow.day_labels(scope.since, scope.until),
    )
    table = Table(
        (("day", _("Day")), ("ready", _("Ready")), ("wanted", _("Wanted"))),
        [
            (
                Cell(day.starts_on, date_format(day.starts_on)),
                *(
                    Cell(value, number_format(round(value, 1)))
                    for value in (day.backlog, day.threshold)
                    if value is not None
                ),
            )
            for day in rows
        ],
    )
    empty = _("No checks of the backlog in this period.")
    return Section("backlog", title, table, plot if rows else None, empty=empty, shown=sampled(table.rows))


def _weeks_section(weeks: list[metrics.Figures], scope: Scope) -> Section:
    """A bar a week: accepted below, discarded above. Each part links to its proposals."""
    bars, rows = [], []
    for week in weeks:
        last = min(week.starts_on + timedelta(days=6), scope.until)
        period = {
            "reviewed_at_from": max(week.starts_on, scope.since).isoformat(),
            "reviewed_at_to": last.isoformat(),
        }
        accepted, discarded = (
            _proposals_url(scope.project, status=each, **period) for each in ("accepted", "discarded")
        )
        text = gettext("Week of {day}: {accepted} accepted, {discarded} discarded").format(
            day=date_format(week.starts_on), accepted=week.accepted, discarded=week.discarded
        )
        bars.append(
            (
                Part("fb-accepted", week.accepted, accepted, text),
                Part("fb-discarded", week.discarded, discarded, text),
            )
        )
        rows.append(
            (
                Cell(week.starts_on, date_format(week.starts_on)),
                Cell(week.generated, number_format(week.generated)),
                Cell(week.accepted, number_format(week.accepted), accepted),
                Cell(week.discarded, number_format(week.discarded), discarded),
            )
        )
    title = gettext("Proposals accepted and discarded, by week")
    keys = (("fb-accepted", _("accepted")), ("fb-discarded", _("discarded")))
    columns = (
        ("week", _("Week from")),
        ("proposed", _("Proposed")),
        ("accepted", _("Accepted")),
        ("discarded", _("Discarded")),
    )
    labels = flow.day_labels(weeks[0].starts_on, weeks[-1].starts_on)
    plot = bar_plot(title, keys, bars, labels) if any(week.decided for week in weeks) else None
    text = "" if plot else gettext("No decisions in this period.")
    return Section("weeks", title, Table(columns, rows), plot, text=text)


def _templates_section(scope: Scope) -> Section:
    rows = [
        (
            Cell(each.template_id, each.template_id),
            Cell(
                each.name,
                each.name or gettext("Deleted template"),
                _proposals_url(scope.project, template=each.template_id) if each.name else "",
            ),
            *(Cell(number, number_format(number)) for number in (each.generated, each.accepted, each.discarded)),
        )
        for each in metrics.template_figures(scope.projects, since=scope.since, until=scope.until)
    ]
    columns = (
        ("template_id", ""),
        ("template", _("Template")),
        ("proposed", _("Proposed")),
        ("accepted", _("Accepted")),
        ("discarded", _("Discarded")),
    )
    empty = _("No proposals in this period.")
    return Section(
        "templates", gettext("Proposals by template"), Table(columns, rows, hidden=1), empty=empty, is_open=True
    )

"""The metrics of a project, or of all projects of the user: plots, each with its table and CSV."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.http import content_disposition_header, urlencode
from django.utils.translation import gettext, ngettext

from fallback.admin.base import rights_of
from fallback.admin.formats import format_hours
from fallback.models import Project
from fallback.selectors import metrics
from fallback.selectors.rights import Right
from groups.admin.directory_files import safe_cell
from missionsite.common.admin.formats import EMPTY, format_datetime

PERIODS = (30, 90, 180, 365)
# The plots in units of their view box.
WIDTH, HEIGHT = 720, 160
TABLES = ("backlog", "weeks", "templates")


def metrics_view(request: HttpRequest, project_id: str = "") -> HttpResponse:
    """Show the metrics; as CSV with `?csv=` one of TABLES. `?days=` is one of PERIODS."""
    projects, project = _projects(request, project_id)
    days = int(given) if (given := request.GET.get("days", "")) in map(str, PERIODS) else PERIODS[1]
    zone = ZoneInfo(project.organization.timezone) if project else timezone.get_current_timezone()
    until = timezone.now().astimezone(zone).date()
    since = until - timedelta(days=days - 1)
    found = metrics.daily_figures(projects, since=since, until=until)
    weeks = metrics.weekly_figures(found, since=since, until=until)
    templates = metrics.template_figures(projects, since=since, until=until)
    if table := request.GET.get("csv", ""):
        if table not in TABLES:
            raise Http404(gettext("There is no such table."))
        return _csv(table, found, weeks, templates)
    health = metrics.health_of(project.pk) if project else None
    at = metrics.refreshed_at()
    context = {
        "title": project.name if project else gettext("Metrics"),
        "subtitle": gettext("Metrics") if project else "",
        "project": project,
        "age_text": gettext("Figures of {when}").format(when=format_datetime(at))
        if at
        else gettext("Not computed yet"),
        "periods": [
            {"days": n, "text": ngettext("{number} day", "{number} days", n).format(number=n), "is_chosen": n == days}
            for n in PERIODS
        ],
        "days": days,
        "tiles": _tiles(health, found),
        "backlog": _backlog_plot(found, since, days),
        "weeks": _weeks_plot(weeks, project, until),
        "templates": [
            {
                "figures": each,
                "url": _proposals_url(project, template=each.template_id) if each.name else "",
            }
            for each in templates
        ],
        "is_empty": not found,
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
                "text": EMPTY if ratio is None else f"{number_format(round(100 * ratio, 1))} %",
            },
            {"name": gettext("Latest week: missions"), "text": f"{health.week_used} / {health.week_cap}"},
            {
                "name": gettext("Latest month: hours"),
                "text": f"{format_hours(health.month_used_minutes)} / {format_hours(health.month_minutes)}",
            },
        ]
    return tiles


def _backlog_plot(found: list[metrics.Figures], since: date, days: int) -> dict:
    """Two lines, ready and wanted missions by day; a day without a check breaks none."""
    rows = [day for day in found if day.backlog is not None and day.threshold is not None]
    top = max([1.0, *(max(day.backlog or 0, day.threshold or 0) for day in rows)])

    def points(values: list[float]) -> str:
        places = [(day.starts_on - since).days * WIDTH / max(1, days - 1) for day in rows]
        return " ".join(f"{x:.1f},{HEIGHT - value * HEIGHT / top:.1f}" for x, value in zip(places, values, strict=True))

    return {
        "rows": rows,
        "top": number_format(round(top, 1)),
        "ready": points([day.backlog or 0 for day in rows]),
        "wanted": points([day.threshold or 0 for day in rows]),
        "is_point": len(rows) == 1,
    }


def _weeks_plot(weeks: list[metrics.Figures], project: Project | None, until: date) -> dict:
    """A bar a week: accepted below, discarded above. Each part links to its proposals."""
    top = max([1, *(week.decided for week in weeks)])
    slot = WIDTH / max(1, len(weeks))
    bars = []
    for number, week in enumerate(weeks):
        last = min(week.starts_on + timedelta(days=6), until)
        accepted, discarded = week.accepted * HEIGHT / top, week.discarded * HEIGHT / top
        period = {"reviewed_at_from": week.starts_on.isoformat(), "reviewed_at_to": last.isoformat()}
        bars.append(
            {
                "week": week,
                "x": f"{number * slot + slot * 0.1:.1f}",
                "width": f"{slot * 0.8:.1f}",
                "accepted": {"y": f"{HEIGHT - accepted:.1f}", "height": f"{max(0, accepted):.1f}"},
                "discarded": {"y": f"{HEIGHT - accepted - discarded:.1f}", "height": f"{max(0, discarded):.1f}"},
                "accepted_url": _proposals_url(project, status="accepted", **period),
                "discarded_url": _proposals_url(project, status="discarded", **period),
                "text": gettext("Week of {day}: {accepted} accepted, {discarded} discarded").format(
                    day=date_format(week.starts_on), accepted=week.accepted, discarded=week.discarded
                ),
            }
        )
    return {"bars": bars, "top": top}


def _csv(
    table: str,
    days: list[metrics.Figures],
    weeks: list[metrics.Figures],
    templates: list[metrics.TemplateFigures],
) -> HttpResponse:
    out = StringIO(newline="")
    writer = csv.writer(out)
    if table == "backlog":
        writer.writerow(("day", "ready", "wanted"))
        writer.writerows((day.starts_on, day.backlog, day.threshold) for day in days if day.backlog is not None)
    elif table == "weeks":
        writer.writerow(("week", "proposed", "accepted", "discarded"))
        writer.writerows((week.starts_on, week.generated, week.accepted, week.discarded) for week in weeks)
    else:
        # Names of templates are free text, which a spreadsheet might run as a formula.
        writer.writerow(("template_id", "template", "proposed", "accepted", "discarded"))
        writer.writerows(
            (each.template_id, safe_cell(each.name), each.generated, each.accepted, each.discarded)
            for each in templates
        )
    return HttpResponse(
        out.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": content_disposition_header(True, f"metrics-{table}.csv"),
            "X-Content-Type-Options": "nosniff",
        },
    )

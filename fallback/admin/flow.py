"""The flow of missions on the metrics pages, and the filter of the missions behind a point."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from fallback.admin.base import rights_of
from fallback.admin.plots import Cell, Part, Scope, Section, Table, bar_plot, line_plot, sampled
from fallback.models import Mission
from fallback.models.choices import List
from fallback.selectors import flow
from fallback.selectors.flow import AGES, OPEN_LISTS, Figure, Finished
from missionsite.common.admin.formats import EMPTY

PARAMETER = "figure"
LISTS = (List.DONE, List.REVIEW, List.DOING, List.TODO)
# Title and explanation of the sections of times.
_TIMES = {
    "lead": (_("Lead time, by week of finishing"), _("Days from creation to Done.")),
    "cycle": (
        _("Cycle time, by week of finishing"),
        _("Days from the first time in Doing to Done. Missions that were never in Doing have no cycle time."),
    ),
}
_LIST_KEYS = tuple((f"fb-{each}", each.label) for each in LISTS)


def flow_part(scope: Scope) -> dict:
    """The part of the page about the flow of missions."""
    days = flow.daily_lists(scope.projects, since=scope.since, until=scope.until, zone=scope.zone)
    total, weeks = flow.weekly_finished(scope.projects, since=scope.since, until=scope.until, zone=scope.zone)
    ages = flow.open_ages(scope.projects, today=scope.until, zone=scope.zone)
    sections = [
        _lists_section(days, scope),
        _times_section("lead", weeks, scope),
        _times_section("cycle", weeks, scope),
        _throughput_section(weeks, scope),
        _ages_section(ages, scope),
    ]
    return {"title": gettext("Flow of missions"), "tiles": _tiles(total, ages, scope), "sections": sections}


def day_labels(first: date, last: date) -> list[str]:
    """The labels of an axis of days: both ends and the middle."""
    return [date_format(day, "j M") for day in (first, first + (last - first) / 2, last)]


def _missions_url(scope: Scope, figure: Figure) -> str:
    given = {PARAMETER: str(figure)}
    if scope.project:
        given["project__id__exact"] = scope.project.pk
    return f"{reverse('admin:fallback_mission_changelist')}?{urlencode(given)}"


def _days(value: float | None) -> str:
    return EMPTY if value is None else gettext("{days} d").format(days=number_format(round(value, 1)))


def _tiles(total: Finished, ages: dict[str, list[int]], scope: Scope) -> list[dict]:
    finished = Figure("finished", since=scope.since, until=scope.until)
    return [
        {
            "name": gettext("Finished"),
            "text": number_format(total.number),
            "url": _missions_url(scope, finished) if total.number else "",
        },
        {"name": gettext("Lead time, P50"), "text": _days(total.lead.p50 if total.lead else None)},
        {"name": gettext("Lead time, P85"), "text": _days(total.lead.p85 if total.lead else None)},
        {"name": gettext("Cycle time, P50"), "text": _days(total.cycle.p50 if total.cycle else None)},
        {"name": gettext("Cycle time, P85"), "text": _days(total.cycle.p85 if total.cycle else None)},
        {"name": gettext("Open now"), "text": number_format(sum(map(sum, ages.values())))},
    ]


# --- Sections ------------------------------------------------------------------------------------


def _lists_section(days: Sequence[flow.DayOfLists], scope: Scope) -> Section:
    """The cumulative flow diagram. A bar a day, from below: Done, Review, Doing, Todo."""

    def figure(day: flow.DayOfLists, each: List) -> Figure:
        return Figure("in", list=str(each), since=scope.since if each == List.DONE else None, until=day.day)

    def row(day: flow.DayOfLists) -> list[Cell]:
        cells = [Cell(day.day, date_format(day.day))]
        for each in LISTS:
            number = day.counts[each]
            url = _missions_url(scope, figure(day, each)) if number else ""
            cells.append(Cell(number, number_format(number), url))
        return cells

    bars = [
        [
            Part(
                f"fb-{each}",
                day.counts[each],
                _missions_url(scope, figure(day, each)),
                gettext("{day}: {number} in {list}").format(
                    day=date_format(day.day), number=day.counts[each], list=each.label
                ),
            )
            for each in LISTS
        ]
        for day in sampled(days)
    ]
    title = gettext("Cumulative flow")
    table = Table([("day", _("Day")), *((str(each), each.label) for each in LISTS)], [row(day) for day in days])
    plot = bar_plot(title, _LIST_KEYS, bars, day_labels(scope.since, scope.until))
    text = gettext("Missions in each list at the end of the day; in Done those that came there since {day}.").format(
        day=date_format(scope.since)
    )
    is_empty = not any(any(day.counts.values()) for day in days)
    if is_empty:
        return Section("flow", title, Table(table.columns, []), empty=_("No missions in this period."))
    return Section("flow", title, table, plot, text=text, shown=sampled(table.rows))


def _week_of(week: Finished, scope: Scope, kind: str) -> Figure:
    """The missions finished in a week, as far as it is in the period."""
    day = week.starts_on or scope.since
    return Figure(kind, since=max(day, scope.since), until=min(day + timedelta(days=6), scope.until))


def _times_section(name: str, weeks: Sequence[Finished], scope: Scope) -> Section:
    """Two lines, P50 and P85 of the lead or cycle time of missions by the week they were finished."""
    kind = "finished" if name == "lead" else "cycle"
    places = len(weeks) - 1 or 1
    rows: list[list[Cell]] = []
    lines: dict[str, list[tuple[float, Part]]] = {"fb-p85": [], "fb-p50": []}
    for number, week in enumerate(weeks):
        times = week.lead if name == "lead" else week.cycle
        measured = week.number if name == "lead" else week.started
        if times is None or week.starts_on is None:
            continue
        url, day = _missions_url(scope, _week_of(week, scope, kind)), date_format(week.starts_on)
        for style, value, label in (("fb-p50", times.p50, "P50"), ("fb-p85", times.p85, "P85")):
            text = gettext("Week of {day}: {label} {days}").format(day=day, label=label, days=_days(value))
            lines[style].append((number / places, Part(style, value, url, text)))
        rows.append(
            [
                Cell(week.starts_on, day),
                Cell(measured, number_format(measured), url),
                Cell(round(times.p50, 3), _days(times.p50)),
                Cell(round(times.p85, 3), _days(times.p85)),
            ]
        )
    title = (
        gettext("Lead time, by week of finishing") if name == "lead" else gettext("Cycle time, by week of finishing")
    )
    text = (
        gettext("Days from creation to Done.")
        if name == "lead"
        else gettext("Days from the first time in Doing to Done. Missions that were never in Doing have no cycle time.")
    )
    table = Table(
        (("week", _("Week from")), ("missions", _("Missions")), ("p50_days", "P50"), ("p85_days", "P85")), rows
    )
    if not rows:
        return Section(name, title, table, empty=_("No missions were finished in this period."))
    keys = (("fb-p50", _("P50: half took at most so long")), ("fb-p85", _("P85: 85 % took at most so long")))
    plot = line_plot(str(title), keys, lines.items(), _week_labels(weeks))
    return Section(name, title, table, plot, text=text)


def _week_labels(weeks: Sequence[Finished]) -> list[str]:
    days = [week.starts_on for week in weeks if week.starts_on]
    return day_labels(days[0], days[-1])


def _throughput_section(weeks: Sequence[Finished], scope: Scope) -> Section:
    bars, rows = [], []
    for week in weeks:
        day = date_format(week.starts_on) if week.starts_on else ""
        url = _missions_url(scope, _week_of(week, scope, "finished")) if week.number else ""
        text = gettext("Week of {day}: {number} finished").format(day=day, number=week.number)
        bars.append([Part("fb-done", week.number, url, text)])
        rows.append([Cell(week.starts_on, day), Cell(week.number, number_format(week.number), url)])
    title = gettext("Throughput: missions finished, by week")
    table = Table((("week", _("Week from")), ("finished", _("Finished"))), rows)
    if not any(week.number for week in weeks):
        return Section("throughput", title, table, text=_("No missions were finished in this period."))
    plot = bar_plot(title, (("fb-done", _("finished")),), bars, _week_labels(weeks))
    return Section("throughput", title, table, plot)


def _age_text(index: int) -> str:
    low, high = AGES[index]
    if high is None:
        return gettext("{low} days and more").format(low=low)
    return gettext("{low} to {high} days").format(low=low, high=high)


def _ages_section(ages: dict[str, list[int]], scope: Scope) -> Section:
    shown = [each for each in LISTS if each in OPEN_LISTS]
    bars, rows = [], []
    for index in range(len(AGES)):
        bar, row = [], [Cell(_age_text(index), _age_text(index))]
        for each in shown:
            number = ages[each][index]
            url = _missions_url(scope, Figure("open", list=str(each), index=index)) if number else ""
            text = gettext("{age}: {number} in {list}").format(age=_age_text(index), number=number, list=each.label)
            bar.append(Part(f"fb-{each}", number, url, text))
            row.append(Cell(number, number_format(number), url))
        bars.append(bar)
        rows.append(row)
    title = gettext("Age of open missions")
    table = Table([("age", _("Age")), *((str(each), each.label) for each in shown)], rows)
    if not any(map(sum, ages.values())):
        return Section("ages", title, table, text=_("No missions are open."))
    labels = [f"{low}–{high}" if high is not None else f"{low}+" for low, high in AGES]  # noqa: RUF001
    keys = [key for key in _LIST_KEYS if key[0] != "fb-done"]
    return Section("ages", title, table, bar_plot(title, keys, bars, labels), text=gettext("Days since creation."))


# --- The filter of the list of missions ----------------------------------------------------------


class FigureFilter(DropdownFilter):
    """The missions behind a point of the metrics. Offered only while it is used: the point links to it."""

    title = _("figure")
    parameter_name = PARAMETER

    def has_output(self) -> bool:
        return bool(self.value())

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        # Called before the parameter is read.
        given = request.GET.get(PARAMETER, "")
        figure = Figure.parse(given)
        return [(given, figure_text(figure))] if figure else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Mission]) -> QuerySet[Mission]:
        figure = Figure.parse(self.value() or "")
        if figure is None:
            return queryset
        projects = rights_of(request).projects()
        project = projects.filter(pk=request.GET.get("project__id__exact", "")).select_related("organization").first()
        keys = [project.pk] if project else list(projects.values_list("pk", flat=True))
        zone = ZoneInfo(project.organization.timezone if project else timezone.get_current_timezone_name())
        today = timezone.now().astimezone(zone).date()
        return flow.missions_of(figure, queryset, projects=keys, zone=zone, today=today)


def figure_text(figure: Figure) -> str:
    """The description of a figure, as in the filter."""
    in_list = List(figure.list).label if figure.list else ""
    if figure.kind == "open":
        return gettext("{list}, age {age}").format(list=in_list, age=_age_text(figure.index))
    since, until = (date_format(day) if day else "" for day in (figure.since, figure.until))
    if figure.kind == "in":
        return gettext("{list} at the end of {day}").format(list=in_list, day=until)
    if figure.kind == "cycle":
        return gettext("Finished {since} to {until}, after Doing").format(since=since, until=until)
    return gettext("Finished {since} to {until}").format(since=since, until=until)

"""The plots of the home page, each with its table: geometry and rows, without queries of their own but one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from engagement.models import EngagementStateTransition
from engagement.rules import State
from fallback.selectors import metrics
from fallback.selectors.rights import Right
from groups.models import Membership
from groups.rules import Tier
from missiondeck.admin import base as deck
from missionsite import figures
from missionsite.common.admin.formats import EMPTY, list_url
from missionsite.common.admin.pagination import COUNT_LIMIT
from missionsite.common.annotations import StrOrPromise
from missionsite.dashboard.reading import Reading

# The plots in units of their view box.
WIDTH, HEIGHT = 600, 150

Bar = tuple[str, str, str, str]


@dataclass(frozen=True)
class Series:
    """One series. tone: its colour, a class `plot-<tone>`. bars: x, y, width, height. points: of a line."""

    label: StrOrPromise
    tone: str
    bars: tuple[Bar, ...] = ()
    points: str = ""


@dataclass(frozen=True)
class Plot:
    """A plot and its table. headings: of the columns. rows: a label, and the cells as text and address."""

    name: str
    title: StrOrPromise
    series: tuple[Series, ...]
    headings: tuple[StrOrPromise, ...]
    rows: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    top: str
    first: str
    last: str
    note: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.series


def plots_of(reading: Reading) -> list[Plot]:
    """The plots that the member may see."""
    return [plot for make in _PLOTS if (plot := make(reading))]


# --- Geometry -----------------------------------------------------------------------------------


def _bars(values: Sequence[Sequence[int]], *, stacked: bool) -> tuple[list[tuple[Bar, ...]], int]:
    """The bars of each series, side by side or stacked, and the highest value. values: of each series by slot."""
    slots = list(zip(*values, strict=True))
    top = max([1, *((sum(slot) if stacked else max(slot)) for slot in slots)])
    slot_width = WIDTH / max(1, len(slots))
    width = slot_width * 0.76 if stacked else slot_width * 0.76 / max(1, len(values))
    found: list[list[Bar]] = [[] for _series in values]
    for number, slot in enumerate(slots):
        below = 0.0
        for index, value in enumerate(slot):
            height = value * HEIGHT / top
            x = number * slot_width + slot_width * 0.12 + (0 if stacked else index * width)
            found[index].append((f"{x:.1f}", f"{HEIGHT - below - height:.1f}", f"{width:.1f}", f"{height:.1f}"))
            below += height if stacked else 0
    return [tuple(bars) for bars in found], top


def _number(value: int, limit: int | None = None) -> str:
    text = number_format(min(value, limit or value), force_grouping=True)
    return f"{text}+" if limit and value > limit else text


def _day(day: date) -> str:
    return date_format(day, "j M")


# --- The plots ----------------------------------------------------------------------------------


def _joins(reading: Reading) -> Plot | None:
    if not reading.allows("groups.view_membership"):
        return None
    weeks = reading.weeks[:-2]
    joined, left = ([week.numbers[name] for week in weeks] for name in ("joined", "left"))
    (joined_bars, left_bars), top = _bars([joined, left], stacked=False)
    rows = []
    for week in reversed(weeks):
        first, last = week.starts_on.isoformat(), week.ends_on.isoformat()
        rows.append(
            (
                _day(week.starts_on),
                (
                    (
                        _number(week.numbers["joined"], COUNT_LIMIT),
                        list_url(Membership, joined_at_from=first, joined_at_to=last),
                    ),
                    (
                        _number(week.numbers["left"], COUNT_LIMIT),
                        list_url(Membership, status__exact="left", left_at_from=first, left_at_to=last),
                    ),
                ),
            )
        )
    return Plot(
        name="joins",
        title=_("Joined and left, by week"),
        series=(Series(_("joined"), "good", joined_bars), Series(_("left"), "bad", left_bars)),
        headings=(_("Week from"), _("Joined"), _("Left")),
        rows=tuple(rows),
        top=_number(top, COUNT_LIMIT),
        first=_day(weeks[0].starts_on),
        last=_day(reading.today),
    )


_TONES: dict[str, str] = {
    State.ACTIVE: "good",
    State.GOODBYE_SENT: "warn",
    State.HELP_FLOW: "info",
    State.REMIND_LATER: "soft",
    State.DORMANT: "bad",
}


def _states(reading: Reading) -> Plot | None:
    """Members in each state at the end of each week; today for the current one."""
    if not reading.allows("engagement.view_userengagementstate"):
        return None
    weeks = figures.weeks_until(reading.today)
    days = [min(last, reading.today) for _first, last in weeks]
    values = [[reading.stored.value(f"state_{state}", day) or 0 for day in days] for state in State]
    drawn, top = _bars(values, stacked=True)
    rows = []
    for number in range(len(weeks) - 1, -1, -1):
        first, last = weeks[number][0].isoformat(), weeks[number][1].isoformat()
        moves = list_url(EngagementStateTransition, created_at_from=first, created_at_to=last)
        rows.append((_day(days[number]), tuple((_number(each[number]), moves) for each in values)))
    return Plot(
        name="states",
        title=_("Members by lifecycle state, by week"),
        series=tuple(Series(state.label, _TONES[state], bars) for state, bars in zip(State, drawn, strict=True))
        if any(map(any, values))
        else (),
        headings=(_("End of"), *(state.label for state in State)),
        rows=tuple(rows),
        top=_number(top),
        first=_day(days[0]),
        last=_day(days[-1]),
        note=gettext("A number opens the transitions of its week."),
    )


def _backlog(reading: Reading) -> Plot | None:
    """Ready and wanted missions of all projects of the member, by day."""
    if not reading.rights.in_any_project(Right.VIEW):
        return None
    days = 30
    since = reading.today - timedelta(days=days - 1)
    projects = reading.rights.projects().order_by("pk").values_list("pk", flat=True)
    found = [
        day
        for day in metrics.daily_figures(projects, since=since, until=reading.today)
        if day.backlog is not None and day.threshold is not None
    ]
    top = max([1.0, *(max(day.backlog or 0, day.threshold or 0) for day in found)])

    def line(value: Callable[[metrics.Figures], float | None]) -> str:
        places = [
            ((day.starts_on - since).days * WIDTH / (days - 1), (value(day) or 0) * HEIGHT / top) for day in found
        ]
        # A single day is a short line, since a point has no length.
        if len(places) == 1:
            places = [(max(0, places[0][0] - 12), places[0][1]), *places]
        return " ".join(f"{x:.1f},{HEIGHT - y:.1f}" for x, y in places)

    return Plot(
        name="backlog",
        title=_("Ready missions and threshold, by day"),
        series=(
            Series(_("ready"), "good", points=line(lambda day: day.backlog)),
            Series(_("threshold"), "soft", points=line(lambda day: day.threshold)),
        )
        if found
        else (),
        headings=(_("Day"), _("Ready"), _("Wanted")),
        rows=tuple(
            (
                _day(day.starts_on),
                ((number_format(round(day.backlog or 0, 1)), ""), (number_format(round(day.threshold or 0, 1)), "")),
            )
            for day in reversed(found)
        ),
        top=number_format(round(top, 1)),
        first=_day(since),
        last=_day(reading.today),
        note=gettext("Sums over all your projects."),
    )


def _queue(reading: Reading) -> Plot | None:
    if not reading.allows("engagement.view_engagementmessage"):
        return None
    days = [reading.today - timedelta(days=number) for number in range(figures.DAYS - 1, -1, -1)]
    sent, failed = (
        [reading.stored.value(name, day) or 0 for day in days] for name in ("messages_sent", "messages_failed")
    )
    (sent_bars, failed_bars), top = _bars([sent, failed], stacked=True)
    return Plot(
        name="queue",
        title=_("Messages sent and failed, by day"),
        series=(Series(_("sent"), "good", sent_bars), Series(_("failed"), "bad", failed_bars))
        if any(sent + failed)
        else (),
        headings=(_("Day"), _("Sent"), _("Failed")),
        rows=tuple(
            (_day(day), ((_number(good), ""), (_number(bad), "")))
            for day, good, bad in reversed(list(zip(days, sent, failed, strict=True)))
        ),
        top=_number(top),
        first=_day(days[0]),
        last=_day(days[-1]),
    )


def _pass_rate(reading: Reading) -> Plot | None:
    if not reading.allows(deck.VIEW_PERMISSION):
        return None
    weeks = figures.weeks_until(reading.today)
    passed, failed = (
        [reading.stored.total(name, [first + timedelta(days=number) for number in range(7)]) for first, _last in weeks]
        for name in ("runs_passed", "runs_failed")
    )
    (passed_bars, failed_bars), top = _bars([passed, failed], stacked=True)
    rows = []
    for (first, _last), good, bad in reversed(list(zip(weeks, passed, failed, strict=True))):
        rate = f"{round(100 * good / (good + bad))} %" if good + bad else EMPTY
        rows.append((_day(first), ((_number(good), ""), (_number(bad), ""), (rate, ""))))
    return Plot(
        name="runs",
        title=_("Test runs of client missions, by week"),
        series=(Series(_("passed"), "good", passed_bars), Series(_("failed"), "bad", failed_bars))
        if any(passed + failed)
        else (),
        headings=(_("Week from"), _("Passed"), _("Failed"), _("Pass rate")),
        rows=tuple(rows),
        top=_number(top),
        first=_day(weeks[0][0]),
        last=_day(reading.today),
    )


def _tiers(reading: Reading) -> Plot | None:
    """Active people of the directory in each tier, at the end of each week; today for the current one."""
    weeks = figures.weeks_until(reading.today)
    days = [min(last, reading.today) for _first, last in weeks]
    values = [[reading.stored.value(f"tier_{tier}", day) or 0 for day in days] for tier in Tier]
    drawn, top = _bars(values, stacked=True)
    rows = [
        (_day(days[number]), tuple((_number(each[number]), "") for each in values))
        for number in range(len(weeks) - 1, -1, -1)
    ]
    return Plot(
        name="tiers",
        title=_("People by tier, by week"),
        series=tuple(
            Series(tier.label, tone, bars)
            for tier, tone, bars in zip(Tier, ("soft", "info", "good", "warn", "bad"), drawn, strict=False)
        )
        if any(map(any, values))
        else (),
        headings=(_("End of"), *(tier.label for tier in Tier)),
        rows=tuple(rows),
        top=_number(top),
        first=_day(days[0]),
        last=_day(days[-1]),
    )


def community_plots(reading: Reading) -> list[Plot]:
    """The plots of the page "Community health" that the member may see."""
    return [plot for plot in (_joins(reading), _tiers(reading)) if plot]


_PLOTS: tuple[Callable[[Reading], Plot | None], ...] = (_joins, _states, _backlog, _queue, _pass_rate)

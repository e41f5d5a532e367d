"""Plots of the metrics pages: stacked bars and lines with axes, each with a table of the same figures and a CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from io import StringIO
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.utils.formats import number_format
from django.utils.http import content_disposition_header

from fallback.models import Project
from groups.admin.directory_files import safe_cell
from missionsite.common.annotations import StrOrPromise

# The plots in units of their view box.
WIDTH, HEIGHT = 720, 160
# Bars of a plot; more days are drawn as every second, third … day.
MOST_BARS = 92


@dataclass(frozen=True)
class Scope:
    """What a page of metrics is about. project: None for all projects of the user. until: today."""

    projects: list[str]
    project: Project | None
    since: date
    until: date
    zone: ZoneInfo


@dataclass(frozen=True)
class Cell:
    """A cell of a table. value: as in the CSV; text: as on the page; url: the rows behind it."""

    value: object
    text: str = ""
    url: str = ""


@dataclass(frozen=True)
class Table:
    """columns: the name in the CSV, and the heading on the page. hidden: so many first ones are only in the CSV."""

    columns: Sequence[tuple[str, StrOrPromise]]
    rows: Sequence[Sequence[Cell]]
    hidden: int = 0


@dataclass(frozen=True)
class Part:
    """A part of a bar, or a point of a line. style: the class of its colour."""

    style: str
    value: float
    url: str = ""
    text: str = ""


@dataclass(frozen=True)
class Plot:
    """What the template draws: `bars` of parts from below, `lines` with their dots, labels of both axes, and a key."""

    label: str
    keys: Sequence[tuple[str, StrOrPromise]]
    y_labels: Sequence[str]
    x_labels: Sequence[str]
    bars: Sequence[Sequence[dict]] = ()
    lines: Sequence[dict] = ()
    # With many links, only those of the table are reached by Tab.
    is_dense: bool = False

    @property
    def labels_each_bar(self) -> bool:
        return len(self.x_labels) == len(self.bars)


@dataclass(frozen=True)
class Section:
    """A part of the page: a heading, a plot, its table. is_open: the table is shown without a click.

    shown: rows of the table on the page, if not all; the CSV has all.
    """

    name: str
    title: StrOrPromise
    table: Table
    plot: Plot | None = None
    text: StrOrPromise = ""
    empty: StrOrPromise = ""
    is_open: bool = False
    shown: Sequence[Sequence[Cell]] | None = None

    @property
    def headings(self) -> list[StrOrPromise]:
        return [label for _name, label in self.table.columns[self.table.hidden :]]

    @property
    def rows(self) -> list[Sequence[Cell]]:
        rows = self.table.rows if self.shown is None else self.shown
        return [row[self.table.hidden :] for row in rows]


def sampled(rows: Sequence, most: int = MOST_BARS) -> Sequence:
    """At most this many rows at even distances, the last one among them."""
    step = -(-len(rows) // most) or 1
    return rows[(len(rows) - 1) % step :: step]


def _top(highest: float) -> float:
    """The end of an axis: a round number that is not below the highest value."""
    for factor in (1, 2, 3, 4, 5, 6, 8, 10):
        unit = 1.0
        while unit * 10 < highest:
            unit *= 10
        if unit * factor >= highest:
            return unit * factor
    return highest


def _y_labels(top: float) -> list[str]:
    """The labels of an axis from its end down, without the zero."""
    if top == 1:
        return ["1"]
    return [number_format(int(value) if value == int(value) else value) for value in (top, top / 2)]


def bar_plot(
    label: str, keys: Sequence[tuple[str, StrOrPromise]], bars: Sequence[Sequence[Part]], x_labels: Sequence[str]
) -> Plot:
    """A plot of stacked bars; the first part of each is the lowest."""
    top = _top(max([1.0, *(sum(part.value for part in bar) for bar in bars)]))
    slot = WIDTH / max(1, len(bars))
    gap = 0.1 if len(bars) <= 60 else 0.0
    drawn = []
    for number, bar in enumerate(bars):
        y, parts = float(HEIGHT), []
        for part in bar:
            height = max(0.0, part.value) * HEIGHT / top
            y -= height
            if height:
                parts.append(
                    {
                        "part": part,
                        "x": f"{(number + gap) * slot:.1f}",
                        "width": f"{slot * (1 - 2 * gap):.1f}",
                        "y": f"{y:.1f}",
                        "height": f"{height:.1f}",
                    }
                )
        drawn.append(parts)
    dense = sum(len(bar) for bar in drawn) > 60
    return Plot(label, keys, _y_labels(top), x_labels, bars=drawn, is_dense=dense)


def line_plot(
    label: str,
    keys: Sequence[tuple[str, StrOrPromise]],
    lines: Iterable[tuple[str, Sequence[tuple[float, Part]]]],
    x_labels: Sequence[str],
) -> Plot:
    """A plot of lines: the style of each and its points, as a position from 0 to 1 and a value. Points are dots."""
    given = [(style, list(points)) for style, points in lines]
    top = _top(max([1.0, *(part.value for _, points in given for _, part in points)]))
    drawn: list[dict] = []
    for style, points in given:
        dots = [
            {
                "part": part,
                "x": f"{place * WIDTH:.1f}",
                "y": f"{HEIGHT - part.value * HEIGHT / top:.1f}",
            }
            for place, part in points
        ]
        drawn.append({"style": style, "points": " ".join(f"{dot['x']},{dot['y']}" for dot in dots), "dots": dots})
    dense = sum(len(line["dots"]) for line in drawn) > 60
    for line in drawn:
        line["shows_dots"] = not dense
    return Plot(label, keys, _y_labels(top), x_labels, lines=drawn, is_dense=dense)


def csv_response(section: Section) -> HttpResponse:
    """The table of a section as a CSV file. Text that a spreadsheet might run as a formula is quoted."""
    out = StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([name for name, _label in section.table.columns])
    for row in section.table.rows:
        writer.writerow([safe_cell(cell.value) if isinstance(cell.value, str) else cell.value for cell in row])
    return HttpResponse(
        out.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": content_disposition_header(True, f"metrics-{section.name}.csv"),
            "X-Content-Type-Options": "nosniff",
        },
    )

"""Queries for test runs, their results and their logs, without loading large columns."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from missiondeck.models import DeckMission, TestRun, TestRunLogPage
from missiondeck.reports import without_colours
from missionsite.common.sql_loader import read_sql

RESULTS_PER_PAGE = 50


def light_runs() -> QuerySet[TestRun]:
    """Test runs without loading the columns results and logs."""
    return TestRun.objects.defer("results", "logs")


def latest_run(mission: DeckMission) -> TestRun | None:
    """The run of the newest commit; without commits, the one that started last."""
    return light_runs().filter(mission=mission).first()


@dataclass(frozen=True)
class ResultsPage:
    """A page of results, errors and failures first. number: from 1. total: number of matching results."""

    results: list[dict]
    number: int
    total: int

    @property
    def last(self) -> int:
        return max(1, -(-self.total // RESULTS_PER_PAGE))


def results_of(run: TestRun, *, number: int = 1, status: str = "", search: str = "") -> ResultsPage:
    """A page of a run's results, each with `is_flaky`. status: filter. search: text in name, class or suite."""
    number = max(1, number)
    values: dict[str, Any] = {
        "run": run.pk,
        "status": status,
        "search": search,
        "limit": RESULTS_PER_PAGE,
        "offset": (number - 1) * RESULTS_PER_PAGE,
    }
    with connection.cursor() as cursor:
        cursor.execute(read_sql("missiondeck/queries/results_of_run"), values)
        rows = cursor.fetchall()
    results = [json.loads(result) for _total, result in rows if result is not None]
    return ResultsPage(results, number, rows[0][0])


@dataclass(frozen=True)
class LogPage:
    """A page of a run's logs. number: from 1. last: number of the last page. stored: [(line number, text)]."""

    number: int
    last: int
    # With the sequences of colours; see reports/logs.py.
    stored: list[tuple[int, str]]

    @property
    def lines(self) -> list[tuple[int, str]]:
        """The lines without colours."""
        return [(line, without_colours(text)) for line, text in self.stored]


def log_page(run: TestRun, number: int = 1) -> LogPage | None:
    """A page of the logs, at most 64 KB; None if there is no such page."""
    last = TestRunLogPage.objects.filter(run=run).order_by("-page").values_list("page", flat=True).first() or 0
    found = TestRunLogPage.objects.filter(run=run, page=number).first()
    if found is None:
        return None
    return LogPage(number, last, list(enumerate(found.text.split("\n"), found.first_line)))


@dataclass(frozen=True)
class Hit:
    """A line of the logs that matches a search."""

    page: int
    line: int
    text: str


def search_logs(run: TestRun, text: str, *, most: int = 100) -> list[Hit]:
    """The first lines of the logs that contain a text, ignoring case."""
    with connection.cursor() as cursor:
        cursor.execute(read_sql("missiondeck/queries/search_logs"), {"run": run.pk, "text": text, "limit": most})
        return [Hit(*row) for row in cursor.fetchall()]


def log_parts(run: TestRun) -> list[Hit]:
    """The headings of the reports and shards in the logs of a run of CI: the first 100."""
    if run.parts < 2:
        return []
    return [hit for hit in search_logs(run, "=== ") if _PART.fullmatch(hit.text)]


# As written by services.runs and reports.collector.
_PART = re.compile(r"=== .* ===")

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
# Results that contain a search text are counted up to here.
MATCHES = 1_000


def light_runs() -> QuerySet[TestRun]:
    """Test runs without loading the columns results and logs."""
    return TestRun.objects.defer("results", "logs")


def latest_run(mission: DeckMission) -> TestRun | None:
    """The run of the newest commit; without commits, the one that started last."""
    return light_runs().filter(mission=mission).first()


# Rank and number of a result: its place in the order of a run's results.
Place = tuple[int, int]
# The statuses by rank, worst first.
_RANKS = ("error", "failed", "skipped", "passed")
_COUNTS = {"error": "errors", "": "total"}
_FIRST, _LAST = (-1, 0), (len(_RANKS), 0)


@dataclass(frozen=True)
class ResultsPage:
    """A page of results, errors and failures first. places: of the results.

    previous, next: the place that the page before ends before, and the one after starts after; None without such a
    page. total: number of matching results; None if more than MATCHES contain the search text.
    """

    results: list[dict]
    places: list[Place]
    previous: Place | None
    next: Place | None
    total: int | None

    @property
    def last(self) -> int:
        return max(1, -(-(self.total or 0) // RESULTS_PER_PAGE))


def results_of(
    run: TestRun,
    *,
    after: Place | None = None,
    before: Place | None = None,
    status: str = "",
    search: str = "",
    limit: int = RESULTS_PER_PAGE,
) -> ResultsPage:
    """A page of a run's results, each with `is_flaky` and `key`.

    after, before: the place of a result; by default the first page. status: filter. search: text in name, class or
    suite.
    """
    backwards = before is not None and after is None
    rank, number = (before if backwards else after) or (_LAST if backwards else _FIRST)
    values: dict[str, Any] = {
        "run": run.pk,
        "of_rank": _RANKS.index(status) if status in _RANKS else (None if not status else len(_RANKS)),
        "search": search,
        "rank": rank,
        "number": number,
        "backwards": backwards,
        # One more shows that there is a further page.
        "limit": limit + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(read_sql("missiondeck/queries/results_of_run"), values)
        rows = cursor.fetchall()
    is_more = len(rows) > limit
    rows = rows[-limit:] if backwards else rows[:limit]
    places = [(rank, number) for rank, number, _result in rows]
    has_next, has_previous = (True, is_more) if backwards else (is_more, after is not None)
    return ResultsPage(
        results=[json.loads(result) for _rank, _number, result in rows],
        places=places,
        previous=places[0] if places and has_previous else None,
        next=places[-1] if places and has_next else None,
        total=_total(run, values),
    )


def _total(run: TestRun, values: dict[str, Any]) -> int | None:
    """The number of results that match; without a search text as the summary states, which the database checks."""
    of_rank = values["of_rank"]
    if not values["search"] and (of_rank is None or of_rank < len(_RANKS)):
        status = "" if of_rank is None else _RANKS[of_rank]
        if (counted := (run.summary or {}).get(_COUNTS.get(status, status))) is not None:
            return int(counted)
    most = MATCHES if values["search"] else 10**9
    with connection.cursor() as cursor:
        cursor.execute(read_sql("missiondeck/queries/count_results"), values | {"limit": most})
        (count,) = cursor.fetchone()
    return count if count <= most else None


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

"""Queries for test runs, their results and their logs, without loading large columns."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.db import connection
from django.db.models import F, QuerySet

from missiondeck.models import DeckMission, TestRun, TestRunLogPage

RESULTS_PER_PAGE = 50
# Results are ordered by status, worst first.
_ORDER = "array_position(ARRAY['error', 'failed', 'skipped', 'passed'], r.result->>'status')"


def light_runs() -> QuerySet[TestRun]:
    """Test runs without loading the columns results and logs."""
    return TestRun.objects.defer("results", "logs")


def latest_run(mission: DeckMission) -> TestRun | None:
    return light_runs().filter(mission=mission).order_by(F("created_at").desc(), F("id").desc()).first()


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
    conditions, params = ["true"], []
    if status:
        conditions.append("r.result->>'status' = %s")
        params.append(status)
    if search:
        conditions.append(
            "position(lower(%s) IN lower(concat_ws(' ', test_identity(r.result), r.result->>'suite'))) > 0"
        )
        params.append(search)
    sql = f"""
        WITH found AS MATERIALIZED (
            SELECT r.result, r.place,
                   r.result ? 'flaky' OR test_identity(r.result) = ANY (t.flaky_tests) AS is_flaky
            FROM test_runs t, jsonb_array_elements(t.results) WITH ORDINALITY AS r (result, place)
            WHERE t.id = %s AND {" AND ".join(conditions)}
        )
        -- Returns the count also for a page after the last one.
        SELECT counted.total, page.result
        FROM (SELECT count(*) AS total FROM found) counted LEFT JOIN LATERAL (
            SELECT r.result || jsonb_build_object('is_flaky', r.is_flaky) AS result
            FROM found r ORDER BY {_ORDER}, r.place LIMIT %s OFFSET %s
        ) page ON true
    """  # noqa: S608  (conditions are written here)
    with connection.cursor() as cursor:
        offset = (max(1, number) - 1) * RESULTS_PER_PAGE
        cursor.execute(sql, [run.pk, *params, RESULTS_PER_PAGE, offset])
        rows = cursor.fetchall()
    results = [json.loads(result) for _total, result in rows if result is not None]
    return ResultsPage(results, max(1, number), rows[0][0])


@dataclass(frozen=True)
class LogPage:
    """A page of a run's logs. number: from 1. last: number of the last page. lines: [(line number, text)]."""

    number: int
    last: int
    lines: list[tuple[int, str]]


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
    sql = """
        SELECT p.page, p.first_line + l.place - 1, left(l.text, 500)
        FROM (
            SELECT page, first_line, text FROM test_run_log_pages
            WHERE run_id = %s AND position(lower(%s) IN lower(text)) > 0 ORDER BY page LIMIT %s
        ) p, string_to_table(p.text, E'\\n') WITH ORDINALITY AS l (text, place)
        WHERE position(lower(%s) IN lower(l.text)) > 0 ORDER BY 1, 2 LIMIT %s
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [run.pk, text, most, text, most])
        return [Hit(*row) for row in cursor.fetchall()]

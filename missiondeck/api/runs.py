"""The API of test runs: the list, one run with paginated results, and paginated logs."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import F, Func, IntegerField, Q
from django.http import Http404, HttpResponse
from django.utils.translation import gettext
from ninja import Query, Schema
from pydantic import Field

from missiondeck.api.access import EXAMPLE_ID, Number, RunId, get_run, get_visible_mission
from missiondeck.api.names import ResultStatusName, RunStatusName

# Its fixed URLs below /runs/ must be registered before the one with a run's id.
from missiondeck.api.run_imports import router
from missiondeck.api.run_schemas import RunFacts, RunSummary, run_out, run_summary_out
from missiondeck.models import DeckMission, TestRun
from missiondeck.scopes import DECK_READ
from missiondeck.selectors.runs import latest_run, light_runs, log_page, results_of, search_logs
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Cursor, Limit, needs
from missionsite.common.api.pagination import PER_PAGE, PageCursor, paginate

PageNumber = Query(1, ge=1, le=1_000_000, description="From 1.", examples=[1])
Search = Query(None, min_length=1, max_length=200, description="Only rows that contain this text, ignoring case.")


class DeckRunPage(Schema):
    items: list[RunSummary]
    next: str | None = Field(examples=[None])


class ResultOut(Schema):
    """The result of one test. Its texts are unchecked output of the tool."""

    name: str = Field(examples=["test_retry"])
    status: str = Field(description="`passed`, `failed`, `error` or `skipped`.", examples=["failed"])
    duration: float | None = Field(None, description="Seconds.", examples=[0.25])
    classname: str | None = Field(None, examples=["tests.test_send"])
    suite: str | None = Field(None, examples=["pytest"])
    file: str | None = Field(None, examples=["tests/test_send.py"])
    error: str | None = Field(None, examples=["AssertionError: 2 != 3"])
    traceback: str | None = Field(None, examples=["tests/test_send.py:12: AssertionError"])
    output: str | None = Field(None, examples=["retrying"])
    retries: int | None = Field(None, description="Number of retries by the tool.", examples=[1])
    is_flaky: bool = Field(examples=[True])
    key: UUID = Field(description="Identifies the test across runs.", examples=[EXAMPLE_ID])


class ResultsOut(Schema):
    """A page of results."""

    items: list[ResultOut] = Field(description="Errors and failures first.")
    next: str | None = Field(description="The address of the next page; null on the last one.", examples=[None])
    total: int | None = Field(
        description="Number of results that match; null if more than 1,000 contain the text of `search`.", examples=[44]
    )


class RunDetail(RunFacts):
    """A test run with a page of its results."""

    results: ResultsOut = Field(examples=[{"items": [], "next": None, "total": 0}])


class LogLine(Schema):
    line: int = Field(description="From 1.", examples=[120])
    text: str = Field(examples=["retrying in 2 s"])


class LogHit(LogLine):
    page: int = Field(description="Number of the page of the logs.", examples=[3])


class LogsOut(Schema):
    """A page of the logs, or the first 100 lines that match a search."""

    page: int = Field(examples=[1])
    pages: int = Field(description="Number of the last page; 0 without logs.", examples=[1])
    lines: list[LogLine] = Field(
        description="Empty for a search.", examples=[[{"line": 120, "text": "tests/test_send.py:12"}]]
    )
    hits: list[LogHit] | None = Field(description="Null without a search.", examples=[None])


@router.get("/deck/missions/{number}/runs", response=DeckRunPage, summary="List test runs")
@needs(DECK_READ, checks_rights=True)
def list_deck_runs(
    request: SiteRequest,
    response: HttpResponse,
    number: int = Number,
    status: RunStatusName | None = None,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
):
    """The test runs of a mission, newest first, without results and logs."""
    mission = get_visible_mission(request, number)
    rows = light_runs().defer("results", "logs", "warnings", "flaky_tests").select_related("created_by")
    rows = rows.annotate(flaky_count=Func(F("flaky_tests"), function="cardinality", output_field=IntegerField()))
    rows = rows.filter(mission=mission).order_by("-created_at", "-pk")
    if status:
        rows = rows.filter(status=status)
    position = PageCursor("test runs", (str(mission.pk), status))
    if key := position.read(cursor):
        at = datetime.fromisoformat(key[0])
        rows = rows.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=key[1]))
    page = paginate(request, response, position, list(rows[: limit + 1]), limit, lambda row: (row.created_at, row.pk))
    page["items"] = [run_summary_out(mission, run, run.flaky_count) for run in page["items"]]
    return page


@router.get("/deck/missions/{number}/runs/latest", response=RunDetail, summary="Show the latest test run")
@needs(DECK_READ, checks_rights=True)
def get_latest_deck_run(
    request: SiteRequest,
    response: HttpResponse,
    number: int = Number,
    status: ResultStatusName | None = None,
    search: str | None = Search,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
):
    """The latest run with a page of its results, filtered by `status` and `search`."""
    mission = get_visible_mission(request, number)
    if run := latest_run(mission):
        return _detail_out(request, response, mission, run, status, search, limit, cursor)
    raise Http404(gettext("Client mission %(number)s has no test run yet.") % {"number": number})


@router.get("/deck/missions/{number}/runs/{run}", response=RunDetail, summary="Show a test run")
@needs(DECK_READ, checks_rights=True)
def get_deck_run(
    request: SiteRequest,
    response: HttpResponse,
    number: int = Number,
    run: UUID = RunId,
    status: ResultStatusName | None = None,
    search: str | None = Search,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
):
    """One run with a page of its results, errors and failures first, filtered by `status` and `search`."""
    mission = get_visible_mission(request, number)
    return _detail_out(request, response, mission, get_run(mission, run), status, search, limit, cursor)


@router.get("/deck/missions/{number}/runs/{run}/logs", response=LogsOut, summary="Read the logs of a test run")
@needs(DECK_READ, checks_rights=True)
def get_deck_run_logs(
    request: SiteRequest,
    number: int = Number,
    run: UUID = RunId,
    search: str | None = Search,
    page: int = PageNumber,
):
    """A page of a run's logs, at most 64 KB. With `search`, the first 100 matching lines of all pages."""
    found = get_run(get_visible_mission(request, number), run)
    shown = log_page(found, page)
    if shown is None and page > 1:
        raise Http404(gettext("The logs have no page %(page)s.") % {"page": page})
    about = {"page": page, "pages": shown.last if shown else 0}
    if search:
        return about | {"lines": [], "hits": [vars(hit) for hit in search_logs(found, search)]}
    lines = [{"line": line, "text": text} for line, text in shown.lines] if shown else []
    return about | {"lines": lines, "hits": None}


# --- Showing --------------------------------------------------------------------------------------


def _detail_out(
    request: SiteRequest,
    response: HttpResponse,
    mission: DeckMission,
    run: TestRun,
    status: str | None,
    search: str | None,
    limit: int,
    cursor: str | None,
) -> dict:
    position = PageCursor("results of a run", (str(run.pk), status, search))
    rank_and_number = position.read(cursor)
    found = results_of(
        run,
        after=(rank_and_number[0], rank_and_number[1]) if rank_and_number else None,
        status=status or "",
        search=search or "",
        # One more shows that there is a further page.
        limit=limit + 1,
    )
    rows = list(zip(found.results, found.places, strict=True))
    page = paginate(request, response, position, rows, limit, lambda row: row[1])
    results = {"items": [result for result, _place in page["items"]], "next": page["next"], "total": found.total}
    return run_out(mission, run) | {"results": results}

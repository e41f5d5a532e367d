"""The API of fallback runs and their plan."""

import json
from datetime import datetime

from django.http import Http404, HttpResponse
from django.utils.translation import gettext
from ninja import Schema, Status
from pydantic import Field

from fallback.api.base import (
    ULID,
    Key,
    ProjectKey,
    RunStatusName,
    StrictSchema,
    fields_of,
    find_in,
    find_project,
    page_response,
    router,
)
from fallback.errors import NoConfiguration
from fallback.models import MissionFallbackConfig, MissionFallbackRun, Project
from fallback.models.choices import Trigger
from fallback.scopes import FALLBACK_READ, FALLBACK_RUN
from fallback.selectors.planning import plan_run
from fallback.selectors.rights import Right
from fallback.services.reports import read_report
from fallback.services.runs import CheckResult, run_fallback
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Cursor, Limit, needs
from missionsite.common.api.pagination import PER_PAGE, PageCursor


class RunOut(Schema):
    """A fallback run."""

    id: str = Field(examples=[ULID])
    project: str = Field(examples=[ULID])
    triggered_by: str = Field(description="`automatic`, `manual` or `api`.", examples=["automatic"])
    status: str = Field(examples=["awaiting_review"])
    backlog_count_before: int | None = Field(examples=[2])
    backlog_threshold: int | None = Field(examples=[5])
    generated_count: int = Field(examples=[3])
    accepted_count: int = Field(examples=[0])
    discarded_count: int = Field(examples=[0])
    skipped: list[dict] = Field(examples=[[]])
    error: str = Field(examples=[""])
    started_at: datetime = Field(examples=["2026-11-20T09:30:00Z"])
    completed_at: datetime | None = Field(examples=[None])


class FallbackRunPage(Schema):
    items: list[RunOut]
    next: str | None = Field(examples=[None])


class RunResult(Schema):
    """The run, or the reason why none was made."""

    run: RunOut | None = Field(description="Null if none was made.", examples=[None])
    message: str = Field(examples=["3 proposals would be made."])


class PlanOut(Schema):
    """The plan of the next run."""

    message: str = Field(examples=["3 proposals would be made."])
    backlog_count: int = Field(description="Ready missions, counted up to the threshold.", examples=[2])
    backlog_threshold: int = Field(examples=[5])
    proposed_count: int = Field(examples=[0])
    deficit: int = Field(examples=[3])
    templates: list[str] = Field(description="Ids of the templates to be used.", examples=[[ULID]])
    skipped: list[dict] = Field(examples=[[]])


class RunRequest(StrictSchema):
    dry_run: bool = Field(False, description="Show what would happen; make no changes.", examples=[False])


@router.get("/projects/{project}/fallback/plan", response=PlanOut, tags=["fallback"], summary="Plan the next run")
@needs(FALLBACK_READ, checks_rights=True)
def get_fallback_plan(request: SiteRequest, project: str = ProjectKey) -> dict:
    """What a run of the project would do now. Makes no changes."""
    return plan_out(find_project(request, project))


@router.get("/projects/{project}/fallback/runs", response=FallbackRunPage, tags=["fallback"], summary="List runs")
@needs(FALLBACK_READ, checks_rights=True)
def list_fallback_runs(
    request: SiteRequest,
    response: HttpResponse,
    project: str = ProjectKey,
    status: RunStatusName | None = None,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
) -> dict:
    """The runs of a project, newest first. Filter: `status`."""
    found = find_project(request, project)
    runs = MissionFallbackRun.objects.filter(project=found, **({"status": status} if status else {}))
    position = PageCursor("fallback runs", (found.pk, status))
    return page_response(request, response, position, runs, cursor, limit, "started_at", run_out)


@router.post(
    "/projects/{project}/fallback/runs",
    response={200: RunResult, 201: RunResult},
    tags=["fallback"],
    summary="Start a run",
)
@needs(FALLBACK_RUN, checks_rights=True)
def start_fallback_run(request: SiteRequest, body: RunRequest, project: str = ProjectKey) -> Status:
    """Propose the missing missions: 201 with the run; 200 if none are missing or for a dry run."""
    found = find_project(request, project, Right.REVIEW)
    if body.dry_run:
        return Status(200, {"run": None, "message": plan_out(found)["message"]})
    run = run_fallback(actor=request.auth.member, project=found, triggered_by=Trigger.API)
    if run is None:
        return Status(200, {"run": None, "message": CheckResult(found).summary})
    return Status(201, {"run": run_out(run), "message": CheckResult(found, run=run).summary})


@router.get("/projects/{project}/fallback/runs/{run}", response=RunOut, tags=["fallback"], summary="Show a run")
@needs(FALLBACK_READ, checks_rights=True)
def get_fallback_run(request: SiteRequest, project: str = ProjectKey, run: str = Key) -> dict:
    """One run, with its counts and skipped templates."""
    return run_out(find_in(MissionFallbackRun, find_project(request, project), run))


@router.get(
    "/projects/{project}/fallback/runs/{run}/report", response=dict, tags=["fallback"], summary="Show a run's report"
)
@needs(FALLBACK_READ, checks_rights=True)
def get_fallback_report(request: SiteRequest, project: str = ProjectKey, run: str = Key) -> dict:
    """The report of an ended run."""
    report = read_report(find_in(MissionFallbackRun, find_project(request, project), run))
    if not report:
        raise Http404(gettext("This run has no report yet. It is available when the run has ended."))
    return json.loads(report)


def run_out(run: MissionFallbackRun) -> dict:
    return {
        **fields_of(
            run, "id", "triggered_by", "status", "backlog_count_before", "backlog_threshold", "generated_count"
        ),
        **fields_of(run, "accepted_count", "discarded_count", "skipped", "error", "started_at", "completed_at"),
        "project": run.project_id,
    }


def plan_out(project: Project) -> dict:
    config = MissionFallbackConfig.objects.filter(project=project).first()
    if config is None:
        raise NoConfiguration
    plan = plan_run(project, config=config)
    return {
        "message": plan.summary,
        "backlog_count": plan.backlog,
        "backlog_threshold": config.backlog_threshold,
        "proposed_count": plan.proposed,
        "deficit": plan.deficit,
        "templates": [template.pk for template in plan.picks],
        "skipped": [entry.as_json() for entry in plan.skipped],
    }

"""The API of projects, missions, fallback runs and proposals.

Callers can see and change what their role in a project allows, staff or not. Every URL names its project, and other
objects are looked up in that project only.
"""

import json
from datetime import datetime
from typing import Literal

from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Path, Schema, Status
from pydantic import AwareDatetime, ConfigDict, Field, field_validator

from fallback.errors import NoConfiguration
from fallback.models import (
    Mission,
    MissionFallbackConfig,
    MissionFallbackItem,
    MissionFallbackRun,
    MissionFallbackTemplate,
    Project,
)
from fallback.models.choices import Trigger
from fallback.scopes import FALLBACK_READ, FALLBACK_REVIEW, FALLBACK_RUN, PROJECTS_READ, PROJECTS_WRITE
from fallback.services import review
from fallback.services.missions import create_mission, move_mission, update_mission
from fallback.services.planning import plan_run
from fallback.services.reports import read_report
from fallback.services.rights import Right, Rights
from fallback.services.runs import CheckResult, launch_template, run_fallback
from missionsite.common.api import Cursor, Limit, Router, needs
from missionsite.common.api.pagination import PER_PAGE, PageCursor, paginate

router = Router(tags=["projects"])

ULID = "01JD3V9Q8M4X2T6R0B5N7C1KZE"
ProjectKey = Path(..., description="Id of the project.", examples=[ULID], max_length=26)
Key = Path(..., examples=[ULID], max_length=26)
ListName = Literal["todo", "doing", "review", "done"]
Reason = Literal["not_needed", "duplicate", "too_large", "unclear", "wrong_template", "other"]


class ProjectOut(Schema):
    """A project."""

    id: str = Field(examples=[ULID])
    name: str = Field(examples=["Field guide"])
    organization: str = Field(examples=["Futures Edge"])
    description: str = Field(examples=["A guide for new groups."])
    status: str = Field(description="`active` or `archived`.", examples=["active"])
    rights: list[str] = Field(description="Your rights in this project.", examples=[["view", "contribute", "review"]])


class ProjectPage(Schema):
    items: list[ProjectOut]
    next: str | None = Field(examples=[None])


class MissionOut(Schema):
    """A mission of a board."""

    id: str = Field(examples=[ULID])
    project: str = Field(examples=[ULID])
    title: str = Field(examples=["Check every link of the guide"])
    description: str = Field(examples=["Open each link and note what is gone."])
    list: str = Field(examples=["todo"])
    ready: bool = Field(examples=[True])
    stage: str = Field(examples=["clarify"])
    priority: int = Field(description="1 lowest to 5 highest.", examples=[3])
    origin: str = Field(description="`manual`, `fallback` or `imported`.", examples=["fallback"])
    fallback_item: str | None = Field(description="Id of the proposal it was created from.", examples=[ULID])
    dependency_count: int = Field(examples=[1])
    open_dependency_count: int = Field(description="The mission is blocked while this is above 0.", examples=[0])
    review_status: str | None = Field(examples=[None])
    created_at: datetime = Field(examples=["2026-11-20T09:30:00Z"])
    updated_at: datetime = Field(examples=["2026-11-20T09:30:00Z"])
    last_event_at: datetime | None = Field(examples=["2026-11-20T09:30:00Z"])


class ProjectMissionPage(Schema):
    items: list[MissionOut]
    next: str | None = Field(examples=[None])


class EventOut(Schema):
    """An event of a mission."""

    id: str = Field(examples=[ULID])
    type: str = Field(examples=["mission.moved"])
    origin: str = Field(description="`system`, `user`, `agent` or `fallback`.", examples=["user"])
    payload: dict = Field(examples=[{"changed": {"list": ["todo", "doing"]}}])
    occurred_at: datetime = Field(examples=["2026-11-20T09:30:00Z"])


class EventPage(Schema):
    items: list[EventOut]
    next: str | None = Field(examples=[None])


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


class ItemOut(Schema):
    """A proposed mission, with the decision on it."""

    id: str = Field(examples=[ULID])
    run: str = Field(examples=[ULID])
    template: str = Field(examples=[ULID])
    project: str = Field(examples=[ULID])
    title: str = Field(examples=["Check every link of the guide"])
    description: str = Field(examples=["Open each link and note what is gone."])
    priority: int = Field(examples=[3])
    estimated_effort_minutes: int = Field(examples=[90])
    status: str = Field(description="`proposed`, `accepted` or `discarded`.", examples=["proposed"])
    mission: str | None = Field(examples=[None])
    reason: str | None = Field(examples=[None])
    feedback: str = Field(examples=[""])
    duplicate_of: str | None = Field(examples=[None])
    snoozed_until: datetime | None = Field(examples=[None])
    reviewed_at: datetime | None = Field(examples=[None])
    created_at: datetime = Field(examples=["2026-11-20T09:30:00Z"])


class ItemPage(Schema):
    items: list[ItemOut]
    next: str | None = Field(examples=[None])


class TemplateOut(Schema):
    """A template of proposals."""

    id: str = Field(examples=[ULID])
    name: str = Field(examples=["Check links"])
    description: str = Field(examples=["Open each link and note what is gone."])
    priority: int = Field(examples=[3])
    estimated_effort_minutes: int = Field(examples=[90])
    enabled: bool = Field(examples=[True])


class TemplatePage(Schema):
    items: list[TemplateOut]
    next: str | None = Field(examples=[None])


class PlanOut(Schema):
    """The plan of the next run."""

    message: str = Field(examples=["3 proposals would be made."])
    backlog_count: int = Field(description="Ready missions, counted up to the threshold.", examples=[2])
    backlog_threshold: int = Field(examples=[5])
    proposed_count: int = Field(examples=[0])
    deficit: int = Field(examples=[3])
    templates: list[str] = Field(description="Ids of the templates to be used.", examples=[[ULID]])
    skipped: list[dict] = Field(examples=[[]])


class Order(Schema):
    """A request body that rejects unknown fields."""

    model_config = ConfigDict(extra="forbid")


class NewMission(Order):
    title: str = Field(min_length=1, max_length=500, pattern=r"\S", examples=["Write the welcome page"])
    description: str = Field("", max_length=50_000, examples=["One page, in plain language."])
    priority: int = Field(3, ge=1, le=5, examples=[3])
    ready: bool = Field(False, examples=[True])


class MissionChange(Order):
    title: str | None = Field(None, min_length=1, max_length=500, pattern=r"\S", examples=["Write the welcome page"])
    description: str | None = Field(None, max_length=50_000, examples=["One page, in plain language."])
    priority: int | None = Field(None, ge=1, le=5, examples=[4])
    ready: bool | None = Field(None, examples=[True])


class Move(Order):
    list: ListName = Field(examples=["doing"])
    before: str = Field("", max_length=26, description="Id of the mission to place it before.", examples=[""])
    after: str = Field("", max_length=26, description="Id of the mission to place it after.", examples=[""])


class RunOrder(Order):
    dry_run: bool = Field(False, description="Show what would happen; make no changes.", examples=[False])


class Acceptance(Order):
    title: str | None = Field(None, min_length=1, max_length=500, pattern=r"\S", examples=["Check every link"])
    description: str | None = Field(None, max_length=50_000, examples=["Open each link."])
    priority: int | None = Field(None, ge=1, le=5, examples=[4])
    estimated_effort_minutes: int | None = Field(None, ge=1, le=100_000, examples=[60])


class Discard(Order):
    reason: Reason | None = Field(None, examples=["not_needed"])
    feedback: str = Field("", max_length=5_000, examples=["Done last week."])
    duplicate_of: str | None = Field(
        None,
        max_length=26,
        description="Id of the duplicated mission; the reason becomes `duplicate`.",
        examples=[None],
    )


class Snooze(Order):
    until: AwareDatetime = Field(description="With UTC offset.", examples=["2026-11-27T09:00:00Z"])

    @field_validator("until")
    @classmethod
    def _near(cls, until: datetime) -> datetime:
        if until.year > 9000:
            raise ValueError("Choose an earlier date.")
        return until


# --- Projects and missions --------------------------------------------------------------------


@router.get("/projects", response=ProjectPage, summary="List your projects")
@needs(PROJECTS_READ, checks_rights=True)
def list_projects(request: HttpRequest, response: HttpResponse, limit: Limit = PER_PAGE, cursor: Cursor = None):
    """Your projects, newest first."""
    rights = Rights(request.auth.member)
    position = PageCursor("projects", (str(request.auth.member.pk),))
    rows = _after(rights.projects().select_related("organization"), position.read(cursor), "created_at")
    page = paginate(request, response, position, list(rows[: limit + 1]), limit, lambda row: (row.created_at, row.pk))
    page["items"] = [_project_out(project, rights) for project in page["items"]]
    return page


@router.get("/projects/{project}", response=ProjectOut, summary="Show a project")
@needs(PROJECTS_READ, checks_rights=True)
def get_project(request: HttpRequest, project: str = ProjectKey):
    """One project, with your rights in it."""
    return _project_out(_project(request, project), Rights(request.auth.member))


@router.get("/projects/{project}/missions", response=ProjectMissionPage, summary="List the missions of a project")
@needs(PROJECTS_READ, checks_rights=True)
def list_project_missions(
    request: HttpRequest,
    response: HttpResponse,
    project: str = ProjectKey,
    list: ListName | None = None,
    ready: bool | None = None,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
):
    """Missions of a project, newest first. Filters: `list`, `ready`."""
    found = _project(request, project)
    missions = Mission.objects.filter(project=found)
    if list is not None:
        missions = missions.filter(list=list)
    if ready is not None:
        missions = missions.filter(ready=ready)
    position = PageCursor("project missions", (found.pk, list, ready))
    return _page(request, response, position, missions, cursor, limit, "created_at", _mission_out)


@router.post("/projects/{project}/missions", response={201: MissionOut}, summary="Add mission")
@needs(PROJECTS_WRITE, checks_rights=True)
def add_project_mission(request: HttpRequest, order: NewMission, project: str = ProjectKey):
    """Add a mission at the end of the project's Todo."""
    found = _project(request, project, Right.CONTRIBUTE)
    mission = create_mission(project=found, acting_member=request.auth.member, **order.dict())
    mission.refresh_from_db()
    return Status(201, _mission_out(mission))


@router.get("/projects/{project}/missions/{mission}", response=MissionOut, summary="Show a mission of a project")
@needs(PROJECTS_READ, checks_rights=True)
def get_project_mission(request: HttpRequest, project: str = ProjectKey, mission: str = Key):
    """One mission of a project's board."""
    return _mission_out(_in(Mission, _project(request, project), mission))


@router.patch("/projects/{project}/missions/{mission}", response=MissionOut, summary="Change a mission")
@needs(PROJECTS_WRITE, checks_rights=True)
def change_project_mission(request: HttpRequest, order: MissionChange, project: str = ProjectKey, mission: str = Key):
    """Change the given fields."""
    found = _in(Mission, _project(request, project, Right.CONTRIBUTE), mission)
    changes = {name: value for name, value in order.dict(exclude_unset=True).items() if value is not None}
    update_mission(mission=found, acting_member=request.auth.member, **changes)
    return _fresh(found, _mission_out)


@router.post("/projects/{project}/missions/{mission}/move", response=MissionOut, summary="Move a mission")
@needs(PROJECTS_WRITE, checks_rights=True)
def move_project_mission(request: HttpRequest, order: Move, project: str = ProjectKey, mission: str = Key):
    """Move a mission to a list: before or after another one, or to the end."""
    found = _in(Mission, _project(request, project, Right.CONTRIBUTE), mission)
    move_mission(
        mission=found, to=order.list, before=order.before, after=order.after, acting_member=request.auth.member
    )
    return _fresh(found, _mission_out)


@router.get("/projects/{project}/missions/{mission}/events", response=EventPage, summary="List the events of a mission")
@needs(PROJECTS_READ, checks_rights=True)
def list_project_mission_events(
    request: HttpRequest,
    response: HttpResponse,
    project: str = ProjectKey,
    mission: str = Key,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
):
    """The events of a mission, newest first."""
    found = _in(Mission, _project(request, project), mission)
    position = PageCursor("mission events", (found.pk,))
    return _page(request, response, position, found.events.all(), cursor, limit, "occurred_at", _event_out)


# --- Fallback ---------------------------------------------------------------------------------


@router.get("/projects/{project}/fallback/plan", response=PlanOut, tags=["fallback"], summary="Plan the next run")
@needs(FALLBACK_READ, checks_rights=True)
def get_fallback_plan(request: HttpRequest, project: str = ProjectKey):
    """What a run of the project would do now. Makes no changes."""
    return _plan_out(_project(request, project))


@router.get("/projects/{project}/fallback/runs", response=FallbackRunPage, tags=["fallback"], summary="List runs")
@needs(FALLBACK_READ, checks_rights=True)
def list_fallback_runs(
    request: HttpRequest,
    response: HttpResponse,
    project: str = ProjectKey,
    status: Literal["pending", "awaiting_review", "completed", "cancelled", "errored"] | None = None,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
):
    """The runs of a project, newest first. Filter: `status`."""
    found = _project(request, project)
    runs = MissionFallbackRun.objects.filter(project=found, **({"status": status} if status else {}))
    position = PageCursor("fallback runs", (found.pk, status))
    return _page(request, response, position, runs, cursor, limit, "started_at", _run_out)


@router.post(
    "/projects/{project}/fallback/runs",
    response={200: RunResult, 201: RunResult},
    tags=["fallback"],
    summary="Start a run",
)
@needs(FALLBACK_RUN, checks_rights=True)
def start_fallback_run(request: HttpRequest, order: RunOrder, project: str = ProjectKey):
    """Propose the missing missions: 201 with the run; 200 if none are missing or for a dry run."""
    found = _project(request, project, Right.REVIEW)
    if order.dry_run:
        return Status(200, {"run": None, "message": _plan_out(found)["message"]})
    run = run_fallback(project=found, triggered_by=Trigger.API, actor=request.auth.member)
    if run is None:
        return Status(200, {"run": None, "message": CheckResult(found).summary})
    return Status(201, {"run": _run_out(run), "message": f"{run.generated_count} proposed."})


@router.get("/projects/{project}/fallback/runs/{run}", response=RunOut, tags=["fallback"], summary="Show a run")
@needs(FALLBACK_READ, checks_rights=True)
def get_fallback_run(request: HttpRequest, project: str = ProjectKey, run: str = Key):
    """One run, with its counts and skipped templates."""
    return _run_out(_in(MissionFallbackRun, _project(request, project), run))


@router.get(
    "/projects/{project}/fallback/runs/{run}/report", response=dict, tags=["fallback"], summary="Show a run's report"
)
@needs(FALLBACK_READ, checks_rights=True)
def get_fallback_report(request: HttpRequest, project: str = ProjectKey, run: str = Key):
    """The report of an ended run."""
    report = read_report(_in(MissionFallbackRun, _project(request, project), run))
    if not report:
        raise Http404("This run has no report yet. It is available when the run has ended.")
    return json.loads(report)


@router.get("/projects/{project}/fallback/items", response=ItemPage, tags=["fallback"], summary="List proposals")
@needs(FALLBACK_READ, checks_rights=True)
def list_fallback_items(
    request: HttpRequest,
    response: HttpResponse,
    project: str = ProjectKey,
    status: Literal["proposed", "accepted", "discarded"] | None = None,
    run: str | None = None,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
):
    """The proposals of a project, newest first. Filters: `status`, `run`."""
    found = _project(request, project)
    items = MissionFallbackItem.objects.filter(project=found)
    if status:
        items = items.filter(status=status)
    if run:
        items = items.filter(run=run)
    position = PageCursor("fallback items", (found.pk, status, run))
    return _page(request, response, position, items, cursor, limit, "created_at", _item_out)


@router.get("/projects/{project}/fallback/items/{item}", response=ItemOut, tags=["fallback"], summary="Show a proposal")
@needs(FALLBACK_READ, checks_rights=True)
def get_fallback_item(request: HttpRequest, project: str = ProjectKey, item: str = Key):
    """One proposal, with the decision on it."""
    return _item_out(_in(MissionFallbackItem, _project(request, project), item))


@router.post(
    "/projects/{project}/fallback/items/{item}/accept",
    response={201: MissionOut},
    tags=["fallback"],
    summary="Accept a proposal",
)
@needs(FALLBACK_REVIEW, checks_rights=True)
def accept_fallback_item(request: HttpRequest, order: Acceptance, project: str = ProjectKey, item: str = Key):
    """Create the mission, after applying the given edits. 409 with the guardrail as code if it is reached."""
    found = _in(MissionFallbackItem, _project(request, project, Right.REVIEW), item)
    edits = {name: value for name, value in order.dict(exclude_unset=True).items() if value is not None}
    mission = review.accept_item(item=found, actor=request.auth.member, **edits)
    return Status(201, _fresh(mission, _mission_out))


@router.post(
    "/projects/{project}/fallback/items/{item}/discard",
    response=ItemOut,
    tags=["fallback"],
    summary="Discard a proposal",
)
@needs(FALLBACK_REVIEW, checks_rights=True)
def discard_fallback_item(request: HttpRequest, order: Discard, project: str = ProjectKey, item: str = Key):
    """Discard a proposal, with a reason, feedback or the duplicated mission."""
    of_project = _project(request, project, Right.REVIEW)
    found = _in(MissionFallbackItem, of_project, item)
    actor = request.auth.member
    if order.duplicate_of:
        mission = _in(Mission, of_project, order.duplicate_of)
        review.mark_duplicate(item=found, mission=mission, actor=actor, feedback=order.feedback)
    else:
        review.discard_item(item=found, actor=actor, reason=order.reason, feedback=order.feedback)
    return _fresh(found, _item_out)


@router.post(
    "/projects/{project}/fallback/items/{item}/snooze", response=ItemOut, tags=["fallback"], summary="Snooze a proposal"
)
@needs(FALLBACK_REVIEW, checks_rights=True)
def snooze_fallback_item(request: HttpRequest, order: Snooze, project: str = ProjectKey, item: str = Key):
    """Hide a proposal from the review until a given time."""
    found = _in(MissionFallbackItem, _project(request, project, Right.REVIEW), item)
    review.snooze_item(item=found, until=order.until, actor=request.auth.member)
    return _fresh(found, _item_out)


@router.post(
    "/projects/{project}/fallback/items/{item}/undo",
    response=ItemOut,
    tags=["fallback"],
    summary="Undo a decision",
)
@needs(FALLBACK_REVIEW, checks_rights=True)
def undo_fallback_item(request: HttpRequest, project: str = ProjectKey, item: str = Key):
    """Undo your own decision of the last hour, if its mission is unchanged."""
    found = _in(MissionFallbackItem, _project(request, project, Right.REVIEW), item)
    review.undo_decision(item=found, actor=request.auth.member)
    return _fresh(found, _item_out)


@router.get(
    "/projects/{project}/fallback/templates", response=TemplatePage, tags=["fallback"], summary="List templates"
)
@needs(FALLBACK_READ, checks_rights=True)
def list_fallback_templates(
    request: HttpRequest,
    response: HttpResponse,
    project: str = ProjectKey,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
):
    """The templates of a project, newest first."""
    found = _project(request, project)
    position = PageCursor("fallback templates", (found.pk,))
    templates = MissionFallbackTemplate.objects.filter(project=found)
    return _page(request, response, position, templates, cursor, limit, "created_at", _template_out)


@router.post(
    "/projects/{project}/fallback/templates/{template}/launch",
    response={201: MissionOut},
    tags=["fallback"],
    summary="Launch a template",
)
@needs(FALLBACK_RUN, checks_rights=True)
def launch_fallback_template(request: HttpRequest, project: str = ProjectKey, template: str = Key):
    """Create a mission from a template, within the guardrails."""
    found = _in(MissionFallbackTemplate, _project(request, project, Right.REVIEW), template)
    mission = launch_template(template=found, actor=request.auth.member, triggered_by=Trigger.API)
    return Status(201, _fresh(mission, _mission_out))


# --- Lookup and output ------------------------------------------------------------------------


def _project(request: HttpRequest, key: str, right: Right = Right.VIEW) -> Project:
    """A project of the caller. Raises Http404 if it is not visible, NotAllowed without the right."""
    rights = Rights(request.auth.member)
    project = rights.projects().select_related("organization").filter(pk=key).first()
    if project is None:
        raise Http404(f"Project {key} not found.")
    rights.check(right, project)
    return project


def _in(model: type[Model], project: Project, key: str):
    """A row of a project. Raises Http404."""
    if found := model._default_manager.filter(project=project, pk=key).first():
        return found
    raise Http404(f"No {model._meta.verbose_name} {key} in this project.")


def _after(rows: QuerySet, key: list | None, instant: str) -> QuerySet:
    """Rows after a sort key, newest first."""
    rows = rows.order_by(f"-{instant}", "-pk")
    if key is None:
        return rows
    at, pk = datetime.fromisoformat(key[0]), key[1]
    return rows.filter(Q(**{f"{instant}__lt": at}) | Q(**{instant: at, "pk__lt": pk}))


def _page(request, response, position, rows, cursor, limit, instant, show) -> dict:
    found = list(_after(rows, position.read(cursor), instant)[: limit + 1])
    page = paginate(request, response, position, found, limit, lambda row: (getattr(row, instant), row.pk))
    page["items"] = [show(row) for row in page["items"]]
    return page


def _fresh(row: Model, show):
    row.refresh_from_db()
    return show(row)


def _plan_out(project: Project) -> dict:
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


def _shown(row: Model, *names: str) -> dict:
    return {name: getattr(row, name) for name in names}


def _project_out(project: Project, rights: Rights) -> dict:
    return {
        **_shown(project, "id", "name", "description", "status"),
        "organization": project.organization.name,
        "rights": [right.name.lower() for right in Right if rights.allows(right, project)],
    }


def _mission_out(mission: Mission) -> dict:
    return {
        **_shown(mission, "id", "title", "description", "list", "ready", "stage", "priority", "origin"),
        **_shown(mission, "dependency_count", "open_dependency_count", "review_status"),
        **_shown(mission, "created_at", "updated_at", "last_event_at"),
        "project": mission.project_id,
        "fallback_item": mission.fallback_item_id,
    }


def _event_out(event) -> dict:
    return _shown(event, "id", "type", "origin", "payload", "occurred_at")


def _run_out(run: MissionFallbackRun) -> dict:
    return {
        **_shown(run, "id", "triggered_by", "status", "backlog_count_before", "backlog_threshold", "generated_count"),
        **_shown(run, "accepted_count", "discarded_count", "skipped", "error", "started_at", "completed_at"),
        "project": run.project_id,
    }


def _item_out(item: MissionFallbackItem) -> dict:
    return {
        **_shown(item, "id", "title", "description", "priority", "estimated_effort_minutes", "status", "reason"),
        **_shown(item, "feedback", "snoozed_until", "reviewed_at", "created_at"),
        "run": item.run_id,
        "template": item.template_id,
        "project": item.project_id,
        "mission": item.mission_id,
        "duplicate_of": item.duplicate_of_id,
    }


def _template_out(template: MissionFallbackTemplate) -> dict:
    return _shown(template, "id", "name", "description", "priority", "estimated_effort_minutes", "enabled")

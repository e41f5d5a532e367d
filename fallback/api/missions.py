"""The API of the missions of a board."""

from datetime import datetime

from django.http import HttpResponse
from ninja import Schema, Status
from pydantic import Field

from fallback.api.base import (
    ULID,
    Key,
    ListName,
    ProjectKey,
    StrictSchema,
    fields_of,
    find_in,
    find_project,
    page_response,
    refreshed,
    router,
)
from fallback.models import Mission, MissionEvent
from fallback.scopes import PROJECTS_READ, PROJECTS_WRITE
from fallback.selectors.rights import Right
from fallback.services.missions import create_mission, move_mission, update_mission
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Cursor, Limit, needs
from missionsite.common.api.pagination import PER_PAGE, PageCursor


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
    agent_session_status: str = Field(description="`inactive`, `pushing` or `active`.", examples=["inactive"])
    solution_path: str = Field(description="In the document store.", examples=[""])
    tasks_path: str = Field(description="In the document store.", examples=[""])
    pr_branch_name: str = Field(examples=[f"mission/{ULID}"])
    github_pr_number: int | None = Field(examples=[7])
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


class NewMission(StrictSchema):
    title: str = Field(min_length=1, max_length=500, pattern=r"\S", examples=["Write the welcome page"])
    description: str = Field("", max_length=50_000, examples=["One page, in plain language."])
    priority: int = Field(3, ge=1, le=5, examples=[3])
    ready: bool = Field(False, examples=[True])


class MissionChange(StrictSchema):
    title: str | None = Field(None, min_length=1, max_length=500, pattern=r"\S", examples=["Write the welcome page"])
    description: str | None = Field(None, max_length=50_000, examples=["One page, in plain language."])
    priority: int | None = Field(None, ge=1, le=5, examples=[4])
    ready: bool | None = Field(None, examples=[True])


class Move(StrictSchema):
    list: ListName = Field(examples=["doing"])
    before: str = Field("", max_length=26, description="Id of the mission to place it before.", examples=[""])
    after: str = Field("", max_length=26, description="Id of the mission to place it after.", examples=[""])


@router.get("/projects/{project}/missions", response=ProjectMissionPage, summary="List the missions of a project")
@needs(PROJECTS_READ, checks_rights=True)
def list_project_missions(
    request: SiteRequest,
    response: HttpResponse,
    project: str = ProjectKey,
    list: ListName | None = None,
    ready: bool | None = None,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
) -> dict:
    """Missions of a project, newest first. Filters: `list`, `ready`."""
    found = find_project(request, project)
    missions = Mission.objects.filter(project=found)
    if list is not None:
        missions = missions.filter(list=list)
    if ready is not None:
        missions = missions.filter(ready=ready)
    position = PageCursor("project missions", (found.pk, list, ready))
    return page_response(request, response, position, missions, cursor, limit, "created_at", mission_out)


@router.post("/projects/{project}/missions", response={201: MissionOut}, summary="Add mission")
@needs(PROJECTS_WRITE, checks_rights=True)
def add_project_mission(request: SiteRequest, body: NewMission, project: str = ProjectKey) -> Status:
    """Add a mission at the end of the project's Todo."""
    found = find_project(request, project, Right.CONTRIBUTE)
    mission = create_mission(
        actor=request.auth.member, project=found, title=body.title, values=body.dict(exclude={"title"})
    )
    mission.refresh_from_db()
    return Status(201, mission_out(mission))


@router.get("/projects/{project}/missions/{mission}", response=MissionOut, summary="Show a mission of a project")
@needs(PROJECTS_READ, checks_rights=True)
def get_project_mission(request: SiteRequest, project: str = ProjectKey, mission: str = Key) -> dict:
    """One mission of a project's board."""
    return mission_out(find_in(Mission, find_project(request, project), mission))


@router.patch("/projects/{project}/missions/{mission}", response=MissionOut, summary="Change a mission")
@needs(PROJECTS_WRITE, checks_rights=True)
def change_project_mission(
    request: SiteRequest, body: MissionChange, project: str = ProjectKey, mission: str = Key
) -> dict:
    """Change the given fields."""
    found = find_in(Mission, find_project(request, project, Right.CONTRIBUTE), mission)
    changes = {name: value for name, value in body.dict(exclude_unset=True).items() if value is not None}
    update_mission(actor=request.auth.member, mission=found, changes=changes)
    return refreshed(found, mission_out)


@router.post("/projects/{project}/missions/{mission}/move", response=MissionOut, summary="Move a mission")
@needs(PROJECTS_WRITE, checks_rights=True)
def move_project_mission(request: SiteRequest, body: Move, project: str = ProjectKey, mission: str = Key) -> dict:
    """Move a mission to a list: before or after another one, or to the end."""
    found = find_in(Mission, find_project(request, project, Right.CONTRIBUTE), mission)
    move_mission(actor=request.auth.member, mission=found, to=body.list, before=body.before, after=body.after)
    return refreshed(found, mission_out)


@router.get("/projects/{project}/missions/{mission}/events", response=EventPage, summary="List the events of a mission")
@needs(PROJECTS_READ, checks_rights=True)
def list_project_mission_events(
    request: SiteRequest,
    response: HttpResponse,
    project: str = ProjectKey,
    mission: str = Key,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
) -> dict:
    """The events of a mission, newest first."""
    found = find_in(Mission, find_project(request, project), mission)
    position = PageCursor("mission events", (found.pk,))
    return page_response(request, response, position, found.events.all(), cursor, limit, "occurred_at", event_out)


def mission_out(mission: Mission) -> dict:
    return {
        **fields_of(mission, "id", "title", "description", "list", "ready", "stage", "priority", "origin"),
        **fields_of(mission, "dependency_count", "open_dependency_count", "review_status"),
        **fields_of(mission, "agent_session_status", "solution_path", "tasks_path"),
        **fields_of(mission, "pr_branch_name", "github_pr_number"),
        **fields_of(mission, "created_at", "updated_at", "last_event_at"),
        "project": mission.project_id,
        "fallback_item": mission.fallback_item_id,
    }


def event_out(event: MissionEvent) -> dict:
    return fields_of(event, "id", "type", "origin", "payload", "occurred_at")

"""The API of proposals and the decisions on them."""

from datetime import datetime

from django.http import HttpResponse
from ninja import Schema, Status
from pydantic import AwareDatetime, Field, field_validator

from fallback.api.base import (
    ULID,
    ItemStatusName,
    Key,
    ProjectKey,
    ReasonName,
    StrictSchema,
    fields_of,
    find_in,
    find_project,
    page_response,
    refreshed,
    router,
)
from fallback.api.missions import MissionOut, mission_out
from fallback.models import Mission, MissionFallbackItem
from fallback.rules import EFFORT_MINUTES, FEEDBACK_LENGTH
from fallback.scopes import FALLBACK_READ, FALLBACK_REVIEW
from fallback.selectors.rights import Right
from fallback.services import review
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Cursor, Limit, needs
from missionsite.common.api.pagination import PER_PAGE, PageCursor


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
    rest_until: datetime | None = Field(description="Until when its template rests.", examples=[None])
    reviewed_at: datetime | None = Field(examples=[None])
    created_at: datetime = Field(examples=["2026-11-20T09:30:00Z"])


class ItemPage(Schema):
    items: list[ItemOut]
    next: str | None = Field(examples=[None])


class Acceptance(StrictSchema):
    title: str | None = Field(None, min_length=1, max_length=500, pattern=r"\S", examples=["Check every link"])
    description: str | None = Field(None, max_length=50_000, examples=["Open each link."])
    priority: int | None = Field(None, ge=1, le=5, examples=[4])
    estimated_effort_minutes: int | None = Field(None, ge=EFFORT_MINUTES[0], le=EFFORT_MINUTES[1], examples=[60])


def _near(instant: datetime | None) -> datetime | None:
    if instant and instant.year > 9000:
        raise ValueError("Choose an earlier date.")
    return instant


class Discard(StrictSchema):
    reason: ReasonName | None = Field(None, examples=["not_needed"])
    feedback: str = Field("", max_length=FEEDBACK_LENGTH, examples=["Done last week."])
    rest_until: AwareDatetime | None = Field(
        None,
        description="With the reason `wrong_time`: when the template may be proposed again.",
        examples=[None],
    )
    duplicate_of: str | None = Field(
        None,
        max_length=26,
        description="Id of the duplicated mission; the reason becomes `duplicate`.",
        examples=[None],
    )

    _near = field_validator("rest_until")(_near)


class Snooze(StrictSchema):
    until: AwareDatetime = Field(description="With UTC offset.", examples=["2026-11-27T09:00:00Z"])

    _near = field_validator("until")(_near)


@router.get("/projects/{project}/fallback/items", response=ItemPage, tags=["fallback"], summary="List proposals")
@needs(FALLBACK_READ, checks_rights=True)
def list_fallback_items(
    request: SiteRequest,
    response: HttpResponse,
    project: str = ProjectKey,
    status: ItemStatusName | None = None,
    run: str | None = None,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
) -> dict:
    """The proposals of a project, newest first. Filters: `status`, `run`."""
    found = find_project(request, project)
    items = MissionFallbackItem.objects.filter(project=found)
    if status:
        items = items.filter(status=status)
    if run:
        items = items.filter(run=run)
    position = PageCursor("fallback items", (found.pk, status, run))
    return page_response(request, response, position, items, cursor, limit, "created_at", item_out)


@router.get("/projects/{project}/fallback/items/{item}", response=ItemOut, tags=["fallback"], summary="Show a proposal")
@needs(FALLBACK_READ, checks_rights=True)
def get_fallback_item(request: SiteRequest, project: str = ProjectKey, item: str = Key) -> dict:
    """One proposal, with the decision on it."""
    return item_out(find_in(MissionFallbackItem, find_project(request, project), item))


@router.post(
    "/projects/{project}/fallback/items/{item}/accept",
    response={201: MissionOut},
    tags=["fallback"],
    summary="Accept a proposal",
)
@needs(FALLBACK_REVIEW, checks_rights=True)
def accept_fallback_item(request: SiteRequest, body: Acceptance, project: str = ProjectKey, item: str = Key) -> Status:
    """Create the mission, after applying the given edits. 409 with the guardrail as code if it is reached."""
    found = find_in(MissionFallbackItem, find_project(request, project, Right.REVIEW), item)
    edits = {name: value for name, value in body.dict(exclude_unset=True).items() if value is not None}
    mission = review.accept_item(actor=request.auth.member, item=found, **edits)
    return Status(201, refreshed(mission, mission_out))


@router.post(
    "/projects/{project}/fallback/items/{item}/discard",
    response=ItemOut,
    tags=["fallback"],
    summary="Discard a proposal",
)
@needs(FALLBACK_REVIEW, checks_rights=True)
def discard_fallback_item(request: SiteRequest, body: Discard, project: str = ProjectKey, item: str = Key) -> dict:
    """Discard a proposal, with a reason, feedback or the duplicated mission."""
    of_project = find_project(request, project, Right.REVIEW)
    found = find_in(MissionFallbackItem, of_project, item)
    actor = request.auth.member
    if body.duplicate_of:
        mission = find_in(Mission, of_project, body.duplicate_of)
        review.mark_duplicate(actor=actor, item=found, mission=mission, feedback=body.feedback)
    else:
        given = fields_of(body, "reason", "feedback", "rest_until")
        review.discard_item(actor=actor, item=found, **given)
    return refreshed(found, item_out)


@router.post(
    "/projects/{project}/fallback/items/{item}/snooze", response=ItemOut, tags=["fallback"], summary="Snooze a proposal"
)
@needs(FALLBACK_REVIEW, checks_rights=True)
def snooze_fallback_item(request: SiteRequest, body: Snooze, project: str = ProjectKey, item: str = Key) -> dict:
    """Hide a proposal from the review until a given time."""
    found = find_in(MissionFallbackItem, find_project(request, project, Right.REVIEW), item)
    review.snooze_item(actor=request.auth.member, item=found, until=body.until)
    return refreshed(found, item_out)


@router.post(
    "/projects/{project}/fallback/items/{item}/undo",
    response=ItemOut,
    tags=["fallback"],
    summary="Undo a decision",
)
@needs(FALLBACK_REVIEW, checks_rights=True)
def undo_fallback_item(request: SiteRequest, project: str = ProjectKey, item: str = Key) -> dict:
    """Undo your own decision of the last hour, if its mission is unchanged."""
    found = find_in(MissionFallbackItem, find_project(request, project, Right.REVIEW), item)
    review.undo_decision(actor=request.auth.member, item=found)
    return refreshed(found, item_out)


def item_out(item: MissionFallbackItem) -> dict:
    return {
        **fields_of(item, "id", "title", "description", "priority", "estimated_effort_minutes", "status", "reason"),
        **fields_of(item, "feedback", "snoozed_until", "rest_until", "reviewed_at", "created_at"),
        "run": item.run_id,
        "template": item.template_id,
        "project": item.project_id,
        "mission": item.mission_id,
        "duplicate_of": item.duplicate_of_id,
    }

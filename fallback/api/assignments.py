"""The API of assignments: who works on a mission, reviews it, or decides on a proposal."""

from typing import TYPE_CHECKING, Literal, TypeAlias

from ninja import Schema
from pydantic import Field

from fallback.api.base import Key, ProjectKey, StrictSchema, find_in, find_project, router
from fallback.errors import AssigneeLacksRight
from fallback.models import Mission, MissionFallbackItem
from fallback.models.choices import AssignmentKind
from fallback.scopes import FALLBACK_REVIEW, PROJECTS_READ, PROJECTS_WRITE
from fallback.selectors.rights import Right
from fallback.services.assignments import assign_item, assign_mission
from groups.models import Member
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import needs

if TYPE_CHECKING:
    KindName: TypeAlias = str
else:
    KindName = Literal[*AssignmentKind.values]

PERSON = "FE-P-00007"


class AssignmentsOut(Schema):
    """Member IDs; null for no one."""

    work: str | None = Field(examples=[PERSON])
    review: str | None = Field(examples=[None])


class Assignee(StrictSchema):
    member: str = Field(max_length=32, description="Member ID; empty for no one.", examples=[PERSON])


class MissionAssignee(Assignee):
    kind: KindName = Field(examples=["work"])


@router.get(
    "/projects/{project}/missions/{mission}/assignments",
    response=AssignmentsOut,
    summary="Show to whom a mission is assigned",
)
@needs(PROJECTS_READ, checks_rights=True)
def get_mission_assignments(request: SiteRequest, project: str = ProjectKey, mission: str = Key) -> dict:
    """Who works on a mission, and who reviews it."""
    return _assignments(find_in(Mission, find_project(request, project), mission))


@router.post("/projects/{project}/missions/{mission}/assign", response=AssignmentsOut, summary="Assign a mission")
@needs(PROJECTS_WRITE, checks_rights=True)
def assign_project_mission(
    request: SiteRequest, body: MissionAssignee, project: str = ProjectKey, mission: str = Key
) -> dict:
    """Assign a mission to a contributor of the project, who is notified, or to no one."""
    found = find_in(Mission, find_project(request, project, Right.CONTRIBUTE), mission)
    assign_mission(actor=request.auth.member, mission=found, kind=body.kind, member=_member(body.member))
    return _assignments(found)


@router.post("/projects/{project}/fallback/items/{item}/assign", response=AssignmentsOut, summary="Assign a proposal")
@needs(FALLBACK_REVIEW, checks_rights=True)
def assign_fallback_item(request: SiteRequest, body: Assignee, project: str = ProjectKey, item: str = Key) -> dict:
    """Assign a proposal to a reviewer of the project, who is notified, or to no one."""
    found = find_in(MissionFallbackItem, find_project(request, project, Right.REVIEW), item)
    assign_item(actor=request.auth.member, item=found, member=_member(body.member))
    return _assignments(found)


def _member(member_id: str) -> Member | None:
    if not member_id:
        return None
    found = Member.objects.filter(member_id=member_id.upper(), is_active=True).first()
    if found is None:
        raise AssigneeLacksRight
    return found


def _assignments(subject: Mission | MissionFallbackItem) -> dict:
    found = dict(subject.assignments.values_list("kind", "member__member_id"))
    return {"work": found.get(AssignmentKind.WORK), "review": found.get(AssignmentKind.REVIEW)}

"""The API of join requests: asking to join, inviting members, deciding and answering."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from django.http import Http404, HttpResponse
from django.utils.translation import gettext
from ninja import Path, Schema, Status
from pydantic import ConfigDict, Field

from groups.api.missions import MissionKey, NoSuchMember, find_mission
from groups.models import JoinRequest, Member
from groups.rules import MAX_JOIN_REQUEST_TEXT, JoinRequestStatus
from groups.scopes import MISSIONS_READ, MISSIONS_WRITE
from groups.selectors.join_requests import find_join_request
from groups.selectors.join_requests import list_join_requests as find_join_requests
from groups.services.join_requests import (
    MEMBERS_ACCEPT,
    MEMBERS_WITHDRAW,
    accept_request,
    decline_request,
    invite_to_mission,
    request_to_join,
    withdraw_request,
)
from groups.services.waiting_list import join_waiting_list
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Cursor, Limit, Router, needs
from missionsite.common.api.pagination import PER_PAGE, PageCursor, paginate
from missionsite.common.errors import NotAllowed

if TYPE_CHECKING:
    # A type checker does not read the choices.
    StatusName = str
else:
    StatusName = Literal[*JoinRequestStatus.values]
router = Router(tags=["missions"])
SEE = "groups.view_joinrequest"
DECIDE = "groups.manage_memberships"


class JoinRequestOut(Schema):
    """A request to join a mission, or an invitation to one."""

    id: uuid.UUID = Field(examples=["0b7c5a44-6f0e-4d6e-8d36-0d4f6a0d0a11"])
    mission: str = Field(description="Stable ID of the mission.", examples=["FE-M-00002"])
    member: str = Field(description="Stable ID of the member.", examples=["FE-P-00007"])
    kind: str = Field(
        description="`request`, `invitation` or `waiting`, for the waiting list of a full mission.",
        examples=["request"],
    )
    status: str = Field(
        description="`open`, `offered`, `accepted`, `declined`, `withdrawn` or `expired`.", examples=["open"]
    )
    message: str = Field(description="Of who asked or invited.", examples=["I can help with the videos."])
    reason: str = Field(description="Of who decided.", examples=[""])
    created_at: datetime = Field(examples=["2026-03-01T09:30:00Z"])
    offered_until: datetime | None = Field(description="Until when a place is offered.", examples=[None])
    decided_at: datetime | None = Field(examples=[None])


class JoinRequestPage(Schema):
    items: list[JoinRequestOut]
    next: str | None = Field(examples=[None])


class NewRequest(Schema):
    """What the managers of the mission read. Leave the body out for no message."""

    model_config = ConfigDict(extra="forbid")

    message: str = Field(default="", max_length=MAX_JOIN_REQUEST_TEXT, examples=["I can help with the videos."])


class NewMissionInvitation(NewRequest):
    """Which member is invited, and what they read."""

    member: str = Field(max_length=20, description="Stable ID of the member.", examples=["FE-P-00007"])


class Answer(Schema):
    """Why. Staff need a reason to decline a request; the member reads it."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(default="", max_length=MAX_JOIN_REQUEST_TEXT, examples=["The mission starts in June."])


RequestKey = Path(..., description="ID of the join request.", examples=["0b7c5a44-6f0e-4d6e-8d36-0d4f6a0d0a11"])


@router.get("/join-requests", response=JoinRequestPage, summary="List join requests")
@needs(MISSIONS_READ, staff=[SEE])
def list_join_requests(
    request: SiteRequest,
    response: HttpResponse,
    status: StatusName | None = None,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
):
    """List your requests and invitations, newest first; as staff those of all members.

    `status`: only those with this status.
    """
    caller = request.auth
    own = caller.member if caller.is_restricted else None
    position = PageCursor("join requests", (str(own.pk) if own else None, status))
    rows = find_join_requests(member=own, status=status, after=position.read(cursor), at_most=limit + 1)
    page = paginate(request, response, position, rows, limit, lambda row: (row.created_at, row.pk))
    return page | {"items": [_out(row, own or row.member) for row in page["items"]]}


@router.post("/missions/{key}/requests", response={201: JoinRequestOut}, summary="Ask to join a mission")
@needs(MISSIONS_WRITE, staff=["groups.view_mission"])
def ask_to_join(request: SiteRequest, key: str = MissionKey, order: NewRequest | None = None):
    """Ask to join a mission that members join by request. Only one request or invitation per mission can be open.

    Fails if the mission is archived or has another policy, you are in it, or your trust score is too low.
    """
    member = request.auth.member
    message = order.message if order else ""
    made = request_to_join(actor=member, mission=find_mission(key), message=message)
    return Status(201, _out(made, member))


@router.post("/missions/{key}/waiting-list", response={201: JoinRequestOut}, summary="Join a waiting list")
@needs(MISSIONS_WRITE, staff=["groups.view_mission"])
def enter_waiting_list(request: SiteRequest, key: str = MissionKey, order: NewRequest | None = None):
    """Enter the waiting list of a full, open mission. A place that becomes free is offered in the order of the list."""
    member = request.auth.member
    made = join_waiting_list(actor=member, mission=find_mission(key), message=order.message if order else "")
    return Status(201, _out(made, member))


@router.post("/missions/{key}/invitations", response={201: JoinRequestOut}, summary="Invite a member to a mission")
@needs(MISSIONS_WRITE, staff=["groups.view_mission", DECIDE])
def invite_member(request: SiteRequest, order: NewMissionInvitation, key: str = MissionKey):
    """Invite a member to a mission, for staff. The member accepts or declines."""
    if request.auth.is_restricted:
        raise NotAllowed(gettext("Only staff can invite members to a mission."))
    member = Member.objects.filter(member_id=order.member).first()
    if member is None:
        raise NoSuchMember
    made = invite_to_mission(actor=request.auth.member, member=member, mission=find_mission(key), message=order.message)
    return Status(201, _out(made, member))


@router.post("/join-requests/{request_id}/accept", response=JoinRequestOut, summary="Accept a join request")
@needs(MISSIONS_WRITE, staff=[SEE, DECIDE])
def accept_join_request(request: SiteRequest, request_id: uuid.UUID = RequestKey, order: Answer | None = None):
    """Accept an invitation or an offered place; as staff, a request. The member is added to the mission.

    An accepted request for a full mission becomes the last entry of its waiting list.
    """
    return _answer(request, request_id, order, accept_request)


@router.post("/join-requests/{request_id}/decline", response=JoinRequestOut, summary="Decline a join request")
@needs(MISSIONS_WRITE, staff=[SEE, DECIDE])
def decline_join_request(request: SiteRequest, request_id: uuid.UUID = RequestKey, order: Answer | None = None):
    """Decline an invitation or an offered place; as staff, a request, with a reason that the member reads."""
    return _answer(request, request_id, order, decline_request)


@router.post("/join-requests/{request_id}/withdraw", response=JoinRequestOut, summary="Withdraw a join request")
@needs(MISSIONS_WRITE, staff=[SEE, DECIDE])
def withdraw_join_request(request: SiteRequest, request_id: uuid.UUID = RequestKey, order: Answer | None = None):
    """Withdraw your request or leave a waiting list; as staff, an invitation or an entry of a waiting list."""
    return _answer(request, request_id, order, withdraw_request)


def _answer(request: SiteRequest, request_id: uuid.UUID, order: Answer | None, run: Callable[..., object]) -> dict:
    """Run a service for a request of the caller, or for staff of anyone. Raises Http404."""
    caller = request.auth
    found = find_join_request(request_id, member=caller.member if caller.is_restricted else None)
    if found is None:
        raise Http404(gettext("There is no such join request that you can see."))
    # Staff answer their own invitations and withdraw their own requests like other members.
    answers = MEMBERS_WITHDRAW if run is withdraw_request else MEMBERS_ACCEPT
    own = caller.is_restricted or (found.member_id == caller.member.pk and found.kind in answers)
    run(actor=caller.member, request=found, reason=order.reason if order else "", own=own)
    found.refresh_from_db(fields=["kind", "status", "reason", "decided_at", "queued_at"])
    return _out(found, caller.member if caller.is_restricted else found.member)


def _out(request: JoinRequest, member: Member) -> dict:
    return {
        "mission": request.group.stable_id,
        "member": member.member_id,
        **{
            name: getattr(request, name)
            for name in ("id", "kind", "status", "message", "reason", "created_at", "offered_until", "decided_at")
        },
    }

"""The API of missions: listing, members, joining and leaving."""

import re
import uuid
from datetime import date, datetime

from django.http import Http404, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from ninja import Body, Path, Schema, Status
from pydantic import ConfigDict, Field

from groups.models import Group, Member, Membership
from groups.scopes import MEMBERS_READ, MISSIONS_READ, MISSIONS_WRITE, PROFILE_READ
from groups.selectors.missions import get_active_mission, list_active_missions, list_members
from groups.services import memberships
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Caller, Cursor, Limit, Router, needs
from missionsite.common.api.pagination import PER_PAGE, PageCursor, paginate
from missionsite.common.errors import DomainError, NotAllowed

router = Router(tags=["missions"])

_STABLE_ID = re.compile(r"FE-[A-Z]-[0-9]{5,14}")


class NoSuchMember(DomainError):
    message = _("There is no member with this stable ID.")
    code = "no_such_member"
    field = "member"
    status = 422


class Me(Schema):
    """The member of this token, and the token's scopes."""

    id: uuid.UUID = Field(examples=["6f1f3b0e-5a53-4d0e-9f5a-0d8a2a4c8f11"])
    member_id: str = Field(description="Stable ID; never changes.", examples=["FE-P-00007"])
    display_name: str = Field(examples=["Noor Haddad"])
    email: str = Field(examples=["noor@example.org"])
    trust_score: int = Field(examples=[320])
    is_staff: bool = Field(examples=[False])
    token_name: str = Field(examples=["calendar sync"])
    token_scopes: list[str] = Field(examples=[["missions:read", "missions:write"]])
    token_expires_at: datetime = Field(examples=["2027-01-31T00:00:00Z"])


class Mission(Schema):
    """An active mission, as the member of this token sees it."""

    id: uuid.UUID = Field(examples=["20000000-0000-0000-0000-000000000002"])
    stable_id: str = Field(examples=["FE-M-00002"])
    name: str = Field(examples=["Content Creation"])
    description: str = Field(examples=["Make material others learn from."])
    min_trust_score: int | None = Field(description="Points needed to join; null for no threshold.", examples=[250])
    member_count: int = Field(description="Number of current members.", examples=[12])
    task_count: int = Field(description="Number of open tasks.", examples=[3])
    is_member: bool = Field(description="Whether you are a member.", examples=[False])
    is_eligible: bool = Field(description="Whether your trust score is high enough to join.", examples=[True])
    join_policy: str = Field(
        description="`open`: join at once; `request`: ask, and staff decide; `invitation`: staff invite.",
        examples=["open"],
    )
    max_members: int | None = Field(description="Most members at a time; null for any number.", examples=[None])
    free_places: int | None = Field(
        description="Places that you can take; with 0, join the waiting list. Null without a maximum.", examples=[None]
    )
    missing_points: int = Field(description="Trust score points that you lack to join; 0 for none.", examples=[0])


class MissionPage(Schema):
    items: list[Mission]
    next: str | None = Field(
        description="Address of the next page; null on the last.", examples=["/api/missions?limit=50&cursor=WzI1MC…"]
    )


class MissionMember(Schema):
    """A current member of the mission."""

    member_id: uuid.UUID = Field(examples=["6f1f3b0e-5a53-4d0e-9f5a-0d8a2a4c8f11"])
    member_stable_id: str = Field(examples=["FE-P-00007"])
    display_name: str = Field(examples=["Noor Haddad"])
    email: str | None = Field(description="Only for staff who may see members.", examples=[None])
    role: str = Field(examples=["Member"])
    joined_at: datetime = Field(examples=["2026-03-01T09:30:00Z"])


class MissionMemberPage(Schema):
    items: list[MissionMember]
    next: str | None = Field(examples=[None])


class MembershipOut(Schema):
    """One period in which a member belongs to a mission. Re-joining adds a new one."""

    id: uuid.UUID = Field(examples=["0b7c5a44-6f0e-4d6e-8d36-0d4f6a0d0a10"])
    mission: str = Field(description="Stable ID of the mission.", examples=["FE-M-00002"])
    member: str = Field(description="Stable ID of the member.", examples=["FE-P-00007"])
    role: str = Field(examples=["Member"])
    role_until: datetime | None = Field(description="End of the role; null for none.", examples=[None])
    status: str = Field(description="`active` or `left`.", examples=["active"])
    joined_at: datetime = Field(examples=["2026-03-01T09:30:00Z"])
    left_at: datetime | None = Field(examples=[None])


class MembershipRequest(Schema):
    """Which member, and why. Leave the body out to join or leave yourself."""

    model_config = ConfigDict(extra="forbid")

    member: str | None = Field(
        default=None, max_length=20, description="Stable ID of another member; staff only.", examples=["FE-P-00007"]
    )
    reason: str = Field(default="", max_length=500, description="Stored with the event.", examples=["Asked by e-mail"])


MissionKey = Path(..., description="Stable ID (FE-M-00002) or UUID of the mission.", examples=["FE-M-00002"])
NoOrder = Body(None)


@router.get("/me", response=Me, tags=["you"], summary="Show the token's member")
@needs(PROFILE_READ)
def get_me(request: SiteRequest):
    """Return the member of this token, and the token's scopes."""
    member, token = request.auth.member, request.auth.token
    return {
        **{name: getattr(member, name) for name in ("id", "member_id", "display_name", "email", "trust_score")},
        "is_staff": member.is_staff,
        "token_name": token.name,
        "token_scopes": token.scopes,
        "token_expires_at": token.expires_at,
    }


@router.get("/missions", response=MissionPage, summary="List active missions")
@needs(MISSIONS_READ, staff=["groups.view_mission"])
def list_missions(
    request: SiteRequest,
    response: HttpResponse,
    q: str | None = None,
    eligible: bool | None = None,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
):
    """List active missions by required trust score, then by name.

    `q`: the beginning of the name. `eligible`: only those whose threshold you reach (true) or do not reach (false).
    """
    position = PageCursor("missions", (q, eligible))
    rows = list_active_missions(
        request.auth.member, prefix=q, eligible=eligible, after=position.read(cursor), at_most=limit + 1
    )
    return paginate(
        request, response, position, rows, limit, lambda row: (row["min_trust_score"], row["name"], row["id"])
    )


@router.get("/missions/{key}", response=Mission, summary="Show a mission")
@needs(MISSIONS_READ, staff=["groups.view_mission"])
def get_mission(request: SiteRequest, key: str = MissionKey):
    """Return one active mission with its counts, and whether you belong to it and may join it."""
    by = _key(key)
    if mission := get_active_mission(request.auth.member, **by):
        return mission
    raise _no_mission(key)


@router.get("/missions/{key}/members", response=MissionMemberPage, summary="List the members of a mission")
@needs(MEMBERS_READ, staff=["groups.view_mission", "groups.view_membership"])
def list_mission_members(
    request: SiteRequest,
    response: HttpResponse,
    key: str = MissionKey,
    on: date | None = None,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
):
    """List the members of a mission, in the order they joined. Members see the current ones of their own missions.

    `on`: those at the end of a day in the site's time zone, for staff only.
    """
    caller, mission = request.auth, find_mission(key)
    if caller.is_restricted and not mission.memberships.active().filter(member_id=caller.member.pk).exists():
        raise NotAllowed(gettext("Only members of a mission can list its members."))
    if on is not None and caller.is_restricted:
        raise NotAllowed(gettext("Only staff can list the members of a day."))
    position = PageCursor("mission members", (str(mission.pk), on.isoformat() if on else None))
    rows = list_members(
        mission,
        on=on,
        after=position.read(cursor),
        at_most=limit + 1,
        with_email=not caller.is_restricted and caller.member.has_perm("groups.view_member"),
    )
    return paginate(request, response, position, rows, limit, lambda row: (row["joined_at"], row["id"]))


@router.post("/missions/{key}/join", response={201: MembershipOut}, summary="Join a mission")
@needs(MISSIONS_WRITE, staff=["groups.view_mission", "groups.manage_memberships"])
def join_mission(request: SiteRequest, key: str = MissionKey, order: MembershipRequest = NoOrder):
    """Join a mission. Fails if the mission is archived, you are already in it, your trust score is too low, the mission
    is full, or it is joined by request or by invitation.

    Staff can add another member, to any mission.
    """
    order = order or MembershipRequest()
    caller, mission = request.auth, find_mission(key)
    member = _whose(caller, order)
    membership = memberships.join_mission(
        member=member, mission=mission, actor=caller.member, reason=order.reason, own=caller.is_restricted
    )
    return Status(201, _membership_out(membership, mission, member))


@router.post("/missions/{key}/leave", response=MembershipOut, summary="Leave a mission")
@needs(MISSIONS_WRITE, staff=["groups.view_mission", "groups.manage_memberships"])
def leave_mission(request: SiteRequest, key: str = MissionKey, order: MembershipRequest = NoOrder):
    """Leave a mission. The membership is kept; re-joining adds a new one. Staff can remove another member."""
    order = order or MembershipRequest()
    caller, mission = request.auth, find_mission(key)
    member = _whose(caller, order)
    membership = memberships.leave_mission(member=member, mission=mission, actor=caller.member, reason=order.reason)
    return _membership_out(membership, mission, member)


def _key(key: str) -> dict:
    """Return `{"stable_id": …}` or `{"id": …}` for a mission's key. Raises Http404 for an invalid key."""
    if _STABLE_ID.fullmatch(key):
        return {"stable_id": key}
    try:
        return {"id": uuid.UUID(key)}
    except ValueError:
        raise _no_mission(key) from None


def _no_mission(key: str) -> Http404:
    return Http404(gettext("There is no mission %(key)s that you can see.") % {"key": key[:40]})


def find_mission(key: str) -> Group:
    """Return the mission of a key. Raises Http404."""
    if mission := Group.objects.missions().filter(**_key(key)).first():
        return mission
    raise _no_mission(key)


def _whose(caller: Caller, order: MembershipRequest) -> Member:
    """Return the member of a request: the caller, or for staff the named member."""
    if order.member in (None, caller.member.member_id):
        return caller.member
    if caller.is_restricted:
        raise NotAllowed(gettext("You can only join and leave for yourself."))
    if member := Member.objects.filter(member_id=order.member).first():
        return member
    raise NoSuchMember


def _membership_out(membership: Membership, mission: Group, member: Member) -> dict:
    return {
        **{name: getattr(membership, name) for name in ("id", "role", "role_until", "status", "joined_at", "left_at")},
        "mission": mission.stable_id,
        "member": member.member_id,
    }

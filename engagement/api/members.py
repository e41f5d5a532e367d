"""The caller's own state, transitions and preferences, and the state of a member for staff.

Operations on the caller's own data run under the member role, also for staff.
"""

from datetime import datetime

from django.db.models import Q
from django.http import HttpResponse
from ninja import Schema
from pydantic import Field

from engagement.api.base import (
    AN_INSTANT,
    ChannelName,
    DestinationName,
    LocaleName,
    MemberKey,
    Order,
    TopicName,
    TriggerName,
    find_member,
    router,
)
from engagement.models import EngagementStateTransition, UserEngagementState, UserProfile
from engagement.rules import OWN_DETAILS, State
from engagement.scopes import ENGAGEMENT_READ, ENGAGEMENT_WRITE
from engagement.services.lifecycle import transition
from engagement.services.profiles import update_profile
from groups.models import Member
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Cursor, Limit, needs
from missionsite.common.api.pagination import PER_PAGE, PageCursor, paginate


class StateOut(Schema):
    """Lifecycle state of a member."""

    state: str = Field(
        description="`active`, `goodbye_sent`, `help_flow`, `remind_later` or `dormant`.", examples=["active"]
    )
    since: datetime | None = Field(
        description="Time of the last transition; null if there is none.", examples=[AN_INSTANT]
    )
    last_activity_at: datetime | None = Field(examples=[AN_INSTANT])
    goodbye_expires_at: datetime | None = Field(description="End of the time to reply to a goodbye.", examples=[None])
    remind_at: datetime | None = Field(description="End of the snooze.", examples=[None])


class TransitionOut(Schema):
    """One transition."""

    from_state: str = Field(examples=["active"])
    to_state: str = Field(examples=["goodbye_sent"])
    trigger: str = Field(examples=["inactivity_14d"])
    metadata: dict = Field(
        description="`days_inactive`; after a goodbye `response_type`; after dormancy `unprompted_return`.",
        examples=[{"days_inactive": 14}],
    )
    created_at: datetime = Field(examples=[AN_INSTANT])

    @staticmethod
    def resolve_metadata(row: EngagementStateTransition) -> dict:
        return {name: row.metadata[name] for name in OWN_DETAILS if name in row.metadata}


class TransitionPage(Schema):
    items: list[TransitionOut]
    next: str | None = Field(examples=[None])


class ProfileOut(Schema):
    """Your message preferences."""

    preferred_destination: str = Field(description="`individual` or `group`.", examples=["individual"])
    reengagement_opt_out: bool = Field(
        description="Whether unsolicited messages are off. Replies to your own actions are still sent.",
        examples=[False],
    )
    locale: str = Field(description="`en` or `pt-BR`.", examples=["pt-BR"])
    timezone: str = Field(examples=["America/Sao_Paulo"])
    muted_topics: list[str] = Field(
        description="Topics on which you get no announcements, sequences and reviews.", examples=[["events"]]
    )
    channels: list[str] = Field(
        description=(
            "Channels in the order in which they are used: `email`, `telegram`, `whatsapp`, `chat`. Empty: as the site."
        ),
        examples=[["telegram", "email"]],
    )


class ProfileChange(Order):
    preferred_destination: DestinationName | None = Field(None, examples=["group"])
    reengagement_opt_out: bool | None = Field(None, examples=[True])
    locale: LocaleName | None = Field(None, examples=["pt-BR"])
    timezone: str | None = Field(None, max_length=64, examples=["America/Sao_Paulo"])
    muted_topics: list[TopicName] | None = Field(None, max_length=20, examples=[["events"]])
    channels: list[ChannelName] | None = Field(None, max_length=20, examples=[["telegram", "email"]])


class MoveOrder(Order):
    trigger: TriggerName = Field(examples=["user_message"])


@router.get("/engagement/me", response=StateOut, summary="Get your engagement state")
@needs(ENGAGEMENT_READ, own=True)
def get_my_engagement(request: SiteRequest) -> dict:
    """Return your lifecycle state and its dates."""
    return _state_out(request.auth.member)


@router.get("/engagement/me/transitions", response=TransitionPage, summary="List your transitions")
@needs(ENGAGEMENT_READ, own=True)
def list_my_transitions(
    request: SiteRequest, response: HttpResponse, limit: Limit = PER_PAGE, cursor: Cursor = None
) -> dict:
    """List the transitions of your state, newest first."""
    member = request.auth.member
    position = PageCursor("engagement transitions", (str(member.pk),))
    # The member role cannot read the other columns.
    columns = ("from_state", "to_state", "trigger", "metadata", "created_at")
    rows = EngagementStateTransition.objects.filter(user=member).only(*columns).order_by("-created_at", "-pk")
    if key := position.read(cursor):
        at = datetime.fromisoformat(key[0])
        rows = rows.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=key[1]))
    return paginate(request, response, position, list(rows[: limit + 1]), limit, lambda row: (row.created_at, row.pk))


@router.get("/engagement/me/profile", response=ProfileOut, summary="Get your message preferences")
@needs(ENGAGEMENT_READ, own=True)
def get_my_profile(request: SiteRequest) -> UserProfile:
    """Return your destination, channels, language, time zone and opt-out."""
    return UserProfile.objects.get(pk=request.auth.member.pk)


@router.patch("/engagement/me/profile", response=ProfileOut, summary="Change your message preferences")
@needs(ENGAGEMENT_WRITE, own=True)
def change_my_profile(request: SiteRequest, order: ProfileChange) -> UserProfile:
    """Change the given fields. Pending messages are sent to a changed destination."""
    member = request.auth.member
    changes = {name: value for name, value in order.dict(exclude_unset=True).items() if value is not None}
    return update_profile(actor=member, member=member, **changes)


@router.post("/engagement/members/{member_id}/transitions", response=StateOut, summary="Change the state of a member")
@needs(ENGAGEMENT_WRITE, staff=["engagement.move_userengagementstate"], checks_rights=True)
def move_member(request: SiteRequest, order: MoveOrder, member_id: str = MemberKey) -> dict:
    """Apply a trigger. 409 if it is not valid in the member's state; the error lists the valid triggers."""
    request.auth.need("engagement.move_userengagementstate")
    member = find_member(member_id)
    transition(actor=request.auth.member, member=member, trigger=order.trigger)
    return _state_out(member)


def _state_out(member: Member) -> dict:
    row = UserEngagementState.objects.filter(user=member).first()
    if row is None:
        return dict.fromkeys(StateOut.model_fields) | {"state": State.ACTIVE.value}
    moves = EngagementStateTransition.objects.filter(user=member).order_by("-created_at", "-pk")
    return {
        "state": row.state,
        "since": moves.values_list("created_at", flat=True).first(),
        "last_activity_at": row.last_activity_at,
        "goodbye_expires_at": row.goodbye_expires_at,
        "remind_at": row.remind_at,
    }

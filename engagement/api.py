"""API of this app: the caller's own engagement, members and messages for staff, and the gateway.

Operations on the caller's own data run under the member role, also for staff.
"""

from datetime import UTC, datetime
from typing import Literal

from django.conf import settings
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from ninja import Body, Path, Query, Schema
from pydantic import AwareDatetime, ConfigDict, Field, field_validator, model_validator

from engagement.errors import SenderUnknown
from engagement.models import EngagementMessage, EngagementStateTransition, UserEngagementState, UserProfile
from engagement.rules import Destination, Locale, State, Status, TransitionTrigger
from engagement.scopes import ENGAGEMENT_READ, ENGAGEMENT_WRITE
from engagement.selectors.members import find_sender
from engagement.services import messages as queue
from engagement.services.inbound import handle_inbound
from engagement.services.lifecycle import transition
from engagement.services.profiles import update_profile
from groups.models import Member
from missionsite.common.api import Cursor, Limit, Router, needs, signed
from missionsite.common.api.pagination import PER_PAGE, PageCursor, paginate

router = Router(tags=["engagement"])

IGNORED = "ignored"
AN_INSTANT = "2026-11-20T09:30:00Z"
DestinationName = Literal[*Destination.values]  # type: ignore[valid-type]
LocaleName = Literal[*Locale.values]  # type: ignore[valid-type]
StatusName = Literal[*Status.values]  # type: ignore[valid-type]
TriggerName = Literal[*TransitionTrigger.values]  # type: ignore[valid-type]


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
        description="`days_inactive`, and after a goodbye `response_type`.", examples=[{"days_inactive": 14}]
    )
    created_at: datetime = Field(examples=[AN_INSTANT])


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


class MessageOut(Schema):
    """A message to a member."""

    id: int = Field(examples=[4711])
    member: str = Field(description="Stable ID.", examples=["FE-P-00007"])
    message_type: str = Field(examples=["weekly_review"])
    message_key: str = Field(description="Key of its template.", examples=["weekly_review"])
    destination: str = Field(examples=["individual"])
    status: str = Field(description="`pending`, `sent`, `failed` or `cancelled`.", examples=["failed"])
    waiting_for: str = Field(
        description="Why a pending message was rescheduled: `quiet_hours`, `frequency_cap`, `retry` or `staff`.",
        examples=[""],
    )
    scheduled_for: datetime = Field(examples=[AN_INSTANT])
    sent_at: datetime | None = Field(examples=[None])
    delivered_at: datetime | None = Field(examples=[None])
    retry_count: int = Field(description="Failed attempts.", examples=[3])
    error_message: str = Field(examples=["The gateway responded 422: unknown chat"])
    idempotency_key: str = Field(examples=["6f1f3b0e-5a53-4d0e-9f5a-0d8a2a4c8f11:weekly_review:2026-W47"])
    created_at: datetime = Field(examples=[AN_INSTANT])


class MessagePage(Schema):
    items: list[MessageOut]
    next: str | None = Field(examples=[None])


class InboundOut(Schema):
    """Effect of a message."""

    effect: str = Field(
        description=(
            "`user_message`, `goodbye_response_1` to `3`, `opted_out`, `opted_in`, `to_group`, `to_individual`;"
            " `auto_reply`: written by a program, no effect;"
            " `repeated`: received before; `ignored`: no member has this address."
        ),
        examples=["goodbye_response_2"],
    )
    state: str | None = Field(description="State of the member afterwards; null if ignored.", examples=["remind_later"])


class ReceiptOut(Schema):
    known: bool = Field(description="Whether this message was sent.", examples=[True])


class Order(Schema):
    """A request body without unknown fields."""

    model_config = ConfigDict(extra="forbid")


class ProfileChange(Order):
    preferred_destination: DestinationName | None = Field(None, examples=["group"])
    reengagement_opt_out: bool | None = Field(None, examples=[True])
    locale: LocaleName | None = Field(None, examples=["pt-BR"])
    timezone: str | None = Field(None, max_length=64, examples=["America/Sao_Paulo"])


class MoveOrder(Order):
    trigger: TriggerName = Field(examples=["user_message"])


class CancelOrder(Order):
    reason: str = Field("", max_length=500, description="Kept with the message.", examples=["Sent by mistake"])


class GatewayEvent(Order):
    """An event reported by a gateway, with its time."""

    at: AwareDatetime | None = Field(None, description="With UTC offset; by default now.", examples=[AN_INSTANT])

    @field_validator("at")
    @classmethod
    def _clamp_to_now(cls, at: datetime | None) -> datetime | None:
        # Times in the future, from a clock that is ahead, become now.
        if at is not None and at < datetime(2000, 1, 1, tzinfo=UTC):
            raise ValueError("The time must be after 2000-01-01.")
        return at and min(at, timezone.now())


class Inbound(GatewayEvent):
    platform: str = Field(min_length=1, max_length=50, examples=["whatsapp"])
    message_id: str = Field(
        min_length=1,
        max_length=255,
        description="The platform's ID of the message.",
        examples=["wamid.HBgNNTUxMTk5OTk5"],
    )
    sender: str = Field(
        min_length=1, max_length=255, description="Address of the chat.", examples=["5511999990000@c.us"]
    )
    text: str = Field(max_length=70_000, description="Not stored.", examples=["2"])
    auto_submitted: bool | str | None = Field(
        None,
        description=(
            "Whether a program wrote the message: true, or the value of the e-mail header `Auto-Submitted` (RFC 3834)."
            " Such a message has no effect."
        ),
        examples=["auto-replied"],
    )

    @field_validator("auto_submitted", mode="before")
    @classmethod
    def _is_header(cls, value: object) -> object:
        if value is None or isinstance(value, bool) or (isinstance(value, str) and len(value) <= 255):
            return value
        raise ValueError("Enter true, false or the value of the header Auto-Submitted.")


class ReceiptOrder(GatewayEvent):
    idempotency_key: str = Field(
        "",
        max_length=255,
        description="Key of the message. Alternative to `provider_message_id`.",
        examples=["6f1f3b0e:goodbye:2026-03-01"],
    )
    provider_message_id: str = Field(
        "", max_length=255, description="The `id` from the gateway's response.", examples=["wamid.HBgNNTUxMTk5OTk5"]
    )
    status: Literal["delivered", "failed"] = Field(examples=["delivered"])
    error: str = Field("", max_length=1000, description="Why it failed.", examples=["The number has no account."])

    @model_validator(mode="after")
    def _names_one(self) -> "ReceiptOrder":
        if bool(self.idempotency_key) == bool(self.provider_message_id):
            raise ValueError("Enter either idempotency_key or provider_message_id.")
        return self


MemberKey = Path(..., description="Stable ID of the member.", examples=["FE-P-00007"], max_length=20)
MessageId = Path(..., examples=[4711], ge=1, le=2**63 - 1)


# --- The caller's own data ------------------------------------------------------------------------


@router.get("/engagement/me", response=StateOut, summary="Get your engagement state")
@needs(ENGAGEMENT_READ, own=True)
def get_my_engagement(request: HttpRequest):
    """Return your lifecycle state and its dates."""
    return _state_out(request.auth.member)


@router.get("/engagement/me/transitions", response=TransitionPage, summary="List your transitions")
@needs(ENGAGEMENT_READ, own=True)
def list_my_transitions(request: HttpRequest, response: HttpResponse, limit: Limit = PER_PAGE, cursor: Cursor = None):
    """List the transitions of your state, newest first."""
    member = request.auth.member
    position = PageCursor("engagement transitions", (str(member.pk),))
    rows = EngagementStateTransition.objects.filter(user=member).order_by("-created_at", "-pk")
    if key := position.read(cursor):
        at = datetime.fromisoformat(key[0])
        rows = rows.filter(Q(created_at__lt=at) | Q(created_at=at, pk__lt=key[1]))
    return paginate(request, response, position, list(rows[: limit + 1]), limit, lambda row: (row.created_at, row.pk))


@router.get("/engagement/me/profile", response=ProfileOut, summary="Get your message preferences")
@needs(ENGAGEMENT_READ, own=True)
def get_my_profile(request: HttpRequest):
    """Return your destination, language, time zone and opt-out."""
    return UserProfile.objects.get(pk=request.auth.member.pk)


@router.patch("/engagement/me/profile", response=ProfileOut, summary="Change your message preferences")
@needs(ENGAGEMENT_WRITE, own=True)
def change_my_profile(request: HttpRequest, order: ProfileChange):
    """Change the given fields. Pending messages are sent to a changed destination."""
    member = request.auth.member
    changes = {name: value for name, value in order.dict(exclude_unset=True).items() if value is not None}
    return update_profile(actor=member, member=member, **changes)


# --- Staff ----------------------------------------------------------------------------------------


@router.post("/engagement/members/{member_id}/transitions", response=StateOut, summary="Change the state of a member")
@needs(ENGAGEMENT_WRITE, staff=["engagement.move_userengagementstate"], checks_rights=True)
def move_member(request: HttpRequest, order: MoveOrder, member_id: str = MemberKey):
    """Apply a trigger. 409 if it is not valid in the member's state; the error lists the valid triggers."""
    request.auth.need("engagement.move_userengagementstate")
    member = _member(member_id)
    transition(actor=request.auth.member, member=member, trigger=order.trigger)
    return _state_out(member)


@router.get("/engagement/messages", response=MessagePage, summary="List messages")
@needs(ENGAGEMENT_READ, staff=["engagement.view_engagementmessage"], checks_rights=True)
def list_messages(
    request: HttpRequest,
    response: HttpResponse,
    status: StatusName | None = None,
    member: str | None = Query(None, max_length=20, description="Stable ID of a member.", examples=["FE-P-00007"]),
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
):
    """List messages, newest first. `status`, `member`: filters."""
    request.auth.need("engagement.view_engagementmessage")
    rows = EngagementMessage.objects.select_related("user").order_by("-pk")
    if status:
        rows = rows.filter(status=status)
    if member:
        rows = rows.filter(user=_member(member))
    position = PageCursor("engagement messages", (status, member))
    if key := position.read(cursor):
        rows = rows.filter(pk__lt=key[0])
    page = paginate(request, response, position, list(rows[: limit + 1]), limit, lambda row: (row.pk,))
    page["items"] = [_message_out(row) for row in page["items"]]
    return page


@router.post("/engagement/messages/{message_id}/retry", response=MessageOut, summary="Retry a failed message")
@needs(ENGAGEMENT_WRITE, staff=["engagement.handle_engagementmessage"], checks_rights=True)
def retry_message(request: HttpRequest, message_id: int = MessageId):
    """Make a failed message due now and reset its attempts."""
    request.auth.need("engagement.handle_engagementmessage")
    return _message_out(queue.retry_message(actor=request.auth.member, message=_message(message_id)))


@router.post("/engagement/messages/{message_id}/cancel", response=MessageOut, summary="Cancel a message")
@needs(ENGAGEMENT_WRITE, staff=["engagement.handle_engagementmessage"], checks_rights=True)
def cancel_message(request: HttpRequest, message_id: int = MessageId, order: CancelOrder = Body(None)):  # noqa: B008
    """Cancel an unsent message. 409 while it is being sent."""
    request.auth.need("engagement.handle_engagementmessage")
    reason = order.reason if order else ""
    return _message_out(queue.cancel_message(actor=request.auth.member, message=_message(message_id), reason=reason))


# --- Gateway --------------------------------------------------------------------------------------


def _secrets() -> list[str]:
    return settings.ENGAGEMENT_INBOUND_SECRETS


@router.post("/engagement/inbound", response=InboundOut, tags=["gateway"], summary="Deliver a message from a member")
@signed(_secrets, repeatable=_("platform and message_id identify a message"))
def receive_message(request: HttpRequest, order: Inbound):
    """Classify a message from a member's own chat and carry out the request.

    A repeated message of the same platform has no effect. A message from an address that no member has is `ignored`; do
    not send it again.
    """
    try:
        member = find_sender(address=order.sender)
    except SenderUnknown:
        return {"effect": IGNORED, "state": None}
    handled = handle_inbound(
        actor=member,
        text=order.text,
        platform=order.platform,
        message_id=order.message_id,
        at=order.at,
        auto_submitted=order.auto_submitted,
    )
    return vars(handled)


@router.post("/engagement/receipts", response=ReceiptOut, tags=["gateway"], summary="Report the delivery of a message")
@signed(_secrets, repeatable="a repeated receipt changes nothing")
def receive_receipt(request: HttpRequest, order: ReceiptOrder):
    """Record that a message was delivered or failed. A repeated receipt changes nothing.

    `known` is false if no such message was sent, or if it is not recorded as sent yet: retry in a minute.
    """
    found = queue.record_receipt(
        idempotency_key=order.idempotency_key,
        provider_message_id=order.provider_message_id,
        delivered=order.status == "delivered",
        at=order.at or timezone.now(),
        error=order.error,
    )
    return {"known": found is not None}


# --- Helpers --------------------------------------------------------------------------------------


def _member(key: str) -> Member:
    if found := Member.objects.filter(member_id=key).first():
        return found
    raise Http404(_("The member {member} does not exist.").format(member=key))


def _message(key: int) -> EngagementMessage:
    if found := EngagementMessage.objects.filter(pk=key).first():
        return found
    raise Http404(_("The message {message} does not exist.").format(message=key))


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


def _message_out(message: EngagementMessage) -> dict:
    named = MessageOut.model_fields.keys() - {"member"}
    return {name: getattr(message, name) for name in named} | {"member": message.user.member_id}

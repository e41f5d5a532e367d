"""The message queue for staff."""

from datetime import datetime

from django.http import Http404, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Body, Path, Query, Schema
from pydantic import Field

from engagement.api.base import AN_INSTANT, Order, StatusName, find_member, router
from engagement.models import EngagementMessage
from engagement.scopes import ENGAGEMENT_READ, ENGAGEMENT_WRITE
from engagement.services import messages as queue
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Cursor, Limit, needs
from missionsite.common.api.pagination import PER_PAGE, PageCursor, paginate

MessageId = Path(..., examples=[4711], ge=1, le=2**63 - 1)


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


class CancelOrder(Order):
    reason: str = Field("", max_length=500, description="Kept with the message.", examples=["Sent by mistake"])


@router.get("/engagement/messages", response=MessagePage, summary="List messages")
@needs(ENGAGEMENT_READ, staff=["engagement.view_engagementmessage"], checks_rights=True)
def list_messages(
    request: SiteRequest,
    response: HttpResponse,
    status: StatusName | None = None,
    member: str | None = Query(None, max_length=20, description="Stable ID of a member.", examples=["FE-P-00007"]),
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
) -> dict:
    """List messages, newest first. `status`, `member`: filters."""
    request.auth.need("engagement.view_engagementmessage")
    rows = EngagementMessage.objects.select_related("user").order_by("-pk")
    if status:
        rows = rows.filter(status=status)
    if member:
        rows = rows.filter(user=find_member(member))
    position = PageCursor("engagement messages", (status, member))
    if key := position.read(cursor):
        rows = rows.filter(pk__lt=key[0])
    page = paginate(request, response, position, list(rows[: limit + 1]), limit, lambda row: (row.pk,))
    page["items"] = [_message_out(row) for row in page["items"]]
    return page


@router.post("/engagement/messages/{message_id}/retry", response=MessageOut, summary="Retry a failed message")
@needs(ENGAGEMENT_WRITE, staff=["engagement.handle_engagementmessage"], checks_rights=True)
def retry_message(request: SiteRequest, message_id: int = MessageId) -> dict:
    """Make a failed message due now and reset its attempts."""
    request.auth.need("engagement.handle_engagementmessage")
    return _message_out(queue.retry_message(actor=request.auth.member, message=_message(message_id)))


@router.post("/engagement/messages/{message_id}/cancel", response=MessageOut, summary="Cancel a message")
@needs(ENGAGEMENT_WRITE, staff=["engagement.handle_engagementmessage"], checks_rights=True)
def cancel_message(request: SiteRequest, message_id: int = MessageId, order: CancelOrder = Body(None)) -> dict:  # noqa: B008
    """Cancel an unsent message. 409 while it is being sent."""
    request.auth.need("engagement.handle_engagementmessage")
    reason = order.reason if order else ""
    return _message_out(queue.cancel_message(actor=request.auth.member, message=_message(message_id), reason=reason))


def _message(key: int) -> EngagementMessage:
    if found := EngagementMessage.objects.filter(pk=key).first():
        return found
    raise Http404(_("The message {message} does not exist.").format(message=key))


def _message_out(message: EngagementMessage) -> dict:
    named = MessageOut.model_fields.keys() - {"member"}
    return {name: getattr(message, name) for name in named} | {"member": message.user.member_id}

"""Message queue: enqueue messages, actions of staff, and receipts of providers."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from engagement.errors import MessageBeingSent, MessageMoveRejected
from engagement.models import EngagementMessage, UserProfile
from engagement.rules import (
    CANCELLABLE,
    FALLBACK_PERIOD,
    GROUP_TYPES,
    POSTPONABLE,
    RETRYABLE,
    TYPE_TOPICS,
    AddressReport,
    Destination,
    ReceiptStatus,
    Status,
    WaitingFor,
)
from engagement.selectors.addresses import address_of_message, route_of
from engagement.selectors.claims import find_claims
from engagement.services.addresses import record_delivery, report_address
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service


@service
def enqueue(
    *,
    member: Member,
    message_type: str,
    at: datetime | None = None,
    key: str = "",
    params: Mapping | None = None,
    event: str = "",
    on: str = "",
    topic: str = "",
) -> EngagementMessage | None:
    """Add a message to the queue; return None if its idempotency key already exists.

    key: the template, by default that of the type. event, on: parts of the idempotency key, by default the type and the
    day (UTC). topic: by default that of the type. The address is that of the chat; it is updated with the profile until
    the message is sent.
    """
    at = at or timezone.now()
    profile = UserProfile.objects.get(pk=member.pk)
    idempotency_key = f"{member.pk}:{event or message_type}:{on or f'{at.astimezone(UTC):%Y-%m-%d}'}"
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO engagement_message_queue (user_id, message_type, message_key, message_params, destination,
                destination_jid, scheduled_for, idempotency_key, topic)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (idempotency_key) DO NOTHING RETURNING id
            """,
            [
                member.pk,
                message_type,
                key or message_type,
                json.dumps(dict(params or {})),
                *route(profile, message_type),
                at,
                idempotency_key,
                topic or TYPE_TOPICS.get(message_type, ""),
            ],
        )
        made = cursor.fetchone()
    return EngagementMessage.objects.get(pk=made[0]) if made else None


def route(profile: UserProfile, message_type: str) -> tuple[str, str]:
    """Return the destination of a message and its gateway address, which is empty if unknown."""
    if message_type in GROUP_TYPES and profile.preferred_destination == Destination.GROUP:
        return Destination.GROUP, profile.group_jid
    return Destination.INDIVIDUAL, profile.individual_jid


# --- Actions of staff -----------------------------------------------------------------------------


@service
def retry_message(*, actor: Member, message: EngagementMessage) -> EngagementMessage:
    """Make a failed message due now and reset its attempts. Raises MessageMoveRejected, MessageBeingSent."""
    current = _lock_message(message, allowed=RETRYABLE, error=_("A message that is {status} cannot be sent again."))
    current.status, current.retry_count, current.waiting_for = Status.PENDING, 0, WaitingFor.NOTHING
    # The provider may have reported the failure after the message was marked as sent.
    current.scheduled_for, current.sent_at = timezone.now(), None
    current.save(update_fields=["status", "retry_count", "waiting_for", "scheduled_for", "sent_at"])
    _record_event("message.retried", current, actor)
    return current


@service
def cancel_message(*, actor: Member, message: EngagementMessage, reason: str = "") -> EngagementMessage:
    """Cancel an unsent message. Raises MessageMoveRejected, MessageBeingSent."""
    current = _lock_message(message, allowed=CANCELLABLE, error=_("A message that is {status} cannot be cancelled."))
    current.status, current.waiting_for = Status.CANCELLED, WaitingFor.NOTHING
    current.error_message = reason or gettext_noop("Cancelled by staff.")
    current.save(update_fields=["status", "waiting_for", "error_message"])
    _record_event("message.cancelled", current, actor, reason=reason)
    return current


@service
def postpone_message(*, actor: Member, message: EngagementMessage, until: datetime) -> EngagementMessage:
    """Reschedule a pending message. Raises MessageMoveRejected, MessageBeingSent."""
    current = _lock_message(message, allowed=POSTPONABLE, error=_("A message that is {status} cannot be postponed."))
    current.scheduled_for, current.waiting_for = until, WaitingFor.STAFF
    current.save(update_fields=["scheduled_for", "waiting_for"])
    _record_event("message.postponed", current, actor, until=until.isoformat())
    return current


def _lock_message(message: EngagementMessage, *, allowed: tuple[str, ...], error: str) -> EngagementMessage:
    current = EngagementMessage.objects.lock(message.pk, "user")
    if current.status not in allowed:
        raise MessageMoveRejected(error.format(status=current.get_status_display().lower()))
    if find_claims([current.pk]):
        raise MessageBeingSent
    return current


def _record_event(type_: str, message: EngagementMessage, actor: Member, **payload: str) -> None:
    audit(type_, actor=actor, member=message.user, message=message.message_type, **payload)


# --- Receipts -------------------------------------------------------------------------------------


@service
def record_receipt(
    *,
    idempotency_key: str = "",
    provider_message_id: str = "",
    status: ReceiptStatus,
    at: datetime,
    error: str = "",
    is_permanent: bool = True,
    address: str = "",
    channel: str = "",
) -> EngagementMessage | None:
    """Record what a provider reports about a message that it accepted. A repeated receipt changes nothing.

    Looks the message up by idempotency key or by the provider's ID; returns None if no such message was sent.
    is_permanent: of a bounce. address: that bounced or complained, by default the one of the message. channel: that the
    provider sends on; a late receipt of the channel before a fallback is about the address only.

    A bounce for good of a message that was not delivered sends it to the member's next channel.
    """
    lookup = {"idempotency_key": idempotency_key} if idempotency_key else {"provider_message_id": provider_message_id}
    rows = EngagementMessage.objects.select_for_update(of=("self",)).select_related("user")
    message = rows.filter(**lookup).order_by("-id").first()
    delivered = status == ReceiptStatus.DELIVERED
    # A receipt may arrive before the sender has marked the message as sent.
    if message is None or (message.sent_at is None and not (delivered and find_claims([message.pk]))):
        return None
    is_late = channel != "" and message.channel not in ("", channel)
    if is_late and (not address or status not in (ReceiptStatus.BOUNCED, ReceiptStatus.COMPLAINED)):
        return message
    address = address or address_of_message(message)
    if status == ReceiptStatus.COMPLAINED:
        report_address(member=message.user, address=address, report=AddressReport.COMPLAINT, detail=error, at=at)
    elif is_late:
        _report_bounce(message, address, is_permanent, error, at)
    elif delivered:
        if message.delivered_at is None and message.status in (Status.SENT, Status.PENDING):
            message.delivered_at = at
            message.save(update_fields=["delivered_at"])
            record_delivery(member=message.user, address=address)
    # Some providers report a delivery first, and the bounce when the mailbox returns the message.
    elif message.status == Status.SENT and (message.delivered_at is None or status == ReceiptStatus.BOUNCED):
        was_delivered = message.delivered_at is not None
        message.status, message.delivered_at = Status.FAILED, None
        message.error_message = error or gettext_noop("The provider could not deliver it.")
        message.save(update_fields=["status", "error_message", "delivered_at"])
        if status == ReceiptStatus.BOUNCED:
            _report_bounce(message, address, is_permanent, error, at)
            if is_permanent and not was_delivered:
                _send_on_next_channel(message, at)
    return message


def _report_bounce(message: EngagementMessage, address: str, is_permanent: bool, error: str, at: datetime) -> None:
    report = AddressReport.HARD_BOUNCE if is_permanent else AddressReport.SOFT_BOUNCE
    report_address(member=message.user, address=address, report=report, detail=error, at=at)


def _send_on_next_channel(message: EngagementMessage, at: datetime) -> None:
    """Make a message that bounced due again, unless it is old or no other channel reaches the member."""
    sent_at, first = message.sent_at, message.channel
    if not first or sent_at is None or at - sent_at > FALLBACK_PERIOD:
        return
    # No one has received it, so that it may go elsewhere and does not count towards the frequency cap.
    message.channel, message.attempted_at = "", None
    if route_of(message) is None:
        return
    message.status, message.sent_at, message.scheduled_for = Status.PENDING, None, at
    message.retry_count, message.waiting_for, message.provider_message_id = 0, WaitingFor.RETRY, ""
    message.save(
        update_fields=[
            *("status", "sent_at", "scheduled_for", "retry_count", "waiting_for", "provider_message_id"),
            *("channel", "attempted_at"),
        ]
    )
    _record_event("message.rerouted", message, Member.objects.system(), channel=first)

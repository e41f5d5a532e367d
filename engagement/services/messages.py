"""Messages: put one in the queue, and what staff and providers do to those that are there."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from django.db import connection
from django.utils import timezone

from engagement.errors import MessageMoveRejected, MessageUnderWay
from engagement.models import (
    ABORTABLE,
    RETRYABLE,
    Destination,
    EngagementMessage,
    Status,
    UserProfile,
    WaitingFor,
)
from engagement.services import claims
from groups.models import Member
from groups.services.events import record
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
) -> EngagementMessage | None:
    """Put a message in the queue; None where one of the same key is there already.

    key: the template, the type's own when left out. event and on: what the idempotency key says it is about, the
    type and the day (UTC) when left out. The address is what the member prefers now, and follows them until it is sent.
    """
    at = at or timezone.now()
    profile = UserProfile.objects.get(pk=member.pk)
    idempotency_key = f"{member.pk}:{event or message_type}:{on or f'{at.astimezone(UTC):%Y-%m-%d}'}"
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO engagement_message_queue (user_id, message_type, message_key, message_params, destination,
                destination_jid, scheduled_for, idempotency_key)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (idempotency_key) DO NOTHING RETURNING id
            """,
            [
                member.pk,
                message_type,
                key or message_type,
                json.dumps(dict(params or {})),
                profile.preferred_destination,
                address_of(profile),
                at,
                idempotency_key,
            ],
        )
        made = cursor.fetchone()
    return EngagementMessage.objects.get(pk=made[0]) if made else None


def address_of(profile: UserProfile) -> str:
    """Where the gateway reaches a member now; empty where it does not know."""
    is_group = profile.preferred_destination == Destination.GROUP
    return profile.group_jid if is_group else profile.individual_jid


# --- By hand --------------------------------------------------------------------------------------


@service
def retry_message(*, message: EngagementMessage, actor: Member | None = None) -> EngagementMessage:
    """Send a failed message again, with all its tries before it. Raises MessageMoveRejected."""
    current = _hold(message, allowed=RETRYABLE, verb="sent again")
    current.status, current.retry_count, current.waiting_for = Status.PENDING, 0, WaitingFor.NOTHING
    # A failure a provider told later: it was not sent after all.
    current.scheduled_for, current.sent_at = timezone.now(), None
    current.save(update_fields=["status", "retry_count", "waiting_for", "scheduled_for", "sent_at"])
    _happened("message.retried", current, actor)
    return current


@service
def cancel_message(*, message: EngagementMessage, reason: str = "", actor: Member | None = None) -> EngagementMessage:
    """Take a message back that was not sent. Raises MessageMoveRejected, MessageUnderWay."""
    current = _hold(message, allowed=ABORTABLE, verb="cancelled")
    current.status, current.waiting_for = Status.CANCELLED, WaitingFor.NOTHING
    current.error_message = reason or "Cancelled by staff."
    current.save(update_fields=["status", "waiting_for", "error_message"])
    _happened("message.cancelled", current, actor, reason=reason)
    return current


@service
def postpone_message(*, message: EngagementMessage, until: datetime, actor: Member | None = None) -> EngagementMessage:
    """Let a pending message wait. Raises MessageMoveRejected, MessageUnderWay."""
    current = _hold(message, allowed=(Status.PENDING,), verb="postponed")
    current.scheduled_for, current.waiting_for = until, WaitingFor.STAFF
    current.save(update_fields=["scheduled_for", "waiting_for"])
    _happened("message.postponed", current, actor, until=until.isoformat())
    return current


def _hold(message: EngagementMessage, *, allowed: tuple[str, ...], verb: str) -> EngagementMessage:
    current = EngagementMessage.objects.select_for_update(of=("self",)).select_related("user").get(pk=message.pk)
    if current.status not in allowed:
        raise MessageMoveRejected(status=current.get_status_display().lower(), verb=verb)
    if claims.in_hand([current.pk]):
        raise MessageUnderWay
    return current


def _happened(type_: str, message: EngagementMessage, actor: Member | None, **payload) -> None:
    record(type_, actor=actor, member=message.user, message=message.message_type, **payload)


# --- What a provider tells later ------------------------------------------------------------------


@service
def take_receipt(
    *, idempotency_key: str = "", provider_message_id: str = "", delivered: bool, at: datetime, error: str = ""
) -> EngagementMessage | None:
    """Note that a provider delivered a message it had accepted, or could not; told again it changes nothing.

    Named by our key or by the provider's. None where no such message was sent.
    """
    named = {"idempotency_key": idempotency_key} if idempotency_key else {"provider_message_id": provider_message_id}
    message = EngagementMessage.objects.select_for_update().filter(**named).order_by("-id").first()
    # A provider may tell that it delivered a message before its sender has noted that it was sent.
    if message is None or (message.sent_at is None and not (delivered and claims.in_hand([message.pk]))):
        return None
    if message.delivered_at is None and message.status in (Status.SENT, Status.PENDING):
        if delivered:
            message.delivered_at = at
            message.save(update_fields=["delivered_at"])
        else:
            message.status, message.error_message = Status.FAILED, error or "The provider could not deliver it."
            message.save(update_fields=["status", "error_message"])
    return message

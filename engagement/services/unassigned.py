"""Received messages that no member could be found for. Staff assign or dismiss them; none is answered."""

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from engagement.errors import MessageHandledAlready
from engagement.models import UnassignedMessage
from engagement.rules import UNASSIGNED_CHARACTERS, UNASSIGNED_DAYS, UNASSIGNED_PER_SENDER, VERIFIABLE, UnassignedReason
from engagement.selectors.members import claims_of
from engagement.services.addresses import verify_address
from engagement.services.inbound import Handled, handle_inbound
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.retention import RetentionRule, register_rule
from missionsite.common.transactions import service

RETENTION_RULE = "unassigned_messages"
# Rows deleted in one transaction.
BATCH = 1_000


@service
def keep_message(
    *,
    platform: str,
    message_id: str,
    sender: str,
    reason: UnassignedReason,
    text: str = "",
    name: str = "",
    at: datetime | None = None,
) -> bool:
    """Store a message that no member could be found for; return False if it is stored already.

    Of one sender, only so many messages wait at a time; further ones are dropped.
    """
    sender, name = _one_line(sender, 255), _one_line(name, 200)
    waiting = UnassignedMessage.objects.filter(platform=platform, sender=sender, handled_at=None)
    if waiting.count() >= UNASSIGNED_PER_SENDER:
        return False
    row = UnassignedMessage(
        platform=platform,
        message_id=message_id,
        sender=sender,
        sender_name=name,
        text=text.replace("\x00", "")[:UNASSIGNED_CHARACTERS],
        reason=reason,
        received_at=at or timezone.now(),
    )
    before = UnassignedMessage.objects.filter(platform=platform, message_id=message_id).exists()
    UnassignedMessage.objects.bulk_create([row], ignore_conflicts=True)
    return not before


@service
def assign_message(*, actor: Member, row: UnassignedMessage, member: Member) -> Handled:
    """Handle a message as one of a member, and verify its address if it is theirs. Raises MessageHandledAlready."""
    current = _lock(row)
    handled = handle_inbound(actor=member, text=current.text, platform=current.platform, message_id=current.message_id)
    for address in claims_of(platform=current.platform, sender=current.sender):
        if address.user_id == member.pk and address.channel in VERIFIABLE:
            verify_address(actor=actor, row=address)
    _finish(current, member)
    audit("inbound.assigned", actor=actor, member=member, platform=current.platform, effect=handled.effect)
    return handled


@service
def dismiss_message(*, actor: Member, row: UnassignedMessage, reason: str = "") -> UnassignedMessage:
    """Dismiss a message. Raises MessageHandledAlready."""
    current = _lock(row)
    _finish(current, None)
    # Addresses are not copied to the event log.
    audit("inbound.dismissed", actor=actor, platform=current.platform, reason=reason)
    return current


@service
def delete_old_messages(*, actor: Member, at: datetime) -> int:
    """Delete a batch of messages that were received long ago, handled or not; return how many."""
    keys = list(_old_messages(at).values_list("pk", flat=True)[:BATCH])
    deleted, _per_model = UnassignedMessage.objects.filter(pk__in=keys).delete()
    if deleted:
        audit("retention.applied", actor=actor, retained=RETENTION_RULE, number=deleted)
    return deleted


def register_retention() -> None:
    """Register the retention rule, in `AppConfig.ready`."""
    register_rule(
        RetentionRule(
            RETENTION_RULE,
            _("Unassigned messages"),
            timedelta(days=UNASSIGNED_DAYS),
            _("their receipt"),
            _("Deleted."),
            lambda at: _old_messages(at).count(),
            delete_old_messages,
        )
    )


def _old_messages(at: datetime) -> QuerySet[UnassignedMessage]:
    return UnassignedMessage.objects.filter(received_at__lt=at - timedelta(days=UNASSIGNED_DAYS))


def _lock(row: UnassignedMessage) -> UnassignedMessage:
    current = UnassignedMessage.objects.lock(row.pk)
    if current.handled_at is not None:
        raise MessageHandledAlready
    return current


def _finish(row: UnassignedMessage, member: Member | None) -> None:
    row.handled_at, row.user, row.text = timezone.now(), member, ""
    row.save(update_fields=["handled_at", "user", "text"])


def _one_line(text: str, length: int) -> str:
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[:length]

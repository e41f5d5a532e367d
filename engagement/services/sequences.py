"""Sequences: messages that follow an event of a member, and the sweep that queues them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from engagement.errors import TemplateMissing
from engagement.models import EngagementMessage, MessageTemplate, Sequence, SequenceMember, SequenceStep
from engagement.rules import CONTROL_GROUP, STEP_GRACE_DAYS, Locale, MessageType, SequenceStart
from engagement.selectors.addresses import goes_by_email, site_channels
from engagement.selectors.claims import database_now
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.changes import apply_changes, check_fields
from missionsite.common.sql_loader import read_sql
from missionsite.common.transactions import service

BATCH = 1_000
_QUEUE = read_sql("engagement/queries/queue_sequence_steps")
_END = read_sql("engagement/queries/end_sequences")


@service
def start_sequences(*, member: Member, start: SequenceStart, at: datetime) -> int:
    """Start the sequences in use for a member, and queue their first steps; return the number of started ones.

    A sequence starts once per member. A member who was welcomed before sequences existed is not welcomed again.
    """
    if start == SequenceStart.APPROVED:
        welcomed = EngagementMessage.objects.filter(user=member, message_type=MessageType.WELCOME)
        if welcomed.exists():
            return 0
    rows = [
        SequenceMember(sequence=sequence, user=member, started_at=at)
        for sequence in Sequence.objects.filter(start=start, is_enabled=True)
    ]
    before = SequenceMember.objects.filter(user=member).count()
    SequenceMember.objects.bulk_create(rows, ignore_conflicts=True)
    _queue_steps(at=at, only=member.pk)
    return SequenceMember.objects.filter(user=member).count() - before


def advance_sequences(*, at: datetime | None = None) -> int:
    """Queue the due steps of all members, and end the sequences that are over; return the number of messages.

    One transaction per batch. A repeated or concurrent run queues nothing twice.
    """
    at = at or database_now()
    while _end(at):
        pass
    queued = 0
    while made := _queue_steps(at=at):
        queued += made
    return queued


def _queue_steps(*, at: datetime, only: UUID | None = None) -> int:
    values: dict[str, Any] = {
        "at": at,
        "only": only,
        "most": BATCH,
        "grace_days": STEP_GRACE_DAYS,
        "by_email": goes_by_email(),
        "channels": site_channels(),
        "control_percent": settings.ENGAGEMENT_CONTROL_GROUP_PERCENT,
        "control": CONTROL_GROUP,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_QUEUE, values)
        return cursor.fetchone()[0]


def _end(at: datetime) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_END, {"at": at, "most": BATCH, "grace_days": STEP_GRACE_DAYS})
        return cursor.rowcount


# --- Editing --------------------------------------------------------------------------------------


@service
def add_sequence(*, actor: Member, name: str, start: str, topic: str, is_enabled: bool = False) -> Sequence:
    """Add a sequence without steps."""
    made = Sequence.objects.create(name=name, start=start, topic=topic, is_enabled=is_enabled)
    audit("sequence.created", actor=actor, sequence=name)
    return made


@service
def change_sequence(*, actor: Member, sequence: Sequence, **changes: Any) -> Sequence:
    """Change a sequence. Messages that are queued stay."""
    check_fields(changes, "name", "start", "topic", "is_enabled")
    current = Sequence.objects.lock(sequence.pk)
    if changed := apply_changes(current, changes):
        audit("sequence.changed", actor=actor, sequence=current.name, changed=changed)
    return current


@service
def add_step(
    *,
    actor: Member,
    sequence: Sequence,
    template_key: str,
    delay_days: int = 0,
    condition: str = "always",
    is_enabled: bool = True,
) -> SequenceStep:
    """Add a step. Raises TemplateMissing if the template has no English text."""
    check_template(template_key)
    made = SequenceStep.objects.create(
        sequence=sequence,
        template_key=template_key,
        delay_days=delay_days,
        condition=condition,
        is_enabled=is_enabled,
    )
    audit("sequence.step_added", actor=actor, sequence=sequence.name, step=template_key)
    return made


@service
def change_step(*, actor: Member, step: SequenceStep, **changes: Any) -> SequenceStep:
    """Change a step. Raises TemplateMissing."""
    check_fields(changes, "template_key", "delay_days", "condition", "is_enabled")
    if "template_key" in changes:
        check_template(changes["template_key"])
    current = SequenceStep.objects.lock(step.pk, "sequence")
    if changed := apply_changes(current, changes):
        audit("sequence.step_changed", actor=actor, sequence=current.sequence.name, changed=changed)
    return current


def check_template(key: str) -> None:
    """Raise TemplateMissing if a template has no English text, which all members can be sent."""
    if not MessageTemplate.objects.filter(key=key, locale=Locale.EN, announcement=None).exists():
        raise TemplateMissing(key=key)

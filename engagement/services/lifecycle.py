"""Lifecycle transitions and activity. `transition` is the only way to change a state from Python."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from engagement.errors import TransitionRejected
from engagement.models import UserEngagementState
from engagement.rules import (
    MEMBER_TRIGGERS,
    TRANSITION_MESSAGES,
    TRANSITIONS,
    MessageType,
    State,
    TransitionTrigger,
    possible_triggers,
)
from engagement.services.messages import enqueue
from engagement.services.onboarding import restart_onboarding
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.sql_loader import read_sql
from missionsite.common.transactions import service

# Dates that belong to one state.
STATE_DATES = (
    "goodbye_sent_at",
    "goodbye_expires_at",
    "asked_again_at",
    "remind_at",
    "reminder_queued_at",
    "reminder_expires_at",
)


@service
def transition(
    *, actor: Member, member: Member, trigger: str, at: datetime | None = None, response_type: str = ""
) -> UserEngagementState:
    """Change the state of a member; log the transition and queue its message in the same transaction.

    actor: the member, the system member for a trigger of time, or staff, whose ID the log has as `by`. at: time of the
    transition, by default now. response_type: MESSAGE_ONLY if the member answered a goodbye so; the database knows
    the others. A member without a row is active. Raises TransitionRejected, which lists the valid triggers.
    """
    at = at or timezone.now()
    current = lock_state(member)
    after = TRANSITIONS.get((current.state, trigger))
    if after is None:
        raise TransitionRejected(state=current.state, trigger=trigger, possible=possible_triggers(current.state))
    # The dates of a goodbye are set when it is sent.
    dates: dict[str, datetime | None] = dict.fromkeys(STATE_DATES)
    if after == State.REMIND_LATER:
        dates["remind_at"] = at + settings.ENGAGEMENT_REMIND_AFTER
    if trigger in MEMBER_TRIGGERS:
        dates["last_activity_at"] = max(at, current.last_activity_at or at)
    metadata = {} if actor == member or actor.is_system else {"by": actor.member_id}
    if response_type:
        metadata["response_type"] = response_type
    with transition_context(trigger, actor=actor, at=at, metadata=metadata):
        UserEngagementState.objects.filter(pk=current.pk).update(state=after, **dates)
    if after == State.HELP_FLOW:
        restart_onboarding(actor=actor, member=member)
    if message_type := TRANSITION_MESSAGES.get(trigger):
        enqueue(member=member, message_type=message_type, at=at)
    current.refresh_from_db()
    return current


# The actor of a statement in which each member causes their own transition.
OWN: Final = "own"


@service
def ask_again(*, actor: Member, member: Member, at: datetime) -> bool:
    """Ask a member once what they meant by their reply to the goodbye; return whether they are asked now.

    Their time to reply starts again when the question is sent. actor: the member, who wrote the reply.
    """
    asked = UserEngagementState.objects.filter(
        user=member, state=State.GOODBYE_SENT, goodbye_sent_at__isnull=False, asked_again_at=None
    ).update(asked_again_at=at, goodbye_sent_at=None, goodbye_expires_at=None)
    if asked:
        enqueue(member=member, message_type=MessageType.CLARIFICATION, at=at)
        audit("reply.asked_again", actor=actor, member=member)
    return bool(asked)


@contextmanager
def transition_context(
    trigger: str, *, actor: Member | Literal["own"], at: datetime, metadata: Mapping | None = None
) -> Iterator[None]:
    """Set the trigger, actor, time and metadata that the database logs for state changes inside the block.

    actor: a member, the system member for jobs, or OWN. Other changes of the transaction keep their own actor.
    """
    values = [
        trigger,
        at.isoformat(),
        json.dumps(metadata or {}),
        f"{settings.ENGAGEMENT_RETURN_AFTER.total_seconds()}s",
        actor if isinstance(actor, str) else str(actor.pk),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_SET_CONTEXT, values)
        yield
        # After an error the rollback to the savepoint resets the settings.
        cursor.execute(_SET_CONTEXT, ["", "", "", "", ""])


_SET_CONTEXT = """
SELECT set_config('engagement.trigger', %s, true), set_config('engagement.now', %s, true),
       set_config('engagement.metadata', %s, true), set_config('engagement.return_after', %s, true),
       set_config('engagement.actor', %s, true)
"""


def lock_state(member: Member) -> UserEngagementState:
    """Return the member's row, locked until the end of the transaction; create it if there is none."""
    UserEngagementState.objects.bulk_create([UserEngagementState(user=member)], ignore_conflicts=True)
    return UserEngagementState.objects.select_for_update().get(user=member)


# --- Activity -------------------------------------------------------------------------------------

_RECORD_ACTIVITY = read_sql("engagement/queries/record_activity")
_REACTIVATE = read_sql("engagement/queries/reactivate_members")


@service
def record_activity(*, member: Member, at: datetime | None = None, took_part: bool = True) -> None:
    """Record activity of a member; a member who is not active becomes active, with themselves as the actor.

    One statement for an active member; nothing is written within a minute of the last recorded activity. took_part:
    whether they did something that the weekly review thanks for: no visit, and no message to the site.
    """
    record_activities(seen={member.pk: at or timezone.now()}, took_part=took_part)


@service
def record_activities(*, seen: Mapping[UUID, datetime], took_part: bool = True) -> int:
    """Record activity of many members in a fixed number of statements; return how many became active.

    Each member is the actor of their own transition. took_part: see record_activity().
    """
    if not seen:
        return 0
    ordered = sorted(seen.items(), key=lambda one: str(one[0]))
    values: dict[str, Any] = {"ids": [str(key) for key, _at in ordered], "times": [at for _key, at in ordered]}
    values["took_part"] = took_part
    with connection.cursor() as cursor:
        cursor.execute(_RECORD_ACTIVITY, values)
        away = [row[0] for row in cursor.fetchall() if row[0]]
        if not away:
            return 0
        with transition_context(TransitionTrigger.USER_MESSAGE, actor=OWN, at=timezone.now()):
            cursor.execute(_REACTIVATE, values | {"away": away})
            return cursor.rowcount

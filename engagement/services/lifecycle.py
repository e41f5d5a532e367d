"""Lifecycle transitions and activity. `transition` is the only way to change a state from Python."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from engagement.errors import TransitionRejected
from engagement.models import TRANSITIONS, MessageType, State, TransitionTrigger, UserEngagementState, possible_triggers
from engagement.services.messages import enqueue
from engagement.services.onboarding import restart_onboarding
from groups.models import Member
from missionsite.common.transactions import service

# Triggers caused by a message of the member; the others are caused by time.
MEMBER_TRIGGERS = (
    TransitionTrigger.USER_MESSAGE,
    TransitionTrigger.GOODBYE_RESPONSE_1,
    TransitionTrigger.GOODBYE_RESPONSE_2,
    TransitionTrigger.GOODBYE_RESPONSE_3,
)


@service
def transition(*, actor: Member, member: Member, trigger: str, at: datetime | None = None) -> UserEngagementState:
    """Change the state of a member; log the transition and queue its message in the same transaction.

    actor: the member, the system member for a trigger of time, or staff, whose ID the log has as `by`. at: time of the
    transition, by default now. A member without a row is active. Raises TransitionRejected, which lists the valid
    triggers.
    """
    at = at or timezone.now()
    current = _lock_state(member)
    after = TRANSITIONS.get((current.state, trigger))
    if after is None:
        raise TransitionRejected(state=current.state, trigger=trigger, possible=possible_triggers(current.state))
    dates = {"goodbye_sent_at": None, "goodbye_expires_at": None, "remind_at": None}
    if after == State.GOODBYE_SENT:
        dates |= {"goodbye_sent_at": at, "goodbye_expires_at": at + settings.ENGAGEMENT_GOODBYE_EXPIRES_AFTER}
    if after == State.REMIND_LATER:
        dates["remind_at"] = at + settings.ENGAGEMENT_REMIND_AFTER
    if trigger in MEMBER_TRIGGERS:
        dates["last_activity_at"] = max(at, current.last_activity_at or at)
    metadata = {} if actor == member or actor.is_system else {"by": actor.member_id}
    with transition_context(trigger, at=at, metadata=metadata):
        UserEngagementState.objects.filter(pk=current.pk).update(state=after, **dates)
    if trigger == TransitionTrigger.INACTIVITY_14D:
        enqueue(member=member, message_type=MessageType.GOODBYE, at=at)
    if trigger == TransitionTrigger.GOODBYE_RESPONSE_1:
        restart_onboarding(actor=actor, member=member)
        enqueue(member=member, message_type=MessageType.HELP_RESTART, at=at)
    current.refresh_from_db()
    return current


@contextmanager
def transition_context(trigger: str, *, at: datetime, metadata: Mapping | None = None) -> Iterator[None]:
    """Set the trigger, time and metadata that the database logs for state changes inside the block."""
    values = [
        trigger,
        at.isoformat(),
        json.dumps(metadata or {}),
        f"{settings.ENGAGEMENT_RETURN_AFTER.total_seconds()}s",
    ]
    with connection.cursor() as cursor:
        cursor.execute(_SET_CONTEXT, values)
        yield
        # After an error the rollback to the savepoint resets the settings.
        cursor.execute(_SET_CONTEXT, ["", "", "", ""])


_SET_CONTEXT = """
SELECT set_config('engagement.trigger', %s, true), set_config('engagement.now', %s, true),
       set_config('engagement.metadata', %s, true), set_config('engagement.return_after', %s, true)
"""


def _lock_state(member: Member) -> UserEngagementState:
    """Return the member's row, locked until the end of the transaction; create it if there is none."""
    UserEngagementState.objects.bulk_create([UserEngagementState(user=member)], ignore_conflicts=True)
    return UserEngagementState.objects.select_for_update().get(user=member)


# --- Activity -------------------------------------------------------------------------------------


@service
def record_activity(*, member: Member, at: datetime | None = None) -> None:
    """Record activity of a member; a member who is not active becomes active.

    One statement for an active member; nothing is written within a minute of the last recorded activity.
    """
    record_activities(seen={member.pk: at or timezone.now()})


@service
def record_activities(*, seen: Mapping[UUID, datetime]) -> int:
    """Record activity of many members in a fixed number of statements; return how many became active."""
    if not seen:
        return 0
    ordered = sorted(seen.items(), key=lambda one: str(one[0]))
    ids, times = [str(key) for key, _at in ordered], [at for _key, at in ordered]
    with connection.cursor() as cursor:
        cursor.execute(_RECORD_ACTIVITY, [ids, times])
        away = [row[0] for row in cursor.fetchall() if row[0]]
        if not away:
            return 0
        with transition_context(TransitionTrigger.USER_MESSAGE, at=timezone.now()):
            cursor.execute(_REACTIVATE, [ids, times, away])
            return cursor.rowcount


# Returns the members who are not active, whether or not their row was updated.
_RECORD_ACTIVITY = """
INSERT INTO user_engagement_states AS s (user_id, last_activity_at)
SELECT * FROM unnest(%s::uuid[], %s::timestamptz[])
ON CONFLICT (user_id) DO UPDATE
    SET last_activity_at = CASE
        WHEN s.state = 'active' THEN greatest(s.last_activity_at, excluded.last_activity_at)
        ELSE s.last_activity_at END
    WHERE s.state <> 'active' OR s.last_activity_at IS NULL
        OR s.last_activity_at < excluded.last_activity_at - interval '1 minute'
RETURNING CASE WHEN state <> 'active' THEN user_id END
"""
# Activity before the last transition does not change the state. last_activity_at is updated with the state and not
# before, so that the log has the number of inactive days.
_REACTIVATE = """
UPDATE user_engagement_states s
SET state = 'active', goodbye_sent_at = NULL, goodbye_expires_at = NULL, remind_at = NULL,
    last_activity_at = greatest(s.last_activity_at, seen.at)
FROM unnest(%s::uuid[], %s::timestamptz[]) AS seen (user_id, at)
WHERE s.user_id = seen.user_id AND s.user_id = ANY (%s) AND s.state <> 'active'
    AND seen.at > coalesce(
        (SELECT max(t.created_at) FROM engagement_state_transitions t WHERE t.user_id = s.user_id), '-infinity'
    )
"""

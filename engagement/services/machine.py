"""The machine: ten transitions, nothing else. `transition` is the only door; the database rejects the rest too."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from engagement.errors import TransitionRejected
from engagement.models import TRANSITIONS, MessageType, State, Trigger, UserEngagementState, possible
from engagement.services.messages import enqueue
from engagement.services.onboarding import restart_onboarding
from groups.models import Member
from missionsite.common.transactions import service

# Triggers a member pulls by writing; the others are pulled by the clock.
BY_MEMBER = (
    Trigger.USER_MESSAGE,
    Trigger.GOODBYE_RESPONSE_1,
    Trigger.GOODBYE_RESPONSE_2,
    Trigger.GOODBYE_RESPONSE_3,
)


@service
def transition(
    *, member: Member, trigger: str, at: datetime | None = None, metadata: Mapping | None = None
) -> UserEngagementState:
    """Move a member; the state, the log row and the message that goes with it commit together or not at all.

    at: when it happened; now when left out. metadata: kept with the transition, beside days_inactive and what the
    trigger itself says. Who has no row yet begins active. Raises TransitionRejected, which says what is possible.
    """
    at = at or timezone.now()
    current = _hold(member)
    after = TRANSITIONS.get((current.state, trigger))
    if after is None:
        raise TransitionRejected(state=current.state, trigger=trigger, possible=possible(current.state))
    dates = {"goodbye_sent_at": None, "goodbye_expires_at": None, "remind_at": None}
    if after == State.GOODBYE_SENT:
        dates |= {"goodbye_sent_at": at, "goodbye_expires_at": at + settings.ENGAGEMENT_GOODBYE_EXPIRES_AFTER}
    if after == State.REMIND_LATER:
        dates["remind_at"] = at + settings.ENGAGEMENT_REMIND_AFTER
    if trigger in BY_MEMBER:
        dates["last_activity_at"] = max(at, current.last_activity_at or at)
    with naming(trigger, at=at, metadata=metadata):
        UserEngagementState.objects.filter(pk=current.pk).update(state=after, **dates)
    if trigger == Trigger.INACTIVITY_14D:
        enqueue(member=member, message_type=MessageType.GOODBYE, at=at)
    if trigger == Trigger.GOODBYE_RESPONSE_1:
        restart_onboarding(member=member)
        enqueue(member=member, message_type=MessageType.HELP_RESTART, at=at)
    current.refresh_from_db()
    return current


@contextmanager
def naming(trigger: str, *, at: datetime, metadata: Mapping | None = None) -> Iterator[None]:
    """Say to the database why and when states move, for the statements inside."""
    said = [trigger, at.isoformat(), json.dumps(metadata or {}), f"{settings.ENGAGEMENT_RETURN_AFTER.total_seconds()}s"]
    with connection.cursor() as cursor:
        cursor.execute(_SAY, said)
        yield
        # After an error the savepoint takes the settings back by itself.
        cursor.execute(_SAY, ["", "", "", ""])


_SAY = """
SELECT set_config('engagement.trigger', %s, true), set_config('engagement.now', %s, true),
       set_config('engagement.metadata', %s, true), set_config('engagement.return_after', %s, true)
"""


def _hold(member: Member) -> UserEngagementState:
    """The member's row, held to the end of the transaction; made where there is none."""
    UserEngagementState.objects.bulk_create([UserEngagementState(user=member)], ignore_conflicts=True)
    return UserEngagementState.objects.select_for_update().get(user=member)


# --- Activity -------------------------------------------------------------------------------------


@service
def record_activity(*, member: Member, at: datetime | None = None) -> None:
    """Note that a member did something; who was not active comes back.

    One statement for an active member; within a minute of what was noted before, it writes nothing.
    """
    record_activities(seen={member.pk: at or timezone.now()})


@service
def record_activities(*, seen: Mapping[UUID, datetime]) -> int:
    """The same for many members at once, in a fixed number of statements. Returns how many came back."""
    if not seen:
        return 0
    ordered = sorted(seen.items(), key=lambda one: str(one[0]))
    ids, times = [str(key) for key, _at in ordered], [at for _key, at in ordered]
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, [ids, times])
        away = [row[0] for row in cursor.fetchall() if row[0]]
        if not away:
            return 0
        with naming(Trigger.USER_MESSAGE, at=timezone.now()):
            cursor.execute(_RETURN, [ids, times, away])
            return cursor.rowcount


# Returns who is not active, whether or not their row was written.
_NOTE = """
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
# What happened before the last move does not bring anyone back. Until then the last activity stays what it was, so
# that the log says how long they were quiet.
_RETURN = """
UPDATE user_engagement_states s
SET state = 'active', goodbye_sent_at = NULL, goodbye_expires_at = NULL, remind_at = NULL,
    last_activity_at = greatest(s.last_activity_at, seen.at)
FROM unnest(%s::uuid[], %s::timestamptz[]) AS seen (user_id, at)
WHERE s.user_id = seen.user_id AND s.user_id = ANY (%s) AND s.state <> 'active'
    AND seen.at > coalesce(
        (SELECT max(t.created_at) FROM engagement_state_transitions t WHERE t.user_id = s.user_id), '-infinity'
    )
"""

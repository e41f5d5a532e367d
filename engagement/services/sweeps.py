"""Sweeps: time-based transitions and weekly reviews, one statement per batch.

Each batch is one transaction: after a crash the finished batches remain, and the next run continues. Locked rows are
skipped until the next sweep. A repeated or concurrent sweep changes nothing, because the states have changed and the
idempotency keys exist.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from engagement.models import MessageType, TransitionTrigger
from engagement.services.claims import database_now
from engagement.services.lifecycle import transition_context

BATCH = 5_000
# Local hour on Monday from which the review of the previous week is queued.
REVIEW_HOUR = 9


@dataclass(frozen=True)
class Progress:
    """Result of a step so far. moved: number of members or weeks; queued: number of messages."""

    step: str
    moved: int
    queued: int


@dataclass(frozen=True)
class _Step:
    """name: shown in the output. count: statement of a dry run. move: statement of a batch."""

    name: str
    count: str
    move: str
    trigger: str = ""


OnBatch = Callable[[Progress], None]


def sweep_daily(
    *, at: datetime | None = None, dry_run: bool = False, on_batch: OnBatch | None = None, batch: int = BATCH
) -> list[Progress]:
    """Send goodbyes to inactive members; make members dormant whose goodbye or snooze has expired.

    at: used as the current time, by default the database's. dry_run: count only, change nothing.
    """
    return [_run(step, at or database_now(), dry_run, on_batch, batch) for step in (_QUIET, _EXPIRED, _DUE)]


def sweep_weekly(
    *, at: datetime | None = None, dry_run: bool = False, on_batch: OnBatch | None = None, batch: int = BATCH
) -> list[Progress]:
    """On Monday in each member's time zone, queue the review of the previous ISO week for members active in it."""
    return [_run(_REVIEW, at or database_now(), dry_run, on_batch, batch)]


def _run(step: _Step, at: datetime, dry_run: bool, on_batch: OnBatch | None, batch: int) -> Progress:
    values = {
        "at": at,
        "most": batch,
        "quiet_since": at - settings.ENGAGEMENT_INACTIVE_AFTER,
        "expires_after": settings.ENGAGEMENT_GOODBYE_EXPIRES_AFTER,
        "review_hour": REVIEW_HOUR,
        "goodbye": MessageType.GOODBYE,
        "review": MessageType.WEEKLY_REVIEW,
    }
    if dry_run:
        with connection.cursor() as cursor:
            cursor.execute(step.count, values)
            return Progress(step.name, cursor.fetchone()[0], 0)
    moved = queued = 0
    after_time, after_id = None, None
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            values |= {"after_time": after_time, "after_id": after_id}
            if step.trigger:
                with transition_context(step.trigger, at=at):
                    cursor.execute(step.move, values)
            else:
                cursor.execute(step.move, values)
            seen, more, messages, after_time, after_id = cursor.fetchone()
        moved, queued = moved + more, queued + messages
        if on_batch and seen:
            on_batch(Progress(step.name, moved, queued))
        if seen < batch:
            return Progress(step.name, moved, queued)


# Inactive members, least recently active first. Each batch continues after the last row of the previous one.
_IS_QUIET = """
    FROM user_engagement_states s
    JOIN user_profiles p ON p.user_id = s.user_id
    JOIN members m ON m.id = s.user_id
    LEFT JOIN community_members c ON c.person_id = s.user_id
    WHERE s.state = 'active' AND s.last_activity_at <= %(quiet_since)s
"""


def _may_be_sent(message_type: str, state: str) -> str:
    """Return the SQL condition that a message of this type may be sent to a member in this state."""
    return f"""
        engagement_block_reason(
            message_type => {message_type}, is_transactional => false, is_active => m.is_active,
            directory_status => c.status, removed_at => c.deleted_at, has_opted_out => p.reengagement_opt_out,
            state => {state}, announcement_cancelled_at => NULL
        ) IS NULL
    """


# Evaluated for the state after the transition.
_MAY_BE_SENT = _may_be_sent("%(goodbye)s", "'goodbye_sent'")
_QUIET = _Step(
    "goodbye sent",
    f"SELECT count(*) {_IS_QUIET} AND {_MAY_BE_SENT}",
    f"""
    WITH candidates AS MATERIALIZED (
        SELECT s.id, s.user_id, s.last_activity_at, ({_MAY_BE_SENT}) AS may_be_sent,
               p.preferred_destination, CASE p.preferred_destination
                   WHEN 'group' THEN p.group_jid ELSE p.individual_jid END AS address
        {_IS_QUIET}
            AND (%(after_time)s::timestamptz IS NULL
                 OR (s.last_activity_at, s.id) > (%(after_time)s::timestamptz, %(after_id)s::bigint))
        ORDER BY s.last_activity_at, s.id LIMIT %(most)s
        FOR NO KEY UPDATE OF s SKIP LOCKED
    ), moved AS (
        UPDATE user_engagement_states s
        SET state = 'goodbye_sent', goodbye_sent_at = %(at)s,
            goodbye_expires_at = %(at)s + %(expires_after)s::interval
        FROM candidates l WHERE l.may_be_sent AND s.id = l.id
        RETURNING s.user_id, l.preferred_destination, l.address
    ), queued AS (
        INSERT INTO engagement_message_queue (user_id, message_type, message_key, destination, destination_jid,
            scheduled_for, idempotency_key)
        SELECT user_id, %(goodbye)s, %(goodbye)s, preferred_destination, address, %(at)s,
               user_id || ':' || %(goodbye)s || ':' || to_char(%(at)s AT TIME ZONE 'UTC', 'YYYY-MM-DD')
        FROM moved ON CONFLICT (idempotency_key) DO NOTHING
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM candidates), (SELECT count(*) FROM moved), (SELECT count(*) FROM queued),
           last.last_activity_at, last.id
    FROM (SELECT 1) AS always
    LEFT JOIN (
        SELECT last_activity_at, id FROM candidates ORDER BY last_activity_at DESC, id DESC LIMIT 1
    ) AS last ON true
    """,  # noqa: S608 (all parts are constants above)
    TransitionTrigger.INACTIVITY_14D,
)


def _become_dormant(name: str, column: str, state: str, trigger: str) -> _Step:
    """Return the step that makes members dormant whose date in `column` has passed."""
    due = f"FROM user_engagement_states WHERE state = '{state}' AND {column} <= %(at)s"
    return _Step(
        name,
        f"SELECT count(*) {due}",
        f"""
        WITH due AS MATERIALIZED (
            SELECT id, {column} AS since {due}
            ORDER BY {column}, id LIMIT %(most)s FOR NO KEY UPDATE SKIP LOCKED
        ), moved AS (
            UPDATE user_engagement_states s
            SET state = 'dormant', goodbye_sent_at = NULL, goodbye_expires_at = NULL, remind_at = NULL
            FROM due WHERE s.id = due.id
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM moved), 0, NULL::timestamptz, NULL::bigint
        """,  # noqa: S608
        trigger,
    )


_EXPIRED = _become_dormant(
    "goodbye unanswered", "goodbye_expires_at", "goodbye_sent", TransitionTrigger.GOODBYE_TIMEOUT
)
_DUE = _become_dormant("reminder due", "remind_at", "remind_later", TransitionTrigger.REMINDER_DUE)

# On Monday the previous week is complete; a member whose last activity is before its start was not active in it. The
# idempotency key contains the week, so repeated sweeps and clocks that differ queue one message per member and week.
_REVIEWED = f"""
    SELECT s.id, s.last_activity_at, s.user_id, p.preferred_destination,
           CASE p.preferred_destination WHEN 'group' THEN p.group_jid ELSE p.individual_jid END AS address,
           to_char(date_trunc('week', %(at)s AT TIME ZONE p.timezone) - interval '7 days', 'IYYY-"W"IW') AS week
    FROM user_engagement_states s
    JOIN user_profiles p ON p.user_id = s.user_id
    JOIN members m ON m.id = s.user_id
    LEFT JOIN community_members c ON c.person_id = s.user_id
    WHERE s.state = 'active' AND {_may_be_sent("%(review)s", "s.state")}
        AND s.last_activity_at >= %(at)s - interval '9 days'
        AND extract(isodow FROM %(at)s AT TIME ZONE p.timezone) = 1
        AND extract(hour FROM %(at)s AT TIME ZONE p.timezone) >= %(review_hour)s
        AND s.last_activity_at >=
            (date_trunc('week', %(at)s AT TIME ZONE p.timezone) - interval '7 days') AT TIME ZONE p.timezone
        -- For a member active since that week ended, activity in the week must be on record.
        AND (
            s.last_activity_at < date_trunc('week', %(at)s AT TIME ZONE p.timezone) AT TIME ZONE p.timezone
            OR EXISTS (
                SELECT FROM member_daily_highlights h
                WHERE h.member_id = c.member_id
                    AND h.highlight_date < date_trunc('week', %(at)s AT TIME ZONE p.timezone)::date
                    AND h.highlight_date >= date_trunc('week', %(at)s AT TIME ZONE p.timezone)::date - 7
            )
            OR EXISTS (
                SELECT FROM engagement_inbound_messages i
                WHERE i.user_id = s.user_id AND i.effect <> 'auto_reply'
                    AND i.received_at < date_trunc('week', %(at)s AT TIME ZONE p.timezone) AT TIME ZONE p.timezone
                    AND i.received_at >=
                        (date_trunc('week', %(at)s AT TIME ZONE p.timezone) - interval '7 days') AT TIME ZONE p.timezone
            )
        )
        AND NOT EXISTS (
            SELECT FROM engagement_message_queue q WHERE q.idempotency_key = s.user_id || ':' || %(review)s || ':'
                || to_char(date_trunc('week', %(at)s AT TIME ZONE p.timezone) - interval '7 days', 'IYYY-"W"IW')
        )
"""  # noqa: S608
_REVIEW = _Step(
    "weekly review",
    f"SELECT count(*) FROM ({_REVIEWED}) AS reviewed",  # noqa: S608
    f"""
    WITH candidates AS MATERIALIZED (
        {_REVIEWED}
            AND (%(after_time)s::timestamptz IS NULL
                 OR (s.last_activity_at, s.id) > (%(after_time)s::timestamptz, %(after_id)s::bigint))
        ORDER BY s.last_activity_at, s.id LIMIT %(most)s
    ), queued AS (
        INSERT INTO engagement_message_queue (user_id, message_type, message_key, message_params, destination,
            destination_jid, scheduled_for, idempotency_key)
        SELECT user_id, %(review)s, %(review)s, jsonb_build_object('week', week), preferred_destination, address,
               %(at)s, user_id || ':' || %(review)s || ':' || week
        FROM candidates ORDER BY user_id ON CONFLICT (idempotency_key) DO NOTHING
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM candidates), (SELECT count(*) FROM queued), (SELECT count(*) FROM queued),
           last.last_activity_at, last.id
    FROM (SELECT 1) AS always
    LEFT JOIN (
        SELECT last_activity_at, id FROM candidates ORDER BY last_activity_at DESC, id DESC LIMIT 1
    ) AS last ON true
    """,  # noqa: S608
)

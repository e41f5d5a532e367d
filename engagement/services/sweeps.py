"""Sweeps: what the clock does to members, as one statement a batch.

Each batch is a transaction of its own: a crash leaves whole batches behind it, and the next run goes on. Rows that
someone else has locked are passed over; the next sweep comes to them. Run twice, or twice at once, a sweep changes
nothing the second time: a state has moved on, and a message of the same key does not come to be again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from engagement.models import MessageType, Trigger
from engagement.services.claims import database_now
from engagement.services.machine import naming

BATCH = 5_000
# From when on, on Monday by the member's clock, the week before is reviewed.
REVIEW_HOUR = 9


@dataclass(frozen=True)
class Progress:
    """What one step of a sweep did so far. moved: members or weeks; queued: messages."""

    step: str
    moved: int
    queued: int


@dataclass(frozen=True)
class _Step:
    """name: what people call it. count: the statement of a dry run. move: that of a batch."""

    name: str
    count: str
    move: str
    trigger: str = ""


OnBatch = Callable[[Progress], None]


def sweep_daily(
    *, at: datetime | None = None, dry_run: bool = False, on_batch: OnBatch | None = None, batch: int = BATCH
) -> list[Progress]:
    """Say goodbye to who has been quiet, and let rest who did not answer or asked to be left until now.

    at: the instant that is taken for now; the database's clock when left out. dry_run: count, change nothing.
    """
    return [_run(step, at or database_now(), dry_run, on_batch, batch) for step in (_QUIET, _EXPIRED, _DUE)]


def sweep_weekly(
    *, at: datetime | None = None, dry_run: bool = False, on_batch: OnBatch | None = None, batch: int = BATCH
) -> list[Progress]:
    """On a member's Monday, queue the review of the ISO week before to those who were active in it."""
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
                with naming(step.trigger, at=at):
                    cursor.execute(step.move, values)
            else:
                cursor.execute(step.move, values)
            seen, more, messages, after_time, after_id = cursor.fetchone()
        moved, queued = moved + more, queued + messages
        if on_batch and seen:
            on_batch(Progress(step.name, moved, queued))
        if seen < batch:
            return Progress(step.name, moved, queued)


# Who is quiet, oldest first. The place in the order goes from batch to batch, so that no one is looked at twice.
_IS_QUIET = """
    FROM user_engagement_states s
    JOIN user_profiles p ON p.user_id = s.user_id
    JOIN members m ON m.id = s.user_id
    LEFT JOIN community_members c ON c.person_id = s.user_id
    WHERE s.state = 'active' AND s.last_activity_at <= %(quiet_since)s
"""


def _may_be_sent(message_type: str, state: str) -> str:
    """The condition that a message of this type is sent to a member in this state."""
    return f"""
        engagement_block_reason(
            message_type => {message_type}, is_answer => false, is_active => m.is_active,
            directory_status => c.status, removed_at => c.deleted_at, has_opted_out => p.reengagement_opt_out,
            state => {state}, announcement_cancelled_at => NULL
        ) IS NULL
    """


# Asked for the state to which the goodbye belongs.
_MAY_BE_TOLD = _may_be_sent("%(goodbye)s", "'goodbye_sent'")
_QUIET = _Step(
    "goodbye sent",
    f"SELECT count(*) {_IS_QUIET} AND {_MAY_BE_TOLD}",
    f"""
    WITH looked AS MATERIALIZED (
        SELECT s.id, s.user_id, s.last_activity_at, ({_MAY_BE_TOLD}) AS told,
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
        FROM looked l WHERE l.told AND s.id = l.id
        RETURNING s.user_id, l.preferred_destination, l.address
    ), queued AS (
        INSERT INTO engagement_message_queue (user_id, message_type, message_key, destination, destination_jid,
            scheduled_for, idempotency_key)
        SELECT user_id, %(goodbye)s, %(goodbye)s, preferred_destination, address, %(at)s,
               user_id || ':' || %(goodbye)s || ':' || to_char(%(at)s AT TIME ZONE 'UTC', 'YYYY-MM-DD')
        FROM moved ON CONFLICT (idempotency_key) DO NOTHING
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM looked), (SELECT count(*) FROM moved), (SELECT count(*) FROM queued),
           last.last_activity_at, last.id
    FROM (SELECT 1) AS always
    LEFT JOIN (
        SELECT last_activity_at, id FROM looked ORDER BY last_activity_at DESC, id DESC LIMIT 1
    ) AS last ON true
    """,  # noqa: S608 (all parts are constants above)
    Trigger.INACTIVITY_14D,
)


def _rest(name: str, column: str, state: str, trigger: str) -> _Step:
    """The step that lets those rest whose date in `column` has come."""
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


_EXPIRED = _rest("goodbye unanswered", "goodbye_expires_at", "goodbye_sent", Trigger.GOODBYE_TIMEOUT)
_DUE = _rest("reminder due", "remind_at", "remind_later", Trigger.REMINDER_DUE)

# The week before is over where it is Monday; whoever was last active before it began was not active in it. One message
# a member and week: its key says which week, so it does not matter how often, or from how many clocks, it is asked for.
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
        -- Whoever has been here since that week ended was in it if something says so.
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
    WITH looked AS MATERIALIZED (
        {_REVIEWED}
            AND (%(after_time)s::timestamptz IS NULL
                 OR (s.last_activity_at, s.id) > (%(after_time)s::timestamptz, %(after_id)s::bigint))
        ORDER BY s.last_activity_at, s.id LIMIT %(most)s
    ), queued AS (
        INSERT INTO engagement_message_queue (user_id, message_type, message_key, message_params, destination,
            destination_jid, scheduled_for, idempotency_key)
        SELECT user_id, %(review)s, %(review)s, jsonb_build_object('week', week), preferred_destination, address,
               %(at)s, user_id || ':' || %(review)s || ':' || week
        FROM looked ORDER BY user_id ON CONFLICT (idempotency_key) DO NOTHING
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM looked), (SELECT count(*) FROM queued), (SELECT count(*) FROM queued),
           last.last_activity_at, last.id
    FROM (SELECT 1) AS always
    LEFT JOIN (
        SELECT last_activity_at, id FROM looked ORDER BY last_activity_at DESC, id DESC LIMIT 1
    ) AS last ON true
    """,  # noqa: S608
)

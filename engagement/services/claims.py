"""Claims: a sender leases due messages and records the result of each.

The SQL function claim_messages runs for one sender at a time and consists of two statements. The first locks due
messages in queue order and skips locked ones. The second has a later snapshot and decides on each message: it is
cancelled if a reason blocks it, deferred during quiet hours or above the frequency cap, and otherwise claimed by a row
of engagement_claims, without an update of the message. Recording a result removes the message from that row first, so a
sender whose lease expired changes nothing. Two senders never have the same message or count the same member at once,
and no message is lost.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection

from engagement.models import TRANSACTIONAL_TYPES


class Claimed(NamedTuple):
    """A claimed message, with what is needed to send it."""

    id: int
    user_id: UUID
    message_type: str
    message_key: str
    message_params: dict
    destination: str
    destination_jid: str
    idempotency_key: str
    retry_count: int
    name: str
    email: str
    locale: str


@dataclass(frozen=True)
class Batch:
    """Result of a claim. deferred, withdrawn: number of messages it rescheduled or cancelled.

    last: position in the queue from which the next claim of this sender can continue.
    """

    token: UUID
    messages: list[Claimed] = field(default_factory=list)
    deferred: int = 0
    withdrawn: int = 0
    last: tuple[str, int] | None = None

    @property
    def handled(self) -> int:
        return len(self.messages) + self.deferred + self.withdrawn


def database_now() -> datetime:
    """Return the time of the database, the clock that all senders share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def claim(*, sender: str, at: datetime, most: int, lease: timedelta, after: tuple[str, int] | None = None) -> Batch:
    """Claim up to `most` due messages. after: claim only messages after this position in the queue."""
    token = uuid4()
    # Equal times mean no quiet hours.
    has_quiet_hours = settings.ENGAGEMENT_QUIET_FROM != settings.ENGAGEMENT_QUIET_TO
    values = {
        "sender": sender,
        "token": token,
        "at": at,
        "most": most,
        "lease": lease,
        "after_time": after[0] if after else None,
        "after_id": after[1] if after else 0,
        "transactional_types": list(TRANSACTIONAL_TYPES),
        "quiet_from": settings.ENGAGEMENT_QUIET_FROM if has_quiet_hours else None,
        "quiet_to": settings.ENGAGEMENT_QUIET_TO if has_quiet_hours else None,
        "cap": settings.ENGAGEMENT_FREQUENCY_CAP or 1_000_000_000,
        # A claimed message may be sent at the end of its lease, and the next one immediately.
        "period": settings.ENGAGEMENT_FREQUENCY_CAP_PERIOD + lease,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        rows = cursor.fetchall()
    outcomes = Counter(row[0] for row in rows)
    # Parse each distinct value once: many messages have the same parameters.
    params = {text: json.loads(text) for text in {row[6] for row in rows}}
    messages = [Claimed(*row[2:6], params[row[6]], *row[7:]) for row in rows if row[0] == "claimed"]
    last = (rows[-1][1], rows[-1][2]) if rows else None
    return Batch(token, messages, outcomes["deferred"], outcomes["withdrawn"], last)


_CLAIM = """
SELECT * FROM claim_messages(
    %(sender)s, %(token)s, %(at)s, %(most)s, %(lease)s, %(after_time)s, %(after_id)s, %(transactional_types)s,
    %(quiet_from)s, %(quiet_to)s, %(cap)s, %(period)s
)
"""


# --- Recording results ----------------------------------------------------------------------------


class Sent(NamedTuple):
    id: int
    at: datetime
    provider_message_id: str = ""


@dataclass(frozen=True)
class Failed:
    """A failed attempt. again_at: time of the next attempt; None marks the message as failed.

    maybe_taken: whether the provider may have accepted it; if not, it does not count towards the frequency cap.
    """

    id: int
    error: str
    again_at: datetime | None = None
    maybe_taken: bool = False


def mark_sent(*, token: UUID, sent: Sequence[Sent]) -> int:
    """Mark messages as sent; return how many this attempt still had claimed. A late sender overwrites nothing."""
    if not sent:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT mark_messages_sent(%s, %s::bigint[], %s::timestamptz[], %s::text[])",
            [
                token,
                # Array literals, because they need no escaping and are faster than psycopg's adaptation of a list.
                f"{{{','.join([str(s.id) for s in sent])}}}",
                f"{{{','.join([s.at.isoformat() for s in sent])}}}",
                [s.provider_message_id[:255] for s in sent] if any(s.provider_message_id for s in sent) else [],
            ],
        )
        return cursor.fetchone()[0]


def mark_failed(*, token: UUID, failed: Sequence[Failed]) -> int:
    """Record failed attempts: reschedule the message, or mark it as failed. Return as mark_sent."""
    if not failed:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE engagement_message_queue q
            SET status = CASE WHEN d.again_at IS NULL THEN 'failed' ELSE 'pending' END,
                retry_count = q.retry_count + 1, error_message = d.error,
                scheduled_for = coalesce(d.again_at, q.scheduled_for),
                waiting_for = CASE WHEN d.again_at IS NULL THEN '' ELSE 'retry' END,
                attempted_at = CASE WHEN d.maybe_taken THEN g.attempted_at ELSE q.attempted_at END
            FROM release_claim(%s, %s::bigint[]) g
            JOIN unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::boolean[])
                AS d (id, error, again_at, maybe_taken) ON d.id = g.id
            WHERE q.id = g.id AND q.status IS NOT DISTINCT FROM 'pending'
            """,
            [
                token,
                [f.id for f in failed],
                [f.id for f in failed],
                [f.error[:1000] for f in failed],
                [f.again_at for f in failed],
                [f.maybe_taken for f in failed],
            ],
        )
        return cursor.rowcount


def withdraw(*, token: UUID, reasons: dict[int, str]) -> int:
    """Cancel claimed messages, with a reason for each; return how many were not cancelled already."""
    if not reasons:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE engagement_message_queue q SET status = 'cancelled', error_message = d.reason
            FROM release_claim(%s, %s::bigint[]) g
            JOIN unnest(%s::bigint[], %s::text[]) AS d (id, reason) ON d.id = g.id
            WHERE q.id = g.id AND q.status IS NOT DISTINCT FROM 'pending'
            """,
            [token, list(reasons), list(reasons), list(reasons.values())],
        )
        return cursor.rowcount


def finish(*, token: UUID) -> int:
    """Delete a claim; its remaining messages are due as before. Return their number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM engagement_claims WHERE attempt_token = %s RETURNING cardinality(message_ids)", [token]
        )
        row = cursor.fetchone()
        return row[0] if row else 0


def reclaim_expired() -> int:
    """Delete expired claims, so that their messages are due again; return the number of messages.

    A message that was sent before the sender died is sent again with the same key; it still counts towards the cap.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH gone AS (
                DELETE FROM engagement_claims WHERE lease_expires_at < clock_timestamp()
                RETURNING message_ids, attempted_at
            ), due_again AS (
                UPDATE engagement_message_queue q SET attempted_at = g.attempted_at
                FROM (SELECT unnest(message_ids) AS id, attempted_at FROM gone) g
                WHERE q.id = g.id AND q.status IS NOT DISTINCT FROM 'pending'
                RETURNING q.id
            )
            SELECT count(*) FROM due_again
            """
        )
        return cursor.fetchone()[0]


def find_claims(ids: Sequence[int]) -> dict[int, tuple[str, datetime]]:
    """Return, for each of these messages that is claimed, the sender's name and the end of its lease.

    The result stays valid while the message rows are locked, because claims skip locked rows.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT m.id, k.claimed_by, k.lease_expires_at
            FROM engagement_claims k CROSS JOIN unnest(k.message_ids) AS m (id) WHERE m.id = ANY (%s)
            """,
            [list(ids)],
        )
        return {message_id: (sender, until) for message_id, sender, until in cursor.fetchall()}


def find_blocked(*, token: UUID) -> dict[int, str]:
    """Return the messages of a claim that have been blocked or cancelled since it was made, with the reason."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT b.id, CASE WHEN b.is_cancelled THEN b.error_message ELSE engagement_block_text(b.reason) END
            FROM (
                SELECT q.id, q.error_message, q.status = 'cancelled' AS is_cancelled, engagement_block_reason(
                    message_type => q.message_type, is_transactional => q.message_type = ANY (%s),
                    is_active => m.is_active, directory_status => c.status, removed_at => c.deleted_at,
                    has_opted_out => p.reengagement_opt_out, state => s.state,
                    announcement_cancelled_at => n.cancelled_at
                ) AS reason
                FROM engagement_claims k
                JOIN engagement_message_queue q ON q.id = ANY (k.message_ids)
                JOIN members m ON m.id = q.user_id
                JOIN user_profiles p ON p.user_id = q.user_id
                LEFT JOIN user_engagement_states s ON s.user_id = q.user_id
                LEFT JOIN community_members c ON c.person_id = q.user_id
                LEFT JOIN engagement_announcements n ON n.id = q.announcement_id
                WHERE k.attempt_token = %s
            ) b
            -- Erasing a member also cancels claimed messages.
            WHERE b.is_cancelled OR b.reason IS NOT NULL
            """,
            [list(TRANSACTIONAL_TYPES), token],
        )
        return dict(cursor.fetchall())

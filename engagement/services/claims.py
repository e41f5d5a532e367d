"""Claims: a sender takes due messages for a while, and says what became of them.

A claim is two statements in one function of the database, claim_messages, which runs for one sender at a time. The
first locks due messages in their order and passes over what someone is changing. The second, which sees what others
committed before the locks were had, judges each: what has lost its reason is cancelled, what comes at night or beyond
the budget is put off, the rest is claimed: written into one row of engagement_claims, and into no message. Whoever says
what became of messages takes them out of that row first; who comes late finds nothing there. So no two senders have the
same message or count the same member at once, and no message is ever dropped.
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

from engagement.models import ANSWERS


class Claimed(NamedTuple):
    """A message in a sender's hands."""

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
    """What a claim brought. deferred, withdrawn: messages it put off or cancelled instead.

    last: where the next claim of this sender may begin to look.
    """

    token: UUID
    messages: list[Claimed] = field(default_factory=list)
    deferred: int = 0
    withdrawn: int = 0
    last: tuple[str, int] | None = None

    @property
    def touched(self) -> int:
        return len(self.messages) + self.deferred + self.withdrawn


def database_now() -> datetime:
    """What time the database has: the one clock all senders share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def claim(*, sender: str, at: datetime, most: int, lease: timedelta, after: tuple[str, int] | None = None) -> Batch:
    """Take up to `most` messages that are due. after: look only behind this one in their order."""
    token = uuid4()
    # The same hour twice is no night; then nothing is compared.
    has_night = settings.ENGAGEMENT_QUIET_FROM != settings.ENGAGEMENT_QUIET_TO
    values = {
        "sender": sender,
        "token": token,
        "at": at,
        "most": most,
        "lease": lease,
        "after_time": after[0] if after else None,
        "after_id": after[1] if after else 0,
        "answers": list(ANSWERS),
        "quiet_from": settings.ENGAGEMENT_QUIET_FROM if has_night else None,
        "quiet_to": settings.ENGAGEMENT_QUIET_TO if has_night else None,
        "budget": settings.ENGAGEMENT_BUDGET or 1_000_000_000,
        # What is claimed now may be sent as late as the lease ends, and the next one at once.
        "span": settings.ENGAGEMENT_BUDGET_SPAN + lease,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        rows = cursor.fetchall()
    outcomes = Counter(row[0] for row in rows)
    # Many have the same parameters.
    params = {text: json.loads(text) for text in {row[6] for row in rows}}
    messages = [Claimed(*row[2:6], params[row[6]], *row[7:]) for row in rows if row[0] == "claimed"]
    last = (rows[-1][1], rows[-1][2]) if rows else None
    return Batch(token, messages, outcomes["deferred"], outcomes["withdrawn"], last)


_CLAIM = """
SELECT * FROM claim_messages(
    %(sender)s, %(token)s, %(at)s, %(most)s, %(lease)s, %(after_time)s, %(after_id)s, %(answers)s,
    %(quiet_from)s, %(quiet_to)s, %(budget)s, %(span)s
)
"""


# --- What became of them --------------------------------------------------------------------------


class Sent(NamedTuple):
    id: int
    at: datetime
    provider_message_id: str = ""


@dataclass(frozen=True)
class Failed:
    """A try that did not work. again_at: when to try again; None gives the message up.

    maybe_taken: whether it may have arrived; if not, it takes nothing of the member's attention.
    """

    id: int
    error: str
    again_at: datetime | None = None
    maybe_taken: bool = False


def mark_sent(*, token: UUID, sent: Sequence[Sent]) -> int:
    """Note what was sent. Returns how many were still this attempt's: a late sender overwrites nothing."""
    if not sent:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT mark_messages_sent(%s, %s::bigint[], %s::timestamptz[], %s::text[])",
            [
                token,
                # Written out here: numbers and times have nothing in them that psycopg would have to look for.
                f"{{{','.join([str(s.id) for s in sent])}}}",
                f"{{{','.join([s.at.isoformat() for s in sent])}}}",
                [s.provider_message_id[:255] for s in sent] if any(s.provider_message_id for s in sent) else [],
            ],
        )
        return cursor.fetchone()[0]


def mark_failed(*, token: UUID, failed: Sequence[Failed]) -> int:
    """Note failed tries: tried again later, or given up. Returns as mark_sent."""
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
            FROM let_go(%s, %s::bigint[]) g JOIN unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::boolean[])
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
    """Cancel messages in hand that have lost their reason. Returns how many were not cancelled already."""
    if not reasons:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE engagement_message_queue q SET status = 'cancelled', error_message = d.reason
            FROM let_go(%s, %s::bigint[]) g JOIN unnest(%s::bigint[], %s::text[]) AS d (id, reason) ON d.id = g.id
            WHERE q.id = g.id AND q.status IS NOT DISTINCT FROM 'pending'
            """,
            [token, list(reasons), list(reasons), list(reasons.values())],
        )
        return cursor.rowcount


def finish(*, token: UUID) -> int:
    """End a claim; what of it was not tried is due as before. Returns how many messages that were."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM engagement_claims WHERE attempt_token = %s RETURNING cardinality(message_ids)", [token]
        )
        row = cursor.fetchone()
        return row[0] if row else 0


def reclaim_expired() -> int:
    """Make messages due again whose sender let its lease run out. Returns how many.

    What was sent before the sender died is sent again, with the same key; so its place in the budget stays taken.
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


def in_hand(ids: Sequence[int]) -> dict[int, tuple[str, datetime]]:
    """Which of these messages a sender has: its name, and until when.

    Asked of messages whose rows are locked, the answer holds until they are free: no claim takes a locked one.
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


def withdrawn_since(*, token: UUID) -> dict[int, str]:
    """Messages of a claim that lost their reason after it was made, and why."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT b.id, CASE WHEN b.is_cancelled THEN b.error_message ELSE engagement_block_text(b.reason) END
            FROM (
                SELECT q.id, q.error_message, q.status = 'cancelled' AS is_cancelled, engagement_block_reason(
                    message_type => q.message_type, is_answer => q.message_type = ANY (%s),
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
            -- Cancelled: as an erasure does, sender or not.
            WHERE b.is_cancelled OR b.reason IS NOT NULL
            """,
            [list(ANSWERS), token],
        )
        return dict(cursor.fetchall())

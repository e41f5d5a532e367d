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
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection

from engagement.rules import TRANSACTIONAL_TYPES, Channel
from engagement.selectors.addresses import goes_by_email, site_channels
from engagement.selectors.send_times import hours_without_messages
from missionsite.common.sql_loader import read_sql


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
    # Whether it goes to the next channel if this address bounces.
    has_fallback: bool = False


@dataclass(frozen=True)
class Batch:
    """Result of a claim. deferred, withdrawn: number of messages it rescheduled or cancelled.

    last: position in the queue from which the next claim of this sender can continue. is_behind: messages of other
    channels were skipped, and there may be more after the position.
    """

    token: UUID
    messages: list[Claimed] = field(default_factory=list)
    deferred: int = 0
    withdrawn: int = 0
    last: tuple[str, int] | None = None
    is_behind: bool = False

    @property
    def handled(self) -> int:
        return len(self.messages) + self.deferred + self.withdrawn


def claim(
    *, sender: str, at: datetime, most: int, lease: timedelta, after: tuple[str, int] | None = None, via: str = ""
) -> Batch:
    """Claim up to `most` due messages. after: claim only messages after this position in the queue.

    via: claim only messages that go by this channel; empty if the site has one transport.
    """
    token = uuid4()
    quiet_from, quiet_to = hours_without_messages() or (None, None)
    values: dict[str, Any] = {
        "sender": sender,
        "token": token,
        "at": at,
        "most": most,
        "lease": lease,
        "after_time": after[0] if after else None,
        "after_id": after[1] if after else 0,
        "transactional_types": list(TRANSACTIONAL_TYPES),
        "quiet_from": quiet_from,
        "quiet_to": quiet_to,
        "skip_weekends": settings.ENGAGEMENT_SKIP_WEEKENDS,
        "cap": settings.ENGAGEMENT_FREQUENCY_CAP or 1_000_000_000,
        # A claimed message may be sent at the end of its lease, and the next one immediately.
        "period": settings.ENGAGEMENT_FREQUENCY_CAP_PERIOD + lease,
        "by_email": goes_by_email(),
        "via": via or None,
        "channels": site_channels(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        rows = cursor.fetchall()
    outcomes = Counter(row[0] for row in rows)
    # Parse each distinct value once: many messages have the same parameters.
    params = {text: json.loads(text) for text in {row[6] for row in rows if row[6] is not None}}
    messages = [Claimed._make((*row[2:6], params[row[6]], *row[7:])) for row in rows if row[0] == "claimed"]
    last = (rows[-1][1], rows[-1][2]) if rows else None
    return Batch(token, messages, outcomes["deferred"], outcomes["withdrawn"], last, bool(outcomes["skipped"]))


_CLAIM = """
SELECT * FROM claim_messages(
    %(sender)s, %(token)s, %(at)s, %(most)s, %(lease)s, %(after_time)s, %(after_id)s, %(transactional_types)s,
    %(quiet_from)s, %(quiet_to)s, %(cap)s, %(period)s, %(by_email)s, %(skip_weekends)s, %(via)s, %(channels)s::text[]
)
"""
_MARK_FAILED = read_sql("engagement/queries/mark_messages_failed")
_RECLAIM = read_sql("engagement/queries/reclaim_expired")


# --- Recording results ----------------------------------------------------------------------------


class Sent(NamedTuple):
    id: int
    at: datetime
    provider_message_id: str = ""
    address: str = ""


@dataclass(frozen=True)
class Failed:
    """A failed attempt. again_at: time of the next attempt; None marks the message as failed.

    maybe_taken: whether the provider may have accepted it; if not, it does not count towards the frequency cap.
    """

    id: int
    error: str
    again_at: datetime | None = None
    maybe_taken: bool = False


def mark_sent(*, token: UUID, sent: Sequence[Sent], via: str = "") -> int:
    """Mark messages as sent; return how many this attempt still had claimed. A late sender overwrites nothing.

    via: the channel of the claim.
    """
    if not sent:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            # Settings first: with a sent goodbye, a trigger sets the time to reply.
            "SELECT mark_messages_sent(%s, %s::bigint[], %s::timestamptz[], %s::text[], %s, %s::text[])"
            " FROM set_config('engagement.reply_within', %s, true) a, set_config('engagement.quiet_from', %s, true) b,"
            " set_config('engagement.quiet_to', %s, true) c",
            [
                token,
                # Array literals, because they need no escaping and are faster than psycopg's adaptation of a list.
                f"{{{','.join([str(s.id) for s in sent])}}}",
                f"{{{','.join([s.at.isoformat() for s in sent])}}}",
                [s.provider_message_id[:255] for s in sent] if any(s.provider_message_id for s in sent) else [],
                via,
                [s.address for s in sent] if via and via != Channel.EMAIL else [],
                f"{settings.ENGAGEMENT_GOODBYE_EXPIRES_AFTER.total_seconds()}s",
                settings.ENGAGEMENT_QUIET_FROM.isoformat(),
                settings.ENGAGEMENT_QUIET_TO.isoformat(),
            ],
        )
        return cursor.fetchone()[0]


def mark_failed(*, token: UUID, failed: Sequence[Failed], via: str = "") -> int:
    """Record failed attempts: reschedule the message, or mark it as failed. Parameters and result as of mark_sent."""
    if not failed:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            _MARK_FAILED,
            {
                "token": token,
                "ids": [f.id for f in failed],
                "errors": [f.error[:1000] for f in failed],
                "again": [f.again_at for f in failed],
                "maybe_taken": [f.maybe_taken for f in failed],
                "via": via,
            },
        )
        return cursor.rowcount


def withdraw(*, token: UUID, reasons: dict[int, str | None]) -> int:
    """Cancel claimed messages that have a reason; return how many were not cancelled already."""
    reasons = {id_: reason for id_, reason in reasons.items() if reason is not None}
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
        cursor.execute(_RECLAIM)
        return cursor.fetchone()[0]

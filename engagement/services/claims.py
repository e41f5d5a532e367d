"""Claims: a sender takes due messages for a while, and says what became of them.

A claim is two statements in one transaction. The first locks due messages in their order, and the attention rows of
their members; what another sender has locked is passed over. The second, which sees what others committed before the
locks were had, judges each: what has lost its reason is cancelled, what comes at night or beyond the budget is put
off, the rest is claimed. So two senders never count the same member at once, and no message is ever dropped.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction

from engagement.models import ANSWERS


@dataclass(frozen=True)
class Claimed:
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
    scheduled_for: datetime
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
    last: tuple[datetime, int] | None = None

    @property
    def touched(self) -> int:
        return len(self.messages) + self.deferred + self.withdrawn


def database_now() -> datetime:
    """What time the database has: the one clock all senders share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def claim(
    *, sender: str, at: datetime, most: int, lease: timedelta, after: tuple[datetime, int] | None = None
) -> Batch:
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
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_LOCK_AFTER if after else _LOCK, values)
        locked = cursor.fetchall()
        if not locked:
            return Batch(token)
        cursor.execute(_JUDGE, values | {"ids": [row[0] for row in locked]})
        rows = cursor.fetchall()
    last = (locked[-1][1], locked[-1][0])
    # jsonb comes as text.
    messages = [Claimed(*row[1:5], json.loads(row[5]), *row[6:]) for row in rows if row[0] == "claimed"]
    messages.sort(key=lambda message: (message.scheduled_for, message.id))
    kinds = [row[0] for row in rows]
    return Batch(token, messages, kinds.count("deferred"), kinds.count("withdrawn"), last)


_LOCK = """
SELECT q.id, q.scheduled_for
FROM engagement_message_queue q JOIN engagement_attention a ON a.user_id = q.user_id
WHERE q.status = 'pending' AND q.attempt_token IS NULL AND q.scheduled_for <= %(at)s
ORDER BY q.scheduled_for, q.id LIMIT %(most)s
FOR NO KEY UPDATE OF q, a SKIP LOCKED
"""
_LOCK_AFTER = _LOCK.replace(
    "ORDER BY", "AND (q.scheduled_for, q.id) > (%(after_time)s, %(after_id)s::bigint)\nORDER BY", 1
)

_JUDGE = """
WITH due AS MATERIALIZED (
    SELECT q.id, q.user_id, q.message_type, q.scheduled_for, q.attempted_at,
           m.display_name, m.email, p.locale,
           q.message_type <> ALL (%(answers)s) AS unasked,
           ARRAY(SELECT r FROM unnest(a.recent) r
                 WHERE r > %(at)s - %(span)s::interval AND r IS DISTINCT FROM q.attempted_at ORDER BY r) AS recent,
           CASE
               WHEN NOT m.is_active THEN 'The account is locked.'
               WHEN q.message_type = ANY (%(answers)s) THEN NULL
               WHEN p.reengagement_opt_out THEN 'The member has opted out.'
               WHEN s.state = 'dormant' THEN 'The member is dormant.'
               WHEN c.status IN ('suspended', 'banned') THEN 'The member is ' || c.status || '.'
               WHEN q.message_type = 'goodbye' AND s.state IS DISTINCT FROM 'goodbye_sent'
                   THEN 'The member is back.'
               WHEN n.cancelled_at IS NOT NULL THEN 'The announcement was cancelled.'
           END AS withdrawn,
           CASE WHEN q.message_type <> ALL (%(answers)s)
               THEN coalesce(
                   quiet_until(%(at)s, p.timezone, %(quiet_from)s::time, %(quiet_to)s::time),
                   -- What is claimed may be sent as late as the lease allows.
                   quiet_until(%(at)s + %(lease)s::interval, p.timezone, %(quiet_from)s::time, %(quiet_to)s::time)
               ) END AS quiet_until
    FROM engagement_message_queue q
    -- OFFSET 0: each row by its key. Left alone the planner reads whole tables for a few hundred messages.
    CROSS JOIN LATERAL (SELECT recent FROM engagement_attention WHERE user_id = q.user_id OFFSET 0) a
    CROSS JOIN LATERAL (
        SELECT locale, timezone, reengagement_opt_out FROM user_profiles WHERE user_id = q.user_id OFFSET 0
    ) p
    CROSS JOIN LATERAL (SELECT display_name, email, is_active FROM members WHERE id = q.user_id OFFSET 0) m
    LEFT JOIN LATERAL (SELECT state FROM user_engagement_states WHERE user_id = q.user_id OFFSET 0) s ON true
    LEFT JOIN LATERAL (SELECT status FROM community_members WHERE person_id = q.user_id OFFSET 0) c ON true
    LEFT JOIN LATERAL (
        SELECT cancelled_at FROM engagement_announcements WHERE id = q.announcement_id OFFSET 0
    ) n ON true
    WHERE q.id = ANY (%(ids)s)
), ranked AS (
    SELECT *, row_number() OVER (
        PARTITION BY user_id, unasked AND withdrawn IS NULL AND quiet_until IS NULL ORDER BY scheduled_for, id
    ) AS place
    FROM due
), judged AS MATERIALIZED (
    SELECT *,
           withdrawn IS NULL AND quiet_until IS NULL
               AND (NOT unasked OR cardinality(recent) + place <= %(budget)s) AS granted,
           -- Attempts of one member in one batch differ by a microsecond, so that each can be taken back.
           %(at)s + (place - 1) * interval '1 microsecond' AS begins
    FROM ranked
), claimed AS (
    UPDATE engagement_message_queue q
    SET claimed_by = %(sender)s, lease_expires_at = clock_timestamp() + %(lease)s::interval,
        attempt_token = %(token)s, attempted_at = j.begins, waiting_for = ''
    FROM judged j WHERE j.granted AND q.id = j.id AND q.id = ANY (%(ids)s)
    RETURNING q.id, q.user_id, q.message_type, q.message_key, q.message_params, q.destination, q.destination_jid,
        q.idempotency_key, q.retry_count, q.scheduled_for, j.display_name, j.email, j.locale
), remembered AS (
    UPDATE engagement_attention a
    SET recent = ARRAY(
            SELECT r FROM unnest(a.recent) r WHERE r > %(at)s - %(span)s::interval AND r <> ALL (g.before)
        ) || g.begins
    FROM (
        SELECT user_id, array_agg(begins ORDER BY begins) AS begins,
               array_remove(array_agg(attempted_at), NULL) AS before
        FROM judged WHERE granted AND unasked GROUP BY user_id
    ) g
    WHERE a.user_id = g.user_id
), withdrawn AS (
    UPDATE engagement_message_queue q
    SET status = 'cancelled', error_message = j.withdrawn, waiting_for = ''
    FROM judged j WHERE j.withdrawn IS NOT NULL AND q.id = j.id AND q.id = ANY (%(ids)s)
    RETURNING q.id
), deferred AS (
    UPDATE engagement_message_queue q
    SET scheduled_for = coalesce(
            j.quiet_until,
            -- When enough of what was sent is old enough.
            j.recent[least(cardinality(j.recent) + j.place - %(budget)s, cardinality(j.recent))]
                + %(span)s::interval + interval '1 microsecond',
            %(at)s + %(span)s::interval + interval '1 microsecond'
        ),
        waiting_for = CASE WHEN j.quiet_until IS NOT NULL THEN 'quiet_hours' ELSE 'attention_budget' END
    FROM judged j WHERE NOT j.granted AND j.withdrawn IS NULL AND q.id = j.id AND q.id = ANY (%(ids)s)
    RETURNING q.id
), held AS (
    INSERT INTO engagement_claims (attempt_token, claimed_by, lease_expires_at, message_ids)
    SELECT %(token)s, %(sender)s, clock_timestamp() + %(lease)s::interval, array_agg(id)
    FROM judged WHERE granted HAVING count(*) > 0
)
SELECT 'claimed', claimed.* FROM claimed
UNION ALL SELECT 'withdrawn', id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM withdrawn
UNION ALL SELECT 'deferred', id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM deferred
"""


# --- What became of them --------------------------------------------------------------------------


@dataclass(frozen=True)
class Sent:
    id: int
    at: datetime
    provider_message_id: str = ""


@dataclass(frozen=True)
class Failed:
    """A try that did not work. again_at: when to try again; None gives the message up.

    maybe_taken: whether it may have arrived; if not, the member's attention is theirs again.
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
            """
            UPDATE engagement_message_queue q
            SET status = 'sent', sent_at = d.at, provider_message_id = d.provider, error_message = '',
                claimed_by = '', lease_expires_at = NULL, attempt_token = NULL
            FROM unnest(%(ids)s::bigint[], %(times)s::timestamptz[], %(provider_ids)s::text[]) AS d (id, at, provider)
            -- The ids once more: they lead to the rows, where the token would be looked for in all of them.
            WHERE q.id = d.id AND q.id = ANY (%(ids)s) AND q.attempt_token = %(token)s
            """,
            {
                "ids": [s.id for s in sent],
                "times": [s.at for s in sent],
                "provider_ids": [s.provider_message_id[:255] for s in sent],
                "token": token,
            },
        )
        return cursor.rowcount


def mark_failed(*, token: UUID, failed: Sequence[Failed]) -> int:
    """Note failed tries: tried again later, or given up."""
    if not failed:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        _give_back(cursor, token, [f.id for f in failed if not f.maybe_taken])
        cursor.execute(
            """
            UPDATE engagement_message_queue q
            SET status = CASE WHEN d.again_at IS NULL THEN 'failed' ELSE 'pending' END,
                retry_count = q.retry_count + 1, error_message = d.error,
                scheduled_for = coalesce(d.again_at, q.scheduled_for),
                waiting_for = CASE WHEN d.again_at IS NULL THEN '' ELSE 'retry' END,
                attempted_at = CASE WHEN d.maybe_taken THEN q.attempted_at END,
                claimed_by = '', lease_expires_at = NULL, attempt_token = NULL
            FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::boolean[])
                AS d (id, error, again_at, maybe_taken)
            WHERE q.id = d.id AND q.attempt_token = %s
            """,
            [
                [f.id for f in failed],
                [f.error[:1000] for f in failed],
                [f.again_at for f in failed],
                [f.maybe_taken for f in failed],
                token,
            ],
        )
        return cursor.rowcount


def withdraw(*, token: UUID, reasons: dict[int, str]) -> int:
    """Cancel messages in hand that have lost their reason."""
    if not reasons:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        _give_back(cursor, token, list(reasons))
        cursor.execute(
            """
            UPDATE engagement_message_queue q
            SET status = 'cancelled', error_message = d.reason, attempted_at = NULL,
                claimed_by = '', lease_expires_at = NULL, attempt_token = NULL
            FROM unnest(%s::bigint[], %s::text[]) AS d (id, reason)
            WHERE q.id = d.id AND q.attempt_token = %s
            """,
            [list(reasons), list(reasons.values()), token],
        )
        return cursor.rowcount


def finish(*, token: UUID) -> int:
    """End a claim; what of it was not sent is due as before. Returns how many messages that were."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM engagement_claims WHERE attempt_token = %s RETURNING message_ids", [token])
        row = cursor.fetchone()
        return _release(cursor, token, row[0], give_back=True) if row else 0


def reclaim_expired() -> int:
    """Make messages due again whose sender let its lease run out. Returns how many.

    What was sent before the sender died is sent again, with the same key; so its place in the budget stays taken.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM engagement_claims WHERE attempt_token IN (
                SELECT attempt_token FROM engagement_claims WHERE lease_expires_at < clock_timestamp()
                FOR UPDATE SKIP LOCKED
            ) RETURNING attempt_token, message_ids
            """
        )
        return sum(_release(cursor, token, ids, give_back=False) for token, ids in cursor.fetchall())


def withdrawn_since(*, token: UUID) -> dict[int, str]:
    """Messages of a claim that lost their reason after it was made, and why."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT q.id, CASE
                WHEN NOT m.is_active THEN 'The account is locked.'
                WHEN p.reengagement_opt_out THEN 'The member has opted out.'
                WHEN s.state = 'dormant' THEN 'The member is dormant.'
                WHEN q.message_type = 'goodbye' AND s.state <> 'goodbye_sent' THEN 'The member is back.'
                ELSE 'The announcement was cancelled.' END
            FROM engagement_claims k
            JOIN engagement_message_queue q ON q.id = ANY (k.message_ids) AND q.attempt_token = k.attempt_token
            JOIN members m ON m.id = q.user_id
            JOIN user_profiles p ON p.user_id = q.user_id
            LEFT JOIN user_engagement_states s ON s.user_id = q.user_id
            LEFT JOIN engagement_announcements n ON n.id = q.announcement_id
            WHERE k.attempt_token = %s AND (
                NOT m.is_active
                OR (q.message_type <> ALL (%s) AND (
                    p.reengagement_opt_out OR s.state = 'dormant' OR n.cancelled_at IS NOT NULL
                    OR (q.message_type = 'goodbye' AND s.state <> 'goodbye_sent')
                ))
            )
            """,
            [token, list(ANSWERS)],
        )
        return dict(cursor.fetchall())


def _release(cursor, token: UUID, ids: list[int], *, give_back: bool) -> int:
    if give_back:
        _give_back(cursor, token, ids)
    cursor.execute(
        """
        UPDATE engagement_message_queue
        SET claimed_by = '', lease_expires_at = NULL, attempt_token = NULL,
            attempted_at = CASE WHEN %s THEN NULL ELSE attempted_at END
        WHERE id = ANY (%s) AND attempt_token = %s
        """,
        [give_back, ids, token],
    )
    return cursor.rowcount


def _give_back(cursor, token: UUID, ids: list[int]) -> None:
    """Take tries that reached nobody out of the members' attention, rows in the order of their members."""
    if not ids:
        return
    cursor.execute(
        """
        WITH tried AS (
            SELECT user_id, array_agg(attempted_at) AS times FROM engagement_message_queue
            WHERE id = ANY (%s) AND attempt_token = %s GROUP BY user_id
        ), held AS (
            SELECT a.user_id FROM engagement_attention a JOIN tried USING (user_id)
            ORDER BY a.user_id FOR NO KEY UPDATE OF a
        )
        UPDATE engagement_attention a
        SET recent = ARRAY(SELECT r FROM unnest(a.recent) r WHERE r <> ALL (t.times))
        FROM tried t JOIN held USING (user_id)
        WHERE a.user_id = t.user_id
        """,
        [ids, token],
    )

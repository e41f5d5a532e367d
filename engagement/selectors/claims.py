"""Who has claimed which messages, and which of them may no longer be sent."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from engagement.rules import TRANSACTIONAL_TYPES
from engagement.selectors.addresses import goes_by_email, site_channels
from missionsite.common.sql_loader import read_sql

_FIND_BLOCKED = read_sql("engagement/queries/find_blocked")


def database_now() -> datetime:
    """Return the time of the database, the clock that all senders share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def find_claims(ids: Sequence[int]) -> dict[int, tuple[str, datetime]]:
    """Return, for each of these messages that is claimed, the sender's name and the end of its lease.

    The result is valid while the message rows are locked, because claims skip locked rows.
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


def find_blocked(*, token: UUID) -> dict[int, str | None]:
    """Return the messages of a claim that have been blocked or cancelled since it was made, with the reason.

    Without a reason: those that go by another channel now.
    """
    values: dict[str, Any] = {
        "transactional_types": list(TRANSACTIONAL_TYPES),
        "token": token,
        "by_email": goes_by_email(),
        "channels": site_channels(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIND_BLOCKED, values)
        return dict(cursor.fetchall())

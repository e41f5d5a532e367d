"""The growing delay of wrong passwords and codes, per account and network, counted in the database for all processes.

A member who logs in from another network is not delayed by guesses from elsewhere.
"""

from datetime import datetime
from hashlib import sha256

from django.db import connection
from django.http import HttpRequest

from missionsite.common.addresses import network_of


def digest_of(account: str) -> str:
    """Return the digest of an account as entered, whether it exists or not."""
    return sha256(account.strip().lower().encode("utf-8", "replace")).hexdigest()


def delay_key(request: HttpRequest, account: str) -> str:
    """Return what failures of an account from this network are counted under."""
    return f"{network_of(request)}:{digest_of(account)}"


def count_failure(key: str, free: int, *, at: datetime | None = None) -> int:
    """Count an attempt as wrong before it is evaluated. Returns 0, or the seconds to wait if it must not be evaluated.

    free: attempts without a delay; 0 for no limit. at: aware datetime, the database's clock by default.
    """
    if not free:
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count_failure(%s, %s, coalesce(%s, clock_timestamp()))", [key, free, at])
        return int(cursor.fetchone()[0])


def uncount_failure(key: str) -> None:
    """Uncount the last attempt, which was right or was not evaluated."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE password_delays SET failures = greatest(failures - 1, 0), blocked_until = changed_at"
            " WHERE caller = %s",
            [key],
        )


def forget_failures(request: HttpRequest, account: str) -> None:
    """Forget the failures of an account from this network: its owner has logged in there, or set a new password."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM password_delays WHERE caller = %s", [delay_key(request, account)])


def prune_delays() -> int:
    """Delete failures that are older than a day. Returns their number."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM password_delays WHERE changed_at < clock_timestamp() - interval '1 day'")
        return int(cursor.rowcount)

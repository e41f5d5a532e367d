"""Rate limits, counted in the database so that all web processes share them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from missionsite.common.addresses import network_of

# Requests without a valid token per address and minute.
REJECTIONS_PER_MINUTE = 60
# A count that is unchanged for this long no longer matters.
KEEP_COUNTS_FOR = timedelta(minutes=3)


@dataclass(frozen=True)
class Allowance:
    """The remaining requests of a caller. retry_after: seconds, 0 if the request is allowed."""

    limit: int
    allowed: bool
    remaining: int
    retry_after: int

    def headers(self) -> dict[str, str]:
        """The response headers: limit, remaining requests, and seconds until more are available."""
        named = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.retry_after or 60),
            "RateLimit-Policy": f"{self.limit};w=60",
        }
        return named if self.allowed else named | {"Retry-After": str(self.retry_after)}

    def add_to(self, response: HttpResponse) -> None:
        for name, value in self.headers().items():
            response[name] = value


def count_request(caller: str, at_most: int, *, at: datetime | None = None) -> Allowance | None:
    """Count a request of a caller within a sliding minute. None if `at_most` is 0 (no limit).

    at: aware datetime, the database's clock by default.
    """
    if not at_most:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT allowed, remaining, retry_after FROM count_request(%s, %s, coalesce(%s, clock_timestamp()))",
            [caller, at_most, at],
        )
        return Allowance(at_most, *cursor.fetchone())


def count_for_token(token_id: Any) -> Allowance | None:
    """Count a request made with a token."""
    return count_request(f"token:{token_id}", settings.API_REQUESTS_PER_MINUTE)


def count_rejection(request: HttpRequest) -> Allowance | None:
    """Count a request without a valid token for its network.

    Requests with a valid token are not counted, so other clients in the same network are not affected.
    """
    return count_request(f"address:{network_of(request)}", REJECTIONS_PER_MINUTE)


def uncount_request(caller: str) -> None:
    """Uncount a request of a caller that was counted in this minute or at the end of the last one."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE api_request_counts SET hits = greatest(hits - 1, 0),
                hits_before = CASE WHEN hits = 0 THEN greatest(hits_before - 1, 0) ELSE hits_before END
            WHERE caller = %s
            """,
            [caller],
        )


def prune_counts(*, now: datetime | None = None) -> int:
    """Delete counts that no longer matter. Returns their number."""
    before = int(((now or timezone.now()) - KEEP_COUNTS_FOR).timestamp() // 60)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM api_request_counts WHERE caller IN (
                SELECT caller FROM api_request_counts WHERE minute < %s FOR UPDATE SKIP LOCKED
            )
            """,
            [before],
        )
        return cursor.rowcount

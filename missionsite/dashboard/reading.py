"""What the parts of the home page read together, each once for a request."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cached_property

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone

from fallback.admin.base import rights_of
from fallback.selectors.rights import Rights
from missionsite import figures


class Reading:
    """The reads of one request; `at` is its time."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.at: datetime = timezone.now()
        self.today = timezone.localdate(self.at)

    def allows(self, permission: str) -> bool:
        return self.request.user.has_perm(permission)

    @cached_property
    def rights(self) -> Rights:
        """The rights of the member in projects."""
        return rights_of(self.request)

    @cached_property
    def counters(self) -> tuple[int, int, int]:
        """Active missions, active memberships and open tasks: sums over counters, and one count of a small table."""
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT (SELECT count(*) FROM groups WHERE type = 'mission' AND status = 'active'),
                       coalesce(sum(member_count), 0), coalesce(sum(open_task_count), 0)
                FROM mission_counts
                """
            )
            return cursor.fetchone()

    @cached_property
    def weeks(self) -> list[figures.Week]:
        """Joins and leaves by week from Monday, the current one last; then of the last 7 days and the 7 before them."""
        days = [self.today - timedelta(days=number) for number in (7, 14, 8)]
        return figures.joins_and_leaves(
            [*figures.weeks_until(self.today), (days[0], self.today), (days[1], days[2])],
        )

    @cached_property
    def stored(self) -> figures.Stored:
        """The stored figures that the plots show."""
        return figures.stored_figures(since=figures.weeks_until(self.today)[0][0])

    def change(self, name: str, number: int | None) -> int | None:
        """How much more a number is than a week ago; None if that was not stored."""
        before = self.stored.value(name, self.today - timedelta(days=7))
        return None if before is None or number is None else number - before

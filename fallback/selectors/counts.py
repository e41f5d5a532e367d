"""Counts that stop at a limit."""

from __future__ import annotations

from django.db.models import QuerySet

# Beyond this many rows a page shows "10,000+".
COUNTED = 10_000


def count_up_to(rows: QuerySet, limit: int = COUNTED) -> tuple[int, str]:
    """The number of rows, as number and as text ("10,000+"); counting stops at a limit."""
    number = rows.order_by().values("pk")[: limit + 1].count()
    return number, f"{limit:,}+" if number > limit else f"{number:,}"

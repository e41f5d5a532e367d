"""Pagination of long lists without counting all rows.

Pages are numbered from the start (1, 2, …) and from the end (-1 is the last one). Both are exact: an estimated count
is only shown, never used to find rows.
"""

import json
from dataclasses import dataclass
from functools import cached_property

from django.core.paginator import InvalidPage, Paginator
from django.db import connections
from django.db.models import QuerySet
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

# Most rows that are counted exactly. Above it, a filtered list shows "more than" and a whole table "about".
COUNT_LIMIT = 10_000
# A bigint holds no larger OFFSET.
LAST_OFFSET = 2**63 - 1


@dataclass(frozen=True)
class Count:
    """A number of rows: exact, estimated (`is_estimate`) or a lower bound."""

    number: int
    is_exact: bool = True
    is_estimate: bool = False

    def __str__(self) -> str:
        number = _format_number(self.number)
        if self.is_exact:
            return number
        return (
            _("about {number}").format(number=number)
            if self.is_estimate
            else _("more than {number}").format(number=number)
        )


class Pages:
    """The pages of an ordered queryset.

    queryset: needs a total order. whole: the queryset selects the whole table, so the planner's estimate can replace
    its count. total_sql: an SQL expression for the exact number of the table's rows, if it is cheaper than count(*).
    """

    def __init__(self, queryset: QuerySet, per_page: int, *, whole: bool = False, total_sql: str = "") -> None:
        self.queryset = queryset
        self.per_page = per_page
        self.whole = whole
        self.total_sql = total_sql

    @cached_property
    def count(self) -> Count:
        """The number of rows: counted up to COUNT_LIMIT, estimated for a larger whole table."""
        counted = self.queryset.order_by().values("pk")[: COUNT_LIMIT + 1].count()
        if counted <= COUNT_LIMIT:
            return Count(counted)
        if self.whole and (estimate := self.estimate) > COUNT_LIMIT:
            return Count(_rounded(estimate), is_exact=False, is_estimate=True)
        return Count(COUNT_LIMIT, is_exact=False)

    @cached_property
    def estimate(self) -> int:
        """The planner's estimate: reltuples of the last ANALYZE, scaled to the current size of the table."""
        plan = self.queryset.order_by().values("pk").explain(format="json")
        return int(json.loads(plan)[0]["Plan"]["Plan Rows"])

    @cached_property
    def last(self) -> int | None:
        """The number of the last page, counted from the start; None when the count is not exact."""
        return max(1, -(-self.count.number // self.per_page)) if self.count.is_exact else None

    def page(self, number: int) -> "Page":
        """The page with this number, negative from the end. Raises InvalidPage."""
        if number == 0 or abs(number) * self.per_page > LAST_OFFSET:
            raise InvalidPage(f"There is no page {number}.")
        ids = self._ids(number)
        if not ids and number not in (1, -1):
            raise InvalidPage(f"There is no page {number}.")
        more, ids = len(ids) > self.per_page, ids[: self.per_page]
        if number < 0:
            ids.reverse()
        found = self.queryset.order_by().in_bulk(ids) if ids else {}
        rows = [found[pk] for pk in ids if pk in found]
        return Page(self, number, rows, more)

    def _ids(self, number: int) -> list:
        """The keys on a page, in the direction of its number, and one more if another page follows.

        An index-only scan returns them, which keeps deep pages cheap.
        """
        start = (abs(number) - 1) * self.per_page
        if number < 0:
            return list(self.queryset.reverse().values_list("pk", flat=True)[start : start + self.per_page + 1])
        if not self.queryset.query.where and not self.count.is_exact and start > self.count.number // 2:
            return self._ids_from_end(start)
        return list(self.queryset.values_list("pk", flat=True)[start : start + self.per_page + 1])

    def _ids_from_end(self, start: int) -> list:
        """The same keys, read backwards from the last row, which is faster past the middle.

        One statement counts and reads, so both see the same rows and the page is exact.
        """
        connection = connections[self.queryset.db]
        table = connection.ops.quote_name(self.queryset.model._meta.db_table)
        total = self.total_sql or f"SELECT count(*) FROM {table}"  # noqa: S608  (written by a developer)
        backwards, params = self.queryset.reverse().values_list("pk", flat=True).query.sql_with_params()
        # Backwards, the rows after this page come first; then the row that shows there is a next page, then this page.
        sql = f"""
            WITH total (n) AS MATERIALIZED ({total})
            SELECT * FROM ({backwards}) AS backwards
            OFFSET greatest((SELECT n FROM total) - %s, 0)
            LIMIT least(greatest((SELECT n FROM total) - %s, 0), %s)
        """  # noqa: S608  (the ORM's own statement and a table name)
        size = self.per_page + 1
        with connection.cursor() as cursor:
            cursor.execute(sql, [*params, start + size, start, size])
            return [row[0] for row in reversed(cursor.fetchall())]


@dataclass(frozen=True)
class Page:
    """The rows of one page, with the numbers of its neighbours."""

    pages: Pages
    number: int
    rows: list
    # Whether more rows follow in the direction of counting.
    more: bool

    @property
    def next(self) -> int | None:
        """The page after this one, in the order of the list."""
        if self.number > 0:
            return self.number + 1 if self.more else None
        return self.number + 1 if self.number < -1 else None

    @property
    def previous(self) -> int | None:
        """The page before this one, in the order of the list."""
        if self.number > 0:
            return self.number - 1 if self.number > 1 else None
        return self.number - 1 if self.more else None

    @property
    def last(self) -> int:
        """The number of the last page."""
        return self.pages.last or -1

    @property
    def summary(self) -> str:
        """The position in the list: "51 to 100 of about 1,000,000"."""
        if not self.rows:
            return "0"
        if self.number == 1 and not self.more:
            return _format_number(len(self.rows))
        if self.number > 0:
            first = (self.number - 1) * self.pages.per_page + 1
            last = first + len(self.rows) - 1
            # On the last page the total is known exactly.
            total = self.pages.count if self.more else _format_number(last)
            return _("{first} to {last} of {total}").format(
                first=_format_number(first), last=_format_number(last), total=total
            )
        if self.number == -1:
            return _("the last {rows} of {total}").format(rows=len(self.rows), total=self.pages.count)
        return _("page {number} from the end of {total}").format(number=-self.number, total=self.pages.count)


class BoundedPaginator(Paginator):
    """Django's paginator with a limited count, for autocompletes."""

    @cached_property
    def count(self) -> int:
        if isinstance(self.object_list, QuerySet):
            return self.object_list.order_by().values("pk")[: COUNT_LIMIT + 1].count()
        return len(self.object_list)


def _rounded(number: int) -> int:
    """A number rounded to three significant digits, the precision of an estimate."""
    step = 10 ** max(0, len(str(number)) - 3)
    return round(number / step) * step


def _format_number(number: int) -> str:
    return number_format(number, use_l10n=True, force_grouping=True)

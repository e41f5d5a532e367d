"""A long list cut into pages without counting it all.

Pages are numbered from the front (1, 2, …) and from the back (-1 is the last one). Both are exact whatever the count
says: an estimate is only ever shown, never used to find a row.
"""

import json
from dataclasses import dataclass
from functools import cached_property

from django.core.paginator import InvalidPage, Paginator
from django.db import connections
from django.db.models import QuerySet
from django.utils.formats import number_format

# Rows counted one by one. Past it, a filtered list says "more than" and a whole table "about".
COUNTED = 10_000
# A bigint holds no larger OFFSET.
LAST_OFFSET = 2**63 - 1


@dataclass(frozen=True)
class Count:
    """How many rows there are, and how sure that is."""

    number: int
    sure: bool = True
    about: bool = False

    def __str__(self) -> str:
        number = _grouped(self.number)
        if self.sure:
            return number
        return f"about {number}" if self.about else f"more than {number}"


class Pages:
    """The pages of an ordered queryset.

    queryset: its order must be total. whole: nothing but the table itself is asked for, so the planner's estimate is
    a fair count of it. total_sql: an expression for the exact number of the table's rows, where there is one cheaper
    than counting them.
    """

    def __init__(self, queryset: QuerySet, per_page: int, *, whole: bool = False, total_sql: str = "") -> None:
        self.queryset = queryset
        self.per_page = per_page
        self.whole = whole
        self.total_sql = total_sql

    @cached_property
    def count(self) -> Count:
        """The number of rows: one query that stops early, and for a large whole table its estimate."""
        counted = self.queryset.order_by().values("pk")[: COUNTED + 1].count()
        if counted <= COUNTED:
            return Count(counted)
        if self.whole and (estimate := self.estimate) > COUNTED:
            return Count(_rounded(estimate), sure=False, about=True)
        return Count(COUNTED, sure=False)

    @cached_property
    def estimate(self) -> int:
        """What the planner expects: reltuples of the last ANALYZE, scaled to the size the table has now."""
        plan = self.queryset.order_by().values("pk").explain(format="json")
        return int(json.loads(plan)[0]["Plan"]["Plan Rows"])

    @cached_property
    def last(self) -> int | None:
        """The number of the last page, counted from the front; None where only an estimate is known."""
        return max(1, -(-self.count.number // self.per_page)) if self.count.sure else None

    def page(self, number: int) -> "Page":
        """The page of this number, negative from the back. Raises InvalidPage where there is none."""
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
        """The keys on a page, in the direction of its number, and one more where another page follows.

        Keys alone come out of the ordered index without touching the table, which keeps deep pages cheap.
        """
        start = (abs(number) - 1) * self.per_page
        if number < 0:
            return list(self.queryset.reverse().values_list("pk", flat=True)[start : start + self.per_page + 1])
        if not self.queryset.query.where and not self.count.sure and start > self.count.number // 2:
            return self._ids_from_the_end(start)
        return list(self.queryset.values_list("pk", flat=True)[start : start + self.per_page + 1])

    def _ids_from_the_end(self, start: int) -> list:
        """The same keys, read backwards from the last row: past the middle that is the shorter way.

        Counting and reading are one statement, so they see the same rows: the page is exact.
        """
        connection = connections[self.queryset.db]
        table = connection.ops.quote_name(self.queryset.model._meta.db_table)
        total = self.total_sql or f"SELECT count(*) FROM {table}"  # noqa: S608  (written by a developer)
        backwards, params = self.queryset.reverse().values_list("pk", flat=True).query.sql_with_params()
        # From the back, the rows after this page come first; then the row that tells of a next page, then this page.
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
    """The rows of one page and the ways on from it."""

    pages: Pages
    number: int
    rows: list
    # Whether rows follow in the direction the page is counted.
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
        """The page that shows the last rows."""
        return self.pages.last or -1

    @property
    def words(self) -> str:
        """Where in the list this is: "51-100 of about 1,000,000"."""
        if not self.rows:
            return "0"
        if self.number == 1 and not self.more:
            return _grouped(len(self.rows))
        if self.number > 0:
            first = (self.number - 1) * self.pages.per_page + 1
            last = first + len(self.rows) - 1
            # Where the end is in sight, the number is known after all.
            total = self.pages.count if self.more else _grouped(last)
            return f"{_grouped(first)} to {_grouped(last)} of {total}"
        if self.number == -1:
            return f"the last {len(self.rows)} of {self.pages.count}"
        return f"page {-self.number} from the end of {self.pages.count}"


class BoundedPaginator(Paginator):
    """Django's paginator with a count that stops early; for autocompletes and whatever else asks for one."""

    @cached_property
    def count(self) -> int:
        if isinstance(self.object_list, QuerySet):
            return self.object_list.order_by().values("pk")[: COUNTED + 1].count()
        return len(self.object_list)


def _rounded(number: int) -> int:
    """Three significant digits: an estimate should not look like more."""
    step = 10 ** max(0, len(str(number)) - 3)
    return round(number / step) * step


def _grouped(number: int) -> str:
    return number_format(number, use_l10n=True, force_grouping=True)

"""Pagination of long lists is exact with an estimated count."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from django.core.paginator import InvalidPage
from django.db import connection
from django.utils import timezone

from groups.models import Member
from missionsite.common.admin import pagination
from missionsite.common.admin.pagination import Count, Pages
from missionsite.common.roles import as_owner
from tests.support.factories.groups import MemberFactory
from tests.support.sample import share

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def members(db):
    """103 members besides the system member; every tenth pair has the same time, so the order also needs the key."""
    made = Member.objects.bulk_create(MemberFactory.build_batch(103))
    for number, member in enumerate(made):
        member.created_at = START + timedelta(minutes=number // 2)
    Member.objects.bulk_update(made, ["created_at"])
    return [member.pk for member in Member.objects.all()]


@pytest.fixture
def few_are_counted(monkeypatch):
    """Limits exact counts to ten, so that 103 rows are a long list."""
    monkeypatch.setattr(pagination, "COUNT_LIMIT", 10)


def walk(paged: Pages, start: int, step: str) -> list:
    """The keys of all pages from one on, and the pages."""
    page, seen = paged.page(start), []
    while True:
        seen.append([row.pk for row in page.rows])
        number = getattr(page, step)
        if number is None:
            return seen
        page = paged.page(number)


@pytest.mark.parametrize(("estimate", "per_page"), share(product([11, 60, 103, 5_000], [1, 7, 50, 103, 200]), of=3))
def test_pages_are_exact_with_any_estimate(members, few_are_counted, monkeypatch, estimate, per_page):
    monkeypatch.setattr(Pages, "estimate", estimate)
    forwards = walk(Pages(Member.objects.all(), per_page, whole=True), 1, "next")
    assert [pk for page in forwards for pk in page] == members
    backwards = walk(Pages(Member.objects.all(), per_page, whole=True), -1, "previous")
    assert [pk for page in reversed(backwards) for pk in page] == members


def test_any_page_is_loaded_directly(members, few_are_counted, monkeypatch):
    monkeypatch.setattr(Pages, "estimate", 103)
    for number in range(1, 12):
        paged = Pages(Member.objects.all(), 10, whole=True)
        assert [row.pk for row in paged.page(number).rows] == members[(number - 1) * 10 : number * 10]


def test_filtered_pages_are_exact(members, few_are_counted):
    wanted = [pk for pk in members if str(pk) > "8"]
    rows = Member.objects.filter(pk__gt="80000000-0000-0000-0000-000000000000")
    forwards = walk(Pages(rows, 9), 1, "next")
    assert [pk for page in forwards for pk in page] == wanted


def test_last_link_shows_last_rows(members, few_are_counted):
    first = Pages(Member.objects.all(), 10, whole=True).page(1)
    assert first.last == -1
    last = Pages(Member.objects.all(), 10, whole=True).page(first.last)
    assert [row.pk for row in last.rows] == members[-10:]
    assert last.next is None


def test_counted_list_links_its_last_page(members):
    first = Pages(Member.objects.all(), 10).page(1)
    assert first.last == 11
    last = Pages(Member.objects.all(), 10).page(11)
    assert [row.pk for row in last.rows] == members[100:]
    assert last.next is None
    assert last.summary == "101 to 104 of 104"


@pytest.mark.parametrize("number", [0, 12, -12, 10**12, -(10**12), 10**30, -(10**30)])
def test_missing_page_is_rejected(members, number):
    with pytest.raises(InvalidPage):
        Pages(Member.objects.all(), 10).page(number)


def test_empty_list_has_one_empty_page(db):
    page = Pages(Member.objects.none(), 10).page(1)
    assert (page.rows, page.next, page.previous) == ([], None, None)


def test_count_text_shows_exact_estimate_or_limit(members, few_are_counted):
    assert str(Pages(Member.objects.none(), 10).count) == "0"
    assert str(Pages(Member.objects.filter(trust_score__gte=0), 10).count) == "more than 10"
    assert str(Count(1_234_567, is_exact=False, is_estimate=True)) == "about 1,234,567"


@pytest.mark.django_db(transaction=True)
def test_estimate_of_analysed_table_is_close(few_are_counted):
    MemberFactory.create_batch(103)
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ANALYZE members")
    count = Pages(Member.objects.all(), 10, whole=True).count
    assert count.is_estimate
    assert 90 <= count.number <= 120


def test_inserted_row_shifts_pages_without_hiding_rows(members):
    """The last pages are counted from the end, so rows inserted at the start do not shift them."""
    before = [row.pk for row in Pages(Member.objects.all(), 10).page(-1).rows]
    # The members of the fixture are of one transaction, so equally old.
    MemberFactory(created_at=timezone.now() + timedelta(minutes=1))
    assert [row.pk for row in Pages(Member.objects.all(), 10).page(-1).rows] == before

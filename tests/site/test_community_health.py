"""The page "Community health": cohorts, the path to a mission, and who brought whom. Each number opens its people."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from groups.models import CommunityMember
from groups.selectors.health import AFTER, MONTHS, Figure, cohorts
from missionsite.figures import refresh_figures
from tests.support.admin import client
from tests.support.factories.directory import EntryFactory
from tests.support.factories.groups import MembershipFactory

pytestmark = pytest.mark.django_db
PAGE = "/admin/community-health/"
NOW = timezone.now()


def entry(*, days: int, active: int | None = None, **fields) -> CommunityMember:
    """An entry that was added so many days ago, and last active so many days after that."""
    joined = NOW - timedelta(days=days)
    last = None if active is None else joined + timedelta(days=active)
    return EntryFactory(created_at=joined, last_active_at=last, **fields)


def rows(text: str, section: str) -> list[list[str]]:
    """Return the rows of the table of a section: the text of each cell."""
    table = text.partition(f'id="{section}"')[2].partition("</section>")[0].partition("<tbody>")[2]
    return [
        [unescape(re.sub(r"<[^>]+>", "", cell)) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", table)
    ]


def links(text: str) -> list[tuple[str, str]]:
    found = re.findall(r'<a class="row-link" href="(/admin/groups/communitymember/\?[^"]*)">([^<]+)</a>', text)
    return [(unescape(link), number) for link, number in found]


def test_cohorts_count_those_active_later():
    for active in (0, 29, 30, 95, None):
        entry(days=200, active=active)
    # Not approved, merged or no member: they did not join.
    entry(days=200, active=100, status="pending")
    month = timezone.localdate(NOW - timedelta(days=200)).replace(day=1)
    found = cohorts(timezone.localdate(NOW))
    assert len(found) == MONTHS
    assert [(each.month, each.size, each.kept) for each in found if each.size] == [(month, 5, (2, 1, 0, None))]
    # Removed people joined too.
    CommunityMember.objects.filter(created_at__lt=NOW - timedelta(days=199), status="active").update(deleted_at=NOW)
    assert sum(each.size for each in cohorts(timezone.localdate(NOW))) == 5


def test_month_is_looked_at_when_all_its_people_can_be():
    today = timezone.localdate(NOW)
    for each in cohorts(today):
        last = (each.month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        assert [kept is not None for kept in each.kept] == [last + timedelta(days=days) < today for days in AFTER]


def test_each_number_opens_its_people():
    inviter = EntryFactory(name="Ana & Co")
    for number, active in enumerate((0, 40, 100, 190, None)):
        joined = entry(days=190, active=active, invited_by=inviter, with_account=True)
        if number % 2:
            MembershipFactory(member=joined.person)
    entry(days=3, status="pending", invited_by=inviter)
    entry(days=190, active=120, deleted_at=NOW)
    office = client("Community Manager")
    text = office.get(PAGE).content.decode()
    found = links(text)
    assert len(found) > 8
    for link, number in found:
        page = office.get(link)
        assert page.context["cl"].result_count == int(number.split(" ")[0]), (link, number)
        assert page.context["cl"].active_filters[0].title, link
    assert rows(text, "inviters") == [["Ana & Co", "5", "1 (20 %)"]]
    assert rows(text, "path")[1:] == [
        ["Registered in the last 12 months", "8"],
        ["Approved", "7 (88 %)"],
        ["With a first activity", "5 (62 %)"],
        ["In a mission, now or before", "2 (25 %)"],
    ]


def test_page_of_an_empty_community():
    text = client("Community Manager").get(PAGE).content.decode()
    assert "No one was invited by another person yet." in text
    assert links(text) == []


def test_tiers_are_stored_by_day():
    EntryFactory(reputation_score=600)
    EntryFactory(reputation_score=5)
    refresh_figures()
    text = client("Community Manager").get(PAGE).content.decode()
    table = text.partition('id="plot-tiers"')[2].partition("<tbody>")[2]
    assert re.findall(r"<td>([^<]+)</td>", table)[:5] == ["1", "0", "1", "0", "0"]


def test_page_needs_the_right_to_see_the_directory():
    assert client().get(PAGE).status_code == 403
    assert client("Auditor").get(PAGE).status_code == 200


@pytest.mark.parametrize(
    "text", ["", "month", "month.2026-13", "month.2026-03.5", "path.none", "by.x", "by..kept", "a.b.c.d"]
)
def test_other_figures_are_ignored(text):
    assert Figure.parse(text) is None
    EntryFactory()
    page = client("Community Manager").get("/admin/groups/communitymember/", {"health": text})
    assert page.status_code in (200, 302)

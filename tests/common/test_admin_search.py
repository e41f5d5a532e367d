"""Search by stable ID, by prefix of an e-mail or name, and by words of a name, with indexes."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from groups.admin.memberships import MEMBERS, MembershipAdmin
from groups.models import Member, Membership
from missionsite.common.admin import search
from tests.support.factories.groups import MemberFactory, MembershipFactory, MissionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    return MemberFactory(display_name="Ana Lúcia Souza", email="Ana.Souza@Example.org")


@pytest.fixture
def bob():
    return MemberFactory(display_name="Bob Brown", email="bob@example.org")


def found(term: str) -> set:
    return {member.pk for member in Member.objects.filter(pk__in=MEMBERS.find(Member.objects.all(), term).ids)}


@pytest.mark.parametrize(
    "term", ["ana", "ANA", "ana.s", "Ana Lúcia", "lúcia", "souza", "sou", "souza ana", "  ana ", "ana%", "ana:*'"]
)
def test_search_finds_prefixes(ana, bob, term):
    assert found(term) == {ana.pk}


@pytest.mark.parametrize("term", ["%", "_na", "xyz", "'", "a & b |", "\\", "!", "()", "<->", "🦊"])
def test_search_escapes_special_characters(ana, bob, term):
    assert found(term) == set()


def test_search_finds_stable_id_in_any_notation(ana, bob):
    number = int(ana.member_id.removeprefix("FE-P-"))
    for term in (ana.member_id, ana.member_id.lower(), f"fe-p-{number}", str(number), f"#{number}"):
        assert ana.pk in found(term)
    assert found(ana.member_id) == {ana.pk}


def test_search_stops_at_limit_and_reports_it(monkeypatch, ana, bob):
    monkeypatch.setattr(search, "FOUND_AT_MOST", 1)
    MemberFactory(display_name="Ana Two")
    answer = MEMBERS.find(Member.objects.all(), "ana")
    assert (len(answer.ids), answer.more) == (1, True)


def test_search_takes_one_query_or_three_for_memberships(ana):
    MembershipFactory(member=ana)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        MEMBERS.find(Member.objects.all(), "ana")
    assert len(queries) == 1
    with CaptureQueriesContext(connection) as queries:
        MembershipAdmin.search.find(Membership.objects.all(), "ana")
    assert len(queries) == 3


def test_memberships_found_by_member_and_mission(ana, bob):
    garden = MissionFactory(name="Garden Party")
    by_ana, by_bob = MembershipFactory(member=ana, group=garden), MembershipFactory(member=bob)
    other = MembershipFactory()

    def memberships(term: str) -> set:
        return set(MembershipAdmin.search.find(Membership.objects.all(), term).ids)

    assert memberships("souza") == {by_ana.pk}
    assert memberships(ana.member_id) == {by_ana.pk}
    assert memberships("garden") == memberships("party") == memberships(garden.stable_id) == {by_ana.pk}
    assert memberships("bob@example.org") == {by_bob.pk}
    assert other.pk not in memberships("example")


@pytest.mark.parametrize(
    ("term", "index"),
    [
        ("FE-P-00042", "members_member_id"),
        ("ana", "members_email_"),
        ("ana", "members_name_prefix"),
        ("ana", "members_name_words"),
    ],
)
def test_search_uses_index(term, index):
    """Each condition of the search is answered by an index."""
    with connection.cursor() as cursor:
        # Of a small table, a whole index with a filter could cost as little.
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
    with CaptureQueriesContext(connection) as queries:
        MEMBERS.find(Member.objects.all(), term)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {queries[0]['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert index in plan
    assert "Seq Scan" not in plan

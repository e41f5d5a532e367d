"""The directory: access, search, hidden data and queries."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from groups.models import CommunityMember, Member
from groups.services.directory import remove_entry
from missionsite.portal.directory import PER_PAGE, search
from missionsite.portal.texts import DIRECTORY_CLOSED
from tests.portal.helpers import entry
from tests.support.admin import page_text
from tests.support.concurrency import execute_as_owner
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    return entry(name="Ana Souza", organization="Casa Aberta", country="Brasil")


def names(answer) -> list[str]:
    return re.findall(r'/directory/\d+/"><bdi>([^<]+)</bdi>', answer.content.decode())


# --- Who may look ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["not_member", "pending", "suspended", "banned"])
def test_directory_is_for_active_members_and_gives_reason(as_member, ana, status):
    browser = as_member(entry(status=status))
    for address in ("/directory/", f"/directory/{ana.member_id[1:]}/"):
        answer = browser.get(address)
        assert answer.status_code == 403
        assert str(DIRECTORY_CLOSED[status]) in answer.content.decode()
        assert "Ana Souza" not in answer.content.decode()


def test_directory_rejects_removed_and_missing_entries(client, as_member):
    removed = entry()
    remove_entry(actor=Member.objects.system(), entry=removed)
    assert str(DIRECTORY_CLOSED["removed"]) in as_member(removed).get("/directory/").content.decode()
    client.force_login(MemberFactory(is_staff=True, is_superuser=True))
    assert str(DIRECTORY_CLOSED[""]) in client.get("/directory/").content.decode()


# --- What is found --------------------------------------------------------------------------------


def test_only_active_members_are_shown(as_member, ana):
    hidden = [entry(status=status, name=f"Hidden {status}") for status in ("pending", "suspended", "banned")]
    hidden.append(entry(name="Hidden removed"))
    remove_entry(actor=Member.objects.system(), entry=hidden[-1])
    browser = as_member(ana)
    assert names(browser.get("/directory/")) == ["Ana Souza"]
    assert names(browser.get("/directory/?q=hidden")) == []
    for each in hidden:
        answer = browser.get(f"/directory/{each.member_id[1:]}/")
        assert answer.status_code == 404
        assert "No active member has this number." in page_text(answer)


FINDS = [
    ("ana", ["Ana Souza"]),
    ("SOUZA", ["Ana Souza"]),
    ("casa", ["Ana Souza"]),
    ("aberta sou", ["Ana Souza"]),
    ("@ana_s", ["Ana Souza"]),
    ("octo", ["Bob"]),
    ("b", ["Bob"]),
    ("zzz", []),
    ("%", []),
    ("_", []),
    ("'; DROP TABLE members --", []),
    ("🦉", []),
    ("&|!:*()", []),
    ("\\", []),
    ("9" * 200, []),
]


@pytest.mark.parametrize(("typed", "expected"), FINDS)
def test_search_finds_prefixes_of_names(as_member, ana, typed, expected):
    CommunityMember.objects.filter(pk=ana.pk).update(telegram_username="ana_souza")
    entry(name="Bob", github_username="octobob")
    assert names(as_member(ana).get("/directory/", {"q": typed})) == expected


@pytest.mark.parametrize("spelled", ["{}", "#{}", " #0{} "])
def test_search_finds_member_number(as_member, ana, spelled):
    bob = entry(name="Bob")
    assert names(as_member(ana).get("/directory/", {"q": spelled.format(bob.member_id[1:])})) == ["Bob"]


def test_filters_combine_with_search(as_member, ana):
    entry(name="Anders", primary_role="founder", reputation_score=600, country="Norge")
    entry(name="Anke", primary_role="founder", country="norge")
    browser = as_member(ana)
    assert set(names(browser.get("/directory/?role=founder"))) == {"Anke", "Anders"}
    assert names(browser.get("/directory/?tier=Active+Developer")) == ["Anders"]
    assert names(browser.get("/directory/?country=NORGE&role=founder&q=ank")) == ["Anke"]
    assert "No members found." in page_text(browser.get("/directory/?role=investor"))


@pytest.mark.parametrize(
    "query", ["role=king", "tier=%FF", "country=" + "x" * 300, "q=" + "x" * 3000, "after=x", "after=" + "9" * 30]
)
def test_invalid_filter_is_ignored(as_member, ana, query):
    answer = as_member(ana).get(f"/directory/?{query}")
    assert answer.status_code == 200
    assert names(answer) == ["Ana Souza"]


def test_pages_are_complete_and_keep_filters(as_member, ana):
    CommunityMember.objects.bulk_create(
        CommunityMember(name=f"N{turn:03}", primary_role="founder", status="active", telegram_id=f"8{turn:06}")
        for turn in range(2 * PER_PAGE + 3)
    )
    browser, target, seen, pages = as_member(ana), "/directory/?role=founder&q=n", [], 0
    while target:
        answer = browser.get(target)
        seen += names(answer)
        pages += 1
        link = re.search(r'href="([^"]+after=\d+)">Earlier members', answer.content.decode())
        target = link and link[1].replace("&amp;", "&")
        assert not target or "role=founder" in target
    assert pages == 3
    assert sorted(seen) == [f"N{turn:03}" for turn in range(2 * PER_PAGE + 3)]
    assert "Newest members" in page_text(answer)


# --- What is not seen -----------------------------------------------------------------------------


def test_private_data_and_hidden_inviter_are_not_shown(as_member, ana):
    gone = entry(name="Gone away", status="suspended")
    bob = entry(name="Bob", telegram_id="987654321", telegram_username="bob", invited_by=gone)
    browser = as_member(ana)
    for address in ("/directory/", f"/directory/{bob.member_id[1:]}/"):
        page = browser.get(address).content.decode()
        assert "Bob" in page
        for secret in (bob.person.email, "987654321", "Gone away", bob.person.member_id, str(bob.pk)):
            assert secret not in page
    page = browser.get(f"/directory/00{bob.member_id[1:]}/").content.decode()
    assert "@bob" in page
    assert names(browser.get(f"/directory/{entry(invited_by=bob).member_id[1:]}/")) == ["Bob"]


@pytest.mark.parametrize("number", ["0", "999999", "9" * 18, "9" * 400])
def test_unknown_number_returns_not_found(as_member, ana, number):
    answer = as_member(ana).get(f"/directory/{number}/")
    assert answer.status_code == 404
    assert "No active member has this number." in page_text(answer)


def test_member_texts_are_escaped(as_member, ana):
    bad = "<script>alert(1)</script>"
    bob = entry(name=bad, organization=bad, country=bad, telegram_username=bad, github_username=bad)
    browser = as_member(ana)
    for address in ("/directory/", f"/directory/{bob.member_id[1:]}/", f"/directory/?q={bad}"):
        assert "<script>" not in browser.get(address).content.decode()


# --- How fast -------------------------------------------------------------------------------------


def test_query_count_is_constant(as_member, ana):
    browser = as_member(ana)
    counts = set()
    for _ in range(3):
        for _each in range(8):
            entry(name="Ann", organization="Org", invited_by=ana)
        with CaptureQueriesContext(connection) as queries:
            browser.get("/directory/?q=an&role=developer")
        counts.add(len(queries))
    # Session, account, own entry; the search, and the page.
    assert counts == {5}


@pytest.fixture
def many(transactional_db):
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO community_members
                (name, primary_role, status, telegram_id, organization, country, created_at, updated_at)
            SELECT 'Person ' || n || ' of ' || md5(n::text), 'founder', 'active', 't' || n, 'Org ' || n % 500,
                   'Country ' || n % 90, now() - n * interval '1 minute', now()
            FROM generate_series(1, 20000) n
            """
        )
    # Only the owner may.
    execute_as_owner("VACUUM ANALYZE community_members")


def nodes(plan: dict):
    yield plan
    for each in plan.get("Plans", []):
        yield from nodes(each)


@pytest.mark.django_db(transaction=True)
def test_lists_and_searches_use_indexes(many):
    active = CommunityMember.objects.active()
    with CaptureQueriesContext(connection) as queries:
        search(active, "person 77 of")
    searched = queries.captured_queries[0]["sql"]
    listed = str(active.order_by(*CommunityMember._meta.ordering)[:PER_PAGE].query).replace("= active", "= 'active'")
    used = set()
    for sql in (searched, listed):
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
            plan = cursor.fetchone()[0][0]["Plan"]
        for node in nodes(plan):
            assert node["Node Type"] != "Seq Scan", plan
            used.add(node.get("Index Name"))
    assert used >= {
        *("community_name_prefix", "community_org_prefix", "community_telegram_prefix", "community_github_prefix"),
        *("community_words", "community_members_newest"),
    }

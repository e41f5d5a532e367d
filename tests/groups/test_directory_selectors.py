"""Reads of the directory: the tree of invitations, the heat map and the search."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from groups.models import CommunityMember
from groups.selectors.directory import (
    Day,
    find_entries,
    find_invitations,
    get_invitation_tree,
    heat_map,
)
from groups.services.highlights import roll_up_highlights
from tests.groups.entries import verified
from tests.support.database import rows
from tests.support.factories.groups import EntryFactory, InvitationFactory, ParticipationFactory

pytestmark = pytest.mark.django_db


# --- The tree of invitations ------------------------------------------------------------------


def line(length, **root):
    """Each member invites the next; the first has no inviter."""
    entries = [EntryFactory(person=None, **root)]
    for _step in range(length - 1):
        entries.append(EntryFactory(person=None, invited_by=entries[-1]))
    return entries


def test_tree_contains_descendants_with_depth_and_path():
    ana, bob, eve = line(3)
    dan = EntryFactory(person=None, invited_by=ana)
    EntryFactory(person=None)
    found = rows("SELECT member_id, invited_by, depth, path FROM invitation_tree(%s)", [ana.member_id])
    assert found[0] == (ana.member_id, None, 0, [ana.member_id])
    assert sorted(found[1:]) == sorted(
        [
            (bob.member_id, ana.member_id, 1, [ana.member_id, bob.member_id]),
            (eve.member_id, bob.member_id, 2, [ana.member_id, bob.member_id, eve.member_id]),
            (dan.member_id, ana.member_id, 1, [ana.member_id, dan.member_id]),
        ]
    )
    places = [each[0] for each in found]
    assert places.index(bob.member_id) + 1 == places.index(eve.member_id), "whoever was invited follows right after"
    assert rows("SELECT * FROM invitation_tree('#999999')") == []


def test_tree_stops_at_given_depth():
    entries = line(25)
    depths = "SELECT max(depth) FROM invitation_tree(%s{})"
    assert rows(depths.format(""), [entries[0].member_id]) == [(20,)]
    assert rows(depths.format(", 30"), [entries[0].member_id]) == [(24,)]
    assert rows(depths.format(", 0"), [entries[0].member_id]) == [(0,)]


def test_tree_with_cycle_ends():
    ana, bob, eve = line(3)
    CommunityMember.objects.filter(pk=ana.pk).update(invited_by=eve)
    found = rows("SELECT member_id FROM invitation_tree(%s, 1000)", [bob.member_id])
    assert found == [(bob.member_id,), (eve.member_id,), (ana.member_id,)]
    ana.refresh_from_db()
    tree = get_invitation_tree(ana)
    assert tree.root.count == 2
    assert {each.pk for each in tree.above} == {bob.pk, eve.pk}


def test_invitation_tree_has_ancestors_and_counts(django_assert_num_queries):
    top, above, me, child, grandchild = line(5)
    second = EntryFactory(person=None, invited_by=me)
    with django_assert_num_queries(3):
        tree = get_invitation_tree(me)
    assert tree.above == [top, above]
    assert (tree.root.entry, tree.root.depth, tree.root.count, tree.more) == (me, 0, 3, False)
    below = {node.entry: [each.entry for each in node.invited] for node in tree.root.invited}
    assert below == {child: [grandchild], second: []}
    alone = get_invitation_tree(EntryFactory(person=None))
    assert (alone.above, alone.root.invited, alone.root.count) == ([], [], 0)


def test_large_tree_is_truncated(monkeypatch):
    monkeypatch.setattr("groups.selectors.directory.MAX_NODES", 5)
    root = EntryFactory(person=None)
    for _child in range(4):
        EntryFactory(person=None, invited_by=root)
    assert (get_invitation_tree(root).more, get_invitation_tree(root).root.count) == (False, 4)
    EntryFactory(person=None, invited_by=root)
    assert (get_invitation_tree(root).more, get_invitation_tree(root).root.count) == (True, 4)


# --- The heat map -----------------------------------------------------------------------------


def test_heat_map_has_53_weeks_without_future_days():
    today = date(2026, 3, 4)  # a Wednesday
    weeks = heat_map(EntryFactory(), today=today)
    assert len(weeks) == 53
    assert {len(week) for week in weeks} == {7}
    assert weeks[-1][3:] == [None] * 4
    days = [day for week in weeks for day in week if day]
    assert (days[0].on, days[-1].on) == (date(2025, 3, 3), today)
    assert all(later.on - earlier.on == timedelta(days=1) for earlier, later in pairwise(days))
    assert {day.on.weekday() for week in weeks for day in week[:1]} == {0}
    assert {(day.total, day.points, day.level) for day in days} == {(0, 0, 0)}


def test_heat_map_shows_one_members_activity(django_assert_num_queries):
    entry, now = EntryFactory(), timezone.now()
    for _message in range(3):
        ParticipationFactory(member=entry, occurred_at=now)
    ParticipationFactory(member=entry, occurred_at=now, event_type="VOICE", event_metadata={"minutes": 12})
    ParticipationFactory(member=entry, occurred_at=now, event_type="REACTION")
    ParticipationFactory(member=entry, occurred_at=now - timedelta(days=1), event_type="JOIN")
    ParticipationFactory(member=entry, occurred_at=now - timedelta(weeks=60))
    ParticipationFactory(occurred_at=now)
    roll_up_highlights(points={"MESSAGE": 1, "JOIN": 2}, daily_cap=50)
    # Entries that were merged into it, days.
    with django_assert_num_queries(2):
        days = {day.on: day for week in heat_map(entry, today=now.date()) for day in week if day}
    day = days[now.date()]
    assert (day.messages, day.reactions, day.voice_minutes, day.points, day.total) == (3, 1, 12, 3, 16)
    # A day with points only is shown too.
    day = days[now.date() - timedelta(days=1)]
    assert (day.total, day.points, day.level) == (0, 2, 1)
    assert sum(day.total for day in days.values()) == 16


def test_heat_map_adds_days_of_merged_entries():
    now = timezone.now()
    entry, former = EntryFactory(), EntryFactory()
    for member in (entry, former, former):
        ParticipationFactory(member=member, occurred_at=now)
    roll_up_highlights(points={}, daily_cap=50)
    CommunityMember.objects.filter(pk=former.pk).update(deleted_at=now, merged_into=entry)
    (last,) = [day for week in heat_map(entry, today=now.date()) for day in week if day and day.on == now.date()]
    assert last.messages == 3


@pytest.mark.parametrize(("messages", "level"), [(0, 0), (1, 1), (4, 1), (5, 2), (14, 2), (15, 3), (39, 3), (40, 4)])
def test_heat_map_has_five_levels(messages, level):
    assert Day(date(2026, 3, 4), messages, 0, 0, 0).level == level


# --- Searching ----------------------------------------------------------------------------------


def pages(at_most, **filters):
    """Return the ids of every page of a list."""
    found, after = [], None
    while page := find_entries(**filters, after=after, at_most=at_most):
        found.append([entry.pk for entry in page])
        after = [page[-1].created_at.isoformat(), str(page[-1].pk)]
    return found


def test_pages_contain_each_entry_once():
    now = timezone.now()
    entries = [EntryFactory(person=None, created_at=now - timedelta(minutes=step // 3)) for step in range(10)]
    expected = [entry.pk for entry in sorted(entries, key=lambda each: (each.created_at, each.pk), reverse=True)]
    for at_most in (1, 3, 4, 10, 11):
        found = pages(at_most)
        assert [pk for page in found for pk in page] == expected
        assert all(len(page) == at_most for page in found[:-1])


def test_pages_are_stable_while_rows_are_added():
    entries = [EntryFactory(person=None, created_at=timezone.now() - timedelta(minutes=step)) for step in range(4)]
    first = find_entries(at_most=2)
    EntryFactory(person=None)
    after = [first[-1].created_at.isoformat(), str(first[-1].pk)]
    assert first + find_entries(after=after, at_most=2) == entries


def test_filters_combine():
    wanted = verified(primary_role="founder", country="Brazil", organization="Ours", name="Ana Lima")
    verified(primary_role="founder", country="Peru", github_username="b")
    EntryFactory(primary_role="founder", country="Brazil", reputation_score=1125)
    EntryFactory(primary_role="designer", country="brazil", status="pending")
    assert find_entries(role="founder", country="BRAZIL", verified=True, at_most=9) == [wanted]
    assert find_entries(tier="Experienced", verified=True, min_score=1125, max_score=1125, q="lima", at_most=9) == [
        wanted
    ]
    assert len(find_entries(country="brazil", at_most=9)) == 3
    assert len(find_entries(status="pending", at_most=9)) == 1
    assert len(find_entries(verified=False, at_most=9)) == 2
    assert find_entries(min_score=1126, at_most=9) == find_entries(max_score=-1, at_most=9) == []
    assert len(find_entries(max_score=0, at_most=9)) == 1


@pytest.mark.parametrize("q", ["ana l", "LIMA", "ana_tg", "Ana-H", "our", "{number}", "{plain}"])
def test_search_finds_by_number_and_name_prefix(q):
    wanted = EntryFactory(name="Ana Lima", telegram_username="ana_tg", github_username="ana-h", organization="Ours")
    EntryFactory(name="Bruno Costa", telegram_username="bruno", organization="Theirs")
    q = q.format(number=wanted.member_id, plain=wanted.member_id[1:])
    assert find_entries(q=q, at_most=9) == [wanted]


@pytest.mark.parametrize("q", ["#999999", "zzz", "%", "_", "\\", "' OR 1=1"])
def test_search_without_match_is_empty(q):
    EntryFactory(name="Ana Lima", telegram_username="ana_tg")
    assert find_entries(q=q, at_most=9) == []


@pytest.mark.parametrize("q", [None, "", "  "])
def test_blank_search_finds_everyone(q):
    EntryFactory()
    assert len(find_entries(q=q, at_most=9)) == 1


def test_page_takes_one_query_or_two_with_search(django_assert_num_queries):
    EntryFactory(name="Ana")
    with django_assert_num_queries(1):
        find_entries(role="developer", at_most=9)
    with django_assert_num_queries(2):
        find_entries(q="ana", at_most=9)


def test_find_invitations_filters_by_inviter():
    now, inviter = timezone.now(), EntryFactory()
    mine = [InvitationFactory(created_by=inviter, created_at=now - timedelta(minutes=step)) for step in range(3)]
    other = InvitationFactory(created_at=now - timedelta(hours=1), status="cancelled")
    assert find_invitations(created_by=inviter.member_id, at_most=9) == mine
    assert find_invitations(created_by=None, at_most=9) == [*mine, other]
    assert find_invitations(created_by=None, status="cancelled", at_most=9) == [other]
    after = [mine[1].created_at.isoformat(), str(mine[1].pk)]
    assert find_invitations(created_by=None, after=after, at_most=9) == [mine[2], other]

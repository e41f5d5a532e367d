"""Services and selectors of the directory: results, errors and events."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from groups.errors import EntryNotRemoved, EntryRemoved
from groups.models import CommunityMember, Event, Member
from groups.selectors.directory import (
    Day,
    find_entries,
    find_invitations,
    get_invitation_tree,
    heat_map,
    may_see_directory,
)
from groups.services import directory
from groups.services.highlights import roll_up_highlights
from groups.services.relationships import create_relationship
from missionsite.common.audit.history import changes_of, revert_change
from missionsite.common.errors import DomainError
from tests.support.database import rows
from tests.support.errors import violates
from tests.support.factories.groups import EntryFactory, InvitationFactory, ParticipationFactory, StaffFactory

pytestmark = pytest.mark.django_db


def last_event():
    return Event.objects.order_by("-pk").first()


def verified(**fields):
    return EntryFactory(
        **{
            "github_username": "ana-h",
            "github_verified": True,
            "github_verified_at": timezone.now(),
            "github_profile_data": {"public_repos": 15},
            "reputation_score": 1125,
        }
        | fields
    )


# --- Added by staff ---------------------------------------------------------------------------


def test_create_entry_makes_pending_entry():
    staff = StaffFactory()
    entry = directory.create_entry(
        actor=staff, name=" Noor ", telegram_id=" 7 ", telegram_username="@noor", primary_role="other", country=" "
    )
    assert (entry.status, entry.name, entry.telegram_id) == ("pending", "Noor", "7")
    assert (entry.telegram_username, entry.country) == ("noor", None)
    event = last_event()
    assert (event.type, event.actor, event.payload) == ("directory.added", staff, {"number": entry.member_id})


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"telegram_id": "taken"}, "telegram_id_taken"),
        ({"name": "\t"}, "name_missing"),
        ({"primary_role": "x"}, "value_rejected"),
    ],
)
def test_create_entry_rejects_invalid_values(fields, code):
    EntryFactory(telegram_id="taken")
    with pytest.raises(DomainError) as rejected:
        directory.create_entry(
            actor=Member.objects.system(), **{"name": "Noor", "telegram_id": "7", "primary_role": "other"} | fields
        )
    assert rejected.value.code == code
    assert not Event.objects.exists()


# --- Edits ------------------------------------------------------------------------------------


def test_member_edits_four_own_fields():
    entry = EntryFactory()
    directory.update_entry(
        entry=entry,
        actor=entry.person,
        own=True,
        name="Ana",
        primary_role="founder",
        organization=" Ours ",
        country="Brazil",
    )
    entry.refresh_from_db()
    assert (entry.name, entry.primary_role, entry.organization, entry.country) == ("Ana", "founder", "Ours", "Brazil")


IDENTIFIERS = [
    "telegram_id",
    "telegram_username",
    "github_username",
    "registration_fee_paid",
    "registration_fee_tx_hash",
]
DECIDED = ["status", "reputation_score", "github_verified", "invited_by_id", "member_id", "person_id", "deleted_at"]


@pytest.mark.parametrize("field", [*IDENTIFIERS, *DECIDED])
def test_member_cannot_edit_identifiers(field):
    entry = EntryFactory()
    with pytest.raises(TypeError, match=field):
        directory.update_entry(actor=Member.objects.system(), entry=entry, own=True, **{field: "1"})
    assert not Event.objects.exists()


@pytest.mark.parametrize("field", ["status", "reputation_score", "github_verified", "member_id", "profile_data"])
def test_update_entry_rejects_fields_of_other_services(field):
    with pytest.raises(TypeError, match=field):
        directory.update_entry(actor=Member.objects.system(), entry=EntryFactory(), **{field: "1"})


def test_edit_event_contains_no_personal_text():
    entry, staff = EntryFactory(), StaffFactory()
    directory.update_entry(
        entry=entry, actor=staff, name="Ana", country="Brazil", primary_role="founder", registration_fee_paid=True
    )
    event = last_event()
    assert (event.type, event.actor, event.member) == ("directory.changed", staff, entry.person)
    assert event.payload == {
        "number": entry.member_id,
        "changed": {
            "name": "changed",
            "country": "changed",
            "primary_role": ["developer", "founder"],
            "registration_fee_paid": [False, True],
        },
    }


def test_unchanged_edit_records_no_event():
    entry = EntryFactory(name="Ana", country=None)
    directory.update_entry(actor=Member.objects.system(), entry=entry, name=" Ana ", country="")
    assert not Event.objects.exists()
    assert [change.label for change in changes_of(entry)] == ["insert"]


@pytest.mark.parametrize("name", ["", "  ", "\n"])
def test_update_entry_requires_name(name):
    entry = EntryFactory(name="Ana")
    with violates("community_members_name_not_empty"):
        directory.update_entry(actor=Member.objects.system(), entry=entry, name=name)
    entry.refresh_from_db()
    assert entry.name == "Ana"


def test_update_entry_rejects_removed_entry():
    with pytest.raises(EntryRemoved, match="Restore them first"):
        directory.update_entry(actor=Member.objects.system(), entry=EntryFactory(deleted_at=timezone.now()), name="Ana")


def test_update_entry_rejects_taken_telegram_id():
    EntryFactory(telegram_id="7")
    with violates("member_telegram_id_idx", match=r"Another member has this Telegram ID\."):
        directory.update_entry(actor=Member.objects.system(), entry=EntryFactory(), telegram_id=" 7 ")


# --- GitHub -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["someone-else", "", None])
def test_new_github_name_resets_verification_and_points(name):
    entry = verified()
    directory.update_entry(actor=Member.objects.system(), entry=entry, github_username=name)
    entry.refresh_from_db()
    assert entry.github_username == (name or None)
    assert (entry.github_verified, entry.github_verified_at, entry.github_profile_data) == (False, None, None)
    assert (entry.reputation_score, entry.reputation_tier) == (0, "Novice")


@pytest.mark.parametrize("name", ["ana-h", "Ana-H", " @ANA-H "])
def test_github_name_in_other_case_stays_verified(name):
    entry = verified()
    directory.update_entry(actor=Member.objects.system(), entry=entry, github_username=name, country="Brazil")
    entry.refresh_from_db()
    assert (entry.github_verified, entry.reputation_score, entry.country) == (True, 1125, "Brazil")


@pytest.mark.seed("003 GitHub")
def test_verify_manually_records_evidence_without_points():
    entry, staff = EntryFactory(github_username="ana-h"), StaffFactory()
    before = timezone.now()
    directory.verify_manually(entry=entry, actor=staff, how="showed it in a call")
    entry.refresh_from_db()
    assert entry.github_verified
    assert before <= entry.github_verified_at <= timezone.now()
    assert entry.reputation_score == 0
    event = last_event()
    assert (event.type, event.actor) == ("directory.verified", staff)
    assert event.payload == {"number": entry.member_id, "by": "staff", "how": "showed it in a call"}


def test_verify_manually_rejects_missing_or_taken_name():
    with violates("community_members_verified_fits"):
        directory.verify_manually(actor=Member.objects.system(), entry=EntryFactory(), how="seen")
    verified(github_username="Ana-H")
    with violates("community_members_github_once", match="Another member has verified"):
        directory.verify_manually(
            actor=Member.objects.system(), entry=EntryFactory(github_username="ana-h"), how="seen"
        )
    with pytest.raises(EntryRemoved):
        directory.verify_manually(
            actor=Member.objects.system(),
            entry=EntryFactory(github_username="b", deleted_at=timezone.now()),
            how="seen",
        )


def test_editing_in_verified_name_does_not_verify():
    verified()
    other = EntryFactory()
    directory.update_entry(actor=Member.objects.system(), entry=other, github_username="ana-h")
    other.refresh_from_db()
    assert (other.github_username, other.github_verified) == ("ana-h", False)


# --- Removal ----------------------------------------------------------------------------------


def test_remove_and_restore_entry():
    entry, staff = EntryFactory(), StaffFactory()
    assert may_see_directory(entry.person)
    directory.remove_entry(entry=entry, actor=staff, reason="asked to")
    entry.refresh_from_db()
    assert entry.is_removed
    event = last_event()
    assert (event.type, event.payload) == ("directory.removed", {"number": entry.member_id, "reason": "asked to"})
    assert not may_see_directory(entry.person)
    assert find_entries(at_most=10) == find_entries(q=entry.member_id, at_most=10) == []
    assert not CommunityMember.objects.active().exists()
    with pytest.raises(EntryRemoved):
        directory.remove_entry(actor=Member.objects.system(), entry=entry)
    directory.restore_entry(entry=entry, actor=staff, reason="came back")
    entry.refresh_from_db()
    assert (entry.status, entry.is_removed) == ("active", False)
    assert last_event().type == "directory.restored"
    assert find_entries(at_most=10) == [entry]
    with pytest.raises(EntryNotRemoved):
        directory.restore_entry(actor=Member.objects.system(), entry=entry)


@pytest.mark.parametrize("act", [directory.approve, directory.suspend, directory.reinstate, directory.ban])
def test_removed_entry_rejects_decisions(act):
    entry = EntryFactory(deleted_at=timezone.now())
    with pytest.raises(EntryRemoved):
        act(actor=Member.objects.system(), entry=entry)


# --- History ----------------------------------------------------------------------------------


def test_history_shows_and_reverts_one_change():
    entry, staff = EntryFactory(country="Peru"), StaffFactory()
    directory.update_entry(actor=Member.objects.system(), entry=entry, country="Brazil", organization="Ours")
    directory.suspend(actor=Member.objects.system(), entry=entry)
    newest, edit, made = changes_of(entry)
    assert [(field.name, field.before, field.after) for field in newest.fields] == [("status", "active", "suspended")]
    assert {(field.name, field.before, field.after) for field in edit.fields} == {
        ("country", "Peru", "Brazil"),
        ("organization", None, "Ours"),
    }
    assert made.label == "insert"
    revert_change(actor=staff, change=edit)
    entry.refresh_from_db()
    assert (entry.country, entry.organization, entry.status) == ("Peru", None, "suspended")
    event = last_event()
    assert (event.type, event.member) == ("communitymember.reverted", entry.person)
    assert event.payload == {"number": entry.member_id, "entry": edit.pgh_id}


def test_final_decision_cannot_be_reverted():
    entry = EntryFactory()
    directory.ban(actor=Member.objects.system(), entry=entry)
    change = changes_of(entry)[0]
    with pytest.raises(DomainError, match="This status change is not allowed"):
        revert_change(actor=Member.objects.system(), change=change)
    entry.refresh_from_db()
    assert entry.status == "banned"


def test_activity_adds_no_history():
    entry = EntryFactory()
    ParticipationFactory(member=entry)
    rows("UPDATE community_members SET last_active_at = now() WHERE id = %s", [entry.pk])
    assert len(changes_of(entry)) == 1


# --- Relationships ----------------------------------------------------------------------------


def test_relationship_is_unique_between_two():
    ana, bob, staff = EntryFactory(), EntryFactory(), StaffFactory()
    sides = {"entity_id_a": f" {ana.member_id} ", "entity_id_b": bob.member_id}
    made = create_relationship(**sides, relationship_type="MENTORED", content={"about": "SQL"}, actor=staff)
    assert (made.member_a, made.member_b, made.content) == (ana, bob, {"about": "SQL"})
    event = last_event()
    assert (event.type, event.actor, event.member) == ("relationship.created", staff, ana.person)
    assert event.payload == {"kind": "MENTORED", "relationship": str(made.pk)}
    with violates("member_relationships_once"):
        create_relationship(actor=Member.objects.system(), **sides, relationship_type="MENTORED")
    with violates("member_relationships_not_with_self"):
        create_relationship(
            actor=Member.objects.system(), entity_id_a="bot:7", entity_id_b=" bot:7", relationship_type="REFERRED"
        )
    for odd in ({"relationship_type": "LIKED"}, {"relationship_type": "REFERRED", "entity_id_a": " "}):
        with pytest.raises(DomainError):
            create_relationship(actor=Member.objects.system(), **sides | odd)
    assert (
        create_relationship(
            actor=Member.objects.system(), entity_id_a="bot:7", entity_id_b="bot:8", relationship_type="REFERRED"
        ).member_a
        is None
    )


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
    with django_assert_num_queries(1):
        days = {day.on: day for week in heat_map(entry, today=now.date()) for day in week if day}
    day = days[now.date()]
    assert (day.messages, day.reactions, day.voice_minutes, day.points, day.total) == (3, 1, 12, 3, 16)
    # A day with points only is shown too.
    day = days[now.date() - timedelta(days=1)]
    assert (day.total, day.points, day.level) == (0, 2, 1)
    assert sum(day.total for day in days.values()) == 16


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

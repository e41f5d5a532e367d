"""What triggers and functions of the directory enforce: raw SQL as the site's role."""

import threading

import pytest
from django.db import transaction

from groups.errors import StatusMoveRejected
from groups.models import CommunityMember
from groups.rules import INVITATION_MOVES, targets_of
from groups.services import directory
from tests.groups.directory_tables import STATUSES, insert, least, rejected_with
from tests.support.concurrency import crowd
from tests.support.database import rejected_by, row, rows
from tests.support.factories.groups import EntryFactory, InvitationFactory

pytestmark = pytest.mark.django_db


# --- Numbers ----------------------------------------------------------------------------------


def new_number(**values):
    telegram_id = values.pop("telegram_id", None) or row("SELECT gen_random_uuid()::text")[0]
    return insert("community_members", **least("community_members", telegram_id=telegram_id, **values))["member_id"]


@pytest.mark.seed("003 Numbers")
def test_numbers_are_consecutive():
    first = int(EntryFactory(person=None).member_id[1:])
    assert [EntryFactory(person=None).member_id for _ in range(3)] == [f"#{first + step}" for step in (1, 2, 3)]


def test_given_number_moves_sequence_past_it():
    ahead = int(EntryFactory(person=None).member_id[1:]) + 1000
    entry = least("community_members", telegram_id="brought", member_id=f"#{ahead}")
    assert insert("community_members", **entry)["member_id"] == f"#{ahead}"
    assert EntryFactory(person=None).member_id == f"#{ahead + 1}"
    entry = least("community_members", telegram_id="behind", member_id=f"#{ahead - 500}")
    before = int(EntryFactory(person=None).member_id[1:])
    insert("community_members", **entry)
    assert EntryFactory(person=None).member_id == f"#{before + 1}", "a number behind moves nothing"


def test_empty_number_gets_next_number():
    assert new_number(member_id="").startswith("#")


def test_number_is_unique_and_never_changes():
    number = new_number()
    with rejected_by("community_members_member_id_key"):
        new_number(member_id=number)
    with rejected_by("community_members_number_never_changes"):
        rows("UPDATE community_members SET member_id = '#777777' WHERE member_id = %s", [number])
    rows("UPDATE community_members SET member_id = member_id, name = 'Other' WHERE member_id = %s", [number])
    with rejected_with("23502"):
        rows("UPDATE community_members SET member_id = NULL WHERE member_id = %s", [number])


@pytest.mark.seed("003 Numbers")
@pytest.mark.django_db(transaction=True)
def test_concurrent_inserts_get_distinct_numbers():
    together = threading.Barrier(30)
    ahead = int(EntryFactory(person=None).member_id[1:]) + 1000

    def act(number):
        # One in three has a given number, as in an import; each transaction stays open until all have their number.
        brought = {"member_id": f"#{ahead + 1000 * number}"} if number % 3 == 0 else {}
        values = {"telegram_id": f"at-once-{number}", "name": "Ana", "primary_role": "other"} | brought
        with transaction.atomic():
            made = insert("community_members", **values)["member_id"]
            together.wait(30)
        return made

    with crowd(30) as people:
        numbers = people.run(act)
    assert all(isinstance(number, str) for number in numbers), numbers
    assert len(set(numbers)) == 30
    highest = max(int(number[1:]) for number in numbers)
    assert EntryFactory(person=None).member_id == f"#{highest + 1}"


# --- Reputation and tier ----------------------------------------------------------------------


@pytest.mark.seed("003 Tiers")
@pytest.mark.parametrize(
    ("score", "tier"),
    [
        (0, "Novice"),
        (100, "Novice"),
        (101, "Contributor"),
        (500, "Contributor"),
        (501, "Active Developer"),
        (1000, "Active Developer"),
        (1001, "Experienced"),
        (1125, "Experienced"),
        (2500, "Experienced"),
        (2501, "Expert"),
        (2**31 - 1, "Expert"),
    ],
)
def test_tier_follows_from_the_score(score, tier):
    made = insert("community_members", **least("community_members", reputation_score=score))
    assert made["reputation_tier"] == tier
    entry = EntryFactory(person=None)
    changed = "UPDATE community_members SET reputation_score = %s WHERE id = %s RETURNING reputation_tier"
    assert row(changed, [score, entry.pk]) == (tier,)


@pytest.mark.seed("003 Tiers")
def test_tier_cannot_be_set():
    entry = EntryFactory()
    with rejected_with("428C9"):
        insert("community_members", **least("community_members", reputation_tier="Expert"))
    with rejected_with("428C9"):
        rows("UPDATE community_members SET reputation_tier = 'Expert' WHERE id = %s", [entry.pk])
    with rejected_with("428C9"):
        rows("UPDATE community_members SET reputation_tier = 'Novice' WHERE id = %s", [entry.pk])
    for statement in (
        "ALTER TABLE community_members ALTER reputation_tier DROP EXPRESSION",
        "ALTER TABLE community_members DISABLE TRIGGER community_members_guard",
    ):
        with rejected_with("42501"):
            rows(statement)


@pytest.mark.seed("003 Reputation")
def test_profile_points_determine_tier():
    profile = {"public_repos": 15, "followers": 50, "total_stars": 200, "contributions_last_year": 500}
    assert directory.reputation_of(profile) == 1125
    assert EntryFactory(reputation_score=directory.reputation_of(profile)).reputation_tier == "Experienced"
    each = [directory.reputation_of({name: 1}) for name in profile]
    assert each == [5, 3, 2, 1]
    assert directory.reputation_of({}) == 0


# --- Status -----------------------------------------------------------------------------------

REJECTED = {
    "not_member": (
        "The status of this member is “Not a member”. It can only change to “Waiting for approval” or “Banned”."
    ),
    "pending": "The status of this member is “Waiting for approval”. It can only change to “Active” or “Banned”.",
    "active": "The status of this member is “Active”. It can only change to “Suspended” or “Banned”.",
    "suspended": "The status of this member is “Suspended”. It can only change to “Active” or “Banned”.",
    "banned": "The status of this member is “Banned”, which is final.",
}
ACTS = {
    directory.approve: ({"pending"}, "active", "directory.approved"),
    directory.suspend: ({"active"}, "suspended", "directory.suspended"),
    directory.reinstate: ({"suspended"}, "active", "directory.reinstated"),
    directory.ban: ({"not_member", "pending", "active", "suspended"}, "banned", "directory.banned"),
}


@pytest.mark.seed("003 Status")
@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_rejected_move_names_possible_moves(act, before):
    possible, after, told = ACTS[act]
    entry, manager = EntryFactory(status=before), EntryFactory().person
    if before in possible:
        assert act(entry=entry, actor=manager, reason="seen").status == after
        event = row("SELECT type, actor_id, member_id, payload::text FROM events ORDER BY id DESC LIMIT 1")
        assert event[:3] == (told, manager.pk, entry.person_id)
        assert event[3] == f'{{"number": "{entry.member_id}", "reason": "seen"}}'
    else:
        with pytest.raises(StatusMoveRejected) as rejected:
            act(entry=entry, actor=manager, reason="seen")
        assert str(rejected.value) == REJECTED[before]
        assert row("SELECT count(*) FROM events") == (0,)
        after = before
    assert CommunityMember.objects.get(pk=entry.pk).status == after


# --- Invitations ------------------------------------------------------------------------------


@pytest.mark.parametrize("ended", ["accepted", "expired", "cancelled"])
def test_ended_invitation_never_changes(ended):
    guest = EntryFactory()
    accepted = {"accepted_by": guest, "accepted_at": "2026-03-01T00:00:00Z"} if ended == "accepted" else {}
    invitation = InvitationFactory(status=ended, **accepted)
    # An expired one can be extended.
    allowed = {ended, *targets_of(INVITATION_MOVES, ended)}
    assert allowed == ({"expired", "pending"} if ended == "expired" else {ended})
    for status in {"pending", "accepted", "expired", "cancelled"} - allowed:
        with rejected_by("community_invitations_status_moves"):
            rows("UPDATE community_invitations SET status = %s WHERE invitation_id = %s", [status, invitation.pk])
    with rejected_by("community_invitations_status_moves"):
        rows(
            """UPDATE community_invitations SET status = 'accepted', accepted_by = %s, accepted_at = now()
               WHERE invitation_id = %s""",
            [EntryFactory().member_id, invitation.pk],
        )
    rows("UPDATE community_invitations SET invited_telegram_username = NULL WHERE invitation_id = %s", [invitation.pk])


def test_inviter_of_an_invitation_never_changes():
    invitation, other = InvitationFactory(), EntryFactory()
    with rejected_by("community_invitations_inviter_never_changes"):
        rows("UPDATE community_invitations SET created_by = %s", [other.member_id])
    invitation.refresh_from_db()
    assert invitation.created_by != other


@pytest.mark.parametrize("change", ["status = 'cancelled', invitation_code", "invitation_code"])
def test_code_changes_only_while_pending(change):
    InvitationFactory(status="expired" if change == "invitation_code" else "pending")
    with rejected_by("community_invitations_code_changes_while_pending"):
        rows(f"UPDATE community_invitations SET {change} = 'ZZZZZZZZZZZZZZZZ'")


# --- Relationships ----------------------------------------------------------------------------


@pytest.mark.seed("003 AC3")
def test_entity_id_with_number_is_linked_to_member():
    ana, bob = EntryFactory(), EntryFactory()
    values = {"entity_id_a": ana.member_id, "entity_id_b": bob.member_id, "relationship_type": "MENTORED"}
    made = insert("member_relationships", **values)
    assert (made["member_a_id"], made["member_b_id"]) == (ana.pk, bob.pk)
    for stranger in ("#999999", "bot:7", ana.member_id[1:], f" {ana.member_id}", str(ana.pk)):
        made = insert("member_relationships", **values | {"entity_id_a": stranger})
        assert (made["member_a_id"], made["member_b_id"]) == (None, bob.pk), stranger


def test_link_follows_entity_id():
    ana, bob = EntryFactory(), EntryFactory()
    made = insert(
        "member_relationships",
        entity_id_a="bot:7",
        entity_id_b=bob.member_id,
        relationship_type="REFERRED",
        member_a_id=ana.pk,
    )
    assert made["member_a_id"] is None
    change = "UPDATE member_relationships SET {} WHERE id = %s RETURNING member_a_id, member_b_id"
    assert row(change.format("member_a_id = member_b_id, member_b_id = NULL"), [made["id"]]) == (None, bob.pk)
    assert row(change.format(f"entity_id_a = '{ana.member_id}'"), [made["id"]]) == (ana.pk, bob.pk)


# --- Dates ------------------------------------------------------------------------------------


def test_activity_does_not_change_updated_at():
    old = "2026-01-01T00:00:00Z"
    entry = EntryFactory(updated_at=old)
    invitation = InvitationFactory(updated_at=old)
    change = "UPDATE community_members SET {} WHERE id = %s RETURNING updated_at = now()"
    assert row(change.format("last_active_at = now()"), [entry.pk]) == (False,)
    assert row(change.format("country = 'Brazil'"), [entry.pk]) == (True,)
    change = "UPDATE community_invitations SET {} WHERE invitation_id = %s RETURNING updated_at = now()"
    assert row(change.format("status = status"), [invitation.pk]) == (False,)
    assert row(change.format("status = 'cancelled'"), [invitation.pk]) == (True,)


# --- Records ----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["community_members_history", "community_invitations_history"])
def test_history_is_append_only(table):
    may = {
        verb: row("SELECT has_table_privilege(current_user, %s, %s)", [table, verb])[0]
        for verb in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE")
    }
    assert may == {"SELECT": True, "INSERT": False, "UPDATE": False, "DELETE": False, "TRUNCATE": False}


def test_every_write_path_adds_history():
    entry = EntryFactory()
    rows("UPDATE community_members SET country = 'Brazil' WHERE id = %s", [entry.pk])
    rows("UPDATE community_members SET last_active_at = now() WHERE id = %s", [entry.pk])
    kept = "SELECT pgh_label, country FROM community_members_history WHERE pgh_obj_id = %s ORDER BY pgh_id"
    assert rows(kept, [entry.pk]) == [("insert", None), ("update", "Brazil")]
    invitation = InvitationFactory()
    rows("UPDATE community_invitations SET status = 'cancelled' WHERE invitation_id = %s", [invitation.pk])
    kept = "SELECT pgh_label, status FROM community_invitations_history WHERE pgh_obj_id = %s ORDER BY pgh_id"
    assert rows(kept, [invitation.pk]) == [("insert", "pending"), ("update", "cancelled")]

"""Services and selectors of the directory: results, errors and events."""

import pytest
from django.utils import timezone

from groups.errors import EntryNotRemoved, EntryRemoved
from groups.models import CommunityMember, Event, Member
from groups.selectors.directory import (
    find_entries,
    may_see_directory,
)
from groups.services import directory
from groups.services.relationships import create_relationship
from missionsite.common.audit.history import changes_of, revert_change
from missionsite.common.errors import DomainError
from tests.groups.entries import verified
from tests.support.database import rows
from tests.support.errors import violates
from tests.support.factories.groups import EntryFactory, ParticipationFactory, StaffFactory

pytestmark = pytest.mark.django_db


def last_event():
    return Event.objects.order_by("-pk").first()


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

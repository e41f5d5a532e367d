"""Erasing a member: a canary in every text, searched for in the whole database, the logs and the files.

Which tables have rows of a person, and which columns hold text, is read from the catalog: a new table or column is
covered without being named here."""

import json
import logging
from uuid import uuid4

import psycopg
import pytest

from groups.errors import EntryErased, StaffNotErased
from groups.models import CommunityMember, Member, MemberDailyHighlight
from groups.services import directory
from groups.services.erasure import erase
from groups.services.highlights import roll_up_highlights
from missionsite.common.audit.sealing import verify
from tests.groups.erasing import CANARY, NEIGHBOUR, PLANTED, SERVERS_LOG, files_with, live, owner_session, plant, search
from tests.support.database import rejected_by, row, rows
from tests.support.factories.groups import EntryFactory, MemberFactory, StaffFactory

# Other sessions read what is committed; tests without one roll back.
pytestmark = pytest.mark.django_db(transaction=True)


rolled_back = pytest.mark.django_db


@pytest.fixture
def said():
    """Collect every log record during the test."""
    records = []

    class Keep(logging.Handler):
        def emit(self, record):
            # Skip the test's own records.
            if record.name.startswith("factory"):
                return
            records.append(f"{logging.Formatter().format(record)} {record.__dict__}")

    keep, root = Keep(level=logging.NOTSET), logging.getLogger()
    level = root.level
    root.addHandler(keep)
    root.setLevel(logging.DEBUG)
    yield records
    root.removeHandler(keep)
    root.setLevel(level)


@pytest.mark.seed("003 Erase")
def test_erase_removes_text_from_every_column():
    entry, _client = live(CANARY)
    other, _client = live(NEIGHBOUR)
    with owner_session() as session:
        # Texts of real use first: the canaries overwrite them.
        used = search(session, CANARY)
        assert {
            ("api_idempotency_keys", "body"),
            ("audit_details", "content"),
            ("audit_details", "origin"),
            ("community_invitations", "invited_telegram_username"),
            ("community_invitations_history", "invited_telegram_username"),
            ("community_members", "name"),
            ("community_members_history", "name"),
            ("events", "payload"),
            ("member_participation", "room_id"),
            ("members_history", "email"),
        } <= used
        left = search(session, NEIGHBOUR)
        erase(entry=entry, actor=StaffFactory())
        assert search(session, CANARY) == set()
        assert search(session, NEIGHBOUR) == left, "only theirs"
    assert verify().problems == []
    assert CommunityMember.objects.get(pk=other.pk).name == f"Zoë {NEIGHBOUR}"


@pytest.mark.seed("003 Erase")
def test_erased_person_is_in_no_log_or_file(said):
    entry, _client = live(CANARY)
    logging.getLogger("groups").info("control %s", "the handler hears the site")
    erase(entry=entry, actor=StaffFactory())
    assert any("the handler hears" in record for record in said)
    assert [record for record in said if CANARY in record.lower()] == []
    assert [path for path in files_with(CANARY) if path != SERVERS_LOG] == []


def test_server_log_omits_rejected_personal_data():
    live(word := f"{CANARY}{uuid4().hex[:8]}")
    assert SERVERS_LOG in files_with("database system is ready"), "the search reads files"
    assert files_with(word) == []


@pytest.mark.seed("003 Erase")
def test_erase_removes_canary_from_every_text_column():
    entry, _client = live("someone")
    with owner_session() as session:
        planted = plant(session, entry, PLANTED)
        # Negative control: the search finds every canary.
        assert search(session, PLANTED) == set(planted.values())
        assert {
            *(("community_members", each) for each in ("name", "telegram_id", "telegram_username", "organization")),
            *(("community_members", each) for each in ("country", "github_username", "registration_fee_tx_hash")),
            *(("community_members", each) for each in ("github_profile_data", "profile_data")),
            *(("community_members_history", each) for each in ("name", "profile_data", "registration_fee_tx_hash")),
            *(("members", each) for each in ("email", "display_name")),
            *(("members_history", each) for each in ("email", "display_name")),
            ("community_invitations", "invited_telegram_username"),
            ("community_invitations_history", "invited_telegram_username"),
            ("member_relationships", "content"),
            ("member_participation", "room_id"),
            ("member_participation", "event_metadata"),
            ("events", "payload"),
            ("api_tokens", "name"),
            ("api_idempotency_keys", "body"),
            ("django_admin_log", "object_repr"),
            ("django_admin_log", "change_message"),
        } <= set(planted.values())
        erase(actor=Member.objects.system(), entry=entry)
        assert search(session, PLANTED) == set()


# --- What is kept ---------------------------------------------------------------------------------


def facts(entry):
    """Return the data that is kept."""
    number = entry.member_id
    return {
        "entry": row(
            """SELECT member_id, primary_role, status, reputation_score, reputation_tier, invited_by, created_at,
                   registration_fee_paid, last_active_at, person_id FROM community_members WHERE id = %s""",
            [entry.pk],
        ),
        "participation": rows(
            """SELECT id, event_type, platform, occurred_at, event_metadata -> 'minutes' FROM member_participation
               WHERE member_id = %s ORDER BY id""",
            [number],
        ),
        "days": list(MemberDailyHighlight.objects.filter(member_id=number).values_list()),
        "invitations": rows(
            """SELECT invitation_id, status, accepted_by, created_by, accepted_at FROM community_invitations
               WHERE %s IN (created_by, accepted_by) ORDER BY 1""",
            [number],
        ),
        "relationships": rows(
            """SELECT id, entity_id_a, entity_id_b, relationship_type, member_a_id, member_b_id
               FROM member_relationships ORDER BY id"""
        ),
        "events": rows("SELECT id, type, actor_id, member_id, occurred_at FROM events ORDER BY id"),
        "changes": rows("SELECT count(*) FROM community_members_history WHERE pgh_obj_id = %s", [entry.pk]),
        "account": row("SELECT member_id, trust_score, created_at FROM members WHERE id = %s", [entry.person_id]),
        "memberships": rows("SELECT id, group_id, status, joined_at, left_at FROM memberships ORDER BY id"),
    }


@rolled_back
def test_erase_keeps_numbers_counts_and_days():
    entry, _client = live(CANARY)
    CommunityMember.objects.filter(pk=entry.pk).update(reputation_score=1125)
    before = facts(entry)
    assert before["days"]
    erase(entry=entry, actor=StaffFactory())
    after = facts(entry)
    # The erasure adds one event and one change.
    assert after["events"].pop()[1] == "directory.erased"
    assert after.pop("changes")[0][0] == before.pop("changes")[0][0] + 1
    assert after == before
    assert after["entry"][3:5] == (1125, "Experienced")


@rolled_back
def test_highlights_count_earlier_events_after_erase():
    entry, _client = live(CANARY)
    erase(actor=Member.objects.system(), entry=entry)
    roll_up_highlights()
    day = MemberDailyHighlight.objects.get(member_id=entry.member_id)
    assert (day.message_count, day.reaction_count, day.voice_minutes) == (2, 1, 7)


@rolled_back
def test_erased_entry_and_account_are_anonymous():
    entry, client = live(CANARY)
    erased = erase(actor=Member.objects.system(), entry=entry)
    assert (erased.name, erased.telegram_id) == ("Erased member", f"erased:{entry.pk}")
    assert (erased.github_verified, erased.telegram_username, erased.country) == (False, None, None)
    assert erased.erased_at
    assert erased.deleted_at
    person = Member.objects.get(pk=entry.person_id)
    assert (person.email, person.display_name) == (f"erased-{person.pk}@erased.invalid", "Erased member")
    assert (person.is_active, person.has_usable_password()) == (False, False)
    # Sessions end, and tokens are deleted.
    assert client.get("/admin/").status_code in (302, 403)
    assert not person.api_tokens.exists()
    assert not person.groups.exists()
    assert not CommunityMember.objects.present().filter(pk=entry.pk).exists()


@rolled_back
def test_erase_event_contains_only_number():
    entry, manager = EntryFactory(name=CANARY), StaffFactory()
    erase(entry=entry, actor=manager)
    [(type_, actor, member, payload)] = rows("SELECT type, actor_id, member_id, payload::text FROM events")
    assert (type_, actor, member) == ("directory.erased", manager.pk, entry.person_id)
    assert json.loads(payload) == {"number": entry.member_id}


def test_erase_handles_entry_without_account():
    entry = directory.create_entry(actor=Member.objects.system(), name=CANARY, telegram_id=CANARY, primary_role="other")
    directory.approve(actor=Member.objects.system(), entry=entry, reason=CANARY)
    directory.remove_entry(actor=Member.objects.system(), entry=entry, reason=CANARY)
    erase(actor=Member.objects.system(), entry=entry)
    with owner_session() as session:
        assert search(session, CANARY) == set()


@rolled_back
def test_erase_frees_telegram_id_and_email():
    entry = EntryFactory(telegram_id="718281828", person=MemberFactory(email="noor@example.org"))
    erase(actor=Member.objects.system(), entry=entry)
    EntryFactory(telegram_id="718281828", person=MemberFactory(email="noor@example.org"))


# --- What is rejected ----------------------------------------------------------------------------


@rolled_back
def test_erase_rejects_erased_entry():
    entry = EntryFactory()
    erase(actor=Member.objects.system(), entry=entry)
    with pytest.raises(EntryErased, match="The personal data of this member was erased"):
        erase(actor=Member.objects.system(), entry=entry)


@rolled_back
@pytest.mark.parametrize("right", ["is_staff", "is_superuser"])
def test_erase_rejects_staff(right):
    entry = EntryFactory(person=MemberFactory(**{right: True}), name=CANARY)
    with pytest.raises(StaffNotErased, match="Remove its rights"):
        erase(actor=Member.objects.system(), entry=entry)
    entry.refresh_from_db()
    assert (entry.name, entry.erased_at) == (CANARY, None)


@rolled_back
def test_erased_entry_cannot_be_changed():
    entry, staff = EntryFactory(), StaffFactory()
    erase(actor=Member.objects.system(), entry=entry)
    for act in (
        lambda: directory.update_entry(actor=Member.objects.system(), entry=entry, name="Back"),
        lambda: directory.restore_entry(actor=Member.objects.system(), entry=entry),
        lambda: directory.remove_entry(actor=Member.objects.system(), entry=entry),
        lambda: directory.ban(entry=entry, actor=staff),
        lambda: directory.suspend(actor=Member.objects.system(), entry=entry),
        lambda: directory.verify_manually(actor=Member.objects.system(), entry=entry, how="seen"),
    ):
        with pytest.raises(EntryErased):
            act()
    for change in (
        "name = 'Back'",
        "deleted_at = NULL",
        "erased_at = NULL",
        "status = 'banned'",
        "last_active_at = now()",
    ):
        with rejected_by("community_members_erased_stays"):
            rows(f"UPDATE community_members SET {change} WHERE id = %s", [entry.pk])


def test_only_erase_function_changes_events_and_history():
    entry = EntryFactory()
    directory.suspend(actor=Member.objects.system(), entry=entry, reason=CANARY)
    rows("SET missionsite.erasing = 'on'")
    for statement in ("UPDATE events SET payload = '{}'", "UPDATE community_members_history SET name = 'x'"):
        with pytest.raises(Exception, match="permission denied"):
            rows(statement)
    rows("RESET missionsite.erasing")
    with owner_session() as session:
        # Not even the owner without the setting, and with it only the payload.
        with pytest.raises(psycopg.errors.CheckViolation), session.transaction():
            session.execute("UPDATE events SET payload = '{}'")
        session.execute("SET LOCAL missionsite.erasing = 'on'")
        for change in ("type = 'x'", "member_id = NULL", "occurred_at = now()", "actor_id = member_id"):
            with pytest.raises(psycopg.errors.CheckViolation), session.transaction():
                session.execute(f"UPDATE events SET {change}")
        with pytest.raises(psycopg.errors.CheckViolation), session.transaction():
            session.execute("DELETE FROM events")
        session.rollback()


def test_failed_erasure_changes_nothing():
    entry, _client = live(CANARY)
    with owner_session() as session:
        before = search(session, CANARY)
        session.execute(
            """ALTER TABLE members ADD CONSTRAINT not_erased CHECK (display_name <> 'Erased member') NOT VALID"""
        )
        session.commit()
        try:
            with pytest.raises(Exception, match="not allowed together"):
                erase(actor=Member.objects.system(), entry=entry)
            assert search(session, CANARY) == before
        finally:
            session.execute("ALTER TABLE members DROP CONSTRAINT not_erased")
            session.commit()
    assert CommunityMember.objects.get(pk=entry.pk).erased_at is None

"""Registration with a code: rows, errors, and fifty concurrent registrations with one code.

RACE_ROUNDS=200 bin/test tests/groups/test_registration.py runs the long proof; a build runs one round.
"""

import logging
import random
from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.utils import timezone

from groups.errors import CodeRejected, InvitationEnded, StatusMoveRejected
from groups.models import CommunityInvitation, CommunityMember, Event, Member, MemberRelationship
from groups.models.directory import CommunityMemberQuerySet
from groups.models.invitations import digest_of_code, plain_code
from groups.models.members import SYSTEM_MEMBER_ID
from groups.services import registration
from groups.services.directory import approve, ban, reinstate, suspend
from groups.services.invitations import cancel_invitation
from groups.services.registration import accept_invitation, find_invitation
from missionsite.common.audit.history import changes_of
from missionsite.common.errors import DomainError
from tests.support.concurrency import ROUNDS, crowd, without
from tests.support.database import rows
from tests.support.factories.groups import EntryFactory, InvitationFactory, MemberFactory

PEOPLE = 50
pytestmark = pytest.mark.django_db


def registering(code, number=0, **fields):
    return accept_invitation(
        **{
            "code": code,
            "email": f"noor{number}@example.org",
            "password": None,
            "name": "Noor Haddad",
            "primary_role": "designer",
            "telegram_id": f"71828{number}",
        }
        | fields
    )


def written():
    """Return the row counts of the tables that a registration writes to, without the system member."""
    people = Member.objects.exclude(pk=SYSTEM_MEMBER_ID)
    return [rows.count() for rows in (people, CommunityMember.objects, MemberRelationship.objects, Event.objects)]


# --- What it writes ---------------------------------------------------------------------------


@pytest.mark.seed("003 Acceptance")
def test_accept_writes_all_rows_and_uses_code():
    invitation = InvitationFactory()
    inviter = invitation.created_by
    before = timezone.now()
    entry = registering(
        invitation.code,
        name=" Noor Haddad ",
        email="Noor@Example.ORG",
        password="a long enough one",
        telegram_id=" 718281828 ",
        telegram_username=" @noor ",
        organization=" Ours ",
        country="  ",
        github_username="@noor-h",
    )
    entry.refresh_from_db()
    person = entry.person
    assert (person.email, person.display_name, person.is_staff) == ("Noor@example.org", "Noor Haddad", False)
    assert authenticate(username="noor@example.org", password="a long enough one") == person
    assert (entry.status, entry.name, entry.primary_role, entry.invited_by) == (
        "pending",
        "Noor Haddad",
        "designer",
        inviter,
    )
    texts = (entry.telegram_id, entry.telegram_username, entry.organization, entry.country, entry.github_username)
    assert texts == ("718281828", "noor", "Ours", None, "noor-h")
    assert (entry.github_verified, entry.reputation_score) == (False, 0)
    assert changes_of(entry)[0].actor == changes_of(person)[0].actor == person
    invitation.refresh_from_db()
    assert (invitation.status, invitation.accepted_by) == ("accepted", entry)
    assert before <= invitation.accepted_at <= timezone.now()
    relationship = MemberRelationship.objects.get()
    assert (relationship.relationship_type, relationship.entity_id_a, relationship.entity_id_b) == (
        "INVITED",
        inviter.member_id,
        entry.member_id,
    )
    assert (relationship.member_a, relationship.member_b) == (inviter, entry)
    assert relationship.content == {"invitation": str(invitation.pk)}


def test_events_contain_no_personal_text():
    invitation = InvitationFactory(invited_telegram_username="noor")
    entry = registering(invitation.code, telegram_username="noor", organization="Ours", country="Brazil")
    created, accepted = Event.objects.order_by("pk")
    assert (created.type, created.actor, created.member) == ("member.created", entry.person, entry.person)
    assert created.payload == {"stable_id": entry.person.member_id}
    assert (accepted.type, accepted.actor, accepted.member) == ("invitation.accepted", entry.person, entry.person)
    assert accepted.payload == {
        "number": entry.member_id,
        "invitation": str(invitation.pk),
        "invited_by": invitation.created_by_id,
    }


def test_account_without_password_cannot_log_in():
    entry = registering(InvitationFactory().code)
    assert not entry.person.has_usable_password()


# --- Codes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["7KQ2-M4XA-9PDT-HC3W", "7kq2m4xa9pdthc3w", " 7kq2 m4xa\t9pdt\nhc3w ", "7-K-Q-2M4XA9PDTHC3W-"]
)
def test_code_is_accepted_in_any_spelling(typed):
    InvitationFactory(code="7KQ2M4XA9PDTHC3W")
    assert plain_code(typed) == "7KQ2M4XA9PDTHC3W"
    assert find_invitation(typed).invitation_code == digest_of_code("7KQ2M4XA9PDTHC3W")


def bad_codes():
    """Return {reason: a code that is rejected for it}."""
    now = timezone.now()
    over = {"created_at": now - timedelta(days=9)}
    accepted = {"status": "accepted", "accepted_by": EntryFactory(), "accepted_at": now}
    return {
        "no such code": "ZZZZZZZZZZZZZZZZ",
        "accepted": InvitationFactory(**accepted).code,
        "cancelled": InvitationFactory(status="cancelled").code,
        "expired": InvitationFactory(status="expired", expires_at=now - timedelta(days=1), **over).code,
        "past its expiry": InvitationFactory(expires_at=now - timedelta(seconds=1), **over).code,
        "the inviter is not an active member": InvitationFactory(created_by__status="banned").code,
    }


def test_every_invalid_code_has_same_error_and_logged_reason(caplog):
    caplog.set_level(logging.INFO, logger="groups")
    before, rejections = None, set()
    for reason, code in bad_codes().items():
        before = written()
        caplog.clear()
        for attempt in (lambda code=code: find_invitation(code), lambda code=code: registering(code)):
            with pytest.raises(CodeRejected) as rejected:
                attempt()
            rejections.add((str(rejected.value), rejected.value.code, rejected.value.status, rejected.value.field))
        assert [record.getMessage().rpartition("rejected: ")[2] for record in caplog.records] == [reason] * 2
        assert code not in caplog.text
        assert written() == before
    assert rejections == {
        (
            "This invitation code is not valid. Ask the person who invited you for a new one.",
            "code_rejected",
            404,
            "code",
        )
    }


@pytest.mark.parametrize("gone", [{"status": "suspended"}, {"status": "banned"}, {"deleted_at": timezone.now()}])
def test_code_of_inactive_inviter_is_rejected(gone):
    invitation = InvitationFactory()
    CommunityMember.objects.filter(pk=invitation.created_by.pk).update(**gone)
    with pytest.raises(CodeRejected):
        registering(invitation.code)


def test_code_of_reinstated_inviter_works():
    invitation = InvitationFactory()
    suspend(actor=Member.objects.system(), entry=invitation.created_by)
    reinstate(actor=Member.objects.system(), entry=invitation.created_by)
    assert registering(invitation.code).status == "pending"


@pytest.mark.parametrize(
    "typed", ["", " ", "-", "A", "A" * 17, "0" * 16, "7KQ2M4XA9PDTHC3\0", "7KQ2M4XA9PDTHC3ß", "' OR 1=1 --", "é" * 16]
)
def test_malformed_code_takes_same_lookup(typed, django_assert_num_queries):
    InvitationFactory(code="7KQ2M4XA9PDTHC3W")
    with django_assert_num_queries(1), pytest.raises(CodeRejected):
        find_invitation(typed)


def test_code_of_cancelled_invitation_is_rejected():
    invitation = InvitationFactory()
    cancel_invitation(actor=Member.objects.system(), invitation=invitation)
    with pytest.raises(CodeRejected):
        registering(invitation.code)


# --- All or nothing ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"email": "TAKEN@example.org"}, "email_taken"),
        ({"telegram_id": "taken"}, "telegram_id_taken"),
        ({"name": "  "}, "name_missing"),
        ({"primary_role": "wizard"}, "value_rejected"),
        ({"telegram_id": " "}, "telegram_id_missing"),
        ({"organization": "x" * 256}, "value_rejected"),
        ({"country": "nul \0"}, "value_rejected"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_rejected_registration_keeps_code(fields, code):
    invitation = InvitationFactory()
    EntryFactory(telegram_id="taken", person=MemberFactory(email="taken@example.org"))
    before = written()
    with pytest.raises(DomainError) as rejected:
        registering(invitation.code, **fields)
    assert rejected.value.code == code
    assert written() == before
    invitation.refresh_from_db()
    assert (invitation.status, invitation.accepted_by) == ("pending", None)
    assert registering(invitation.code).status == "pending"


@pytest.mark.seed("003 Acceptance")
@pytest.mark.parametrize("table", ["members", "community_members", "community_invitations", "member_relationships"])
@pytest.mark.django_db(transaction=True)
def test_failed_registration_writes_nothing(table):
    invitation = InvitationFactory()
    before = written()
    # A deferred constraint that always fails, at commit.
    fail = f"""
        CREATE FUNCTION fail_on_the_way() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'not today' USING ERRCODE = 'check_violation'; END $$;
        CREATE CONSTRAINT TRIGGER fail_on_the_way AFTER INSERT OR UPDATE ON {table}
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail_on_the_way();
    """
    with without(fail, "DROP FUNCTION fail_on_the_way() CASCADE"), pytest.raises(DomainError):
        registering(invitation.code)
    assert written() == before
    assert CommunityInvitation.objects.get().status == "pending"
    registering(invitation.code)
    assert [now - then for now, then in zip(written(), before, strict=True)] == [1, 1, 1, 2]


# --- Concurrent registrations ----------------------------------------------------------------------


def everyone_registers(people, round_):
    """One round: the results of fifty registrations with one code, and how many members they made."""
    invitation = InvitationFactory()
    before = written()
    results = people.run(lambda number: registering(invitation.code, f"{round_}-{number}"))
    return results, invitation, [now - then for now, then in zip(written(), before, strict=True)]


@pytest.mark.seed("003 One code")
@pytest.mark.django_db(transaction=True)
def test_one_of_fifty_concurrent_registrations_succeeds():
    with crowd(PEOPLE) as people:
        for round_ in range(ROUNDS):
            results, invitation, made = everyone_registers(people, round_)
            assert made == [1, 1, 1, 2]
            (entry,) = (result for result in results if isinstance(result, CommunityMember))
            assert sum(isinstance(result, CodeRejected) for result in results) == PEOPLE - 1
            invitation.refresh_from_db()
            assert (invitation.status, invitation.accepted_by) == ("accepted", entry)


def look_without_holding(monkeypatch):
    monkeypatch.setattr(registration, "find_invitation", lambda code, lock=False: find_invitation(code))


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_one_registration_succeeds_without_lock(monkeypatch):
    look_without_holding(monkeypatch)
    with crowd(PEOPLE) as people:
        results, _invitation, made = everyone_registers(people, 0)
    assert made == [1, 1, 1, 2]
    assert {type(result) for result in results} <= {CommunityMember, CodeRejected, InvitationEnded}


@pytest.mark.long
@pytest.mark.seed("003 One code")
@pytest.mark.django_db(transaction=True)
def test_several_registrations_succeed_without_guard(monkeypatch):
    look_without_holding(monkeypatch)
    guards = "ALTER TABLE community_invitations {0} TRIGGER community_invitations_guard;" + (
        "ALTER TABLE community_invitations {0} TRIGGER community_invitations_record_use"
    )
    with without(guards.format("DISABLE"), guards.format("ENABLE")), crowd(10) as people:
        assert any(everyone_registers(people, round_)[2][1] > 1 for round_ in range(20))


@pytest.mark.django_db(transaction=True)
def test_concurrent_use_and_cancel_apply_one():
    with crowd(2) as people:
        for round_ in range(ROUNDS * 4):
            invitation = InvitationFactory()
            acts = [
                lambda code=invitation.code, name=round_: registering(code, name),
                lambda invitation=invitation: cancel_invitation(actor=Member.objects.system(), invitation=invitation),
            ]
            random.shuffle(acts)
            results = people.run(lambda number, acts=acts: acts[number]())
            invitation.refresh_from_db()
            done = [result for result in results if not isinstance(result, Exception)]
            (rejected,) = (result for result in results if isinstance(result, Exception))
            assert isinstance(rejected, (CodeRejected, InvitationEnded))
            assert len(done) == 1
            assert isinstance(done[0], CommunityMember) == (invitation.status == "accepted")


# --- Concurrent decisions ------------------------------------------------------------------------


def decide(people, *acts):
    """One round: concurrent decisions about a pending member; returns the results and the entry."""
    entry, actor = EntryFactory(status="pending"), Member.objects.system()
    results = people.run(lambda number: acts[number % len(acts)](actor=actor, entry=entry))
    entry.refresh_from_db()
    told = rows("SELECT type FROM events WHERE member_id = %s", [entry.person_id])
    return results, entry, sorted(type_ for (type_,) in told)


@pytest.mark.django_db(transaction=True)
def test_one_of_ten_concurrent_approvals_succeeds():
    with crowd(10) as people:
        for _round in range(ROUNDS):
            results, entry, told = decide(people, approve)
            assert (entry.status, told) == ("active", ["directory.approved"])
            assert sum(isinstance(result, StatusMoveRejected) for result in results) == 9


@pytest.mark.django_db(transaction=True)
def test_concurrent_ban_overrides_approval():
    with crowd(10) as people:
        for _round in range(ROUNDS):
            results, entry, told = decide(people, approve, ban)
            assert entry.status == "banned"
            assert told in (["directory.approved", "directory.banned"], ["directory.banned"])
            assert sum(isinstance(result, StatusMoveRejected) for result in results) == 10 - len(told)


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_two_approvals_succeed_without_lock(monkeypatch):
    monkeypatch.setattr(
        CommunityMemberQuerySet,
        "select_for_update",
        lambda self, **_how: self.all(),
    )
    with crowd(10) as people:
        assert any(len(decide(people, approve)[2]) > 1 for _round in range(30))

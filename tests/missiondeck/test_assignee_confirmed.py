"""A member becomes an assignee only after staff confirmed the member."""

import pytest
from allauth.account.models import EmailAddress

from groups.models import CommunityMember, Member
from groups.services.directory import approve, ban, create_entry, reinstate, remove_entry, restore_entry, suspend
from groups.services.members import create_member, update_member
from groups.services.registration import accept_invitation
from missiondeck.models import DeckMission
from missiondeck.services.chats import add_message
from missiondeck.services.missions import update_deck_mission
from missionsite.common.accounts.addresses import add_unconfirmed_address
from tests.missiondeck.api_helpers import rejected
from tests.missiondeck.helpers import mission
from tests.support.concurrency import crowd
from tests.support.database import rows
from tests.support.factories.groups import EntryFactory, InvitationFactory, MemberFactory, StaffFactory
from tests.support.factories.tokens import api_client

pytestmark = pytest.mark.django_db

ADDRESS = "person1@scopelock.ai"


@pytest.fixture
def made() -> DeckMission:
    made = mission(assigned_to=ADDRESS, client="Acme Corp")
    add_message(actor=Member.objects.system(), mission=made, citizen="emma", sender="user", message="The secret plan")
    return made


@pytest.fixture
def outsider(made) -> CommunityMember:
    """Register by invitation with the address of an unassigned mission, which is confirmed."""
    invitation = InvitationFactory(created_by=EntryFactory(status="active"))
    entry = accept_invitation(
        code=invitation.code,
        email="Person1@ScopeLock.ai",
        password="correct horse battery staple",
        name="Outsider",
        primary_role="developer",
        telegram_id="4711",
    )
    EmailAddress.objects.filter(user=entry.person).update(verified=True)
    return entry


def assignee(of: DeckMission) -> Member | None:
    return DeckMission.objects.select_related("assignee").get(pk=of.pk).assignee


def seen_by(member: Member, of: DeckMission) -> list[int]:
    """The missions a member can read by the API; every URL of other missions answers 404."""
    client = api_client(member)
    found = [item["number"] for item in client.get("/api/deck/missions").json()["items"]]
    if of.number not in found:
        for rest in ("", "/chats/emma", "/runs", "/dod"):
            rejected(client.get(f"/api/deck/missions/{of.number}{rest}"), 404, "not_found")
    return found


@pytest.mark.seed("001 an address alone gives no one a mission")
def test_pending_member_gets_no_mission(made, outsider):
    assert outsider.status == "pending"
    assert assignee(made) is None
    assert seen_by(outsider.person, made) == []


@pytest.mark.seed("001 an address alone gives no one a mission")
def test_approval_assigns_and_ban_unassigns(made, outsider):
    approve(actor=Member.objects.system(), entry=outsider)
    assert assignee(made) == outsider.person
    assert seen_by(outsider.person, made) == [made.number]
    ban(actor=Member.objects.system(), entry=outsider)
    assert assignee(made) is None
    assert seen_by(outsider.person, made) == []


def test_new_mission_skips_pending_member(outsider):
    later = mission(assigned_to=ADDRESS)
    assert later.assignee is None
    assert update_deck_mission(actor=Member.objects.system(), mission=mission(), assigned_to=ADDRESS).assignee is None
    approve(actor=Member.objects.system(), entry=outsider)
    assert assignee(later) == outsider.person


def test_raw_sql_cannot_assign_pending_member(made, outsider):
    rows("UPDATE deck_missions SET assignee_id = %s WHERE id = %s", [outsider.person_id, made.pk])
    assert assignee(made) is None


def test_banned_pending_member_gets_no_mission(made, outsider):
    ban(actor=Member.objects.system(), entry=outsider)
    assert assignee(made) is None


def test_removed_entry_loses_missions_until_restored(made, outsider):
    approve(actor=Member.objects.system(), entry=outsider)
    remove_entry(actor=Member.objects.system(), entry=outsider)
    assert assignee(made) is None
    restore_entry(actor=Member.objects.system(), entry=outsider)
    assert assignee(made) == outsider.person


def test_suspended_member_keeps_mission(made, outsider):
    """Their address was confirmed before the suspension."""
    approve(actor=Member.objects.system(), entry=outsider)
    suspend(actor=Member.objects.system(), entry=outsider)
    assert assignee(made) == outsider.person
    reinstate(actor=Member.objects.system(), entry=outsider)
    assert assignee(made) == outsider.person


def test_staff_created_account_needs_no_entry(made):
    assert assignee(made) is None
    member = create_member(actor=Member.objects.system(), email=ADDRESS, display_name="Person 1")
    assert assignee(made) == member


def test_new_pending_entry_unassigns_account(made):
    member = MemberFactory(email=ADDRESS)
    assert assignee(made) == member
    entry = create_entry(
        actor=Member.objects.system(), person=member, name="Person 1", primary_role="developer", telegram_id="1"
    )
    assert assignee(made) is None
    approve(actor=Member.objects.system(), entry=entry)
    assert assignee(made) == member


def test_pending_staff_keep_missions(made):
    member = StaffFactory(email=ADDRESS)
    create_entry(
        actor=Member.objects.system(), person=member, name="Person 1", primary_role="developer", telegram_id="1"
    )
    assert assignee(made) == member
    update_member(actor=Member.objects.system(), member=member, is_staff=False)
    assert assignee(made) is None
    update_member(actor=Member.objects.system(), member=member, is_staff=True)
    assert assignee(made) == member


def test_banned_staff_lose_missions(made):
    member = StaffFactory(email=ADDRESS)
    entry = create_entry(
        actor=Member.objects.system(), person=member, name="Person 1", primary_role="developer", telegram_id="1"
    )
    ban(actor=Member.objects.system(), entry=entry)
    assert assignee(made) is None


def test_pending_member_with_new_address_gets_no_mission(made):
    member = MemberFactory(email="other@example.org")
    create_entry(actor=Member.objects.system(), person=member, name="Other", primary_role="developer", telegram_id="1")
    update_member(actor=Member.objects.system(), member=member, email=ADDRESS)
    assert assignee(made) is None


def test_entry_moved_to_other_account_reassigns(made, outsider):
    approve(actor=Member.objects.system(), entry=outsider)
    other = MemberFactory(email="other@example.org")
    rows("UPDATE community_members SET person_id = %s WHERE id = %s", [other.pk, outsider.pk])
    # The account has no entry any more, like one created by staff.
    assert assignee(made) == outsider.person


def test_bulk_inserted_entries_unassign(made):
    members = [MemberFactory(email=f"m{n}@example.org") for n in range(4)]
    theirs = [mission(assigned_to=member.email) for member in members]
    rows(
        """INSERT INTO community_members (person_id, name, primary_role, telegram_id, status)
           SELECT id, 'M', 'developer', id::text, CASE WHEN email < 'm2' THEN 'pending' ELSE 'active' END
           FROM members WHERE email LIKE 'm_@example.org'"""
    )
    assert [assignee(one) for one in theirs] == [None, None, members[2], members[3]]


@pytest.mark.django_db(transaction=True)
def test_mission_created_during_ban_has_no_assignee():
    with crowd(2) as people:
        for turn in range(10):
            member = MemberFactory(email=f"turn{turn}@example.org")
            entry = EntryFactory(person=member, status="active")
            acts = (
                lambda m=member: mission(assigned_to=m.email),
                lambda e=entry: ban(actor=Member.objects.system(), entry=e),
            )
            done = people.run(lambda number, acts=acts: acts[number]())
            assert not [one for one in done if isinstance(one, Exception)], done
            assert DeckMission.objects.filter(assignee=member).count() == 0


@pytest.mark.django_db(transaction=True)
def test_mission_created_during_approval_is_assigned():
    with crowd(2) as people:
        for turn in range(10):
            member = MemberFactory(email=f"turn{turn}@example.org")
            entry = EntryFactory(person=member, status="pending")
            acts = (
                lambda m=member: mission(assigned_to=m.email),
                lambda e=entry: approve(actor=Member.objects.system(), entry=e),
            )
            done = people.run(lambda number, acts=acts: acts[number]())
            assert not [one for one in done if isinstance(one, Exception)], done
            assert DeckMission.objects.filter(assignee=member).count() == 1


# --- Confirmed addresses ----------------------------------------------------------------------


@pytest.mark.rule("account_emailaddress_confirm_assignee")
def test_unconfirmed_address_makes_no_assignee():
    """An address that someone only claims gives no client mission; confirming it does, losing it takes them away."""
    member = MemberFactory(email="person@client.example")
    add_unconfirmed_address(member)
    made = mission(assigned_to="Person@client.example")
    made.refresh_from_db()
    assert made.assignee is None
    address = EmailAddress.objects.get(user=member)
    address.verified = True
    address.save()
    made.refresh_from_db()
    assert made.assignee == member
    add_unconfirmed_address(member)
    made.refresh_from_db()
    assert made.assignee is None

"""An address alone gives no mission: whoever registers under it has to be approved first."""

import pytest

from groups.models import CommunityMember, Member
from groups.services.directory import approve, ban, create_entry, reinstate, remove_entry, restore_entry, suspend
from groups.services.members import create_member, update_member
from groups.services.registration import accept_invitation
from missiondeck.models import DeckMission
from missiondeck.services.chats import add_message
from missiondeck.services.missions import update_mission
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
    add_message(mission=made, citizen="emma", sender="user", message="The secret plan")
    return made


@pytest.fixture
def outsider(made) -> CommunityMember:
    """Someone with an invitation, who gives the address a mission waits for."""
    invitation = InvitationFactory(created_by=EntryFactory(status="active"))
    return accept_invitation(
        code=invitation.code,
        email="Person1@ScopeLock.ai",
        password="correct horse battery staple",
        name="Outsider",
        primary_role="developer",
        telegram_id="4711",
    )


def assignee(of: DeckMission) -> Member | None:
    return DeckMission.objects.select_related("assignee").get(pk=of.pk).assignee


def seen_by(member: Member, of: DeckMission) -> list[int]:
    """The missions a member reads by the API; of a mission they do not see every address answers 404."""
    client = api_client(member)
    found = [item["number"] for item in client.get("/api/deck/missions").json()["items"]]
    if of.number not in found:
        for rest in ("", "/chats/emma", "/runs", "/dod"):
            rejected(client.get(f"/api/deck/missions/{of.number}{rest}"), 404, "not_found")
    return found


def test_outsider_who_waits_for_approval_gets_nothing(made, outsider):
    assert outsider.status == "pending"
    assert assignee(made) is None
    assert seen_by(outsider.person, made) == []


def test_approved_member_gets_the_mission_and_loses_it_when_banned(made, outsider):
    approve(entry=outsider)
    assert assignee(made) == outsider.person
    assert seen_by(outsider.person, made) == [made.number]
    ban(entry=outsider)
    assert assignee(made) is None
    assert seen_by(outsider.person, made) == []


def test_new_mission_is_not_given_to_who_waits_for_approval(outsider):
    later = mission(assigned_to=ADDRESS)
    assert later.assignee is None
    assert update_mission(mission=mission(), assigned_to=ADDRESS).assignee is None
    approve(entry=outsider)
    assert assignee(later) == outsider.person


def test_raw_sql_gives_it_to_no_one_either(made, outsider):
    rows("UPDATE deck_missions SET assignee_id = %s WHERE id = %s", [outsider.person_id, made.pk])
    assert assignee(made) is None


def test_banned_without_approval_gets_nothing(made, outsider):
    ban(entry=outsider)
    assert assignee(made) is None


def test_removed_entry_loses_its_missions_until_it_is_restored(made, outsider):
    approve(entry=outsider)
    remove_entry(entry=outsider)
    assert assignee(made) is None
    restore_entry(entry=outsider)
    assert assignee(made) == outsider.person


def test_suspended_member_keeps_the_mission(made, outsider):
    """Their address was confirmed; they are out of sight for a while."""
    approve(entry=outsider)
    suspend(entry=outsider)
    assert assignee(made) == outsider.person
    reinstate(entry=outsider)
    assert assignee(made) == outsider.person


def test_account_made_by_staff_counts_without_an_entry(made):
    assert assignee(made) is None
    member = create_member(email=ADDRESS, display_name="Person 1")
    assert assignee(made) == member


def test_entry_that_waits_takes_the_mission_from_its_account(made):
    member = MemberFactory(email=ADDRESS)
    assert assignee(made) == member
    entry = create_entry(person=member, name="Person 1", primary_role="developer", telegram_id="1")
    assert assignee(made) is None
    approve(entry=entry)
    assert assignee(made) == member


def test_staff_count_while_their_entry_waits(made):
    member = StaffFactory(email=ADDRESS)
    create_entry(person=member, name="Person 1", primary_role="developer", telegram_id="1")
    assert assignee(made) == member
    update_member(member=member, is_staff=False)
    assert assignee(made) is None
    update_member(member=member, is_staff=True)
    assert assignee(made) == member


def test_banned_staff_lose_it(made):
    member = StaffFactory(email=ADDRESS)
    entry = create_entry(person=member, name="Person 1", primary_role="developer", telegram_id="1")
    ban(entry=entry)
    assert assignee(made) is None


def test_address_changed_to_one_a_mission_waits_for_gives_nothing_to_who_waits(made):
    member = MemberFactory(email="other@example.org")
    create_entry(person=member, name="Other", primary_role="developer", telegram_id="1")
    update_member(member=member, email=ADDRESS)
    assert assignee(made) is None


def test_entry_that_is_moved_to_another_account(made, outsider):
    approve(entry=outsider)
    other = MemberFactory(email="other@example.org")
    rows("UPDATE community_members SET person_id = %s WHERE id = %s", [other.pk, outsider.pk])
    # The account has no entry any more, as one made by staff.
    assert assignee(made) == outsider.person


def test_many_entries_at_once(made):
    members = [MemberFactory(email=f"m{n}@example.org") for n in range(4)]
    theirs = [mission(assigned_to=member.email) for member in members]
    rows(
        """INSERT INTO community_members (person_id, name, primary_role, telegram_id, status)
           SELECT id, 'M', 'developer', id::text, CASE WHEN email < 'm2' THEN 'pending' ELSE 'active' END
           FROM members WHERE email LIKE 'm_@example.org'"""
    )
    assert [assignee(one) for one in theirs] == [None, None, members[2], members[3]]


@pytest.mark.django_db(transaction=True)
def test_mission_made_while_its_member_is_banned_is_nobodys():
    with crowd(2) as people:
        for turn in range(10):
            member = MemberFactory(email=f"turn{turn}@example.org")
            entry = EntryFactory(person=member, status="active")
            acts = (lambda m=member: mission(assigned_to=m.email), lambda e=entry: ban(entry=e))
            done = people.run(lambda number, acts=acts: acts[number]())
            assert not [one for one in done if isinstance(one, Exception)], done
            assert DeckMission.objects.filter(assignee=member).count() == 0


@pytest.mark.django_db(transaction=True)
def test_mission_made_while_its_member_is_approved_is_theirs():
    with crowd(2) as people:
        for turn in range(10):
            member = MemberFactory(email=f"turn{turn}@example.org")
            entry = EntryFactory(person=member, status="pending")
            acts = (lambda m=member: mission(assigned_to=m.email), lambda e=entry: approve(entry=e))
            done = people.run(lambda number, acts=acts: acts[number]())
            assert not [one for one in done if isinstance(one, Exception)], done
            assert DeckMission.objects.filter(assignee=member).count() == 1

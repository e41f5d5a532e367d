"""People who register again: the proof, what they get back, and what the database rejects."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.utils import timezone

from groups.errors import InvitationEnded, ReturnDecided, ReturnLinkRejected, StaffNotReturned
from groups.models import CommunityInvitationUse, CommunityMember, CommunityReturn, Event, Member
from groups.services.directory import ban, remove_entry
from groups.services.erasure import erase
from groups.services.invitations import cancel_invitation
from groups.services.passwords import send_password_link
from groups.services.recipients import read_recipients
from groups.services.registration import accept_invitation
from groups.services.returns import accept_by_link, confirm_return, decline_return, request_return, send_return_mail
from tests.support.admin import client, page_text
from tests.support.concurrency import ROUNDS, crowd
from tests.support.database import rejected_by, rows
from tests.support.errors import violates
from tests.support.factories.directory import EntryFactory, InvitationFactory
from tests.support.factories.groups import MemberFactory, StaffFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/groups/communityreturn/"
PASSWORD = "purple-otter-climbs-77"


@pytest.fixture
def actor():
    return StaffFactory(display_name="Mia")


def registering(invitation, **changes):
    """Register again with values that collide with an old entry."""
    values = {"email": "ana@example.org", "telegram_id": "555", "name": "Ana", "primary_role": "designer"} | changes
    return request_return(code=invitation.code, **values)


def old_entry(**fields):
    """A removed member with a password and a verified address."""
    values = {"name": "Ana", "telegram_id": "555", "removed": True} | fields
    account = MemberFactory(email="ana@example.org", display_name="Ana", password="old-password-123")
    return EntryFactory(person=account, **values)


def link_of(case):
    """Run the job, and return the secret of the link that it mailed."""
    send_return_mail(return_id=str(case.pk))
    return re.search(r"/return/([^/]+)/", mail.outbox[-1].body)[1]


# --- By the link --------------------------------------------------------------------------------


def test_removed_member_returns_by_link():
    entry, invitation = old_entry(), InvitationFactory()
    secret = link_of(registering(invitation, email="other@example.org"))
    assert mail.outbox[-1].to == ["ana@example.org"]
    accept_by_link(secret=secret, password=PASSWORD)
    entry.refresh_from_db()
    # A manager removed her, so one approves her again.
    assert (entry.is_removed, entry.status, entry.person.check_password(PASSWORD)) == (False, "pending", True)
    assert entry.person.email == "ana@example.org"
    invitation.refresh_from_db()
    assert (invitation.status, invitation.accepted_by) == ("accepted", entry)
    assert CommunityMember.objects.filter(telegram_id="555").count() == 1
    with pytest.raises(ReturnLinkRejected):
        accept_by_link(secret=secret, password="another-good-otter-78")


def test_person_returns_twice_with_two_invitations():
    inviter = EntryFactory(with_account=True)
    first = InvitationFactory(created_by=inviter)
    values = {"email": "ana@example.org", "telegram_id": "555", "name": "Ana", "primary_role": "designer"}
    entry = accept_invitation(code=first.code, password=PASSWORD, **values)
    EmailAddress.objects.update(verified=True)
    remove_entry(actor=inviter.person, entry=entry)
    second = InvitationFactory(created_by=inviter)
    accept_by_link(secret=link_of(registering(second)), password=PASSWORD)
    assert CommunityInvitationUse.objects.filter(member=entry).count() == 2


def test_imported_account_without_entry_gets_one():
    account, invitation = MemberFactory(email="ANA@example.org"), InvitationFactory()
    accept_by_link(secret=link_of(registering(invitation)), password=PASSWORD)
    entry = CommunityMember.objects.get(person=account)
    assert (entry.status, entry.primary_role, entry.telegram_id) == ("pending", "designer", "555")
    assert entry.invited_by == invitation.created_by


def test_imported_active_member_stays_active():
    entry = EntryFactory(person=MemberFactory(email="ana@example.org"), telegram_id="555")
    accept_by_link(secret=link_of(registering(InvitationFactory())), password=PASSWORD)
    entry.refresh_from_db()
    assert entry.status == "active"


def test_link_expires_and_new_link_replaces_it():
    old_entry()
    case = registering(InvitationFactory())
    first, second = link_of(case), link_of(case)
    with pytest.raises(ReturnLinkRejected):
        accept_by_link(secret=first, password=PASSWORD)
    CommunityReturn.objects.update(link_expires_at=timezone.now() - timedelta(minutes=1))
    with pytest.raises(ReturnLinkRejected):
        accept_by_link(secret=second, password=PASSWORD)


def test_cancelled_invitation_gives_nothing_back(actor):
    entry, invitation = old_entry(), InvitationFactory()
    secret = link_of(registering(invitation))
    cancel_invitation(actor=actor, invitation=invitation)
    with pytest.raises(InvitationEnded):
        accept_by_link(secret=secret, password=PASSWORD)
    entry.refresh_from_db()
    assert entry.is_removed


def test_member_with_account_is_told_to_log_in():
    old_entry(removed=False)
    case = registering(InvitationFactory(), email="other@example.org")
    assert send_return_mail(return_id=str(case.pk)) == "has_account"
    assert "You have an account already" in mail.outbox[-1].body
    assert "/return/" not in mail.outbox[-1].body


# --- By a manager -------------------------------------------------------------------------------


def unverified(entry):
    EmailAddress.objects.create(user=entry.person, email=entry.person.email, primary=True, verified=False)


def deactivated(entry):
    Member.objects.filter(pk=entry.person_id).update(is_active=False)


@pytest.mark.parametrize("change", [unverified, deactivated, None], ids=["unverified", "deactivated", "banned"])
def test_no_link_without_verified_address(change, actor):
    entry = old_entry()
    if change:
        change(entry)
    else:
        CommunityMember.objects.filter(pk=entry.pk).update(status="banned")
    case = registering(InvitationFactory())
    assert (case.needs_manager, send_return_mail(return_id=str(case.pk)), mail.outbox) == (True, "manager", [])
    confirm_return(actor=actor, case=case)
    entry.refresh_from_db()
    assert (entry.is_removed, entry.status, entry.person.is_active) == (False, "pending", True)


def test_manager_confirms_entry_without_account(actor):
    entry = EntryFactory(telegram_id="555")
    account = confirm_return(actor=actor, case=registering(InvitationFactory(), email="new@example.org"))
    entry.refresh_from_db()
    assert (entry.person, account.email, account.has_usable_password()) == (account, "new@example.org", False)
    assert send_password_link(member_id=str(account.pk), language="en") == "sent"
    assert mail.outbox[-1].to == ["new@example.org"]
    assert Event.objects.filter(type="return.accepted", member=account).exists()


def test_two_people_found_need_a_manager():
    old_entry()
    EntryFactory(telegram_id="777")
    case = registering(InvitationFactory(), telegram_id="777")
    assert (case.needs_manager, case.account.email) == (True, "ana@example.org")


def test_staff_account_is_not_given_back(actor):
    StaffFactory(email="ana@example.org")
    case = registering(InvitationFactory())
    assert case.needs_manager
    with pytest.raises(StaffNotReturned):
        confirm_return(actor=actor, case=case)


def test_declined_return_keeps_entry_and_invitation(actor):
    entry, invitation = old_entry(), InvitationFactory()
    case = decline_return(actor=actor, case=registering(invitation), reason="Unknown")
    entry.refresh_from_db()
    invitation.refresh_from_db()
    assert (entry.is_removed, invitation.status, case.email, case.details) == (True, "pending", "", {})
    with pytest.raises(ReturnDecided):
        confirm_return(actor=actor, case=case)


def test_erasing_ends_open_returns(actor):
    entry = old_entry()
    case = registering(InvitationFactory())
    link_of(case)
    erase(actor=actor, entry=entry)
    case.refresh_from_db()
    assert (case.status, case.name, case.telegram_id, case.link_digest) == ("declined", "", "", None)


# --- The database -------------------------------------------------------------------------------


def test_ban_after_link_was_sent_needs_manager(actor):
    entry = old_entry(removed=False, status="pending")
    Member.objects.filter(pk=entry.person_id).update(password="!")
    case = registering(InvitationFactory())
    secret = link_of(case)
    ban(actor=actor, entry=entry)
    with violates("community_returns_manager_confirms"):
        accept_by_link(secret=secret, password=PASSWORD)
    entry.refresh_from_db()
    assert entry.status == "banned"


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("status = 'accepted', decided_at = now(), needs_manager = true", "community_returns_manager_confirms"),
        ("needs_manager = true, link_digest = 'x'", "community_returns_no_link_for_manager"),
        ("status = 'declined'", "community_returns_decided_fits"),
        ("status = 'declined', decided_at = now()", "community_returns_decided_is_empty"),
        ("decided_at = now()", "community_returns_decided_fits"),
        ("status = 'maybe', decided_at = now()", "community_returns_status_known"),
        ("entry_id = NULL", "community_returns_target_never_changes"),
    ],
)
def test_database_rejects(change, constraint):
    old_entry()
    registering(InvitationFactory())
    emptied = (
        ", name = '', email = '', telegram_id = '', details = '{}'" if "accepted" in change or "maybe" in change else ""
    )
    with rejected_by(constraint):
        rows(f"UPDATE community_returns SET {change}{emptied}")


def test_return_is_open_once_for_each_target():
    entry, invitation = old_entry(), InvitationFactory()
    case = registering(invitation)
    copy = "INSERT INTO community_returns (invitation_id, {0}) SELECT invitation_id, {0} FROM community_returns"
    with rejected_by("community_returns_open_entry_once"):
        rows(copy.format("entry_id"))
    with rejected_by("community_returns_open_account_once"):
        rows(copy.format("account_id"))
    with rejected_by("community_returns_has_target"):
        rows(copy.format("needs_manager"))
    assert registering(invitation, name="Ana again") == case
    assert entry.returns.get().name == "Ana again"


def test_nobody_confirms_own_return(actor):
    entry = old_entry()
    case = registering(InvitationFactory())
    with violates("community_returns_not_by_self"):
        confirm_return(actor=entry.person, case=case)


def test_status_goes_back_only_with_a_return():
    entry = old_entry(status="banned")
    with rejected_by("community_members_status_moves"):
        CommunityMember.objects.filter(pk=entry.pk).update(status="pending")


def test_invitation_is_used_once_by_each_member():
    invitation = InvitationFactory(max_uses=3)
    CommunityInvitationUse.objects.create(invitation=invitation, member=(entry := EntryFactory()))
    with rejected_by("community_invitation_uses_member_once"):
        CommunityInvitationUse.objects.create(invitation=invitation, member=entry)


@pytest.mark.django_db(transaction=True)
def test_concurrent_link_and_managers_decide_once():
    with crowd(4) as people:
        for _round in range(min(ROUNDS, 2)):
            CommunityMember.objects.filter(telegram_id="555").update(telegram_id=f"9{timezone.now():%H%M%S%f}")
            Member.objects.filter(email="ana@example.org").update(email=f"x{timezone.now():%H%M%S%f}@example.org")
            entry, invitation, manager = old_entry(), InvitationFactory(), StaffFactory()
            case = registering(invitation)
            secret = link_of(case)

            def decide(number, case=case, secret=secret, manager=manager):
                if number % 2:
                    return confirm_return(actor=manager, case=case)
                return accept_by_link(secret=secret, password=PASSWORD)

            results = people.run(decide)
            assert sum(isinstance(result, Member) for result in results) == 1
            assert sum(isinstance(result, ReturnDecided | ReturnLinkRejected) for result in results) == 3
            entry.refresh_from_db()
            assert (entry.status, CommunityInvitationUse.objects.filter(invitation=invitation).count()) == (
                "pending",
                1,
            )


# --- The page -----------------------------------------------------------------------------------


def test_manager_confirms_on_page():
    old_entry(status="banned")
    case = registering(InvitationFactory(), name="Ana S.")
    office = client("Community Manager")
    page = page_text(office.get(LIST))
    assert "Ana S." in page
    assert "A manager must confirm" in page
    office.post(f"{LIST}{case.pk}/confirm/")
    case.refresh_from_db()
    assert (case.status, case.decided_by.display_name) == ("accepted", "Community Manager")
    assert "No returning people" in page_text(office.get(LIST))


def test_who_may_return_can_be_invited_from_a_list():
    old_entry()
    MemberFactory(email="imported@example.org")
    EntryFactory(person=MemberFactory(email="member@example.org", password=PASSWORD))
    text = "ana@example.org\nimported@example.org\nMEMBER@example.org\n"
    _people, errors = read_recipients(text)
    assert [error.line for error in errors] == [3]


def test_home_shows_returns_that_need_a_manager():
    old_entry()
    registering(InvitationFactory())
    EntryFactory(telegram_id="777", name="Rui", status="banned")
    registering(InvitationFactory(), email="rui@example.org", telegram_id="777", name="Rui")
    needs = client("Community Manager").get("/admin/").context["needs"]
    assert [(str(need.kind), need.title) for need in needs] == [("Returning person", "Rui")]

"""Invitations: codes, limits, all or nothing, ends, and concurrency with real commits."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from groups.errors import InvitationEnded, InviterNotActive, TooManyInvitations
from groups.models import CommunityInvitation, Event, Member
from groups.models.directory import CommunityMemberQuerySet
from groups.models.invitations import ALPHABET
from groups.services.invitations import (
    cancel_invitation,
    create_invitation,
    create_invitations,
    expire_invitations,
    new_code,
)
from groups.services.members import update_member
from missionsite.common.errors import DomainError
from tests.support.concurrency import ROUNDS, crowd
from tests.support.errors import violates
from tests.support.factories.groups import EntryFactory, InvitationFactory, StaffFactory

PEOPLE = 50
pytestmark = pytest.mark.django_db


def last_event():
    return Event.objects.order_by("-pk").first()


def inviting_staff():
    """Create staff with the permission invite_many."""
    staff = StaffFactory()
    staff.user_permissions.add(Permission.objects.get(codename="invite_many"))
    return staff


# --- One invitation ---------------------------------------------------------------------------------------


@pytest.mark.seed("003 Invitations")
def test_invitation_is_pending_and_event_has_no_names():
    inviter = EntryFactory()
    made = create_invitation(actor=inviter.person, created_by=inviter, telegram_username=" @bob ")
    made.refresh_from_db()
    assert (made.status, made.created_by, made.invited_telegram_username) == ("pending", inviter, "bob")
    assert made.expires_at - made.created_at == timedelta(days=3)
    assert (made.accepted_by, made.accepted_at) == (None, None)
    event = last_event()
    assert (event.type, event.actor, event.member) == ("invitation.created", inviter.person, inviter.person)
    assert event.payload == {"number": inviter.member_id, "count": 1}


def test_invitation_without_name_and_with_duration(settings):
    settings.INVITATION_DAYS = 7
    made = create_invitation(actor=Member.objects.system(), created_by=EntryFactory())
    assert made.invited_telegram_username is None
    assert made.expires_at - made.created_at == timedelta(days=7)
    made = create_invitation(actor=Member.objects.system(), created_by=EntryFactory(), lasts=timedelta(hours=1))
    assert made.expires_at - made.created_at == timedelta(hours=1)


@pytest.mark.parametrize("lasts", [timedelta(0), timedelta(days=-1)])
def test_create_rejects_expiry_in_past(lasts):
    with violates("community_invitations_expires_later"):
        create_invitation(actor=Member.objects.system(), created_by=EntryFactory(), lasts=lasts)
    assert not CommunityInvitation.objects.exists()


@pytest.mark.seed("003 Invitations")
def test_codes_are_16_unambiguous_characters():
    codes = {new_code() for _ in range(2000)}
    assert len(codes) == 2000
    assert all(re.fullmatch("[2-9A-HJKMNP-Z]{16}", code) for code in codes)
    assert not set(ALPHABET) & set("01ILO")
    # Every character at every position: all 79 bits are used.
    assert all({code[place] for code in codes} == set(ALPHABET) for place in range(16))


def test_code_is_spelled_in_groups_of_four():
    invitation = InvitationFactory(code="7KQ2M4XA9PDTHC3W")
    assert invitation.spelled_code == "7KQ2-M4XA-9PDT-HC3W"


@pytest.mark.parametrize("status", ["not_member", "pending", "suspended", "banned"])
def test_create_rejects_inactive_inviter(status):
    with pytest.raises(InviterNotActive):
        create_invitation(actor=Member.objects.system(), created_by=EntryFactory(status=status))
    assert not Event.objects.exists()


def test_create_rejects_removed_inviter():
    with pytest.raises(InviterNotActive):
        create_invitation(actor=Member.objects.system(), created_by=EntryFactory(deleted_at=timezone.now()))


def test_inviter_status_is_read_from_database():
    inviter = EntryFactory()
    stale = type(inviter).objects.get(pk=inviter.pk)
    inviter.status = "suspended"
    inviter.save(update_fields=["status"])
    with pytest.raises(InviterNotActive):
        create_invitation(actor=stale.person, created_by=stale)


# --- Limits and bulk ----------------------------------------------------------------------------


@pytest.mark.seed("003 Invitations")
def test_daily_cap_counts_last_24_hours(settings):
    settings.INVITATIONS_PER_DAY = 3
    inviter, now = EntryFactory(), timezone.now()
    InvitationFactory(created_by=inviter, created_at=now - timedelta(hours=24, seconds=1))
    InvitationFactory(created_by=inviter, created_at=now - timedelta(hours=23, minutes=59), status="cancelled")
    create_invitation(actor=inviter.person, created_by=inviter)
    create_invitation(actor=inviter.person, created_by=inviter)
    with pytest.raises(TooManyInvitations) as rejected:
        create_invitation(actor=inviter.person, created_by=inviter)
    assert str(rejected.value) == "At most 3 invitations in 24 hours. Try again tomorrow."
    assert (rejected.value.left, rejected.value.status) == (0, 429)
    create_invitation(actor=Member.objects.system(), created_by=EntryFactory())


def test_create_many_is_all_or_nothing(settings):
    settings.INVITATIONS_PER_DAY = 5
    inviter = EntryFactory()
    create_invitations(actor=inviter.person, created_by=inviter, telegram_usernames=["ana", "bob"])
    events = Event.objects.count()
    with pytest.raises(TooManyInvitations, match=r"At most 5 invitations in 24 hours\. 3 more are possible now\."):
        create_invitations(actor=inviter.person, created_by=inviter, telegram_usernames=["c", "d", "e", "f"])
    with pytest.raises(DomainError):
        create_invitations(actor=inviter.person, created_by=inviter, telegram_usernames=["c", "d" * 256])
    assert (inviter.invitations.count(), Event.objects.count()) == (2, events)
    made = create_invitations(actor=inviter.person, created_by=inviter, telegram_usernames=["c", "@d", ""])
    assert [each.invited_telegram_username for each in made] == ["c", "d", None]
    assert last_event().payload["count"] == 3


def test_actor_without_permission_has_common_cap(settings):
    settings.INVITATIONS_PER_DAY, settings.INVITATIONS_PER_DAY_BY_STAFF = 1, 4
    inviter, other = EntryFactory(), EntryFactory()
    with pytest.raises(TooManyInvitations):
        create_invitations(created_by=inviter, telegram_usernames=["a", "b"], actor=other.person)


def test_staff_with_invite_many_have_own_cap(settings):
    settings.INVITATIONS_PER_DAY, settings.INVITATIONS_PER_DAY_BY_STAFF = 1, 4
    inviter, staff = EntryFactory(), inviting_staff()
    create_invitations(created_by=inviter, telegram_usernames=["a", "b", "c"], actor=staff)
    assert last_event().actor == staff
    with pytest.raises(TooManyInvitations, match=r"At most 4 invitations in 24 hours\. 1 more is"):
        create_invitations(created_by=inviter, telegram_usernames=["d", "e"], actor=staff)
    # Invitations by staff count for the inviter too.
    with pytest.raises(TooManyInvitations, match="At most 1 invitation"):
        create_invitation(actor=inviter.person, created_by=inviter)
    create_invitation(created_by=inviter, actor=staff)
    with pytest.raises(TooManyInvitations):
        create_invitation(created_by=inviter, actor=StaffFactory())


def test_deactivated_staff_have_common_cap(settings):
    settings.INVITATIONS_PER_DAY = 1
    staff = inviting_staff()
    update_member(actor=Member.objects.system(), member=staff, is_active=False)
    staff = type(staff).objects.get(pk=staff.pk)
    with pytest.raises(TooManyInvitations):
        create_invitations(created_by=EntryFactory(), telegram_usernames=["a", "b"], actor=staff)


# --- Ends -------------------------------------------------------------------------------------


def test_cancel_ends_pending_invitation_once():
    invitation, staff = InvitationFactory(), StaffFactory()
    assert cancel_invitation(invitation=invitation, actor=staff, reason="left the team").status == "cancelled"
    event, inviter = last_event(), invitation.created_by
    assert (event.type, event.actor, event.member) == ("invitation.cancelled", staff, inviter.person)
    assert event.payload == {
        "number": inviter.member_id,
        "invitation": str(invitation.pk),
        "reason": "left the team",
    }
    with pytest.raises(InvitationEnded, match="This invitation is “Cancelled”"):
        cancel_invitation(actor=Member.objects.system(), invitation=invitation)
    assert Event.objects.count() == 1


@pytest.mark.parametrize("status", ["expired", "accepted"])
def test_cancel_rejects_ended_invitation(status):
    accepted = {"accepted_by": EntryFactory(), "accepted_at": timezone.now()} if status == "accepted" else {}
    invitation = InvitationFactory(status=status, **accepted)
    with pytest.raises(InvitationEnded, match=f"This invitation is “{status.capitalize()}”"):
        cancel_invitation(actor=Member.objects.system(), invitation=invitation)


def test_expire_marks_only_overdue_pending():
    now = timezone.now()
    long_ago = {"created_at": now - timedelta(days=9)}
    over = InvitationFactory(expires_at=now - timedelta(seconds=1), **long_ago)
    running = InvitationFactory(expires_at=now + timedelta(minutes=1))
    cancelled = InvitationFactory(status="cancelled", expires_at=now - timedelta(days=1), **long_ago)
    assert (
        expire_invitations(
            actor=Member.objects.system(),
        )
        == 1
    )
    assert (
        expire_invitations(
            actor=Member.objects.system(),
        )
        == 0
    )
    by_pk = dict(CommunityInvitation.objects.values_list("pk", "status"))
    assert by_pk == {over.pk: "expired", running.pk: "pending", cancelled.pk: "cancelled"}


# --- Concurrency ----------------------------------------------------------------------------------


def everyone_invites(people):
    """One round: fifty concurrent invitations of one inviter."""
    inviter = EntryFactory()
    return people.run(lambda _number: create_invitation(actor=inviter.person, created_by=inviter)), inviter


@pytest.mark.django_db(transaction=True)
def test_daily_cap_is_exact_for_50_concurrent_calls(settings):
    settings.INVITATIONS_PER_DAY = 20
    with crowd(PEOPLE) as people:
        for _round in range(ROUNDS):
            results, inviter = everyone_invites(people)
            assert inviter.invitations.count() == 20
            assert sum(isinstance(result, CommunityInvitation) for result in results) == 20
            assert sum(isinstance(result, TooManyInvitations) for result in results) == PEOPLE - 20


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_daily_cap_is_exceeded_without_lock(settings, monkeypatch):
    settings.INVITATIONS_PER_DAY = 20
    monkeypatch.setattr(CommunityMemberQuerySet, "select_for_update", lambda rows, **_how: rows.all())
    with crowd(PEOPLE) as people:
        assert any(everyone_invites(people)[1].invitations.count() > 20 for _round in range(20))

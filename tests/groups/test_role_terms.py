"""Roles with a term: they end by themselves, with the event and history of a change by hand."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from groups.errors import RoleTermPast
from groups.models import Event, Member, Membership, MembershipHistory
from groups.services.erasure import erase
from groups.services.memberships import change_role, end_role_terms, join_mission, leave_mission
from groups.tasks import end_terms
from missionsite.common.roles import member_session
from tests.support.admin import client, page_text
from tests.support.database import rejected_by
from tests.support.factories.groups import (
    EntryFactory,
    MemberFactory,
    MembershipFactory,
    MissionFactory,
    StaffFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def membership():
    return MembershipFactory(joined_at=timezone.now() - timedelta(days=9))


def later(**delta: int) -> datetime:
    return timezone.now() + timedelta(**delta)


def test_role_ends_by_itself(membership):
    until = later(hours=1)
    change_role(actor=StaffFactory(), membership=membership, role="Lead", until=until)
    assert (end_terms(0), Membership.objects.get().role) == (0, "Lead")
    assert end_role_terms(actor=Member.objects.system(), at=until) == 1
    ended = Membership.objects.get()
    assert (ended.role, ended.role_until, ended.is_active) == ("Member", None, True)
    first, second = Event.objects.filter(type="membership.role_changed").order_by("pk")
    assert first.payload["changed"] == {"role": ["Member", "Lead"], "role_until": [None, until.isoformat()]}
    assert (second.actor_id, second.payload["changed"]["role"]) == (Member.objects.system().pk, ["Lead", "Member"])
    assert second.payload["reason"] == "The term of the role ended."
    roles = MembershipHistory.objects.filter(pgh_obj=membership.pk).order_by("pgh_id").values_list("role", flat=True)
    assert list(roles) == ["Member", "Lead", "Member"]


def test_term_is_extended_and_removed(membership):
    staff, until = StaffFactory(), later(days=1)
    change_role(actor=staff, membership=membership, role="Lead", until=until)
    change_role(actor=staff, membership=membership, role="Lead", until=later(days=2))
    assert end_role_terms(actor=staff, at=until) == 0
    change_role(actor=staff, membership=membership, role="Lead")
    assert end_role_terms(actor=staff, at=later(days=9)) == 0
    assert Membership.objects.get().role == "Lead"


@pytest.mark.rule("RoleTermPast", "memberships_role_until_fits")
def test_term_is_of_a_role_in_the_future(membership):
    with pytest.raises(RoleTermPast):
        change_role(actor=StaffFactory(), membership=membership, role="Lead", until=timezone.now())
    change_role(actor=StaffFactory(), membership=membership, role="Member", until=later(days=1))
    assert Membership.objects.get().role_until is None
    with rejected_by("memberships_role_until_fits"):
        Membership.objects.update(role="Lead", role_until=membership.joined_at)


def test_term_of_ended_or_erased_member_does_no_harm():
    entry = EntryFactory()
    membership = MembershipFactory(member=entry.person, joined_at=timezone.now() - timedelta(days=9))
    change_role(actor=StaffFactory(), membership=membership, role="Lead", until=later(days=1))
    erase(actor=StaffFactory(), entry=entry)
    with member_session(membership.member_id):
        leave_mission(actor=membership.member, member=membership.member, mission=membership.group)
    assert end_role_terms(actor=Member.objects.system(), at=later(days=2)) == 0
    member, mission = MemberFactory(), MissionFactory()
    with member_session(member.pk):
        assert join_mission(actor=member, member=member, mission=mission, own=True).role_until is None


def test_office_sets_and_shows_term(membership):
    office, address = client("Mission Manager"), f"/admin/groups/membership/{membership.pk}/"
    day = later(days=30)
    values = {"role": "Lead", "until_0": f"{day:%Y-%m-%d}", "until_1": "12:00:00", "reason": ""}
    page = page_text(office.post(f"{address}role/", values | {"until_0": "2020-01-01"}))
    assert "must be in the future" in page
    office.post(f"{address}role/", values)
    membership.refresh_from_db()
    assert (membership.role, membership.role_until.date()) == ("Lead", day.date())
    assert "Role until" in page_text(office.get(f"{address}change/"))

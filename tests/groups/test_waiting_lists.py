"""The maximum number of members of a mission, its waiting list, and offers of places that end."""

from contextlib import closing
from datetime import timedelta

import psycopg
import pytest
from django.db import transaction
from django.utils import timezone

from groups.join_errors import JoinByRequest, JoinRequestDecided, MissionFull, OfferMissing, PlacesFree
from groups.models import Group, JoinRequest, Member, Membership
from groups.selectors.places import free_places, missions_to_offer, place_in_line
from groups.services.groups import update_group
from groups.services.join_requests import accept_request, decline_request, request_to_join, withdraw_request
from groups.services.memberships import join_mission, leave_mission
from groups.services.waiting_list import join_waiting_list, offer_places
from groups.tasks import offer_free_places
from missionsite.common.roles import member_session
from missionsite.common.sql_loader import read_sql
from tests.support.concurrency import CONTROL_ROUNDS, ROUNDS, crowd, owner_connection, without
from tests.support.database import rejected_by
from tests.support.errors import violates
from tests.support.factories.groups import (
    ColonyFactory,
    JoinRequestFactory,
    MemberFactory,
    MembershipFactory,
    MissionFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def full():
    """A mission with one place, which is taken."""
    return MembershipFactory(group=MissionFactory(name="Boat", max_members=1)).group


def waits(mission, **fields) -> JoinRequest:
    return join_waiting_list(actor=MemberFactory(**fields), mission=mission)


def leave_first(mission) -> None:
    member = mission.memberships.active().first().member
    leave_mission(actor=member, member=member, mission=mission)


def offer(mission, at=None) -> int:
    return offer_places(actor=Member.objects.system(), mission=mission, at=at)


def status_of(request) -> str:
    return JoinRequest.objects.get(pk=request.pk).status


# --- The maximum ----------------------------------------------------------------------------------


@pytest.mark.rule("memberships_places")
def test_full_mission_takes_no_one_by_any_way(full):
    member = MemberFactory()
    for own in (True, False):
        with pytest.raises(MissionFull):
            join_mission(actor=member, member=member, mission=full, own=own)
    with rejected_by("memberships_places"):
        Membership.objects.bulk_create([Membership(member=member, group=full)])
    ended = MembershipFactory(group=full, ended=True)
    with rejected_by("memberships_places"):
        Membership.objects.filter(pk=ended.pk).update(status="active", left_at=None)
    with rejected_by("memberships_places"), transaction.atomic(), member_session(member.pk):
        Membership.objects.create(member=member, group=full)
    leave_first(full)
    assert join_mission(actor=member, member=member, mission=full, own=True).is_active


def test_lower_maximum_removes_no_one(full):
    Group.objects.filter(pk=full.pk).update(max_members=2)
    MembershipFactory(group=full)
    Group.objects.filter(pk=full.pk).update(max_members=1)
    assert (full.memberships.active().count(), free_places(full)) == (2, 0)
    leave_first(full)
    with pytest.raises(MissionFull):
        join_mission(actor=MemberFactory(), member=MemberFactory(), mission=full)


@pytest.mark.rule("groups_max_members_positive", "groups_colony_has_no_maximum")
def test_maximum_is_positive_and_of_missions():
    with violates("groups_max_members_positive", match="at least 1"):
        update_group(actor=Member.objects.system(), group=MissionFactory(), max_members=0)
    with violates("groups_colony_has_no_maximum", match="Only missions"):
        update_group(actor=Member.objects.system(), group=ColonyFactory(), max_members=5)


@pytest.mark.django_db(transaction=True)
def test_limited_mission_rejects_repeatable_read(full):
    session = owner_connection()
    session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    with closing(session), pytest.raises(psycopg.Error, match="READ COMMITTED"):
        session.execute("SELECT check_places(array_agg(id)) FROM groups WHERE max_members IS NOT NULL")


# --- The waiting list -----------------------------------------------------------------------------


@pytest.mark.rule("PlacesFree")
def test_list_is_for_full_open_missions(full):
    with pytest.raises(PlacesFree):
        waits(MissionFactory(max_members=1))
    with pytest.raises(PlacesFree):
        waits(MissionFactory())
    with pytest.raises(JoinByRequest):
        waits(MembershipFactory(group=MissionFactory(max_members=1, join_policy="request")).group)
    request = waits(full)
    with violates("join_requests_one_open"):
        join_waiting_list(actor=request.member, mission=full)


def test_places_are_offered_in_order(full):
    first, second, third = (waits(full) for _ in range(3))
    assert [place_in_line(each) for each in (first, second, third)] == [1, 2, 3]
    assert offer(full) == 0
    leave_first(full)
    with pytest.raises(MissionFull):
        join_mission(actor=third.member, member=third.member, mission=full, own=True)
    assert (offer(full), offer(full)) == (1, 0)
    assert [status_of(each) for each in (first, second, third)] == ["offered", "open", "open"]
    with pytest.raises(MissionFull):
        # The place is taken by the offer, also for staff.
        join_mission(actor=Member.objects.system(), member=MemberFactory(), mission=full)
    accept_request(actor=first.member, request=first, own=True)
    assert status_of(first) == "accepted"
    assert full.memberships.active().get().member == first.member


@pytest.mark.rule("OfferMissing")
def test_expired_offer_goes_to_the_next(full, settings):
    settings.WAITING_LIST_OFFER_HOURS = 1
    first, second = waits(full), waits(full)
    with pytest.raises(OfferMissing):
        accept_request(actor=first.member, request=first, own=True)
    leave_first(full)
    made = timezone.now() - timedelta(hours=1, minutes=5)
    assert offer(full, at=made) == 1
    first.refresh_from_db()
    with pytest.raises(OfferMissing):
        accept_request(actor=first.member, request=first, own=True)
    assert missions_to_offer() == [full]
    # An offer has ended at its end, not after it.
    assert offer(full, at=first.offered_until) == 1
    assert [status_of(each) for each in (first, second)] == ["expired", "offered"]
    assert join_waiting_list(actor=first.member, mission=full).is_in_line


def test_declined_offer_goes_to_the_next(full):
    first, second = waits(full), waits(full)
    leave_first(full)
    assert offer_free_places(0) == 1
    decline_request(actor=first.member, request=first, own=True)
    assert offer_free_places(0) == 1
    assert [status_of(each) for each in (first, second)] == ["declined", "offered"]
    withdraw_request(actor=Member.objects.system(), request=second)
    assert missions_to_offer() == []
    assert free_places(full) == 1


def test_member_who_left_again_is_not_offered_a_place(full):
    """Source: https://github.com/pretix/pretix/issues/1163"""
    first, second = waits(full), waits(full)
    leave_first(full)
    offer(full)
    accept_request(actor=first.member, request=first, own=True)
    leave_mission(actor=first.member, member=first.member, mission=full)
    assert offer(full) == 1
    assert [status_of(each) for each in (first, second)] == ["accepted", "offered"]


def test_offers_pass_over_members_who_cannot_join(full):
    gone, poor, third = waits(full), waits(full, trust_score=5), waits(full, trust_score=9)
    Member.objects.filter(pk=gone.member_id).update(is_active=False)
    Group.objects.filter(pk=full.pk).update(min_trust_score=7, max_members=3)
    assert offer(full) == 1
    assert [status_of(each) for each in (gone, poor, third)] == ["open", "open", "offered"]
    Group.objects.filter(pk=full.pk).update(min_trust_score=0, status="archived")
    assert offer(full) == 0


def test_removed_maximum_offers_a_place_to_all(full):
    requests = [waits(full) for _ in range(3)]
    Group.objects.filter(pk=full.pk).update(max_members=None)
    assert offer(full) == 3
    assert {status_of(each) for each in requests} == {"offered"}


def test_accepted_request_for_full_mission_waits(full):
    Group.objects.filter(pk=full.pk).update(join_policy="request")
    member, manager = MemberFactory(), Member.objects.system()
    request = request_to_join(actor=member, mission=full)
    assert accept_request(actor=manager, request=request, reason="Welcome") is None
    request.refresh_from_db()
    assert (request.kind, request.status, request.reason) == ("waiting", "open", "Welcome")
    leave_first(full)
    offer(full)
    with transaction.atomic(), member_session(member.pk):
        assert accept_request(actor=member, request=request, own=True).is_active
    with pytest.raises(JoinRequestDecided):
        withdraw_request(actor=member, request=request, own=True)


# --- The rules of the database --------------------------------------------------------------------


@pytest.mark.rule("join_requests_queued_fits", "join_requests_offer_has_end")
def test_times_fit_kind_and_state(full):
    request = waits(full)
    rows = JoinRequest.objects.filter(pk=request.pk)
    with rejected_by("join_requests_offer_has_end"):
        Group.objects.filter(pk=full.pk).update(max_members=2)
        rows.update(status="offered")
    with rejected_by("join_requests_queued_fits"):
        JoinRequest.objects.filter(pk=JoinRequestFactory().pk).update(queued_at=timezone.now())
    with rejected_by("join_requests_decided_once"):
        rows.update(queued_at=timezone.now() - timedelta(days=9))
    with rejected_by("memberships_places"):
        rows.update(status="offered", offered_until=timezone.now() + timedelta(days=1))


def test_member_cannot_enter_list_at_its_head_or_by_request(full):
    first = waits(full)
    pushy = MemberFactory()
    with transaction.atomic(), member_session(pushy.pk):
        made = JoinRequest.objects.create(
            member=pushy, group=full, created_by=pushy, kind="waiting", queued_at=timezone.now() - timedelta(days=9)
        )
    made.refresh_from_db()
    assert place_in_line(made) == 2 > place_in_line(first)
    Group.objects.filter(pk=full.pk).update(join_policy="request")
    other = MemberFactory()
    denied = pytest.raises(Exception, match="row-level security")
    with denied, transaction.atomic(), member_session(other.pk):
        JoinRequest.objects.create(member=other, group=full, created_by=other, kind="waiting")
    with denied, transaction.atomic(), member_session(pushy.pk):
        JoinRequest.objects.filter(pk=made.pk).update(status="offered")


# --- Races ----------------------------------------------------------------------------------------

PEOPLE, PLACES = 12, 4


def all_join_at_once(people) -> tuple[list, int]:
    """One round: the results of members who join a mission with fewer places, and its members afterwards."""
    mission, members = MissionFactory(max_members=PLACES), MemberFactory.create_batch(PEOPLE)
    results = people.run(lambda number: join_mission(actor=members[number], member=members[number], mission=mission))
    return results, mission.memberships.active().count()


@pytest.mark.django_db(transaction=True)
def test_joins_at_once_fill_exactly_the_places():
    with crowd(PEOPLE) as people:
        for _round in range(ROUNDS):
            results, count = all_join_at_once(people)
            assert (count, sum(isinstance(each, Membership) for each in results)) == (PLACES, PLACES)
            assert sum(isinstance(each, MissionFull) for each in results) == PEOPLE - PLACES


@pytest.mark.django_db(transaction=True)
def test_joins_at_once_overfill_mission_without_lock():
    locked = read_sql("groups/functions/lock_places")
    unlocked = locked.replace("pg_advisory_xact_lock(hashtextextended('places of ' || mission, 0))", "pg_sleep(0.1)")
    assert unlocked != locked
    with without(unlocked, locked), crowd(PEOPLE) as people:
        assert any(all_join_at_once(people)[1] > PLACES for _round in range(CONTROL_ROUNDS))


@pytest.mark.django_db(transaction=True)
def test_offers_and_joins_at_once_keep_the_maximum():
    with crowd(PEOPLE) as people:
        mission = MissionFactory(max_members=PLACES)
        taken = [MembershipFactory(group=mission) for _ in range(PLACES)]
        for _ in range(PLACES):
            waits(mission)
        for membership in taken:
            leave_mission(actor=membership.member, member=membership.member, mission=mission)
        new = MemberFactory.create_batch(PEOPLE)

        def act(number):
            member = new[number]
            return offer(mission) if number % 2 else join_mission(actor=member, member=member, mission=mission)

        people.run(act)
        offered = JoinRequest.objects.filter(group=mission, status="offered").count()
        assert mission.memberships.active().count() + offered == PLACES

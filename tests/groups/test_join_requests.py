"""Requests to join a mission and invitations: who may do what, the rules of the database, and races."""

import pytest
from django.db import connection, transaction
from django.utils import timezone

from groups.errors import MissionArchived, TrustTooLow
from groups.join_errors import (
    JoinByInvitation,
    JoinByRequest,
    JoinRequestAnswerRejected,
    JoinRequestDecided,
    RequestNotNeeded,
)
from groups.models import Event, Group, JoinRequest, Membership
from groups.rules import JOIN_REQUEST_MOVES, JoinRequestStatus
from groups.services.groups import update_group
from groups.services.join_requests import (
    accept_request,
    decline_request,
    invite_to_mission,
    request_to_join,
    withdraw_request,
)
from groups.services.memberships import join_mission
from missionsite.common.roles import member_session
from tests.support.concurrency import CONTROL_ROUNDS, ROUNDS, crowd, without
from tests.support.database import rejected_by
from tests.support.errors import violates
from tests.support.factories.groups import (
    ColonyFactory,
    JoinRequestFactory,
    MemberFactory,
    MembershipFactory,
    MissionFactory,
    StaffFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def guild():
    return MissionFactory(name="Guild", join_policy="request")


@pytest.fixture
def ana():
    return MemberFactory(display_name="Ana")


@pytest.fixture
def manager():
    return StaffFactory()


# --- Policies ---------------------------------------------------------------------------------------


@pytest.mark.rule("JoinByRequest", "JoinByInvitation")
@pytest.mark.parametrize(("policy", "error"), [("request", JoinByRequest), ("invitation", JoinByInvitation)])
def test_member_joins_only_open_missions_alone(ana, manager, policy, error):
    mission = MissionFactory(join_policy=policy)
    with pytest.raises(error):
        join_mission(actor=ana, member=ana, mission=mission, own=True)
    assert join_mission(actor=manager, member=ana, mission=mission).is_active, "staff add members to any mission"


@pytest.mark.rule("groups_join_policy_known", "groups_colony_has_no_join_policy")
def test_policy_is_known_and_of_missions(guild):
    with rejected_by("groups_join_policy_known"):
        Group.objects.filter(pk=guild.pk).update(join_policy="lottery")
    with violates("groups_colony_has_no_join_policy", match="Only missions"):
        update_group(actor=StaffFactory(), group=ColonyFactory(), join_policy="request")


@pytest.mark.rule("RequestNotNeeded")
def test_request_needs_mission_by_request(ana):
    with pytest.raises(RequestNotNeeded):
        request_to_join(actor=ana, mission=MissionFactory())
    with pytest.raises(JoinByInvitation):
        request_to_join(actor=ana, mission=MissionFactory(join_policy="invitation"))
    with pytest.raises(TrustTooLow):
        request_to_join(actor=ana, mission=MissionFactory(join_policy="request", min_trust_score=10))
    with pytest.raises(MissionArchived):
        request_to_join(actor=ana, mission=MissionFactory(join_policy="request", status="archived"))


# --- Deciding and answering ---------------------------------------------------------------------------


def test_accepted_request_adds_member_once(ana, manager, guild):
    request = request_to_join(actor=ana, mission=guild, message="  Let me help ")
    assert request.message == "Let me help"
    membership = accept_request(actor=manager, request=request, reason="Welcome")
    assert (membership.member_id, membership.group_id, membership.is_active) == (ana.pk, guild.pk, True)
    request.refresh_from_db()
    assert (request.status, request.reason, request.decided_by) == ("accepted", "Welcome", manager)
    types = list(Event.objects.filter(group=guild).order_by("pk").values_list("type", flat=True))
    assert types[-3:] == ["join_request.created", "membership.created", "join_request.accepted"]
    with pytest.raises(JoinRequestDecided):
        decline_request(actor=manager, request=request, reason="Too late")


@pytest.mark.rule("join_requests_declined_with_reason")
def test_declined_request_needs_reason_and_allows_another(ana, manager, guild):
    request = request_to_join(actor=ana, mission=guild)
    with violates("join_requests_declined_with_reason", match="Give the member a reason."):
        decline_request(actor=manager, request=request, reason="  ")
    decline_request(actor=manager, request=request, reason="In June")
    assert not Membership.objects.filter(member=ana).exists()
    assert request_to_join(actor=ana, mission=guild).is_open


def test_member_withdraws_request_and_answers_invitation(ana, manager, guild):
    withdraw_request(actor=ana, request=request_to_join(actor=ana, mission=guild), own=True)
    declined = invite_to_mission(actor=manager, member=ana, mission=guild)
    decline_request(actor=ana, request=declined, own=True)
    accepted = invite_to_mission(actor=manager, member=ana, mission=guild, message="We need you")
    assert accept_request(actor=ana, request=accepted, own=True).member_id == ana.pk
    statuses = JoinRequest.objects.filter(member=ana).order_by("created_at").values_list("status", flat=True)
    assert sorted(statuses) == ["accepted", "declined", "withdrawn"]


def test_request_and_invitation_that_meet_give_membership(ana, manager, guild):
    """Source: https://github.com/danielBingham/communities/issues/322"""
    bob = MemberFactory()
    request_to_join(actor=ana, mission=guild)
    assert invite_to_mission(actor=manager, member=ana, mission=guild).status == "accepted"
    invite_to_mission(actor=manager, member=bob, mission=guild)
    assert request_to_join(actor=bob, mission=guild).status == "accepted"
    assert set(Membership.objects.active().filter(group=guild).values_list("member", flat=True)) == {ana.pk, bob.pk}


@pytest.mark.parametrize("kind", ["request", "invitation"])
def test_member_added_another_way_has_nothing_open(ana, manager, kind):
    """Source: https://github.com/nextcloud/circles/issues/1598"""
    mission = MissionFactory()
    request = JoinRequestFactory(member=ana, group=mission, kind=kind)
    join_mission(actor=manager, member=ana, mission=mission, reason="They called")
    request.refresh_from_db()
    assert (request.status, request.reason) == ("accepted", "They called")
    bob = MemberFactory()
    request = JoinRequestFactory(member=bob, group=mission, kind=kind)
    with transaction.atomic(), member_session(bob.pk):
        join_mission(actor=bob, member=bob, mission=mission, own=True)
    request.refresh_from_db()
    assert request.status == ("withdrawn" if kind == "request" else "accepted")


@pytest.mark.rule("JoinRequestAnswerRejected")
def test_answers_are_of_the_right_side(ana, manager, guild):
    request, invitation = JoinRequestFactory(member=ana), JoinRequestFactory(member=ana, kind="invitation")
    for service, of in ((accept_request, request), (decline_request, request), (withdraw_request, invitation)):
        with pytest.raises(JoinRequestAnswerRejected):
            service(actor=ana, request=of, own=True)
    for service, of in ((accept_request, invitation), (decline_request, invitation), (withdraw_request, request)):
        with pytest.raises(JoinRequestAnswerRejected):
            service(actor=manager, request=of)
    with pytest.raises(JoinRequestAnswerRejected):
        accept_request(actor=MemberFactory(), request=invitation, own=True)


# --- The rules of the database ------------------------------------------------------------------------


@pytest.mark.rule("join_requests_one_open")
def test_one_open_request_per_member_and_mission(ana, manager, guild):
    request_to_join(actor=ana, mission=guild)
    with violates("join_requests_one_open", match="open request or invitation"):
        request_to_join(actor=ana, mission=guild)
    invitation = invite_to_mission(actor=manager, member=MemberFactory(), mission=guild)
    with violates("join_requests_one_open"):
        invite_to_mission(actor=manager, member=invitation.member, mission=guild)
    assert request_to_join(actor=MemberFactory(), mission=guild).is_open


@pytest.mark.rule("join_requests_for_mission", "join_requests_decided_once", "join_requests_decided_fits")
def test_request_is_checked_for_every_client(ana, guild):
    with rejected_by("idx_memberships_active_unique"):
        JoinRequestFactory(member=ana, group=MembershipFactory(member=ana).group)
    with rejected_by("memberships_open_group"):
        JoinRequestFactory(group=MissionFactory(status="archived"))
    with rejected_by("join_requests_for_mission"):
        JoinRequestFactory(group=ColonyFactory())
    request = JoinRequestFactory(member=ana, group=guild)
    rows = JoinRequest.objects.filter(pk=request.pk)
    with rejected_by("join_requests_decided_fits"):
        rows.update(status="withdrawn")
    with rejected_by("join_requests_decided_once"):
        rows.update(kind="invitation")
    withdraw_request(actor=ana, request=request, own=True)
    with rejected_by("join_requests_decided_once"):
        rows.update(status="open", decided_by=None, decided_at=None)


@pytest.mark.rule("join_requests_message_length", "join_requests_reason_length")
def test_texts_are_limited(ana, manager, guild):
    with violates("join_requests_message_length", match="500"):
        request_to_join(actor=ana, mission=guild, message="x" * 501)
    with violates("join_requests_reason_length", match="500"):
        decline_request(actor=manager, request=JoinRequestFactory(), reason="x" * 501)


@pytest.mark.rule("join_requests_kind_known", "join_requests_status_known")
def test_kinds_and_states_are_known():
    with rejected_by("join_requests_kind_known"):
        JoinRequestFactory(kind="bribe")
    with rejected_by("join_requests_status_known"):
        JoinRequestFactory(status="lost", decided_at=timezone.now(), decided_by=MemberFactory())
    assert {move.target for move in JOIN_REQUEST_MOVES.values()} == set(JoinRequestStatus.values) - {"open"}


def test_member_role_sees_and_changes_own_requests_only(ana, guild):
    bob = MemberFactory()
    other = JoinRequestFactory(member=bob, group=guild, message="Secret")
    with transaction.atomic(), member_session(ana.pk):
        own = request_to_join(actor=ana, mission=guild)
        assert list(JoinRequest.objects.values_list("pk", flat=True)) == [own.pk]
        assert JoinRequest.objects.filter(pk=other.pk).update(status="withdrawn") == 0
        with connection.cursor() as cursor:
            cursor.execute("SELECT has_table_privilege('join_requests', 'DELETE')")
            assert cursor.fetchone() == (False,)
        withdraw_request(actor=ana, request=own, own=True)
    with rejected_role(), transaction.atomic(), member_session(ana.pk):
        JoinRequest.objects.create(member=bob, group=MissionFactory.build().parent_group or guild, created_by=ana)


def test_member_role_joins_by_invitation_only_when_invited(ana, manager):
    closed = MissionFactory(join_policy="invitation")
    with rejected_role(), transaction.atomic(), member_session(ana.pk):
        Membership.objects.create(member=ana, group=closed)
    invitation = invite_to_mission(actor=manager, member=ana, mission=closed)
    with transaction.atomic(), member_session(ana.pk):
        assert accept_request(actor=ana, request=invitation, own=True).is_active


def rejected_role():
    """Expect that row security rejects a row."""
    return pytest.raises(Exception, match="row-level security")


# --- Races ------------------------------------------------------------------------------------------


PEOPLE = 8


def asks_at_once(people) -> tuple[list, int]:
    """One round: the results of a member who asks several times at once, and the open requests that are left."""
    member, mission = MemberFactory(), MissionFactory(join_policy="request")
    results = people.run(lambda _number: request_to_join(actor=member, mission=mission))
    return results, JoinRequest.objects.undecided().filter(member=member, group=mission).count()


@pytest.mark.django_db(transaction=True)
def test_one_of_several_requests_at_once_is_open():
    with crowd(PEOPLE) as people:
        for _round in range(ROUNDS):
            results, count = asks_at_once(people)
            assert (count, sum(isinstance(each, JoinRequest) for each in results)) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_several_requests_are_open_without_unique_index():
    index = "CREATE UNIQUE INDEX join_requests_one_open ON join_requests (member_id, group_id) WHERE status = 'open'"
    with without("DROP INDEX join_requests_one_open", f"TRUNCATE join_requests; {index}"), crowd(PEOPLE) as people:
        assert any(asks_at_once(people)[1] > 1 for _round in range(CONTROL_ROUNDS))

"""The API of join requests, for members under row security and for staff."""

import pytest

from groups.models import Membership
from tests.groups.test_api import grant, post
from tests.support.factories.groups import JoinRequestFactory, MemberFactory, MissionFactory, StaffFactory
from tests.support.factories.tokens import api_client

pytestmark = pytest.mark.django_db
SCOPES = ("missions:read", "missions:write")


@pytest.fixture
def guild():
    return MissionFactory(name="Guild", join_policy="request")


@pytest.fixture
def ana():
    return MemberFactory(display_name="Ana")


@pytest.fixture
def office():
    manager = StaffFactory()
    grant(manager, "view_mission", "view_joinrequest", "manage_memberships")
    return api_client(manager, *SCOPES)


def test_mission_names_policy_and_missing_points(ana):
    mission = MissionFactory(join_policy="invitation", min_trust_score=ana.trust_score + 30)
    shown = api_client(ana, *SCOPES).get(f"/api/missions/{mission.stable_id}").json()
    assert (shown["join_policy"], shown["missing_points"], shown["is_eligible"]) == ("invitation", 30, False)


def test_member_asks_and_staff_accept(ana, guild, office):
    client = api_client(ana, *SCOPES)
    answer = post(client, f"/api/missions/{guild.stable_id}/join")
    assert (answer.status_code, answer.json()["code"]) == (409, "join_by_request")
    asked = post(client, f"/api/missions/{guild.stable_id}/requests", message="Let me help")
    assert (asked.status_code, asked.json()["status"], asked.json()["member"]) == (201, "open", ana.member_id)
    again = post(client, f"/api/missions/{guild.stable_id}/requests")
    assert (again.status_code, again.json()["code"]) == (409, "join_request_open")
    [waiting] = office.get("/api/join-requests?status=open").json()["items"]
    assert (waiting["id"], waiting["message"]) == (asked.json()["id"], "Let me help")
    accepted = post(office, f"/api/join-requests/{waiting['id']}/accept")
    assert (accepted.status_code, accepted.json()["status"]) == (200, "accepted")
    assert Membership.objects.active().filter(member=ana, group=guild).exists()
    late = post(client, f"/api/join-requests/{waiting['id']}/withdraw")
    assert (late.status_code, late.json()["code"]) == (409, "join_request_decided")


def test_staff_decline_with_reason_that_member_reads(ana, guild, office):
    client = api_client(ana, *SCOPES)
    key = post(client, f"/api/missions/{guild.pk}/requests").json()["id"]
    assert post(office, f"/api/join-requests/{key}/decline").status_code == 422
    assert post(office, f"/api/join-requests/{key}/decline", reason="In June").status_code == 200
    assert client.get("/api/join-requests").json()["items"][0]["reason"] == "In June"


def test_staff_invite_and_member_accepts(ana, office):
    closed = MissionFactory(join_policy="invitation")
    client = api_client(ana, *SCOPES)
    assert post(client, f"/api/missions/{closed.stable_id}/requests").json()["code"] == "join_by_invitation"
    invited = post(office, f"/api/missions/{closed.stable_id}/invitations", member=ana.member_id)
    assert (invited.status_code, invited.json()["kind"]) == (201, "invitation")
    assert post(office, f"/api/missions/{closed.stable_id}/invitations", member="FE-P-99999").status_code == 422
    assert post(client, f"/api/join-requests/{invited.json()['id']}/accept").status_code == 200
    assert Membership.objects.active().filter(member=ana, group=closed).exists()


def test_members_see_and_answer_own_requests_only(ana, guild):
    other = JoinRequestFactory(group=guild, message="Secret")
    client = api_client(ana, *SCOPES)
    assert client.get("/api/join-requests").json()["items"] == []
    for verb in ("accept", "decline", "withdraw"):
        assert post(client, f"/api/join-requests/{other.pk}/{verb}").status_code == 404
    answer = post(client, f"/api/missions/{guild.stable_id}/invitations", member=other.member.member_id)
    assert answer.status_code == 403


def test_list_has_pages(ana):
    made = [JoinRequestFactory(member=ana) for _ in range(3)]
    client, seen, target = api_client(ana, *SCOPES), [], "/api/join-requests?limit=2"
    while target:
        page = client.get(target).json()
        seen += [row["id"] for row in page["items"]]
        target = page["next"]
    assert sorted(seen) == sorted(str(each.pk) for each in made)

"""Missions for members: the list with the missing points, joining and leaving, tasks, and the first steps."""

import re

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from engagement.models import UserProfile
from engagement.services.onboarding import complete_action
from groups.models import Event, JoinRequest, Member, Membership, Task
from groups.services.groups import archive_group
from groups.services.join_requests import decline_request, invite_to_mission, request_to_join
from groups.services.memberships import join_mission, leave_mission
from groups.services.tasks import claim_task
from groups.services.waiting_list import offer_places
from missionsite.portal import missions
from missionsite.portal.notices import send_notice
from tests.portal.helpers import entry
from tests.support.admin import page_text
from tests.support.factories.groups import MemberFactory, MembershipFactory, MissionFactory, TaskFactory

pytestmark = pytest.mark.django_db
LIST = "/me/missions/"


@pytest.fixture
def ana():
    return entry(name="Ana", person=MemberFactory(display_name="Ana", trust_score=100))


@pytest.fixture
def mission():
    return MissionFactory(name="Garden", min_trust_score=0)


def names(answer) -> list[str]:
    return re.findall(r'/me/missions/FE-M-\d+/"><bdi>([^<]+)</bdi>', answer.content.decode())


def page_of(mission, *parts: str) -> str:
    return LIST + "/".join((mission.stable_id, *parts)) + "/"


def joined(ana, mission) -> None:
    join_mission(actor=ana.person, member=ana.person, mission=mission)


# --- The list -------------------------------------------------------------------------------------


def test_list_names_missing_points(as_member, ana, mission):
    MissionFactory(name="Orchard", min_trust_score=250)
    browser = as_member(ana)
    text = page_text(browser.get(LIST))
    assert "You have 100 points" in text
    assert "Asks for 250 points: 150 points are missing." in text
    assert names(browser.get(LIST)) == ["Garden", "Orchard"]
    assert names(browser.get(LIST, {"show": "eligible"})) == ["Garden"]
    assert names(browser.get(LIST, {"show": "later"})) == ["Orchard"]
    assert names(browser.get(LIST, {"q": "orch"})) == ["Orchard"]
    assert "No missions found." in page_text(browser.get(LIST, {"q": "zzz"}))
    assert names(browser.get(LIST, {"show": "king", "after": "x" * 300})) == ["Garden", "Orchard"]


def test_list_pages_are_complete(as_member, ana, monkeypatch):
    monkeypatch.setattr(missions, "PER_PAGE", 2)
    wanted = [MissionFactory(name=f"N{turn}", min_trust_score=turn % 2 * 50).name for turn in range(5)]
    browser, target, seen = as_member(ana), LIST, []
    while target:
        answer = browser.get(target)
        seen += names(answer)
        link = re.search(r'href="([^"]+after=[\w-]+)">Further', answer.content.decode())
        target = link and link[1].replace("&amp;", "&")
    assert sorted(seen) == wanted


def test_empty_list_says_so(as_member, ana):
    assert "There are no missions yet." in page_text(as_member(ana).get(LIST))


@pytest.mark.parametrize("status", sorted({"not_member", "pending", "suspended", "banned"}))
def test_missions_are_for_active_members(as_member, mission, status):
    browser = as_member(entry(status=status))
    for answer in (browser.get(LIST), browser.get(page_of(mission)), browser.post(page_of(mission, "join"))):
        assert answer.status_code == 403
        assert "Missions are for active members." in page_text(answer)
    assert not Membership.objects.filter(group=mission).exists()


def test_account_without_entry_can_join(client, mission):
    person = MemberFactory()
    client.force_login(person)
    assert client.post(page_of(mission, "join")).status_code == 302
    assert Membership.objects.active().get(group=mission).member == person


# --- Joining and leaving --------------------------------------------------------------------------


def test_member_joins_leaves_and_joins_again(as_member, ana, mission):
    browser = as_member(ana)
    assert "Every member can join." in page_text(browser.get(page_of(mission)))
    answer = browser.post(page_of(mission, "join"), follow=True)
    assert "You are now a member of this mission." in page_text(answer)
    assert "My missions" in page_text(browser.get(LIST))
    answer = browser.post(page_of(mission, "join"))
    assert (answer.status_code, "already a member" in page_text(answer)) == (409, True)
    browser.post(page_of(mission, "leave"), {"reason": "No time"})
    ended = Event.objects.get(type="membership.ended")
    assert (ended.actor_id, ended.payload["reason"]) == (ana.person_id, "No time")
    browser.post(page_of(mission, "join"))
    assert sorted(Membership.objects.filter(group=mission).values_list("status", flat=True)) == ["active", "left"]


def test_mission_names_what_is_missing(as_member, ana):
    orchard = MissionFactory(name="Orchard", min_trust_score=250)
    browser = as_member(ana)
    text = page_text(browser.get(page_of(orchard)))
    assert "A trust score of 250 points: 150 points are missing" in text
    assert "Join this mission" not in text
    answer = browser.post(page_of(orchard, "join"))
    assert (answer.status_code, "You do not have the points" in page_text(answer)) == (409, True)


def test_too_long_reason_keeps_membership(as_member, ana, mission):
    joined(ana, mission)
    answer = as_member(ana).post(page_of(mission, "leave"), {"reason": "x" * 501})
    assert (answer.status_code, "x" * 501 in page_text(answer)) == (422, True)
    assert Membership.objects.active().filter(group=mission).exists()


def test_archived_mission_is_seen_by_its_members(as_member, ana, mission):
    joined(ana, mission)
    archive_group(actor=Member.objects.system(), group=mission)
    assert "No one can join it." in page_text(as_member(ana).get(page_of(mission)))
    other = as_member(entry())
    for answer in (other.get(page_of(mission)), other.post(page_of(mission, "join")), other.get(LIST + "nothing/")):
        assert (answer.status_code, "Mission not found" in page_text(answer)) == (404, True)


# --- Tasks ----------------------------------------------------------------------------------------


def test_member_claims_and_finishes_task(as_member, ana, mission):
    task = TaskFactory(group=mission, title="Water the beds", reward_points=40)
    browser = as_member(ana)
    address = page_of(mission, "tasks", task.stable_id, "claim")
    answer = browser.post(address)
    assert (answer.status_code, "Join it first." in page_text(answer)) == (409, True)
    joined(ana, mission)
    browser.post(address)
    assert "My tasks" in page_text(browser.get(page_of(mission)))
    browser.post(page_of(mission, "tasks", task.stable_id, "finish"))
    task.refresh_from_db()
    assert (task.state, task.claimed_by_id) == (Task.State.DONE, ana.person_id)
    assert Member.objects.get(pk=ana.person_id).trust_score == 140
    assert "Finished by me" in page_text(browser.get(page_of(mission)))
    answer = browser.post(page_of(mission, "tasks", task.stable_id, "finish"))
    assert (answer.status_code, "changed in the meantime" in page_text(answer)) == (409, True)
    assert Member.objects.get(pk=ana.person_id).trust_score == 140


def test_member_gives_task_back(as_member, ana, mission):
    joined(ana, mission)
    task = TaskFactory(group=mission)
    claim_task(actor=ana.person, task=task, member=ana.person)
    assert as_member(ana).post(page_of(mission, "tasks", task.stable_id, "return")).status_code == 302
    assert Task.objects.get(pk=task.pk).state == Task.State.OPEN


@pytest.mark.rule("TaskNotYours")
@pytest.mark.parametrize("action", ["finish", "return"])
def test_task_of_another_member_is_left_alone(as_member, ana, mission, action):
    bob = MemberFactory()
    join_mission(actor=bob, member=bob, mission=mission)
    task = claim_task(actor=bob, task=TaskFactory(group=mission, reward_points=5), member=bob)
    joined(ana, mission)
    answer = as_member(ana).post(page_of(mission, "tasks", task.stable_id, action))
    assert (answer.status_code, "Another member claimed this task." in page_text(answer)) == (409, True)
    assert Task.objects.get(pk=task.pk).state == Task.State.CLAIMED


def test_unknown_task_and_action_are_not_found(as_member, ana, mission):
    joined(ana, mission)
    task, other = TaskFactory(group=mission), TaskFactory()
    browser = as_member(ana)
    for parts in ((task.stable_id, "burn"), (other.stable_id, "claim"), ("FE-T-99999", "claim")):
        assert browser.post(page_of(mission, "tasks", *parts)).status_code == 404


# --- First steps and language ---------------------------------------------------------------------


def test_profile_shows_first_steps_until_done(as_member, ana, settings):
    settings.ENGAGEMENT_TIERS = {"1": ["join_mission"], "2": ["sing_together"]}
    browser, system = as_member(ana), Member.objects.system()
    complete_action(actor=system, member=ana.person, action="join_mission")
    text = page_text(browser.get("/me/"))
    assert "1 of 2 steps done" in text
    assert "Sing together" in text
    complete_action(actor=system, member=ana.person, action="sing_together")
    assert "steps done" not in page_text(browser.get("/me/"))


def test_missions_are_translated(as_member, ana):
    orchard = MissionFactory(name="Pomar", min_trust_score=250)
    headers = {"Accept-Language": "pt-BR"}
    browser = as_member(ana)
    assert "Pede 250 pontos: faltam 150 pontos." in page_text(browser.get(LIST, headers=headers))
    assert "Uma pontuação de confiança de 250 pontos: faltam 150 pontos" in page_text(
        browser.get(page_of(orchard), headers=headers)
    )


# --- Requests and invitations ---------------------------------------------------------------------


@pytest.fixture
def guild():
    return MissionFactory(name="Guild", join_policy="request")


def test_member_asks_and_withdraws(as_member, ana, guild):
    browser = as_member(ana)
    assert "You can ask to join" in page_text(browser.get(LIST))
    answer = browser.post(page_of(guild, "ask"), {"message": "x" * 501})
    assert (answer.status_code, "x" * 501 in page_text(answer)) == (422, True)
    browser.post(page_of(guild, "ask"), {"message": "Let me help"})
    assert "Your request is open" in page_text(browser.get(page_of(guild)))
    assert "Requests and invitations" in page_text(browser.get(LIST))
    answer = browser.post(page_of(guild, "ask"))
    assert (answer.status_code, "already have an open request" in page_text(answer)) == (409, True)
    answer = browser.post(page_of(guild, "join"))
    assert (answer.status_code, "joined by request" in page_text(answer)) == (409, True)
    browser.post(page_of(guild, "request", "withdraw"))
    assert JoinRequest.objects.get(member=ana.person).status == "withdrawn"
    assert browser.post(page_of(guild, "request", "burn")).status_code == 404


def test_declined_request_shows_reason_and_is_mailed(as_member, ana, guild, mailoutbox):
    UserProfile.objects.filter(pk=ana.person_id).update(locale="pt-BR")
    request = request_to_join(actor=ana.person, mission=guild)
    decline_request(actor=Member.objects.system(), request=request, reason="Em junho")
    assert "Em junho" in page_text(as_member(ana).get(page_of(guild)))
    job = ProcrastinateJob.objects.get(task_name="send_join_notice")
    assert send_notice(**job.args) == "sent"
    [mail] = mailoutbox
    assert (mail.to, mail.subject) == ([ana.person.email], "Seu pedido para “Guild”")
    assert "foi recusado" in mail.body
    assert "Em junho" in mail.body
    assert page_of(guild) in mail.body


def test_invited_member_accepts(as_member, ana, mailoutbox):
    closed = MissionFactory(name="Closed", join_policy="invitation")
    browser = as_member(ana)
    assert "By invitation of a manager" in page_text(browser.get(page_of(closed)))
    invite_to_mission(actor=Member.objects.system(), member=ana.person, mission=closed, message="We need you")
    assert send_notice(**ProcrastinateJob.objects.get(task_name="send_join_notice").args) == "sent"
    assert "We need you" in mailoutbox[0].body
    assert "You are invited" in page_text(browser.get(page_of(closed)))
    browser.post(page_of(closed, "request", "accept"))
    assert Membership.objects.active().filter(member=ana.person, group=closed).exists()
    assert not ProcrastinateJob.objects.filter(task_name="send_join_notice", args__event_type="join_request.accepted")


def test_notice_is_not_sent_to_deactivated_member(ana, mailoutbox):
    made = invite_to_mission(actor=Member.objects.system(), member=ana.person, mission=MissionFactory())
    Member.objects.filter(pk=ana.person_id).update(is_active=False)
    assert send_notice(request_id=str(made.pk), event_type="join_request.invited") == "gone"
    assert mailoutbox == []


# --- Waiting lists --------------------------------------------------------------------------------


def test_member_waits_and_accepts_offered_place(as_member, ana, mailoutbox):
    boat = MissionFactory(name="Boat", max_members=1)
    sailor = MembershipFactory(group=boat).member
    browser, system = as_member(ana), Member.objects.system()
    assert "At most 1 member: no place is free" in page_text(browser.get(page_of(boat)))
    assert ">Full<" in browser.get(LIST).content.decode()
    answer = browser.post(page_of(boat, "join"))
    assert (answer.status_code, "This mission is full." in page_text(answer)) == (409, True)
    browser.post(page_of(boat, "wait"))
    assert "Place 1 in line." in page_text(browser.get(page_of(boat)))
    leave_mission(actor=sailor, member=sailor, mission=boat)
    offer_places(actor=system, mission=boat)
    assert send_notice(**ProcrastinateJob.objects.get(task_name="send_join_notice").args) == "sent"
    assert mailoutbox[0].subject == "A place in “Boat” is offered to you"
    assert "A place is offered to you" in page_text(browser.get(page_of(boat)))
    assert "A place is offered to you" in page_text(browser.get(LIST))
    browser.post(page_of(boat, "request", "accept"))
    assert boat.memberships.active().get().member == ana.person


def test_member_leaves_waiting_list(as_member, ana):
    boat = MembershipFactory(group=MissionFactory(max_members=1)).group
    browser = as_member(ana)
    browser.post(page_of(boat, "wait"))
    assert "You left the waiting list." in page_text(
        browser.post(page_of(boat, "request", "stop-waiting"), follow=True)
    )
    answer = browser.post(page_of(boat, "request", "accept"))
    assert (answer.status_code, "decided in the meantime" in page_text(answer)) == (409, True)
    Membership.objects.filter(group=boat).update(status="left", left_at=timezone.now())
    answer = browser.post(page_of(boat, "wait"))
    assert (answer.status_code, "has free places" in page_text(answer)) == (409, True)

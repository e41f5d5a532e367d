"""Everything a member does in a session of their own is activity, in every app; what a program does is none."""

import pytest
from django.conf import settings
from django.test import Client

from engagement.models import EngagementStateTransition, UserEngagementState
from engagement.services.unsubscribe import unsubscribe_url
from missionsite.common.accounts.sessions import SEEN
from tests.portal.helpers import PASSWORD, entry
from tests.site.test_view_as import viewing
from tests.support.admin import client_of, page_text, staff
from tests.support.factories.engagement import move_to
from tests.support.factories.fallback import ItemFactory, MissionFactory, ProjectMemberFactory
from tests.support.factories.groups import MemberFactory, StaffFactory
from tests.support.factories.missiondeck import DeckMissionFactory, DodItemFactory
from tests.support.factories.tokens import api_client

pytestmark = pytest.mark.django_db


def dormant(role="", **fields):
    person = staff(role) if role else MemberFactory(**fields)
    move_to(person, "dormant")
    return person


def acted(person) -> tuple[bool, bool]:
    """Return whether the member is active again, and whether they took part."""
    row = UserEngagementState.objects.get(user=person)
    log = EngagementStateTransition.objects.filter(user=person, trigger="user_message", actor=person)
    assert log.exists() == (row.state == "active")
    return row.state == "active", row.took_part_week is not None


def idle(client) -> None:
    """Let the last request of a client be more than a minute ago."""
    session = client.session
    session[SEEN] -= 61
    session.save()


def on_board(person, kind="person"):
    """Move a mission of a board."""
    project = ProjectMemberFactory(member=person, role="maintainer").project
    mission = MissionFactory(project=project)
    return api_client(person, "projects:write", kind=kind).post(
        f"/api/projects/{project.pk}/missions/{mission.pk}/move", {"list": "doing"}, content_type="application/json"
    )


def on_deck(person, kind="person"):
    """Tick an item of the definition of done."""
    item = DodItemFactory(mission=DeckMissionFactory(assigned_to=person.email))
    return api_client(person, "deck:write", kind=kind).patch(
        f"/api/deck/missions/{item.mission.number}/dod/{item.pk}", {"completed": True}, content_type="application/json"
    )


def on_review(person, kind="person"):
    """Discard a proposal."""
    project = ProjectMemberFactory(member=person, role="maintainer").project
    item = ItemFactory(run__project=project)
    return api_client(person, "fallback:review", kind=kind).post(
        f"/api/projects/{project.pk}/fallback/items/{item.pk}/discard",
        {"reason": "not_needed"},
        content_type="application/json",
    )


@pytest.mark.parametrize("act", [on_board, on_deck, on_review])
def test_changes_by_own_token_are_participation(act):
    person = dormant("Delivery Lead" if act is on_deck else "")
    answer = act(person)
    assert answer.status_code == 200, answer.content
    assert acted(person) == (True, True)


@pytest.mark.parametrize("act", [on_board, on_deck, on_review])
def test_changes_by_token_of_a_program_are_no_activity(act):
    """Whatever its scopes are."""
    person = dormant("Delivery Lead" if act is on_deck else "")
    assert act(person, kind="program").status_code == 200
    assert acted(person) == (False, False)


def test_rejected_change_is_no_activity():
    person = dormant()
    item = DodItemFactory(mission=DeckMissionFactory())
    answer = api_client(person, "deck:write", kind="person").patch(
        f"/api/deck/missions/{item.mission.number}/dod/{item.pk}", {"completed": True}, content_type="application/json"
    )
    assert (answer.status_code, acted(person)) == (404, (False, False))


def test_login_is_a_visit():
    person = dormant(email="ana@example.org", password=PASSWORD)
    answer = Client().post("/login/", {"username": person.email, "password": PASSWORD})
    assert answer.status_code == 302, page_text(answer)[:500]
    assert acted(person) == (True, False)


def test_pages_are_visits_once_a_minute():
    person = dormant()
    client = client_of(person)
    idle(client)
    client.get("/me/", headers={"X-Fragment": "lifecycle"})
    assert acted(person) == (False, False)
    idle(client)
    assert client.get("/me/").status_code == 200
    assert acted(person) == (True, False)
    seen = UserEngagementState.objects.get(user=person).last_activity_at
    client.get("/directory/")
    assert UserEngagementState.objects.get(user=person).last_activity_at == seen


def test_changes_in_a_session_are_participation():
    person = dormant()
    entry(person=person)
    answer = client_of(person).post(
        "/me/messages/",
        {"preferred_destination": "individual", "locale": "en", "timezone": "UTC", "wants_messages": "no"},
    )
    assert answer.status_code == 302, page_text(answer)[:500]
    assert acted(person) == (True, True)


def test_staff_act_for_themselves_only():
    member, worker = dormant(), staff("Engagement Operator")
    answer = client_of(worker).post(
        f"/admin/engagement/userprofile/{member.pk}/complete-step/", {"step": "introduce_yourself"}
    )
    assert answer.status_code == 302, page_text(answer)[:500]
    assert acted(member) == (False, False)
    assert UserEngagementState.objects.get(user=worker).took_part_week


def test_viewing_as_a_member_is_no_activity_of_theirs():
    member = dormant()
    client = viewing(StaffFactory(is_superuser=True), member)
    idle(client)
    assert client.get("/me/").status_code == 200
    assert acted(member) == (False, False)


def test_unsubscribe_link_is_no_activity():
    person = dormant()
    assert Client().post(unsubscribe_url(person.pk).removeprefix(settings.SITE_URL)).status_code in (200, 302)
    assert acted(person) == (False, False)

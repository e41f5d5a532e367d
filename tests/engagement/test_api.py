"""The API of this app for members and for staff."""

import pytest
from django.contrib.auth.models import Permission

from engagement.models import EngagementMessage, EngagementStateTransition, UserEngagementState, UserProfile
from engagement.rules import MessageType
from engagement.services.lifecycle import record_activity, transition
from engagement.services.messages import enqueue
from groups.models import Event
from tests.support.factories.groups import MemberFactory, StaffFactory
from tests.support.factories.tokens import api_client

pytestmark = pytest.mark.django_db(transaction=True)
JSON = "application/json"
ME = "/api/engagement/me"


@pytest.fixture
def ana():
    return MemberFactory(display_name="Ana")


@pytest.fixture
def bob():
    return MemberFactory(display_name="Bob")


def staff_with(*codenames: str):
    member = StaffFactory()
    for codename in codenames:
        member.user_permissions.add(Permission.objects.get(content_type__app_label="engagement", codename=codename))
    return member


def queued(member, **options) -> EngagementMessage:
    return enqueue(member=member, message_type=MessageType.REMINDER, **options)


def fail(message: EngagementMessage) -> EngagementMessage:
    EngagementMessage.objects.filter(pk=message.pk).update(status="failed", retry_count=3, error_message="no")
    return message


# --- Own data -------------------------------------------------------------------------------------


def test_member_without_activity_is_active(ana):
    assert api_client(ana).get(ME).json() == {
        "state": "active",
        "since": None,
        "last_activity_at": None,
        "goodbye_expires_at": None,
        "remind_at": None,
    }
    assert not UserEngagementState.objects.exists()


@pytest.mark.parametrize("make", [MemberFactory, StaffFactory])
def test_member_sees_only_own_state_and_transitions(make, bob):
    """The same for staff: operations on the caller's own data ignore permissions."""
    own = make()
    record_activity(member=own)
    for member in (own, bob):
        transition(actor=member, member=member, trigger="inactivity_14d")
    transition(actor=own, member=own, trigger="goodbye_response_2")
    browser = api_client(own)
    state = browser.get(ME).json()
    assert state["state"] == "remind_later"
    assert state["remind_at"] is not None
    moves = browser.get(f"{ME}/transitions").json()
    assert [(each["from_state"], each["to_state"]) for each in moves["items"]] == [
        ("goodbye_sent", "remind_later"),
        ("active", "goodbye_sent"),
    ]
    assert state["since"] == moves["items"][0]["created_at"]
    assert moves["items"][0]["metadata"]["response_type"] == "busy"


def test_member_does_not_see_which_staff_changed_their_state(ana):
    mona = staff_with("move_userengagementstate")
    transition(actor=mona, member=ana, trigger="inactivity_14d")
    transition(actor=mona, member=ana, trigger="goodbye_response_2")
    response = api_client(ana).get(f"{ME}/transitions")
    assert [each["metadata"] for each in response.json()["items"]] == [
        {"days_inactive": 0, "response_type": "busy"},
        {"days_inactive": 0},
    ]
    assert mona.member_id not in response.content.decode()


def test_transitions_are_paginated(ana):
    for _turn in range(3):
        transition(actor=ana, member=ana, trigger="inactivity_14d")
        transition(actor=ana, member=ana, trigger="user_message")
    browser, address, found = api_client(ana), f"{ME}/transitions?limit=4", []
    while address:
        page = browser.get(address).json()
        found += [(each["trigger"], each["created_at"]) for each in page["items"]]
        address = page["next"]
    assert [trigger for trigger, _at in found] == ["user_message", "inactivity_14d"] * 3
    assert len(set(found)) == 6


@pytest.mark.parametrize("make", [MemberFactory, StaffFactory])
def test_member_changes_preferences(make, bob):
    own = make()
    browser = api_client(own)
    change = {
        "preferred_destination": "group",
        "reengagement_opt_out": True,
        "locale": "pt-BR",
        "timezone": "America/Sao_Paulo",
        "muted_topics": ["events"],
        "channels": ["telegram", "email"],
    }
    waiting = enqueue(member=own, message_type=MessageType.ANNOUNCEMENT)
    answer = browser.patch(f"{ME}/profile", change, content_type=JSON)
    assert (answer.status_code, answer.json()) == (200, change)
    assert browser.get(f"{ME}/profile").json() == change
    waiting.refresh_from_db()
    assert waiting.destination == "group"
    event = Event.objects.get(type="profile.changed")
    assert (event.member, event.actor) == (own, own)
    # Other fields and other members are unchanged.
    assert browser.patch(f"{ME}/profile", {"locale": "en"}, content_type=JSON).json() == change | {"locale": "en"}
    assert UserProfile.objects.get(pk=bob.pk).preferred_destination == "individual"
    assert browser.patch(f"{ME}/profile", {}, content_type=JSON).json() == change | {"locale": "en"}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"timezone": "Mars/Olympus"}, "/timezone"),
        ({"muted_topics": ["x"]}, "/muted_topics/0"),
        ({"channels": ["fax"]}, "/channels/0"),
        ({"timezone": "x" * 65}, "/timezone"),
        ({"timezone": "../etc/passwd"}, "/timezone"),
        ({"locale": "fr"}, "/locale"),
        ({"preferred_destination": "pigeon"}, "/preferred_destination"),
        ({"reengagement_opt_out": "maybe"}, "/reengagement_opt_out"),
        ({"individual_jid": "5511@c.us"}, "/individual_jid"),
        ({"onboarding_tier": 3}, "/onboarding_tier"),
        ({"user_id": "x"}, "/user_id"),
    ],
)
def test_invalid_or_readonly_preferences_are_rejected(ana, change, pointer):
    answer = api_client(ana).patch(f"{ME}/profile", change, content_type=JSON)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert UserProfile.objects.get(pk=ana.pk).timezone == "UTC"


def test_scopes_are_required(ana):
    reader, stranger = api_client(ana, "engagement:read"), api_client(ana, "missions:read")
    assert reader.get(ME).status_code == 200
    assert reader.patch(f"{ME}/profile", {"locale": "en"}, content_type=JSON).status_code == 403
    for address in (ME, f"{ME}/transitions", f"{ME}/profile", "/api/engagement/messages"):
        assert stranger.get(address).status_code == 403


# --- Staff ----------------------------------------------------------------------------------------


def move(browser, member, trigger: str, **headers):
    address = f"/api/engagement/members/{getattr(member, 'member_id', member)}/transitions"
    return browser.post(address, {"trigger": trigger}, content_type=JSON, headers=headers)


def test_staff_change_state_and_log_names_them(ana):
    mona = staff_with("move_userengagementstate")
    answer = move(api_client(mona), ana, "inactivity_14d")
    assert (answer.status_code, answer.json()["state"]) == (200, "goodbye_sent")
    assert EngagementStateTransition.objects.get().metadata["by"] == mona.member_id
    assert EngagementMessage.objects.filter(user=ana, message_type="goodbye").count() == 1


def test_invalid_trigger_is_rejected_with_valid_ones(ana):
    answer = move(api_client(staff_with("move_userengagementstate")), ana, "reminder_due")
    assert (answer.status_code, answer.json()["code"]) == (409, "transition_rejected")
    assert "inactivity_14d" in answer.json()["detail"]


def test_repeated_transition_request_is_applied_once(ana):
    browser = api_client(staff_with("move_userengagementstate"))
    answers = [move(browser, ana, "inactivity_14d", **{"Idempotency-Key": "k1"}) for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 200]
    assert answers[1]["Idempotency-Replayed"] == "true"
    assert EngagementStateTransition.objects.count() == 1


@pytest.mark.parametrize(("who", "trigger", "status"), [("FE-P-99999", "user_message", 404), (None, "jump", 422)])
def test_unknown_member_and_trigger_are_rejected(ana, who, trigger, status):
    browser = api_client(staff_with("move_userengagementstate"))
    assert move(browser, who or ana, trigger).status_code == status


def test_staff_filter_messages_by_status_and_member(ana, bob):
    first, second = queued(ana), fail(queued(bob))
    browser = api_client(staff_with("view_engagementmessage"))

    def ids(query: str) -> list[int]:
        answer = browser.get(f"/api/engagement/messages?{query}")
        assert answer.status_code == 200
        return [each["id"] for each in answer.json()["items"]]

    assert ids("") == [second.pk, first.pk]
    assert ids("status=failed") == [second.pk]
    assert ids(f"member={ana.member_id}") == [first.pk]
    assert ids(f"member={ana.member_id}&status=failed") == []
    assert browser.get("/api/engagement/messages?member=FE-P-99999").status_code == 404
    assert browser.get("/api/engagement/messages?status=lost").status_code == 422
    page = browser.get("/api/engagement/messages?limit=1").json()
    assert [each["member"] for each in page["items"]] == [bob.member_id]
    assert [each["id"] for each in browser.get(page["next"]).json()["items"]] == [first.pk]
    assert ana.email not in browser.get("/api/engagement/messages").content.decode()


def test_message_list_makes_a_fixed_number_of_queries(ana, bob, django_assert_num_queries):
    browser = api_client(staff_with("view_engagementmessage"))
    browser.get("/api/engagement/messages")
    for number in range(5):
        queued(ana, event=f"e{number}")
        queued(bob, event=f"e{number}")
    with django_assert_num_queries(7):
        browser.get("/api/engagement/messages")


def test_staff_retry_and_cancel_once_per_key(ana):
    mona = staff_with("handle_engagementmessage")
    browser, message = api_client(mona), fail(queued(ana))
    address = f"/api/engagement/messages/{message.pk}"
    for _ in range(2):
        answer = browser.post(f"{address}/retry", headers={"Idempotency-Key": "r1"})
        assert (answer.status_code, answer.json()["status"]) == (200, "pending")
    assert Event.objects.filter(type="message.retried", actor=mona).count() == 1
    assert browser.post(f"{address}/retry").status_code == 409
    for _ in range(2):
        answer = browser.post(
            f"{address}/cancel", {"reason": "By mistake"}, content_type=JSON, headers={"Idempotency-Key": "c1"}
        )
        assert (answer.status_code, answer.json()["error_message"]) == (200, "By mistake")
    assert browser.post(f"{address}/cancel", content_type=JSON).json()["code"] == "message_move_rejected"
    other = queued(ana, event="other")
    without_body = browser.generic("POST", f"/api/engagement/messages/{other.pk}/cancel")
    assert without_body.json()["status"] == "cancelled"


@pytest.mark.parametrize("number", ["999999", "0", "-1", "9" * 30, "x"])
def test_unknown_message_is_not_found(number):
    answer = api_client(staff_with("handle_engagementmessage")).post(f"/api/engagement/messages/{number}/retry")
    assert answer.status_code in (404, 422)


@pytest.mark.parametrize("who", ["member", "staff with other rights"])
def test_permissions_are_required(ana, who):
    others = ("view_userprofile", "view_userengagementstate")
    browser = api_client(ana if who == "member" else staff_with(*others))
    message = fail(queued(ana))
    assert browser.get("/api/engagement/messages").status_code == 403
    assert move(browser, ana, "inactivity_14d").status_code == 403
    for verb in ("retry", "cancel"):
        assert browser.post(f"/api/engagement/messages/{message.pk}/{verb}", content_type=JSON).status_code == 403
    message.refresh_from_db()
    assert message.status == "failed"
    assert not EngagementStateTransition.objects.exists()

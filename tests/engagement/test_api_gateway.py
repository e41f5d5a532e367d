"""Gateway operations of the API: messages of members, and receipts."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from engagement.models import EngagementMessage, InboundMessage, UserEngagementState, UserProfile
from engagement.rules import MessageType
from engagement.services.lifecycle import transition
from engagement.services.messages import enqueue
from missionsite.common.api.signatures import sign
from tests.support.factories.groups import MemberFactory, StaffFactory
from tests.support.factories.tokens import make_token

pytestmark = pytest.mark.django_db(transaction=True)
SECRET, CHAT = "shared with the gateway", "5511999990000@c.us"


@pytest.fixture(autouse=True)
def secrets(settings):
    settings.ENGAGEMENT_INBOUND_SECRETS = [SECRET]


@pytest.fixture
def ana():
    member = MemberFactory(display_name="Ana")
    UserProfile.objects.filter(pk=member.pk).update(individual_jid=CHAT)
    return member


def post(what: str, order, *, secret: str = SECRET):
    body = order if isinstance(order, bytes) else json.dumps(order).encode()
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    headers = {"Missionsite-Signature": sign(body, secret)}
    return client.post(f"/api/engagement/{what}", body, content_type="application/json", headers=headers)


def written(text: str, number: str = "m1", **changes) -> dict:
    return {"platform": "whatsapp", "message_id": number, "sender": CHAT, "text": text} | changes


# --- Inbound messages -----------------------------------------------------------------------------


def test_goodbye_reply_changes_state(ana):
    transition(actor=ana, member=ana, trigger="inactivity_14d")
    answer = post("inbound", written("2"))
    assert (answer.status_code, answer.json()) == (200, {"effect": "goodbye_response_2", "state": "remind_later"})


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("parar lembretes", "opted_out"),
        ("Switch to group!", "to_group"),
        ("hello", "user_message"),
        ("", "user_message"),
    ],
)
def test_request_has_its_effect(ana, text, effect):
    assert post("inbound", written(text)).json() == {"effect": effect, "state": "active"}


def test_repeated_message_has_no_effect(ana):
    assert post("inbound", written("stop reminders")).json()["effect"] == "opted_out"
    post("inbound", written("start reminders", "m2"))
    assert post("inbound", written("stop reminders")).json() == {"effect": "repeated", "state": "active"}
    assert UserProfile.objects.get(pk=ana.pk).reengagement_opt_out is False
    # The same ID of another platform is another message.
    assert post("inbound", written("stop reminders", platform="telegram")).json()["effect"] == "opted_out"


@pytest.mark.parametrize(
    ("value", "effect"),
    [
        (True, "auto_reply"),
        ("auto-replied", "auto_reply"),
        ("auto-generated; x=y", "auto_reply"),
        (False, "user_message"),
        ("no", "user_message"),
        (None, "user_message"),
    ],
)
def test_automatic_message_has_no_effect(ana, value, effect):
    assert post("inbound", written("hello", auto_submitted=value)).json() == {"effect": effect, "state": "active"}
    assert UserEngagementState.objects.filter(user=ana).exists() == (effect == "user_message")


@pytest.mark.parametrize("value", [1.5, ["auto-replied"], {}, "x" * 256])
def test_invalid_auto_submitted_is_rejected(ana, value):
    answer = post("inbound", written("hello", auto_submitted=value))
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/auto_submitted"]


def test_concurrent_duplicates_have_one_effect(ana):
    transition(actor=ana, member=ana, trigger="inactivity_14d")
    start = threading.Barrier(6)

    def bring(_number) -> str:
        try:
            start.wait(20)
            return post("inbound", written("1")).json()["effect"]
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        effects = sorted(pool.map(bring, range(6)))
    assert effects == ["goodbye_response_1"] + ["repeated"] * 5
    assert EngagementMessage.objects.filter(message_type="help_restart").count() == 1


def test_unknown_address_is_ignored(ana):
    for sender in ("nobody@c.us", ana.email, ana.member_id, str(ana.pk), "%", " "):
        answer = post("inbound", written("stop reminders", sender=sender))
        assert (answer.status_code, answer.json()) == (200, {"effect": "ignored", "state": None})
    assert not InboundMessage.objects.exists()
    assert not UserEngagementState.objects.exists()


def test_future_time_becomes_now(ana):
    earlier = timezone.now() - timedelta(hours=3)
    post("inbound", written("hello", at=earlier.isoformat()))
    assert UserEngagementState.objects.get(user=ana).last_activity_at == earlier
    before = timezone.now()
    post("inbound", written("hello", "m2", at="9999-12-31T23:59:59-14:00"))
    assert before <= UserEngagementState.objects.get(user=ana).last_activity_at <= timezone.now()


@pytest.mark.parametrize(
    "changes",
    [
        {"at": "yesterday"},
        {"at": "2026-03-01T12:00:00"},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"at": 1e300},
        {"platform": ""},
        {"platform": "x" * 51},
        {"message_id": ""},
        {"message_id": "x" * 256},
        {"sender": ""},
        {"sender": None},
        {"text": None},
        {"text": "x" * 70_001},
        {"text": "\x00"},
        {"more": 1},
    ],
)
def test_invalid_message_is_rejected(ana, changes):
    answer = post("inbound", written("hello") | changes)
    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
    assert answer.json()["errors"]
    assert not InboundMessage.objects.exists()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff"])
def test_invalid_body_is_rejected(body):
    assert post("inbound", body).status_code in (400, 422)


# --- Receipts -------------------------------------------------------------------------------------


@pytest.fixture
def sent(ana) -> EngagementMessage:
    message = enqueue(member=ana, message_type=MessageType.REMINDER)
    EngagementMessage.objects.filter(pk=message.pk).update(
        status="sent", sent_at=timezone.now(), provider_message_id="wamid.1"
    )
    return message


@pytest.mark.parametrize("by", ["idempotency_key", "provider_message_id"])
def test_delivery_is_recorded_once(sent, by):
    name = {"idempotency_key": sent.idempotency_key, "provider_message_id": "wamid.1"}[by]
    at = timezone.now() - timedelta(minutes=5)
    answer = post("receipts", {by: name, "status": "delivered", "at": at.isoformat()})
    assert (answer.status_code, answer.json()) == (200, {"known": True})
    assert post("receipts", {by: name, "status": "failed", "error": "late"}).json() == {"known": True}
    sent.refresh_from_db()
    assert (sent.status, sent.delivered_at) == ("sent", at)


def test_failure_is_recorded_with_its_error(sent):
    post("receipts", {"provider_message_id": "wamid.1", "status": "failed", "error": "The number has no account."})
    sent.refresh_from_db()
    assert (sent.status, sent.error_message) == ("failed", "The number has no account.")


def test_receipt_for_unsent_message_is_unknown(ana):
    waiting = enqueue(member=ana, message_type=MessageType.REMINDER)
    for order in ({"idempotency_key": waiting.idempotency_key}, {"provider_message_id": "wamid.9"}):
        answer = post("receipts", order | {"status": "delivered"})
        assert (answer.status_code, answer.json()) == (200, {"known": False})
    waiting.refresh_from_db()
    assert (waiting.status, waiting.delivered_at) == ("pending", None)


@pytest.mark.parametrize(
    "order",
    [
        {"status": "delivered"},
        {"status": "delivered", "idempotency_key": "", "provider_message_id": ""},
        {"status": "delivered", "idempotency_key": "a", "provider_message_id": "b"},
        {"status": "read", "idempotency_key": "a"},
        {"idempotency_key": "a"},
        {"status": "failed", "idempotency_key": "a", "error": "x" * 1001},
        {"status": "failed", "idempotency_key": "a", "at": "soon"},
    ],
)
def test_invalid_receipt_is_rejected(sent, order):
    answer = post("receipts", order)
    assert answer.status_code == 422
    assert answer.json()["errors"]


# --- Access ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["inbound", "receipts"])
def test_unsigned_request_is_rejected(ana, settings, what):
    order = written("stop reminders")
    assert post(what, order, secret="another").status_code == 401
    _, token = make_token(StaffFactory(is_superuser=True))
    headers = {"Authorization": f"Bearer {token}"}
    assert Client().post(f"/api/engagement/{what}", order, "application/json", headers=headers).status_code == 401
    settings.ENGAGEMENT_INBOUND_SECRETS = []
    assert post(what, order).status_code == 503
    assert not InboundMessage.objects.exists()
    assert UserProfile.objects.get(pk=ana.pk).reengagement_opt_out is False


def test_two_secrets_are_valid_during_rotation(ana, settings):
    settings.ENGAGEMENT_INBOUND_SECRETS = ["the next one", SECRET]
    assert post("inbound", written("hello")).status_code == 200
    assert post("inbound", written("hello", "m2"), secret="the next one").status_code == 200

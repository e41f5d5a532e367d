"""Actions of staff from every status, and receipts of providers."""

from datetime import UTC, datetime, timedelta

import pytest

from engagement.errors import MessageBeingSent, MessageMoveRejected
from engagement.models import EngagementMessage
from engagement.rules import ReceiptStatus
from engagement.services.messages import cancel_message, postpone_message, record_receipt, retry_message
from groups.models import Event
from tests.support.factories.engagement import ClaimFactory, MessageFactory
from tests.support.factories.groups import StaffFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ACTIONS = {
    "retry": (retry_message, {"failed"}, "pending", "message.retried"),
    "cancel": (cancel_message, {"pending", "failed"}, "cancelled", "message.cancelled"),
    "postpone": (lambda **kwargs: postpone_message(until=NOW, **kwargs), {"pending"}, "pending", "message.postponed"),
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("status", ["pending", "sent", "failed", "cancelled"])
def test_actions_of_staff_from_every_status(action, status):
    run, allowed, after, event = ACTIONS[action]
    message, staff = MessageFactory(status=status, sent_at=NOW if status == "sent" else None), StaffFactory()
    if status in allowed:
        assert run(actor=staff, message=message).status == after
        assert EngagementMessage.objects.get(pk=message.pk).status == after
        assert Event.objects.get(type=event).actor_id == staff.pk
    else:
        with pytest.raises(MessageMoveRejected, match=f"A message that is {status} cannot be"):
            run(actor=staff, message=message)
        assert EngagementMessage.objects.get(pk=message.pk).status == status
        assert not Event.objects.filter(type=event).exists()


@pytest.mark.parametrize("action", ["cancel", "postpone"])
def test_claimed_message_rejects_actions(action):
    message = MessageFactory()
    ClaimFactory(messages=[message])
    with pytest.raises(MessageBeingSent):
        ACTIONS[action][0](actor=StaffFactory(), message=message)
    assert EngagementMessage.objects.get(pk=message.pk).status == "pending"


def test_retry_resets_attempts():
    message = MessageFactory(failed=True, retry_count=3, scheduled_for=NOW)
    again = retry_message(actor=StaffFactory(), message=message)
    assert (again.retry_count, again.waiting_for, again.sent_at) == (0, "", None)
    assert again.scheduled_for > NOW


def send_receipt(message, **kwargs):
    return record_receipt(idempotency_key=message.idempotency_key, at=NOW, **kwargs)


def test_delivery_is_recorded_once():
    message = MessageFactory(sent=True)
    assert send_receipt(message, status=ReceiptStatus.DELIVERED).delivered_at == NOW
    record_receipt(idempotency_key=message.idempotency_key, status=ReceiptStatus.DELIVERED, at=NOW + timedelta(days=1))
    # A receipt after the delivery changes nothing.
    send_receipt(message, status=ReceiptStatus.FAILED, error="late")
    now = EngagementMessage.objects.get(pk=message.pk)
    assert (now.status, now.delivered_at, now.error_message) == ("sent", NOW, "")


def test_late_failure_allows_retry():
    message = MessageFactory(sent=True)
    assert send_receipt(message, status=ReceiptStatus.FAILED, error="blocked").status == "failed"
    send_receipt(message, status=ReceiptStatus.DELIVERED)
    now = EngagementMessage.objects.get(pk=message.pk)
    assert (now.status, now.error_message, now.delivered_at) == ("failed", "blocked", None)
    assert retry_message(actor=StaffFactory(), message=now).status == "pending"


def test_receipt_by_provider_message_id():
    message = MessageFactory(sent=True, provider_message_id="wamid.1")
    MessageFactory(sent=True)
    assert record_receipt(provider_message_id="wamid.1", status=ReceiptStatus.DELIVERED, at=NOW).pk == message.pk


@pytest.mark.parametrize("trait", ["pending", "failed", "cancelled"])
def test_receipt_for_unsent_message_is_unknown(trait):
    message = MessageFactory(status=trait)
    assert send_receipt(message, status=ReceiptStatus.DELIVERED) is None
    assert record_receipt(idempotency_key="nothing", status=ReceiptStatus.DELIVERED, at=NOW) is None
    assert EngagementMessage.objects.get(pk=message.pk).status == trait

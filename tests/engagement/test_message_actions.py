"""Actions of staff on messages, and receipts."""

from datetime import timedelta

import pytest
from django.utils import timezone

from engagement.errors import MessageBeingSent, MessageMoveRejected
from engagement.models import EngagementMessage
from engagement.rules import ReceiptStatus
from engagement.selectors.claims import database_now
from engagement.services import claims
from engagement.services.messages import cancel_message, postpone_message, record_receipt, retry_message
from tests.support.factories.engagement import MessageFactory
from tests.support.factories.groups import StaffFactory

pytestmark = pytest.mark.django_db


def claim():
    now = database_now()
    EngagementMessage.objects.update(scheduled_for=now - timedelta(minutes=1))
    return claims.claim(sender="test", at=now, most=10, lease=timedelta(minutes=1))


def test_retry_makes_failed_message_pending():
    message = retry_message(actor=StaffFactory(), message=MessageFactory(failed=True))
    assert (message.status, message.retry_count, message.sent_at) == ("pending", 0, None)
    assert message.scheduled_for <= timezone.now()


@pytest.mark.parametrize("state", ["sent", "cancelled"])
def test_sent_or_cancelled_message_rejects_actions(state):
    message = MessageFactory(**{state: True})
    for action in (
        lambda: cancel_message(actor=StaffFactory(), message=message),
        lambda: postpone_message(actor=StaffFactory(), message=message, until=timezone.now()),
        lambda: retry_message(actor=StaffFactory(), message=message),
    ):
        with pytest.raises(MessageMoveRejected) as rejection:
            action()
        assert state in rejection.value.message


def test_cancelled_message_stores_reason_and_is_not_sent():
    message = cancel_message(actor=StaffFactory(), message=MessageFactory(welcome=True), reason="Wrong week.")
    assert (message.status, message.error_message) == ("cancelled", "Wrong week.")
    assert claim().handled == 0


def test_claimed_message_rejects_actions():
    message = MessageFactory(welcome=True)
    assert [each.id for each in claim().messages] == [message.id]
    for action in (cancel_message, lambda **kwargs: postpone_message(until=timezone.now(), **kwargs)):
        with pytest.raises(MessageBeingSent):
            action(actor=StaffFactory(), message=message)


def test_postponed_message_is_rescheduled():
    until = timezone.now() + timedelta(days=2)
    message = postpone_message(actor=StaffFactory(), message=MessageFactory(), until=until)
    assert (message.status, message.scheduled_for, message.waiting_for) == ("pending", until, "staff")


def test_receipt_records_first_delivery():
    message, at = MessageFactory(sent=True, provider_message_id="p1"), timezone.now()
    assert record_receipt(provider_message_id="p1", status=ReceiptStatus.DELIVERED, at=at).delivered_at == at
    record_receipt(idempotency_key=message.idempotency_key, status=ReceiptStatus.DELIVERED, at=at + timedelta(hours=1))
    record_receipt(idempotency_key=message.idempotency_key, status=ReceiptStatus.FAILED, at=at)
    message.refresh_from_db()
    assert (message.status, message.delivered_at) == ("sent", at)


def test_failed_receipt_allows_retry():
    message = MessageFactory(sent=True)
    failed = record_receipt(
        idempotency_key=message.idempotency_key, status=ReceiptStatus.FAILED, at=timezone.now(), error="Gone."
    )
    assert (failed.status, failed.error_message) == ("failed", "Gone.")
    assert retry_message(actor=StaffFactory(), message=failed).sent_at is None


def test_receipt_for_unsent_message_is_none():
    message = MessageFactory()
    assert (
        record_receipt(idempotency_key=message.idempotency_key, status=ReceiptStatus.DELIVERED, at=timezone.now())
        is None
    )
    assert record_receipt(provider_message_id="unknown", status=ReceiptStatus.DELIVERED, at=timezone.now()) is None

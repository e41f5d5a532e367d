"""Bounces and complaints: which addresses are suppressed, and that no further message is sent to them."""

from datetime import timedelta

import pytest
from django.urls import reverse

from engagement.errors import AddressNotSuppressed
from engagement.models import BouncedAddress, EngagementMessage
from engagement.rules import AddressReport, ReceiptStatus
from engagement.services.addresses import record_delivery, report_address, restore_address
from engagement.services.messages import record_receipt
from engagement.services.profiles import update_profile
from engagement.services.sweeps import sweep_daily, sweep_weekly
from engagement.transports import MessageRejected, Unavailable
from groups.models import Event
from tests.engagement.fake_provider import NOON, Clock, Provider, sender
from tests.engagement.test_api_gateway import SECRET, post
from tests.support.admin import OfficeClient
from tests.support.concurrency import crowd
from tests.support.database import rejected_by
from tests.support.factories.engagement import MessageFactory, PersonFactory
from tests.support.factories.groups import StaffFactory

pytestmark = pytest.mark.django_db

CHAT = "5511999990000@c.us"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def secrets(settings):
    settings.ENGAGEMENT_INBOUND_SECRETS = [SECRET]


@pytest.fixture
def ana():
    return PersonFactory(display_name="Ana", email="Ana@Example.org", state="active", profile={"individual_jid": CHAT})


def report(member, kind=AddressReport.HARD_BOUNCE, *, address=CHAT, at=NOON, **values):
    return report_address(member=member, address=address, report=kind, at=at, **values)


def to(member, **values) -> EngagementMessage:
    return MessageFactory(user=member, destination_jid=CHAT, scheduled_for=NOON - DAY, **values)


@pytest.mark.parametrize("kind", [AddressReport.HARD_BOUNCE, AddressReport.COMPLAINT])
def test_hard_bounce_and_complaint_suppress_address(ana, kind):
    report(ana, kind, detail="No such <ana@example.org>.")
    row = BouncedAddress.objects.get()
    assert (row.address, row.reason, row.suppressed_at, row.detail) == (CHAT, kind, NOON, "No such <…>.")
    event = Event.objects.get(type="address.suppressed")
    assert (event.member_id, event.payload) == (ana.pk, {"report": kind})


def test_third_soft_bounce_suppresses_address(ana):
    report(ana, AddressReport.SOFT_BOUNCE)
    assert report(ana, AddressReport.SOFT_BOUNCE, at=NOON + DAY).suppressed_at is None
    assert report(ana, AddressReport.SOFT_BOUNCE, at=NOON + 2 * DAY).suppressed_at == NOON + 2 * DAY


def test_delivery_starts_count_of_soft_bounces_again(ana):
    for _turn in range(2):
        report(ana, AddressReport.SOFT_BOUNCE)
    record_delivery(member=ana, address=CHAT)
    assert report(ana, AddressReport.SOFT_BOUNCE).suppressed_at is None


def test_complaint_replaces_reason_of_suppressed_address(ana):
    report(ana)
    assert report(ana, AddressReport.COMPLAINT).reason == AddressReport.COMPLAINT
    assert report(ana, AddressReport.SOFT_BOUNCE).reason == AddressReport.COMPLAINT
    assert Event.objects.filter(type="address.suppressed").count() == 1


@pytest.mark.parametrize("by_email", [True, False])
def test_no_message_is_sent_to_suppressed_address(ana, settings, by_email):
    settings.ENGAGEMENT_TRANSPORT = "email" if by_email else "webhook"
    report(ana, address="ana@example.org" if by_email else CHAT)
    messages = [to(ana), to(ana, welcome=True)]
    provider = Provider()
    sender(provider).drain()
    assert provider.asked == []
    for message in messages:
        message.refresh_from_db()
        assert (message.status, message.error_message) == (
            "cancelled",
            "The address is suppressed after a bounce or a complaint.",
        )
    # Control: an address of the other kind does not matter.
    settings.ENGAGEMENT_TRANSPORT = "webhook" if by_email else "email"
    message = to(ana)
    sender(provider).drain()
    assert provider.asked == [message.idempotency_key]


def test_new_address_receives_messages(ana):
    report(ana)
    update_profile(actor=ana, member=ana, individual_jid="5511888880000@c.us")
    message, provider = to(ana), Provider()
    EngagementMessage.objects.filter(pk=message.pk).update(destination_jid="5511888880000@c.us")
    sender(provider).drain()
    assert provider.asked == [message.idempotency_key]


def test_sweeps_skip_suppressed_address(ana):
    report(ana)
    other = PersonFactory(state="active", last_activity_at=NOON - DAY)
    ana.engagement_state.last_activity_at = NOON - DAY
    ana.engagement_state.save()
    sweep_weekly(at=NOON)
    sweep_daily(at=NOON + 20 * DAY)
    assert set(EngagementMessage.objects.values_list("user", flat=True)) == {other.pk}


@pytest.mark.rule(
    "bounced_addresses_address_required",
    "bounced_addresses_reason_known",
    "bounced_addresses_unique",
)
@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("address_required", {"address": ""}),
        ("address_one_line", {"address": "a\nb"}),
        ("reason_known", {"reason": "pigeon"}),
        ("unique", {"address": CHAT}),
    ],
)
def test_table_rejects_invalid_rows(ana, rule, changes):
    values = {"user": ana, "address": "b@example.org", "reason": "complaint", "reported_at": NOON}
    BouncedAddress.objects.create(**values | {"address": CHAT})
    with rejected_by(f"bounced_addresses_{rule}"):
        BouncedAddress.objects.create(**values | changes)


# --- Reports of the transport ---------------------------------------------------------------------


def test_hard_bounce_while_sending_ends_further_tries(ana):
    """The second message of the same batch is not tried either."""
    first, second = to(ana), to(ana)

    def reject(_message):
        raise MessageRejected("550 5.1.1 unknown", bounce=AddressReport.HARD_BOUNCE)

    provider = Provider(reject)
    sender(provider).drain()
    assert provider.asked == [first.idempotency_key]
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("failed", "cancelled")
    assert BouncedAddress.objects.get(user=ana).detail == "550 5.1.1 unknown"


def test_rejected_content_is_no_bounce(ana):
    to(ana)

    def reject(_message):
        raise MessageRejected("554 5.7.1 looks like spam")

    sender(Provider(reject)).drain()
    assert not BouncedAddress.objects.exists()


def test_temporary_rejection_counts_after_last_attempt(ana, settings):
    settings.ENGAGEMENT_ATTEMPTS = 2
    message, clock = to(ana), Clock()

    def reject(_message):
        raise Unavailable("452 4.2.2 mailbox full", bounce=AddressReport.SOFT_BOUNCE)

    sender(Provider(reject), clock).drain()
    assert not BouncedAddress.objects.exists()
    EngagementMessage.objects.filter(pk=message.pk).update(scheduled_for=NOON)
    sender(Provider(reject), clock).drain()
    assert BouncedAddress.objects.get().soft_bounces == 1


def test_concurrent_soft_bounces_are_all_counted(transactional_db, settings):
    settings.ENGAGEMENT_SOFT_BOUNCES = 4
    member = PersonFactory()
    with crowd(4) as providers:
        providers.run(lambda number: report(member, AddressReport.SOFT_BOUNCE, at=NOON + number * DAY) and None)
    row = BouncedAddress.objects.get()
    assert (row.soft_bounces, row.suppressed_at is not None) == (4, True)
    assert Event.objects.filter(type="address.suppressed").count() == 1


# --- Receipts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "status", "suppressed"),
    [
        ({"status": "bounced", "error": "No account"}, "failed", True),
        ({"status": "bounced", "permanent": False}, "failed", False),
        ({"status": "complained"}, "sent", True),
        ({"status": "failed"}, "failed", None),
    ],
)
def test_receipt_of_gateway_reports_address(ana, order, status, suppressed):
    message = to(ana, sent=True)
    body = {"idempotency_key": message.idempotency_key} | order
    assert post("receipts", body).json() == {"known": True}
    # A repeated receipt changes nothing.
    assert post("receipts", body).json() == {"known": True}
    message.refresh_from_db()
    assert message.status == status
    found = BouncedAddress.objects.filter(address=CHAT).first()
    assert (found and found.suppressed_at is not None) == suppressed
    assert found is None or found.soft_bounces == (0 if suppressed else 1)


def test_bounce_after_delivery_is_recorded():
    message = MessageFactory(sent=True)
    for status in (ReceiptStatus.DELIVERED, ReceiptStatus.BOUNCED, ReceiptStatus.DELIVERED):
        record_receipt(idempotency_key=message.idempotency_key, status=status, at=NOON, address="a@example.org")
    message.refresh_from_db()
    assert (message.status, message.delivered_at) == ("failed", None)


# --- Staff ----------------------------------------------------------------------------------------


def test_staff_allow_messages_again(ana):
    row = report(ana)
    client = OfficeClient()
    client.force_login(StaffFactory(is_superuser=True))
    page = client.get(reverse("admin:groups_member_engagement", args=[ana.pk])).content.decode()
    assert CHAT in page
    assert "Suppressed" in page
    path = reverse("admin:engagement_bouncedaddress_restore", args=[row.pk])
    client.post(path, {"reason": "They asked for it"})
    row.refresh_from_db()
    assert row.suppressed_at is None
    event = Event.objects.get(type="address.restored")
    assert event.payload["reason"] == "They asked for it"
    with pytest.raises(AddressNotSuppressed):
        restore_address(actor=ana, row=row)
    message, provider = to(ana), Provider()
    sender(provider).drain()
    assert provider.asked == [message.idempotency_key]
    # It is suppressed again after another bounce.
    assert report(ana, at=NOON + DAY).suppressed_at == NOON + DAY


def test_list_filters_suppressed_addresses(ana):
    report(ana)
    report(ana, AddressReport.SOFT_BOUNCE, address="ana@example.org")
    client = OfficeClient()
    client.force_login(StaffFactory(is_superuser=True))
    path = reverse("admin:engagement_bouncedaddress_changelist")
    assert CHAT in client.get(path, {"messages": "suppressed"}).content.decode()
    page = client.get(path, {"messages": "sent"}).content.decode()
    assert CHAT not in page
    assert "1 of 3 soft bounces" in page

"""Several channels at once: the order of each member, addresses that fail, and that nothing is sent twice."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse

from engagement.errors import ChannelUnknown
from engagement.models import BouncedAddress, EngagementMessage, MemberAddress, UserProfile
from engagement.rules import AddressReport, ReceiptStatus
from engagement.selectors.blocking import with_block_reason
from engagement.services import claims
from engagement.services.addresses import report_address
from engagement.services.messages import record_receipt
from engagement.services.profiles import update_profile
from engagement.services.sender_pool import SenderPool
from engagement.services.sweeps import sweep_daily
from engagement.services.unsubscribe import unsubscribe_url
from engagement.transports import MessageRejected, Unavailable, make_transport
from tests.engagement.fake_provider import NOON, Clock, Provider, sender
from tests.support.concurrency import PATIENCE, crowd, without
from tests.support.database import rejected_by
from tests.support.factories.engagement import ClaimFactory, MessageFactory, PersonFactory
from tests.support.factories.groups import StaffFactory

pytestmark = pytest.mark.django_db
TELEGRAM, PHONE, DAY = "718281828", "5511912345678", timedelta(days=1)


@pytest.fixture(autouse=True)
def channels(settings):
    settings.ENGAGEMENT_CHANNELS = {"telegram": "webhook", "email": "email", "whatsapp": "webhook"}


def person(*, verified=("telegram", "email"), number: int = 0, **fields):
    """A member with an address on each channel, some of them verified."""
    entry = {"telegram_id": f"{int(TELEGRAM) + number}", "phone": f"+{int(PHONE) + number}"}
    ana = PersonFactory(email=f"ana{number}@example.org", state="active", entry=entry, **fields)
    MemberAddress.objects.filter(user=ana).update(verified_at=None)
    MemberAddress.objects.filter(user=ana, channel__in=verified).update(verified_at=NOON)
    return ana


def to(member, **values) -> EngagementMessage:
    return MessageFactory(user=member, scheduled_for=NOON - DAY, **values)


class Site:
    """The providers of all channels, each with a sender; they share a clock."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.providers = {name: Provider() for name in ("telegram", "email", "whatsapp")}
        self.pool = SenderPool([sender(each, self.clock, channel=name) for name, each in self.providers.items()])

    def send(self):
        return self.pool.drain()

    def fails(self, channel: str, error: Exception) -> None:
        def answer(message):
            raise error

        self.providers[channel].answer = answer

    @property
    def taken(self) -> list[tuple[str, str]]:
        """The channel and the address of each accepted message."""
        return [
            (name, message.email if name == "email" else message.address)
            for name, each in self.providers.items()
            for message in each.taken
        ]


@pytest.fixture
def site() -> Site:
    return Site()


def bounce(text: str = "gone") -> MessageRejected:
    return MessageRejected(text, bounce=AddressReport.HARD_BOUNCE)


# --- The order ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "verified", "suppressed", "expected"),
    [
        ([], ("telegram", "email"), (), ("telegram", TELEGRAM)),
        (["email", "telegram"], ("telegram", "email"), (), ("email", "ana0@example.org")),
        (["whatsapp", "email"], ("telegram", "email", "whatsapp"), (), ("whatsapp", PHONE)),
        # An address that is not verified is no address.
        (["whatsapp", "email"], ("telegram", "email"), (), ("email", "ana0@example.org")),
        (["telegram", "email"], ("telegram", "email"), (TELEGRAM,), ("email", "ana0@example.org")),
        # A channel that the site does not have.
        (["chat", "telegram"], ("telegram", "chat"), (), ("telegram", TELEGRAM)),
        # What the member left out is not used.
        (["whatsapp"], ("telegram", "email"), (), None),
        (["telegram", "email"], ("telegram", "email"), (TELEGRAM, "ana0@example.org"), None),
    ],
)
def test_first_channel_that_works_is_used(site, order, verified, suppressed, expected):
    ana = person(verified=verified, profile={"channels": order})
    for address in suppressed:
        report_address(member=ana, address=address, report=AddressReport.HARD_BOUNCE, at=NOON)
    message = to(ana)
    site.send()
    assert site.taken == ([expected] if expected else [])
    message.refresh_from_db()
    if expected:
        assert (message.status, message.channel) == ("sent", expected[0])
    else:
        # Staff read why.
        assert (message.status, message.error_message) == (
            "cancelled",
            "No channel has a verified address of the member that works.",
        )


def test_complaint_ends_messages_on_every_channel(site):
    ana = person(profile={"channels": ["email", "telegram"]})
    to(ana)
    site.send()
    sent = EngagementMessage.objects.get()
    record_receipt(
        provider_message_id=sent.provider_message_id, status=ReceiptStatus.COMPLAINED, at=NOON, channel="email"
    )
    to(ana)
    site.send()
    assert len(site.taken) == 1
    reasons = with_block_reason(EngagementMessage.objects.filter(status="cancelled"))
    assert [each.block_reason for each in reasons] == ["unreachable"]


def test_no_goodbye_is_queued_without_a_channel():
    reached, unreached = person(number=1), person(number=2, verified=())
    for each in (reached, unreached):
        type(each.engagement_state).objects.filter(user=each).update(last_activity_at=NOON - 15 * DAY)
    sweep_daily(at=NOON)
    assert EngagementMessage.objects.get().user == reached


def test_announcement_to_group_goes_to_chat_channel(site):
    profile = {"channels": ["email", "telegram"], "preferred_destination": "group", "group_jid": "room-7"}
    ana = person(profile=profile)
    to(ana, message_type="announcement", message_key="goodbye", destination="group", destination_jid="room-7")
    site.send()
    assert site.taken == [("telegram", "room-7")]


def test_backlog_of_another_channel_is_skipped(site):
    telegram, email = person(number=1), person(number=2, profile={"channels": ["email"]})
    for turn in range(70):
        to(telegram, welcome=True, idempotency_key=f"t{turn}")
    to(email)
    [only] = [each for each in site.pool.senders if each.channel == "email"]
    only.batch = 2
    assert only.drain().sent == 1
    assert site.taken == [("email", "ana2@example.org")]


# --- When an address fails ------------------------------------------------------------------------


def test_bounce_sends_message_on_next_channel_once(site):
    ana = person()
    message = to(ana)
    site.fails("telegram", bounce())
    site.send()
    site.clock.forward(minutes=5)
    site.send()
    assert site.taken == [("email", "ana0@example.org")]
    message.refresh_from_db()
    assert (message.status, message.channel, message.retry_count) == ("sent", "email", 1)
    assert site.providers["email"].keys == site.providers["telegram"].asked == [message.idempotency_key]
    assert BouncedAddress.objects.get().address == TELEGRAM
    # The next message does not try the address again.
    to(ana)
    site.send()
    assert len(site.providers["telegram"].asked) == 1


def test_other_rejection_is_not_tried_elsewhere(site):
    message = to(person())
    site.fails("telegram", MessageRejected("too long"))
    site.send()
    message.refresh_from_db()
    assert (message.status, site.taken) == ("failed", [])


def pin_removed() -> tuple[str, str]:
    """Return claim_messages without the rule that a message stays on the channel it was tried on, and as it is."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('claim_messages'::regproc)")
        [whole] = cursor.fetchone()
    pinned = "CASE WHEN q.attempted_at IS NULL THEN '' ELSE q.channel END"
    assert whole.count(pinned) == 2
    return whole.replace(pinned, "''"), whole


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_pinned", [True, pytest.param(False, marks=pytest.mark.long)])
def test_message_perhaps_accepted_stays_on_its_channel(site, is_pinned):
    ana = person()
    message = to(ana)
    site.fails("telegram", Unavailable("timed out", maybe_taken=True))
    site.send()
    # The member prefers e-mail now, and the chat is gone.
    update_profile(actor=ana, member=ana, channels=["email", "telegram"])
    report_address(member=ana, address=TELEGRAM, report=AddressReport.HARD_BOUNCE, at=NOON)
    site.clock.forward(hours=1)
    if is_pinned:
        site.send()
    else:
        with without(*pin_removed()):
            site.send()
    message.refresh_from_db()
    assert (message.status, site.taken) == (
        ("cancelled", []) if is_pinned else ("sent", [("email", "ana0@example.org")])
    )


def test_message_of_dead_sender_stays_on_its_channel(site):
    ana = person()
    message = to(ana)
    claims.claim(sender="dies", at=NOON, most=10, lease=-DAY, via="telegram")
    assert claims.reclaim_expired() == 1
    update_profile(actor=ana, member=ana, channels=["email", "telegram"])
    site.send()
    assert site.taken == [("telegram", TELEGRAM)]
    message.refresh_from_db()
    assert message.channel == "telegram"


def test_bounce_after_sending_goes_to_next_channel_once(site):
    ana = person(profile={"channels": ["email", "telegram"]})
    message = to(ana)
    site.send()
    report = {"idempotency_key": message.idempotency_key, "status": ReceiptStatus.BOUNCED, "at": NOON}
    late = {"address": "ana0@example.org", "channel": "email"}
    record_receipt(**report, **late)
    site.send()
    assert site.taken == [("telegram", TELEGRAM), ("email", "ana0@example.org")]
    # The provider repeats its webhook: the message on the other channel stays sent.
    record_receipt(**report, **late)
    site.send()
    message.refresh_from_db()
    assert (message.status, message.channel, len(site.taken)) == ("sent", "telegram", 2)
    assert [each.address for each in BouncedAddress.objects.all()] == ["ana0@example.org"]


@pytest.mark.parametrize("case", ["delivered", "old", "soft", "no other"])
def test_bounced_message_stays_failed(site, case):
    ana = person(
        verified=("email",) if case == "no other" else ("email", "telegram"),
        profile={"channels": ["email", "telegram"]},
    )
    message = to(ana)
    site.send()
    report = {"idempotency_key": message.idempotency_key, "channel": "email"}
    if case == "delivered":
        record_receipt(**report, status=ReceiptStatus.DELIVERED, at=NOON)
    at = NOON + (3 * DAY if case == "old" else timedelta(hours=1))
    record_receipt(**report, status=ReceiptStatus.BOUNCED, at=at, is_permanent=case != "soft")
    site.send()
    message.refresh_from_db()
    assert (message.status, len(site.taken)) == ("failed", 1)


# --- Races ----------------------------------------------------------------------------------------


def race(site) -> list[str]:
    """Send a message on one channel while the other one would be chosen now; return the keys that were accepted."""
    ana = person()
    to(ana)
    started, other_is_done = threading.Event(), threading.Event()

    def accept_late(outgoing):
        started.set()
        assert other_is_done.wait(PATIENCE)

    site.providers["telegram"].answer = accept_late
    telegram, email = (each for each in site.pool.senders if each.channel in ("telegram", "email"))

    def play(number: int):
        if number == 0:
            return telegram.send_batch()
        assert started.wait(PATIENCE)
        try:
            update_profile(actor=ana, member=ana, channels=["email", "telegram"])
            report_address(member=ana, address=TELEGRAM, report=AddressReport.HARD_BOUNCE, at=NOON)
            return email.drain()
        finally:
            other_is_done.set()

    with crowd(2) as people:
        results = people.run(play)
    assert not [each for each in results if isinstance(each, Exception)], results
    return [key for each in site.providers.values() for key in each.keys]


@pytest.mark.django_db(transaction=True)
def test_message_being_sent_is_not_taken_by_another_channel(site):
    assert len(race(site)) == 1


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_control_without_claims_message_goes_twice(site):
    """Negative control: the claim of the first sender is not respected."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('claim_messages'::regproc)")
        [whole] = cursor.fetchone()
        cursor.execute("SELECT pg_get_functiondef('reject_double_claim'::regproc)")
        [exclusive] = cursor.fetchone()
    blind = whole.replace(
        "SELECT coalesce(array_agg(h.id), '{}') INTO claimed_ids FROM claimed_messages() h;", "claimed_ids := '{}';"
    )
    open_ = exclusive.replace("IF FOUND THEN", "IF false THEN")
    assert blind != whole
    assert open_ != exclusive
    with without(blind, whole), without(open_, exclusive):
        assert len(race(site)) == 2


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda ana: UserProfile.objects.filter(pk=ana.pk).update(channels=["fax"]), "user_profiles_channels_known"),
        (lambda ana: to(ana, channel="telegram_name"), "engagement_message_queue_channel_known"),
        (lambda ana: ClaimFactory(messages=[to(ana)], channel="fax"), "engagement_claims_channel_known"),
    ],
)
def test_database_rejects_unknown_channel(change, rule):
    ana = person()
    with rejected_by(rule):
        change(ana)


# --- Cap and quiet hours --------------------------------------------------------------------------


def test_cap_counts_messages_of_all_channels(site, settings):
    settings.ENGAGEMENT_FREQUENCY_CAP = 2
    ana = person()
    to(ana)
    site.send()
    report_address(member=ana, address=TELEGRAM, report=AddressReport.HARD_BOUNCE, at=NOON)
    to(ana)
    third = to(ana)
    site.send()
    assert site.taken == [("telegram", TELEGRAM), ("email", "ana0@example.org")]
    third.refresh_from_db()
    assert (third.status, third.waiting_for) == ("pending", "frequency_cap")


def test_quiet_hours_hold_on_every_channel(site):
    for number, order in enumerate((["telegram"], ["email"], ["whatsapp"])):
        profile = {"channels": order, "timezone": "Asia/Tokyo"}
        to(person(number=number, verified=order, profile=profile))
    site.send()
    assert site.taken == []
    assert set(EngagementMessage.objects.values_list("waiting_for", flat=True)) == {"quiet_hours"}


# --- Settings, pages and the API ------------------------------------------------------------------


def test_channels_have_gateways_of_their_own(settings):
    settings.ENGAGEMENT_WEBHOOK_URL, settings.ENGAGEMENT_WEBHOOK_SECRET = "https://one.example.org/", "one"
    settings.ENGAGEMENT_GATEWAYS = {"telegram": ("https://two.example.org/in", "two")}
    pool = SenderPool.open()
    found = {each.channel: (each.transport.name, getattr(each.transport, "_secret", "")) for each in pool.senders}
    pool.close()
    assert found == {"telegram": ("webhook", "two"), "email": ("email", ""), "whatsapp": ("webhook", "one")}
    assert make_transport("", channel="telegram")._pool.host == "two.example.org"


def test_unknown_channel_of_the_settings_is_named(settings):
    settings.ENGAGEMENT_CHANNELS = {"email": "file", "fax": "webhook"}
    with pytest.raises(ChannelUnknown, match="fax, which is no channel"):
        SenderPool.open()


def test_member_chooses_order_on_page_and_by_link(client):
    ana = person()
    client.force_login(ana)
    values = {"timezone": "UTC", "locale": "en", "preferred_destination": "individual", "wants_messages": "yes"}
    order = {"channels_0": "email", "channels_1": "telegram", "channels_2": "email"}
    assert client.post("/me/messages/", values | order).status_code == 302
    assert UserProfile.objects.get(pk=ana.pk).channels == ["email", "telegram"]
    page = client.get("/me/messages/").content.decode()
    assert page.count('<option value="email" selected>') == 1
    client.logout()
    link = unsubscribe_url(ana.pk).removeprefix("http://testserver").split("//")[-1]
    link = "/" + link.split("/", 1)[1]
    answer = client.post(link, {"save_topics": "1", "preferred_destination": "individual", "channels_0": "whatsapp"})
    assert answer.status_code == 200
    assert UserProfile.objects.get(pk=ana.pk).channels == ["whatsapp"]
    assert (
        client.post(link, {"save_topics": "1", "preferred_destination": "individual", "channels_0": "fax"})
        .context["form"]
        .errors
    )


def test_staff_see_and_edit_channels(client):
    ana = person()
    message = to(ana)
    staff = StaffFactory(is_superuser=True)
    client.force_login(staff)
    page = reverse("admin:engagement_userprofile_change", args=[ana.pk])
    form = client.get(page).context["adminform"].form
    values = {name: form.initial[name] for name in form.fields if form.initial.get(name)}
    answer = client.post(page, values | {"channels_0": "whatsapp", "channels_1": "telegram"})
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert UserProfile.objects.get(pk=ana.pk).channels == ["whatsapp", "telegram"]
    shown = client.get(reverse("admin:engagement_engagementmessage_change", args=[message.pk])).content.decode()
    assert f"Telegram: {TELEGRAM}" in shown
    assert "Telegram" in client.get(reverse("admin:groups_member_engagement", args=[ana.pk])).content.decode()


def test_pages_without_a_choice_have_no_field(client, settings):
    settings.ENGAGEMENT_CHANNELS = {}
    client.force_login(person())
    assert "channels_0" not in client.get("/me/messages/").content.decode()

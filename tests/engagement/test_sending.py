"""Sending a batch: failures, retries, block reasons and stopping."""

from datetime import timedelta

import pytest

from engagement.models import EngagementMessage, EngagementTransport, UserProfile
from engagement.services import sending
from engagement.transports import MessageRejected, Unavailable
from groups.models import CommunityMember, Member
from groups.services.directory import ban
from tests.engagement.fake_provider import NOON, Clock, Provider, sender
from tests.support.concurrency import crowd, without
from tests.support.database import rows
from tests.support.factories.engagement import MessageFactory, PersonFactory, move_to

pytestmark = pytest.mark.django_db


def due(**values) -> EngagementMessage:
    return MessageFactory(**{"scheduled_for": NOON - timedelta(hours=1), **values})


def fresh(message) -> EngagementMessage:
    return EngagementMessage.objects.get(pk=message.pk)


def raising(error):
    def answer(_message):
        raise error

    return answer


def test_sent_message_stores_time_and_provider_id():
    message = due()
    assert sender().drain().sent == 1
    message = fresh(message)
    assert (message.status, message.provider_message_id) == ("sent", "taken-1")
    assert timedelta(0) <= message.sent_at - NOON < timedelta(seconds=30)


def test_message_without_template_fails_alone():
    broken, whole = due(message_params={}), due()
    assert (sender().drain().sent, fresh(whole).status) == (1, "sent")
    assert fresh(broken).status == "failed"
    assert "week" in fresh(broken).error_message
    assert fresh(broken).attempted_at is None


def test_rejected_message_fails_without_retry():
    message = due()
    sender(Provider(raising(MessageRejected("No such address.")))).drain()
    message = fresh(message)
    assert (message.status, message.retry_count, message.error_message) == ("failed", 1, "No such address.")


@pytest.mark.seed("002 three tries with growing pauses")
def test_message_is_retried_with_growing_pauses(settings):
    message, clock, provider = due(), Clock(), Provider(raising(Unavailable("Busy.")))
    settings.ENGAGEMENT_CIRCUIT_FAILURES = 100
    crew = sender(provider, clock)
    for number in range(2):
        crew.drain()
        pause = fresh(message).scheduled_for - clock.at
        full = settings.ENGAGEMENT_RETRY_AFTER * 2**number
        assert full / 2 <= pause <= full + timedelta(seconds=30)
        assert fresh(message).waiting_for == "retry"
        clock.at = fresh(message).scheduled_for
    # Other messages are accepted, so the provider is not down.
    EngagementTransport.objects.update(failures=0)
    crew.drain()
    message = fresh(message)
    assert (message.status, message.retry_count, message.error_message) == ("failed", 3, "Busy.")
    assert provider.asked == [message.idempotency_key] * 3


def test_retry_pauses_are_random(settings):
    settings.ENGAGEMENT_CIRCUIT_FAILURES = 100
    for _ in range(8):
        due()
    sender(Provider(raising(Unavailable("Busy.")))).drain()
    assert len(set(EngagementMessage.objects.values_list("scheduled_for", flat=True))) == 8


def test_retry_after_of_provider_is_respected():
    message = due()
    sender(Provider(raising(Unavailable("Busy.", retry_after=timedelta(minutes=20))))).drain()
    assert fresh(message).scheduled_for >= NOON + timedelta(minutes=20)


@pytest.mark.parametrize(("maybe_taken", "kept"), [(True, NOON), (False, None)])
def test_uncertain_attempt_counts_towards_cap(maybe_taken, kept):
    message = due()
    sender(Provider(raising(Unavailable("Late.", maybe_taken=maybe_taken)))).drain()
    assert fresh(message).attempted_at == kept


def test_sender_survives_transport_exception():
    message = due()
    sender(Provider(raising(ZeroDivisionError("a fault")))).drain()
    assert (fresh(message).status, fresh(message).retry_count) == ("pending", 1)
    assert "ZeroDivisionError" in fresh(message).error_message


def test_stopped_sender_finishes_current_message():
    messages = [due() for _ in range(5)]
    provider = Provider()
    crew = sender(provider)
    provider.answer = lambda message: crew.stop() if len(provider.asked) == 2 else None
    crew.drain()
    assert len(provider.taken) == 2
    left = EngagementMessage.objects.filter(pk__in=[m.pk for m in messages], status="pending")
    assert left.count() == 3
    assert sender().drain().sent == 3


def test_block_reason_during_batch_stops_later_messages(monkeypatch):
    monkeypatch.setattr(sending, "RECHECK_AFTER", -1.0)
    first, second = due(scheduled_for=NOON - timedelta(hours=2)), due()
    provider = Provider(lambda message: UserProfile.objects.filter(user=second.user).update(reengagement_opt_out=True))
    tally = sender(provider).drain()
    assert (tally.sent, tally.withdrawn) == (1, 1)
    assert provider.keys == [first.idempotency_key]
    assert fresh(second).status == "cancelled"


def test_early_block_reason_applies_to_later_message(monkeypatch):
    """Checked again when it is already cancelled."""
    monkeypatch.setattr(sending, "RECHECK_AFTER", -1.0)
    messages = [due(scheduled_for=NOON - timedelta(hours=9 - number)) for number in range(4)]
    provider = Provider(
        lambda message: UserProfile.objects.filter(user=messages[3].user).update(reengagement_opt_out=True)
    )
    tally = sender(provider).drain()
    assert (tally.sent, tally.withdrawn) == (3, 1)
    assert provider.keys == [message.idempotency_key for message in messages[:3]]


def test_claimed_message_that_is_cancelled_is_not_sent(monkeypatch):
    """Cancelled as by an erasure."""
    monkeypatch.setattr(sending, "RECHECK_AFTER", -1.0)
    first, second = due(scheduled_for=NOON - timedelta(hours=2)), due()
    provider = Provider(lambda message: EngagementMessage.objects.filter(pk=second.pk).update(status="cancelled"))
    assert sender(provider).drain().sent == 1
    assert provider.keys == [first.idempotency_key]


def test_late_message_before_claim_position_is_found():
    clock, provider = Clock(), Provider()
    crew = sender(provider, clock, batch=1)
    due(scheduled_for=NOON - timedelta(minutes=1))
    crew.send_batch()
    older = due(scheduled_for=NOON - timedelta(days=1))
    crew.send_batch()
    assert fresh(older).status == "sent"


# --- Block reasons during a batch -----------------------------------------------------------------

APPEARS = {
    "banned": lambda person: CommunityMember.objects.filter(person=person).update(status="banned"),
    "suspended": lambda person: CommunityMember.objects.filter(person=person).update(status="suspended"),
    "removed": lambda person: CommunityMember.objects.filter(person=person).update(deleted_at=NOON),
    "locked": lambda person: Member.objects.filter(pk=person.pk).update(is_active=False),
    "dormant": lambda person: move_to(person, "dormant"),
    "opted out": lambda person: UserProfile.objects.filter(user=person).update(reengagement_opt_out=True),
}


@pytest.mark.parametrize("appear", APPEARS.values(), ids=APPEARS)
def test_every_block_reason_during_batch_stops_message(monkeypatch, appear):
    monkeypatch.setattr(sending, "RECHECK_AFTER", -1.0)
    first = due(scheduled_for=NOON - timedelta(hours=2))
    second = due(user=PersonFactory(entry={}))
    provider = Provider(lambda message: appear(second.user))
    tally = sender(provider).drain()
    assert (tally.sent, tally.withdrawn, provider.keys) == (1, 1, [first.idempotency_key])
    assert fresh(second).status == "cancelled"


def ban_in_mid_batch() -> tuple[list[str], EngagementMessage]:
    """Ban the second member of a batch on another connection while the first message is sent."""
    first, second = due(scheduled_for=NOON - timedelta(hours=2)), due(user=PersonFactory(entry={}))
    with crowd(1) as staff:

        def take(message):
            if message.idempotency_key == first.idempotency_key:
                staff.run(lambda _: ban(actor=Member.objects.system(), entry=second.user.community, reason="Spam"))

        provider = Provider(take)
        sender(provider).drain()
    return provider.keys, fresh(second)


@pytest.mark.seed("002 opt-out, dormancy and cancelling count until the last moment")
@pytest.mark.django_db(transaction=True)
def test_member_banned_during_batch_gets_no_message(monkeypatch):
    monkeypatch.setattr(sending, "RECHECK_AFTER", -1.0)
    keys, message = ban_in_mid_batch()
    assert (len(keys), message.status, message.error_message) == (1, "cancelled", "The member is banned.")


@pytest.mark.django_db(transaction=True)
def test_control_without_rule_banned_member_gets_message(monkeypatch):
    """Negative control: the rule without bans."""
    monkeypatch.setattr(sending, "RECHECK_AFTER", -1.0)
    [[whole]] = rows("SELECT pg_get_functiondef('engagement_block_reason'::regproc)")
    without_bans = whole.replace("'banned'", "'unknown'")
    assert without_bans != whole
    with without(without_bans, whole):
        keys, message = ban_in_mid_batch()
    assert (len(keys), message.status) == (2, "sent")

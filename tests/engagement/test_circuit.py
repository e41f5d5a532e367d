"""Circuit breaker: an outage uses up no attempts, and the recovery is rate-limited."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection

from engagement.models import EngagementClaim, EngagementMessage, EngagementTransport
from engagement.transports import MessageRejected, Outgoing, Unavailable
from tests.engagement.fake_provider import NOON, Clock, Provider, sender
from tests.support.factories.engagement import MessageFactory, PersonFactory
from tests.support.sample import asks_all

pytestmark = pytest.mark.django_db

PER_MINUTE = 12
HALF_A_MINUTE = timedelta(seconds=30)
# How long the outage lasts: an hour with --long.
OUTAGE = timedelta(minutes=60 if asks_all() else 12)


def arrive(person, at, count: int) -> None:
    """Queue transactional messages, to which the cap does not apply."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO engagement_message_queue (user_id, message_type, message_key, scheduled_for, idempotency_key)
               SELECT %s, 'welcome', 'welcome', %s, gen_random_uuid() FROM generate_series(1, %s)""",
            [person.pk, at, count],
        )


@pytest.mark.seed("002 a provider that is down costs no message, and is not flooded when it is back")
def test_outage_loses_no_message_and_recovery_is_limited(settings):
    """Queue messages steadily for two hours, during an outage, and for ten minutes afterwards."""
    settings.ENGAGEMENT_RECOVERY_PER_MINUTE = 1
    person, clock = PersonFactory(), Clock(NOON)
    down_from = NOON + timedelta(hours=2)
    down_to = down_from + OUTAGE
    last = down_to + timedelta(minutes=10)
    taken, attempts = Counter(), Counter()

    def answer(message: Outgoing) -> None:
        attempts[message.idempotency_key] += 1
        if down_from <= clock.at < down_to:
            raise Unavailable("Down.")
        taken[(clock.at - NOON) // HALF_A_MINUTE] += 1

    provider = Provider(answer)
    provider.marks_every = 100
    crew = sender(provider, clock)
    while clock.at < down_to + timedelta(hours=4):
        # During recovery only a small allowance accumulates for a sender that rarely claims.
        step = timedelta(minutes=1) if clock.at < down_to else timedelta(seconds=6)
        arrival = step if clock.at < down_to else HALF_A_MINUTE
        if clock.at < last and not (clock.at - NOON) % arrival:
            arrive(person, clock.at, PER_MINUTE * arrival // timedelta(minutes=1))
        crew.drain()
        if clock.at > down_to and not EngagementMessage.objects.filter(status="pending").exists():
            break
        clock.at += step
    messages = EngagementMessage.objects.filter(user=person)
    assert set(messages.values_list("status", flat=True)) == {"sent"}
    assert len(set(provider.keys)) == len(provider.keys) == messages.count()
    # Besides the failures that opened the circuit, only probes failed.
    assert max(attempts.values()) <= settings.ENGAGEMENT_ATTEMPTS
    assert sum(attempts.values()) - len(attempts) <= 40
    at_down, at_up = ((each - NOON) // HALF_A_MINUTE for each in (down_from, down_to))
    assert sum(taken[half] for half in range(at_down, at_up)) == 0
    in_a_minute = [taken[half] + taken[half + 1] for half in range(at_up, max(taken) + 1)]
    assert PER_MINUTE < max(in_a_minute) <= 2 * PER_MINUTE


def down(_message):
    raise Unavailable("Down.")


def test_consecutive_failures_open_circuit(settings):
    clock, provider = Clock(), Provider(down)
    crew = sender(provider, clock)
    for _ in range(10):
        MessageFactory(scheduled_for=NOON - timedelta(hours=1))
    assert crew.drain().is_down
    assert len(provider.asked) == settings.ENGAGEMENT_CIRCUIT_FAILURES
    assert EngagementMessage.objects.filter(retry_count=0).count() == 5
    assert not EngagementClaim.objects.exists()
    crew.drain()
    assert len(provider.asked) == settings.ENGAGEMENT_CIRCUIT_FAILURES


def test_probe_after_pause_and_pause_grows(settings):
    clock, provider = Clock(), Provider(down)
    crew = sender(provider, clock)
    for _ in range(10):
        MessageFactory(scheduled_for=NOON - timedelta(hours=1))
    crew.drain()
    pauses = []
    for _ in range(3):
        row = EngagementTransport.objects.get(pk=provider.name)
        pauses.append(row.retry_at - clock.at)
        clock.at = row.retry_at
        before = len(provider.asked)
        crew.drain()
        assert len(provider.asked) == before + 1
    assert pauses == sorted(pauses)
    assert pauses[0] == settings.ENGAGEMENT_CIRCUIT_PAUSE < pauses[-1]


def test_only_one_sender_makes_probe():
    clock, provider = Clock(), Provider(down)
    crew = [sender(provider, clock) for _ in range(3)]
    for _ in range(10):
        MessageFactory(scheduled_for=NOON - timedelta(hours=1))
    crew[0].drain()
    clock.at = EngagementTransport.objects.get(pk=provider.name).retry_at
    before = len(provider.asked)
    for each in crew:
        each.send_batch()
    assert len(provider.asked) == before + 1


def test_successful_probe_closes_circuit(settings):
    clock, provider = Clock(), Provider(down)
    crew = sender(provider, clock)
    for _ in range(10):
        MessageFactory(scheduled_for=NOON - timedelta(hours=1))
    crew.drain()
    provider.answer = lambda message: None
    clock.at = EngagementTransport.objects.get(pk=provider.name).retry_at
    assert not crew.send_batch().is_down
    row = EngagementTransport.objects.get(pk=provider.name)
    assert (row.opened_at, row.failures, row.is_recovering) == (None, 0, True)


def test_rejected_message_does_not_open_circuit():
    def reject(_message):
        raise MessageRejected("No such address.")

    provider = Provider(reject)
    for _ in range(10):
        MessageFactory(scheduled_for=NOON - timedelta(hours=1))
    assert not sender(provider).drain().is_down
    assert len(provider.asked) == 10

"""Frequency cap: no period with more unsolicited messages than allowed, with any number of senders."""

from collections import defaultdict
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from engagement.models import EngagementMessage, MemberAddress, UserProfile
from engagement.rules import AddressReport
from engagement.services import claims
from engagement.services.claims import Sent
from engagement.transports import MessageRejected
from tests.engagement.fake_provider import NOON, Clock, Provider, sender
from tests.support.concurrency import crowd, without
from tests.support.factories.engagement import MessageFactory, PersonFactory
from tests.support.factories.groups import EntryFactory
from tests.support.sample import examples

SPAN = timedelta(days=7)
LEASE = timedelta(minutes=1)
TRANSACTIONAL_TYPES = ("welcome", "help_restart")


def members_over_cap(cap: int) -> list:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM members_over_frequency_cap(%s, %s)", [cap, SPAN])
        return cursor.fetchall()


def most_in_a_window(times: list[datetime]) -> int:
    return max((sum(1 for other in times if at - SPAN <= other <= at) for at in times), default=0)


@pytest.fixture
def budget_of_two(settings):
    settings.ENGAGEMENT_FREQUENCY_CAP, settings.ENGAGEMENT_FREQUENCY_CAP_PERIOD = 2, SPAN


@pytest.mark.django_db
def test_message_above_cap_waits_for_end_of_period(budget_of_two):
    person = PersonFactory()
    messages = [MessageFactory(user=person, scheduled_for=NOON - timedelta(hours=3 - n)) for n in range(3)]
    clock = Clock()
    tally = sender(clock=clock).drain()
    assert (tally.sent, tally.deferred) == (2, 1)
    last = EngagementMessage.objects.get(pk=messages[2].pk)
    assert (last.status, last.waiting_for) == ("pending", "frequency_cap")
    assert SPAN < last.scheduled_for - NOON <= SPAN + LEASE + timedelta(seconds=1)
    clock.at = last.scheduled_for
    assert sender(clock=clock).drain().sent == 1
    assert members_over_cap(2) == []


@pytest.mark.django_db
def test_late_sent_message_counts_from_its_time(budget_of_two):
    """Claim now and send at the end of the lease; send the deferred message when it is due."""
    person = PersonFactory()
    for number in range(3):
        MessageFactory(user=person, scheduled_for=NOON - timedelta(hours=3 - number))
    first = claims.claim(sender="slow", at=NOON, most=10, lease=LEASE)
    late = NOON + LEASE - timedelta(seconds=1)
    claims.mark_sent(token=first.token, sent=[Sent(message.id, late) for message in first.messages])
    waits_until = EngagementMessage.objects.get(status="pending").scheduled_for
    second = claims.claim(sender="quick", at=waits_until, most=10, lease=LEASE)
    claims.mark_sent(token=second.token, sent=[Sent(message.id, waits_until) for message in second.messages])
    assert len(second.messages) == 1
    assert members_over_cap(2) == []


@pytest.mark.django_db
def test_transactional_messages_do_not_count(budget_of_two):
    person = PersonFactory()
    for kind in ("welcome", "welcome", "welcome", "weekly_review", "weekly_review"):
        MessageFactory(user=person, message_type=kind, scheduled_for=NOON - timedelta(hours=1))
    tally = sender().drain()
    assert (tally.sent, tally.deferred) == (5, 0)


# --- Any order of senders, times and crashes ------------------------------------------------------

ZONES = ["UTC", "America/Sao_Paulo", "Asia/Kolkata"]
STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),  # which sender
        st.sampled_from(["send", "send", "crash", "crash when taken"]),
        st.integers(1, 60 * 24 * 3),  # minutes to the next step
    ),
    min_size=5,
    max_size=14,
)
MESSAGES = st.lists(
    st.tuples(
        st.integers(0, 2),  # which member
        st.sampled_from(["weekly_review", "reminder", "announcement", "welcome", "sequence"]),
        st.integers(0, 60 * 24 * 10),  # minutes after the beginning
    ),
    min_size=4,
    max_size=16,
)


class AnyOrder(TestCase):
    @hypothesis_settings(
        max_examples=examples(15), deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
    )
    @given(steps=STEPS, messages=MESSAGES)
    def test_no_period_exceeds_cap_and_no_message_is_lost(self, steps, messages):
        with self.settings(ENGAGEMENT_FREQUENCY_CAP=2, ENGAGEMENT_FREQUENCY_CAP_PERIOD=SPAN):
            self._play(steps, messages)

    @hypothesis_settings(
        max_examples=examples(5), deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
    )
    @given(steps=STEPS, messages=MESSAGES)
    def test_cap_and_quiet_hours_hold_over_all_channels(self, steps, messages):
        """With channels that bounce, and senders that die on one of them; no message is accepted on two."""
        channels = {"telegram": "webhook", "email": "email", "whatsapp": "webhook"}
        limits = {"ENGAGEMENT_FREQUENCY_CAP": 2, "ENGAGEMENT_FREQUENCY_CAP_PERIOD": SPAN}
        with self.settings(ENGAGEMENT_CHANNELS=channels, **limits):
            self._play(steps, messages, tuple(channels))

    def _play(self, steps, messages, channels=("", "", "")) -> None:
        people = [PersonFactory(profile={"timezone": zone}) for zone in ZONES]
        for number, person in enumerate(people if channels[0] else []):
            EntryFactory(person=person, telegram_id=f"70{number}", phone=f"+551191234567{number}")
            UserProfile.objects.filter(pk=person.pk).update(channels=[*channels[number:], *channels[:number]])
            MemberAddress.objects.filter(user=person).update(verified_at=NOON)
        for who, kind, minutes in messages:
            MessageFactory(
                user=people[who],
                message_type=kind,
                message_key="goodbye",
                scheduled_for=NOON + timedelta(minutes=minutes),
            )
        clock, provider = Clock(), Provider()
        # Time at which the provider first accepted each key; a repeated one is not counted.
        taken: dict[str, datetime] = {}
        used: dict[str, set[str]] = defaultdict(set)

        def accept(message) -> None:
            if message.channel == "telegram" and len(provider.asked) % 4 == 0:
                raise MessageRejected("gone", bounce=AddressReport.HARD_BOUNCE)
            taken.setdefault(message.idempotency_key, clock.at)
            used[message.idempotency_key].add(message.channel)

        provider.answer = accept
        crew = [sender(provider, clock, batch=3, channel=channel) for channel in channels]
        for who, action, minutes in steps:
            if action == "send":
                crew[who].drain()
            else:
                # Its lease expires immediately and is reclaimed.
                lease, via = timedelta(seconds=-1), channels[who]
                batch = claims.claim(sender="gone", at=clock.at, most=3, lease=lease, via=via)
                if action == "crash when taken":
                    for message in batch.messages:
                        taken.setdefault(message.idempotency_key, clock.at)
                        used[message.idempotency_key].add(via)
                claims.reclaim_expired()
            clock.forward(minutes=minutes)
        # Advance to each due time until no message is pending.
        for _ in range(60):
            for each in crew:
                each.drain()
            waiting = EngagementMessage.objects.filter(user__in=people, status="pending").order_by("scheduled_for")
            if (following := waiting.first()) is None:
                break
            clock.at = max(clock.at, following.scheduled_for)
        rows = {row.idempotency_key: row for row in EngagementMessage.objects.filter(user__in=people)}
        # One that may have been accepted is cancelled when its channel bounces, and not sent elsewhere.
        assert {row.status for row in rows.values() if row.channel == "" or row.status != "cancelled"} == {"sent"}
        assert all(len(each) == 1 for each in used.values())
        assert members_over_cap(2) == []
        unsolicited = defaultdict(list)
        for key, at in taken.items():
            if rows[key].message_type not in TRANSACTIONAL_TYPES:
                unsolicited[rows[key].user_id].append(at)
        zones = {person.pk: ZoneInfo(zone) for person, zone in zip(people, ZONES, strict=True)}
        for user, times in unsolicited.items():
            assert most_in_a_window(times) <= 2
            assert all(8 <= at.astimezone(zones[user]).hour < 21 for at in times)


# --- Concurrency ----------------------------------------------------------------------------------


def race(senders) -> int:
    """Run concurrent senders repeatedly; return the most messages sent to one of two members."""
    people = [PersonFactory() for _ in range(2)]
    for person in people:
        for _ in range(8):
            MessageFactory(user=person, scheduled_for=NOON - timedelta(hours=1))

    def run(_number: int) -> None:
        for _ in range(12):
            batch = claims.claim(sender="race", at=NOON, most=2, lease=LEASE)
            claims.mark_sent(token=batch.token, sent=[Sent(message.id, NOON) for message in batch.messages])

    results = senders.run(run)
    assert not [error for error in results if isinstance(error, Exception)], results
    sent = EngagementMessage.objects.filter(status="sent")
    return max(sent.filter(user=person).count() for person in people)


@pytest.mark.seed("002 the frequency cap holds in every period for all senders")
@pytest.mark.django_db(transaction=True)
def test_concurrent_senders_respect_cap(budget_of_two):
    with crowd(4) as senders:
        assert [race(senders) for _ in range(3)] == [2, 2, 2]
    assert members_over_cap(2) == []


@pytest.mark.long
@pytest.mark.seed("002 the frequency cap holds in every period for all senders")
@pytest.mark.django_db(transaction=True)
def test_control_concurrent_claims_exceed_cap(budget_of_two):
    """Negative control."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('claim_messages'::regproc)")
        [whole] = cursor.fetchone()
    lock = "PERFORM pg_advisory_xact_lock('engagement_claims'::regclass::bigint);"
    unlocked = whole.replace(lock, "")
    assert unlocked != whole
    with without(unlocked, whole), crowd(4) as senders:
        assert any(race(senders) > 2 for _ in range(10))

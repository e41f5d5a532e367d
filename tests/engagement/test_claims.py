"""Claims: order, locked messages, leases, late senders, block reasons and quiet hours."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import ProgrammingError, connection, transaction

from engagement.models import EngagementClaim, EngagementMessage, UserProfile
from engagement.selectors.claims import find_blocked, find_claims
from engagement.services import claims
from engagement.services.claims import Failed, Sent
from engagement.services.lifecycle import transition
from tests.engagement.fake_provider import NOON
from tests.support.concurrency import crowd
from tests.support.database import rejected_by, rows
from tests.support.factories.engagement import AnnouncementFactory, ClaimFactory, MessageFactory, PersonFactory

pytestmark = pytest.mark.django_db

LEASE = timedelta(minutes=1)
RAN_OUT = timedelta(seconds=-1)


def due(**values) -> EngagementMessage:
    return MessageFactory(**{"scheduled_for": NOON - timedelta(hours=1), **values})


def claim(at: datetime = NOON, *, most: int = 100, lease: timedelta = LEASE, **options) -> claims.Batch:
    return claims.claim(sender="test", at=at, most=most, lease=lease, **options)


def ids(batch: claims.Batch) -> list[int]:
    return [message.id for message in batch.messages]


def test_claim_takes_oldest_messages_up_to_limit():
    late, early, middle = (due(scheduled_for=NOON - timedelta(minutes=minutes)) for minutes in (1, 30, 10))
    assert ids(claim(most=2)) == [early.id, middle.id]
    assert ids(claim(most=2)) == [late.id]
    assert claim().handled == 0


def test_future_message_is_not_claimed():
    message = due(scheduled_for=NOON + timedelta(seconds=1))
    assert claim().handled == 0
    assert ids(claim(NOON + timedelta(seconds=1))) == [message.id]


def test_claim_continues_after_last_position():
    first, second = due(scheduled_for=NOON - timedelta(hours=2)), due()
    batch = claim(most=1)
    claims.finish(token=batch.token)
    assert ids(claim(after=batch.last)) == [second.id]
    assert ids(claim()) == [first.id]


@pytest.mark.django_db(transaction=True)
def test_locked_message_is_skipped():
    """Locked messages are skipped without waiting."""
    changing, elsewhere = due(), due()
    with crowd(1) as other, transaction.atomic():
        EngagementMessage.objects.select_for_update().get(pk=changing.pk)
        [batch] = other.run(lambda _: claim())
        assert ids(batch) == [elsewhere.id]
    assert ids(claim()) == [changing.id]


def test_claimed_messages_count_towards_cap(settings):
    settings.ENGAGEMENT_FREQUENCY_CAP = 1
    person = PersonFactory()
    first, second = due(user=person, scheduled_for=NOON - timedelta(hours=2)), due(user=person)
    batch = claim(most=1)
    assert (ids(batch), claim().deferred) == ([first.id], 1)
    EngagementMessage.objects.filter(pk=second.pk).update(scheduled_for=NOON - timedelta(hours=1))
    assert claims.finish(token=batch.token) == 1
    assert ids(claim(most=1)) == [first.id]


def test_late_sender_overwrites_nothing():
    message = due()
    late = claim(lease=RAN_OUT)
    assert claims.reclaim_expired() == 1
    new = claim()
    assert ids(new) == [message.id]
    assert claims.mark_sent(token=late.token, sent=[Sent(message.id, NOON, "late")]) == 0
    assert claims.mark_failed(token=late.token, failed=[Failed(message.id, "late")]) == 0
    assert claims.withdraw(token=late.token, reasons={message.id: "late"}) == 0
    assert claims.finish(token=late.token) == 0
    message.refresh_from_db()
    assert (message.status, message.error_message) == ("pending", "")
    assert set(find_claims([message.id])) == {message.id}
    assert claims.mark_sent(token=new.token, sent=[Sent(message.id, NOON, "new")]) == 1


def test_running_lease_is_not_reclaimed():
    due()
    claim()
    assert claims.reclaim_expired() == 0
    assert claim().handled == 0


def test_reclaimed_message_counts_towards_cap():
    """It may have been sent, so it counts once, however often it is claimed."""
    message = due()
    for _ in range(5):
        assert ids(claim(lease=RAN_OUT)) == [message.id]
        claims.reclaim_expired()
    message.refresh_from_db()
    assert message.attempted_at == NOON
    assert not EngagementClaim.objects.exists()


def test_unsent_claimed_message_is_due_and_not_counted():
    first, second = due(), due()
    batch = claim()
    claims.mark_sent(token=batch.token, sent=[Sent(first.id, NOON)])
    assert claims.finish(token=batch.token) == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.attempted_at, second.attempted_at) == (NOON, None)
    assert ids(claim()) == [second.id]


# --- Block reasons --------------------------------------------------------------------------------


def opt_out(message):
    UserProfile.objects.filter(user=message.user).update(reengagement_opt_out=True)


def lock(message):
    type(message.user).objects.filter(pk=message.user_id).update(is_active=False)


BLOCKED = {
    "opted out": ({}, opt_out, "The member has opted out."),
    "locked": ({}, lock, "The account is locked."),
    "locked, though it is an answer": ({"message_type": "welcome"}, lock, "The account is locked."),
}


@pytest.mark.seed("002 opt-out, dormancy and cancelling count until the last moment")
@pytest.mark.parametrize(("values", "block", "text"), BLOCKED.values(), ids=BLOCKED)
def test_blocked_message_is_cancelled_by_claim(values, block, text):
    message = due(**values)
    block(message)
    batch = claim()
    assert (batch.withdrawn, batch.messages) == (1, [])
    message.refresh_from_db()
    assert (message.status, message.error_message) == ("cancelled", text)


@pytest.mark.seed("002 opt-out, dormancy and cancelling count until the last moment")
@pytest.mark.parametrize(("values", "block", "text"), BLOCKED.values(), ids=BLOCKED)
def test_claimed_message_is_cancelled_when_blocked(values, block, text):
    message = due(**values)
    batch = claim()
    assert find_blocked(token=batch.token) == {}
    block(message)
    reasons = find_blocked(token=batch.token)
    assert reasons == {message.id: text}
    assert claims.withdraw(token=batch.token, reasons=reasons) == 1
    message.refresh_from_db()
    assert (message.status, message.error_message, message.attempted_at) == ("cancelled", text, None)
    assert find_claims([message.id]) == {}


def test_dormant_member_gets_no_unsolicited_message():
    message = due(user=PersonFactory(state="dormant"), message_type="reminder")
    assert claim().withdrawn >= 1
    message.refresh_from_db()
    assert (message.status, message.error_message) == ("cancelled", "The member is dormant.")


def test_goodbye_of_returned_member_is_cancelled():
    person = PersonFactory(state="goodbye_sent")
    [goodbye] = EngagementMessage.objects.filter(user=person)
    at = max(NOON, goodbye.scheduled_for).replace(hour=12) + timedelta(days=1)
    transition(actor=person, member=person, trigger="user_message")
    assert claim(at).withdrawn == 1
    goodbye.refresh_from_db()
    assert goodbye.error_message == "The member is active again."


@pytest.mark.parametrize("status", ["suspended", "banned"])
def test_suspended_or_banned_member_gets_no_message(status):
    message = due(user=PersonFactory(entry={"status": status}))
    claim()
    message.refresh_from_db()
    assert message.error_message == f"The member is {status}."


def test_message_of_cancelled_announcement_is_cancelled():
    message = due(message_type="announcement", announcement=AnnouncementFactory(cancelled_at=NOON))
    claim()
    message.refresh_from_db()
    assert message.error_message == "The announcement was cancelled."


def test_transactional_message_ignores_opt_out():
    message = due(message_type="welcome")
    opt_out(message)
    assert ids(claim()) == [message.id]


# --- Quiet hours ----------------------------------------------------------------------------------

NIGHTS = {
    "evening in Sao Paulo": ("America/Sao_Paulo", "2026-03-02 00:30", "2026-03-02 11:00"),
    "its last minute": ("America/Sao_Paulo", "2026-03-02 10:59", "2026-03-02 11:00"),
    "before the clocks go forward": ("America/New_York", "2026-03-08 06:30", "2026-03-08 12:00"),
    "after they went forward": ("America/New_York", "2026-03-08 07:30", "2026-03-08 12:00"),
    "the evening before": ("America/New_York", "2026-03-08 02:30", "2026-03-08 12:00"),
    "before they go back": ("America/New_York", "2026-11-01 05:30", "2026-11-01 13:00"),
    "half an hour off": ("Asia/Kolkata", "2026-03-02 16:00", "2026-03-03 02:30"),
    "ahead of the date line": ("Pacific/Kiritimati", "2026-03-02 09:00", "2026-03-02 18:00"),
}


@pytest.mark.seed("002 quiet hours put off, never drop")
@pytest.mark.parametrize(("zone", "at", "until"), NIGHTS.values(), ids=NIGHTS)
def test_quiet_hours_defer_message_to_local_morning(zone, at, until):
    at, until = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (at, until))
    message = due(user=PersonFactory(profile={"timezone": zone}), scheduled_for=at - timedelta(minutes=1))
    assert claim(at).deferred == 1
    message.refresh_from_db()
    assert (message.status, message.waiting_for, message.scheduled_for) == ("pending", "quiet_hours", until)
    assert ids(claim(until)) == [message.id]


@pytest.mark.seed("002 quiet hours put off, never drop")
def test_transactional_message_ignores_quiet_hours():
    message = due(message_type="welcome")
    assert ids(claim(NOON.replace(hour=23))) == [message.id]


def test_repeated_hour_defers_into_future(settings):
    """01:30 occurs twice on 1 November in New York; the first 01:45 is earlier than the second 01:30."""
    settings.ENGAGEMENT_QUIET_FROM, settings.ENGAGEMENT_QUIET_TO = time(1), time(1, 45)
    person = PersonFactory(profile={"timezone": "America/New_York"})
    for at in (datetime(2026, 11, 1, 5, 30, tzinfo=UTC), datetime(2026, 11, 1, 6, 30, tzinfo=UTC)):
        message = due(user=person, scheduled_for=at)
        claim(at)
        message.refresh_from_db()
        assert at < message.scheduled_for <= at + timedelta(hours=1, minutes=15)
        EngagementMessage.objects.filter(pk=message.pk).update(status="cancelled")


def test_equal_times_mean_no_quiet_hours(settings):
    settings.ENGAGEMENT_QUIET_FROM = settings.ENGAGEMENT_QUIET_TO = time(8)
    message = due()
    assert ids(claim(NOON.replace(hour=23))) == [message.id]


# --- The tables -----------------------------------------------------------------------------------


@pytest.mark.seed("002 Note 10")
def test_claim_is_one_statement(django_assert_num_queries):
    for _ in range(3):
        due()
    with django_assert_num_queries(1):
        batch = claim()
    assert len(batch.messages) == 3
    with connection.cursor() as cursor:
        cursor.execute("SELECT message_ids FROM engagement_claims")
        assert sorted(cursor.fetchone()[0]) == sorted(ids(batch))


def test_claim_updates_no_message():
    message = due()
    where = "SELECT ctid, xmin::text FROM engagement_message_queue WHERE id = %s"
    before = rows(where, [message.id])
    assert ids(claim()) == [message.id]
    assert rows(where, [message.id]) == before


def test_message_cannot_be_claimed_twice():
    first, second = due(), due()
    ClaimFactory(messages=[first])
    ClaimFactory(messages=[second])
    with rejected_by("engagement_claims_exclusive"):
        ClaimFactory(messages=[second])


@pytest.mark.django_db(transaction=True)
def test_concurrent_claims_do_not_share_messages():
    message = due()
    with crowd(4) as senders:
        results = senders.run(lambda _: ClaimFactory(messages=[message]))
    assert sum(isinstance(result, EngagementClaim) for result in results) == 1
    assert {str(error.__cause__.diag.constraint_name) for error in results if isinstance(error, Exception)} == {
        "engagement_claims_exclusive"
    }


def test_claim_needs_one_user_id_per_message():
    with rejected_by("engagement_claims_lengths_match"):
        ClaimFactory(messages=[due()], user_ids=[])


def test_site_role_changes_claims_by_release_only():
    first, second = due(), due()
    claim_ = ClaimFactory(messages=[first, second])
    other = due()
    assert rows("SELECT id FROM release_claim(%s, %s::bigint[])", [claim_.attempt_token, [second.id, other.id]]) == [
        (second.id,)
    ]
    claim_.refresh_from_db()
    assert (claim_.message_ids, claim_.user_ids) == ([first.id], [first.user_id])
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        EngagementClaim.objects.update(message_ids=[other.id])

"""Local send time and weekends: when unsolicited messages are sent, and what staff read about it."""

from datetime import UTC, datetime, time

import pytest

from engagement.admin.waiting import explain_waiting
from engagement.models import UserProfile
from engagement.selectors.send_times import send_not_before
from tests.engagement.fake_provider import Clock, Provider, sender
from tests.support.factories.engagement import MessageFactory, PersonFactory

pytestmark = pytest.mark.django_db

# In Kathmandu it is 5 hours and 45 minutes later than in UTC, in São Paulo 3 hours earlier.
KATHMANDU, SAO_PAULO = "Asia/Kathmandu", "America/Sao_Paulo"


def utc(day, hour, minute=0):
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "send_at", "weekends", "due", "expected"),
    [
        # Without both settings, the quiet hours.
        (SAO_PAULO, None, False, utc(7, 2), utc(7, 11)),
        (SAO_PAULO, time(9), False, utc(6, 11, 59), utc(6, 12)),
        (SAO_PAULO, time(9), False, utc(6, 12, 58), utc(6, 12, 58)),
        (SAO_PAULO, time(9), False, utc(6, 13), utc(7, 12)),
        (KATHMANDU, time(9), False, utc(6, 4, 15), utc(7, 3, 15)),
        # An hour that contains midnight.
        (SAO_PAULO, time(23, 30), False, utc(7, 3, 15), utc(7, 3, 15)),
        (SAO_PAULO, None, True, utc(6, 20), utc(6, 20)),
        # Friday night leads to Saturday, and so to Monday.
        (SAO_PAULO, None, True, utc(7, 2), utc(9, 11)),
        (KATHMANDU, None, True, utc(6, 18, 30), utc(9, 2, 15)),
        (KATHMANDU, None, True, utc(8, 18, 14), utc(9, 2, 15)),
        (SAO_PAULO, time(9), True, utc(7, 12), utc(9, 12)),
        (SAO_PAULO, time(9), True, utc(9, 12), utc(9, 12)),
    ],
)
def test_message_waits_for_local_time_and_monday(settings, zone, send_at, weekends, due, expected):
    settings.ENGAGEMENT_SEND_AT, settings.ENGAGEMENT_SKIP_WEEKENDS = send_at, weekends
    assert send_not_before(due, zone) == expected
    # The queue decides the same.
    person = PersonFactory(profile={"timezone": zone}, state="active")
    message, provider = MessageFactory(user=person, scheduled_for=due), Provider()
    sender(provider, Clock(due)).drain()
    message.refresh_from_db()
    if expected == due:
        assert provider.asked == [message.idempotency_key]
    else:
        assert (provider.asked, message.scheduled_for, message.waiting_for) == ([], expected, "quiet_hours")


def test_weekends_count_without_quiet_hours(settings):
    settings.ENGAGEMENT_SKIP_WEEKENDS = True
    settings.ENGAGEMENT_QUIET_FROM = settings.ENGAGEMENT_QUIET_TO = time(0)
    assert send_not_before(utc(7, 12), SAO_PAULO) == utc(9, 3)
    assert send_not_before(utc(6, 12), SAO_PAULO) == utc(6, 12)


def test_reply_is_sent_on_weekends(settings):
    settings.ENGAGEMENT_SEND_AT, settings.ENGAGEMENT_SKIP_WEEKENDS = time(9), True
    message, provider = MessageFactory(message_type="help_restart", scheduled_for=utc(7, 2)), Provider()
    sender(provider, Clock(utc(7, 2))).drain()
    assert provider.asked == [message.idempotency_key]


@pytest.mark.parametrize(
    ("send_at", "weekends", "text"),
    [
        (time(9), False, "Messages are sent at 09:00 in Asia/Kathmandu."),
        (None, True, "Quiet hours of the member (21:00 to 08:00 in Asia/Kathmandu). None are sent on weekends."),
        (time(9), True, "Messages are sent at 09:00 in Asia/Kathmandu. None are sent on weekends."),
    ],
)
def test_page_explains_what_message_waits_for(settings, send_at, weekends, text):
    settings.ENGAGEMENT_SEND_AT, settings.ENGAGEMENT_SKIP_WEEKENDS = send_at, weekends
    person = PersonFactory(profile={"timezone": KATHMANDU}, state="active")
    message = MessageFactory(user=person, scheduled_for=utc(7, 5))
    sender(Provider(), Clock(utc(7, 5))).drain()
    message.refresh_from_db()
    profile = UserProfile.objects.get(pk=person.pk)
    assert explain_waiting(message, profile=profile, at=utc(7, 5)).startswith(text)

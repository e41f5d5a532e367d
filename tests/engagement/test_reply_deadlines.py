"""Time to reply: it starts when a message is sent, leaves out quiet hours, and unclear replies are asked about once."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from engagement.models import EngagementMessage, UserEngagementState
from engagement.rules import ReceiptStatus, State
from engagement.services.inbound import handle_inbound
from engagement.services.lifecycle import record_activity
from engagement.services.messages import record_receipt, retry_message
from engagement.services.profiles import opt_out
from engagement.services.sweeps import sweep_daily
from engagement.transports import Unavailable
from tests.engagement.fake_provider import NOON, sender
from tests.engagement.month import DAY, HOUR, Month, quiet_month
from tests.support.database import rows
from tests.support.factories.engagement import MessageFactory, PersonFactory, move_to, quiet_person

pytestmark = pytest.mark.django_db


def deadline(sent_at, zone, hours=48, quiet=("21:00", "08:00")):
    [(found,)] = rows(
        "SELECT reply_deadline(%s, %s, %s::time, %s::time, %s)", [sent_at, zone, *quiet, timedelta(hours=hours)]
    )
    return found


@pytest.mark.parametrize(
    ("sent", "hours", "expected"),
    [
        # 13 hours of a day are not quiet.
        ("2026-03-02 12:00", 9, "2026-03-02 21:00"),
        ("2026-03-02 12:00", 10, "2026-03-03 09:00"),
        ("2026-03-02 12:00", 48, "2026-03-06 08:00"),
        ("2026-03-02 23:00", 1, "2026-03-03 09:00"),
        ("2026-03-02 03:00", 1, "2026-03-02 09:00"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "America/Sao_Paulo", "Asia/Kathmandu", "Europe/Lisbon"])
def test_quiet_hours_do_not_count(sent, hours, expected, zone):
    local = ZoneInfo(zone)
    at = datetime.fromisoformat(sent).replace(tzinfo=local)
    if expected == "2026-03-06 08:00":
        # 9 + 13 + 13 + 13 hours: the end of the fourth day.
        expected = "2026-03-05 21:00"
    assert deadline(at, zone, hours) == datetime.fromisoformat(expected).replace(tzinfo=local)


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Europe/Berlin", "2026-03-29"),
        ("Europe/Berlin", "2026-10-25"),
        ("America/New_York", "2026-11-01"),
        ("Australia/Lord_Howe", "2026-04-05"),
    ],
)
def test_clock_change_during_quiet_hours_changes_no_deadline(zone, change):
    day = datetime.fromisoformat(f"{change} 12:00").replace(tzinfo=ZoneInfo(zone)) - DAY
    assert deadline(day, zone, 10).astimezone(ZoneInfo(zone)).hour == 9


def test_no_quiet_hours_count_every_hour():
    assert deadline(NOON, "UTC", quiet=("00:00", "00:00")) == NOON + 48 * HOUR


def test_time_to_reply_starts_when_goodbye_is_sent():
    month = quiet_month()
    sweep_daily(at=NOON)
    assert (month.state.goodbye_sent_at, month.state.goodbye_expires_at) == (None, None)
    month.clock.forward(hours=5)
    sender(month.provider, month.clock).drain()
    sent = EngagementMessage.objects.get(user=month.person).sent_at
    assert month.state.goodbye_sent_at == sent >= month.clock.at
    assert month.state.goodbye_expires_at == deadline(sent, "UTC")


def test_settings_replace_defaults_of_database(settings):
    settings.ENGAGEMENT_GOODBYE_EXPIRES_AFTER = timedelta(hours=3)
    settings.ENGAGEMENT_QUIET_FROM = datetime(2026, 1, 1, 13).time()
    settings.ENGAGEMENT_QUIET_TO = datetime(2026, 1, 1, 15).time()
    month = quiet_month()
    sweep_daily(at=NOON)
    sender(month.provider, month.clock).drain()
    assert month.state.goodbye_expires_at == month.state.goodbye_sent_at + 5 * HOUR


def test_defaults_of_database_equal_settings(settings):
    person = quiet_person(at=NOON)
    sweep_daily(at=NOON)
    rows("UPDATE engagement_message_queue SET status = 'sent', sent_at = %s WHERE user_id = %s", [NOON, person.pk])
    quiet = (settings.ENGAGEMENT_QUIET_FROM.isoformat(), settings.ENGAGEMENT_QUIET_TO.isoformat())
    hours = settings.ENGAGEMENT_GOODBYE_EXPIRES_AFTER / HOUR
    assert UserEngagementState.objects.get(user=person).goodbye_expires_at == deadline(NOON, "UTC", hours, quiet)


def test_provider_down_for_three_days_makes_no_one_dormant():
    down = [True]

    def answer(message):
        if down[0]:
            raise Unavailable("down")

    month = Month(quiet_person(at=NOON), answer)
    month.run(3 * DAY, sending=False)
    assert month.state.state == State.GOODBYE_SENT
    down[0] = False
    month.run(2 * HOUR)
    assert month.received == ["goodbye"]
    assert month.state.state == State.GOODBYE_SENT
    month.run(5 * DAY)
    assert month.state.state == State.DORMANT


def test_exhausted_cap_makes_no_one_dormant():
    month = quiet_month()
    for _turn in range(3):
        MessageFactory(user=month.person, sent=True, attempted_at=NOON - HOUR)
    month.run(4 * DAY)
    assert (month.received, month.state.state) == ([], State.GOODBYE_SENT)
    month.run(4 * DAY)
    assert (month.received, month.state.state) == (["goodbye"], State.GOODBYE_SENT)


def test_goodbye_that_bounced_stops_the_clock():
    month = quiet_month().run(HOUR)
    message = EngagementMessage.objects.get(user=month.person)
    record_receipt(
        idempotency_key=message.idempotency_key, status=ReceiptStatus.FAILED, at=month.clock.at, error="No such chat"
    )
    assert month.run(10 * DAY).state.state == State.GOODBYE_SENT
    message.refresh_from_db()
    retry_message(actor=month.person, message=message)
    EngagementMessage.objects.filter(pk=message.pk).update(scheduled_for=month.clock.at)
    assert month.run(DAY).state.goodbye_sent_at is not None


class TestUnclearReply:
    def test_is_asked_about_once_and_clock_restarts(self):
        month = quiet_month().run(DAY)
        first = month.state.goodbye_expires_at
        assert month.write("1 ou 2").effect == "unclear"
        assert (month.state.state, month.state.goodbye_expires_at) == (State.GOODBYE_SENT, None)
        month.run(DAY)
        assert month.received == ["goodbye", "clarification"]
        assert month.state.goodbye_expires_at > first
        assert month.write("2").effect == "goodbye_response_2"

    def test_second_one_is_an_ordinary_message(self):
        month = quiet_month().run(DAY)
        month.write("👍")
        month.run(HOUR)
        handled = month.write("👍")
        assert (handled.effect, handled.state) == ("user_message", State.ACTIVE)
        assert month.run(DAY).received == ["goodbye", "clarification"]

    def test_silence_after_it_ends_as_after_the_goodbye(self):
        month = quiet_month().run(DAY)
        month.write("?")
        assert month.run(2 * DAY).state.state == State.GOODBYE_SENT
        assert month.run(3 * DAY).state.state == State.DORMANT

    def test_question_is_not_asked_before_goodbye_is_sent(self):
        month = quiet_month()
        sweep_daily(at=NOON)
        assert month.write("ok").effect == "user_message"
        assert month.run(2 * DAY).received == []

    def test_answer_before_question_is_sent_cancels_it(self):
        month = quiet_month().run(DAY)
        month.write("?")
        month.write("3")
        assert month.run(DAY).received == ["goodbye"]

    def test_reply_ignores_quiet_hours_and_cap(self):
        month = quiet_month().run(DAY)
        for _turn in range(3):
            MessageFactory(user=month.person, sent=True, attempted_at=month.clock.at)
        month.clock.at = datetime(2026, 3, 3, 23, tzinfo=UTC)
        month.write("?")
        sender(month.provider, month.clock).drain()
        assert month.received[-1] == "clarification"


class TestReminder:
    def test_is_sent_and_ends_after_48_hours(self):
        month = quiet_month().run(DAY)
        month.write("2")
        assert month.run(13 * DAY).received == ["goodbye"]
        month.run(2 * DAY)
        assert month.received == ["goodbye", "reminder"]
        assert (month.state.state, month.state.reminder_expires_at > month.clock.at) == (State.REMIND_LATER, True)
        assert month.run(4 * DAY).state.state == State.DORMANT
        assert month.run(20 * DAY).received == ["goodbye", "reminder"]

    def test_reply_to_it_makes_active(self):
        month = quiet_month().run(DAY)
        month.write("2")
        month.run(16 * DAY)
        assert month.write("voltei!").state == State.ACTIVE
        assert month.state.reminder_queued_at is None

    def test_return_before_it_is_sent_cancels_it(self):
        month = quiet_month().run(DAY)
        month.write("2")
        month.run(14 * DAY + 2 * HOUR, sending=False)
        record_activity(member=month.person, at=month.clock.at)
        assert month.run(3 * DAY).received == ["goodbye"]

    def test_opted_out_member_gets_none_and_becomes_dormant(self):
        month = quiet_month().run(DAY)
        month.write("2")
        opt_out(actor=month.person, member=month.person)
        assert month.run(16 * DAY).received == ["goodbye"]
        assert month.state.state == State.DORMANT


@pytest.mark.parametrize(("days", "state"), [(0, State.DORMANT), (6, State.DORMANT), (8, State.ACTIVE)])
def test_thanks_after_leave_me_be_are_no_return(days, state):
    person = PersonFactory()
    move_to(person, State.DORMANT, at=NOON)
    handled = handle_inbound(actor=person, text="valeu!", at=NOON + days * DAY)
    assert handled.state == state
    assert handled.effect == ("courtesy" if state == State.DORMANT else "user_message")
    assert not EngagementMessage.objects.filter(user=person, message_type="clarification").exists()

"""Months of real life, driven by the clock: each of 19 scenarios ends humanely.

A scenario is a member with a habit, for 60 to 365 days. Sweeps and senders run once or twice a day.
"""

from datetime import UTC, datetime, timedelta

import pytest

from engagement.models import EngagementMessage, InboundMessage, UserProfile
from engagement.rules import AddressReport, State
from engagement.services.inbound import handle_inbound
from engagement.services.lifecycle import record_activity
from engagement.services.profiles import update_profile
from engagement.transports import MessageRejected, Unavailable
from tests.engagement.fake_provider import NOON
from tests.engagement.month import A_YEAR_AGO, DAY, HOUR, Month, quiet_month
from tests.support.database import rows
from tests.support.factories.engagement import MessageFactory, PersonFactory, quiet_person
from tests.support.sample import asks_all, share

pytestmark = pytest.mark.django_db


def after_goodbye(**fields) -> Month:
    """Return a month in which the goodbye was sent a day ago."""
    month = quiet_month(**fields).run(DAY)
    assert month.received == ["goodbye"]
    return month


def test_silence_gets_one_message():
    month = after_goodbye().live(120)
    assert (month.received, month.state.state) == (["goodbye"], State.DORMANT)


def test_answer_1_gets_help_and_no_more():
    month = after_goodbye()
    month.write("1")
    month.live(60)
    assert (month.received, month.state.state) == (["goodbye", "help_restart"], State.HELP_FLOW)


@pytest.mark.parametrize(
    "answer",
    [
        "2 - Estou ocupado agora, me pergunte em duas semanas",
        pytest.param("2", marks=pytest.mark.long),
        pytest.param("estou ocupado", marks=pytest.mark.long),
    ],
)
def test_answer_2_is_asked_once_more(answer):
    month = after_goodbye()
    month.write(answer)
    assert month.live(13).received == ["goodbye"]
    assert month.live(60).received == ["goodbye", "reminder"]
    assert month.state.state == State.DORMANT


@pytest.mark.parametrize("answer", ["3", pytest.param("all good", marks=pytest.mark.long)])
def test_answer_3_leaves_alone(answer):
    month = after_goodbye()
    month.write(answer)
    assert (month.live(120).received, month.state.state) == (["goodbye"], State.DORMANT)


def test_option_text_is_the_answer():
    """The member copies a line of the message."""
    month = after_goodbye()
    options = [line for line in month.provider.taken[0].body.splitlines() if line.strip()[:1] in "123" and line.strip()]
    assert len(options) == 3
    month.write(options[2])
    assert (month.live(60).received, month.state.state) == (["goodbye"], State.DORMANT)


@pytest.mark.parametrize(
    "text", share(["parar lembretes", "para", "sair", "não quero mais", "STOP", "unsubscribe me pls", "🛑"], of=3)
)
def test_stop_means_stop(text):
    month = after_goodbye()
    month.write(text)
    month.live(60)
    assert month.received == ["goodbye", "opt_out_confirmation"]
    assert UserProfile.objects.get(pk=month.person.pk).reengagement_opt_out


def test_opting_in_again_is_no_reason_for_a_goodbye():
    month = quiet_month(profile={"reengagement_opt_out": True}).live(59)
    month.write("iniciar lembretes")
    assert month.live(13).received == []
    assert month.live(3).received == ["goodbye"]


def test_return_before_goodbye_is_sent_cancels_it():
    month = quiet_month()
    month.run(6 * HOUR, sending=False)
    assert month.state.state == State.GOODBYE_SENT
    record_activity(member=month.person, at=month.clock.forward(minutes=5), took_part=False)
    assert month.live(10).received == []
    assert EngagementMessage.objects.get(user=month.person).status == "cancelled"


def test_goodbye_is_sent_in_the_daytime_of_the_member():
    """At noon in UTC it is night in Honolulu."""
    month = quiet_month(profile={"timezone": "Pacific/Honolulu"})
    month.run(2 * DAY, step=HOUR)
    sent = EngagementMessage.objects.get(user=month.person).sent_at
    # 08:00 there.
    assert NOON + 6 * HOUR <= sent < NOON + 7 * HOUR


@pytest.mark.parametrize(
    "zones", share([("America/Los_Angeles", "Asia/Tokyo"), ("Asia/Tokyo", "America/Los_Angeles")], of=2)
)
def test_move_between_zones_gets_one_review_a_week(zones):
    first, second = zones
    month = Month(PersonFactory(profile={"timezone": first}))
    month.clock.at = datetime(2026, 3, 5, 12, tzinfo=UTC)
    record_activity(member=month.person, at=month.clock.at)
    month.run(timedelta(days=4, hours=12), step=HOUR)
    update_profile(actor=month.person, member=month.person, timezone=second)
    month.run(2 * DAY, step=HOUR)
    assert month.received == ["weekly_review"]


def test_member_of_unknown_zone_has_the_nights_of_utc():
    month = quiet_month()
    month.clock.at = datetime(2026, 3, 2, 22, tzinfo=UTC)
    month.run(DAY, step=HOUR)
    sent = EngagementMessage.objects.get(user=month.person).sent_at
    assert datetime(2026, 3, 3, 8, tzinfo=UTC) <= sent < datetime(2026, 3, 3, 9, tzinfo=UTC)


@pytest.mark.parametrize("known", [True, False])
def test_auto_responder_ends_after_the_first_round(known):
    """With a text that is known or not, it answers every message in seconds."""
    text = "Automatic reply: I am away" if known else "Thank you for your message! Our shop opens on Friday."
    month = quiet_month(at=A_YEAR_AGO)
    for day in range(365 if asks_all() else 60):
        before = len(month.received)
        month.live(1)
        for number in range(before, len(month.received)):
            at = month.clock.at + timedelta(seconds=4)
            handle_inbound(actor=month.person, text=text, platform="email", message_id=f"{day}-{number}", at=at)
    assert month.state.state == State.DORMANT
    assert month.received == (["goodbye"] if known else ["goodbye", "goodbye"])
    assert "auto_reply" in InboundMessage.objects.filter(user=month.person).values_list("effect", flat=True)


def test_message_storm_is_no_activity():
    """Two programs that answer each other."""
    month = quiet_month()

    def write(text):
        at = month.clock.forward(seconds=20)
        handled = handle_inbound(actor=month.person, text=text, platform="email", message_id=f"{at}", at=at)
        return handled.effect

    effects = [write(f"Ticket number {number} was opened") for number in range(15)]
    assert effects == ["user_message"] * 10 + ["auto_reply"] * 5
    # A request has its effect all the same.
    assert write("STOP") == "opted_out"


def test_hard_bounce_is_tried_once():
    def answer(message):
        raise MessageRejected("no such user", bounce=AddressReport.HARD_BOUNCE)

    month = Month(quiet_person(at=NOON, profile={"individual_jid": "gone@chat"}), answer)
    for _week in range(10):
        record_activity(member=month.person, at=month.clock.at)
        month.live(7)
    month.live(60)
    assert (len(month.provider.asked), month.received) == (1, [])


def test_used_up_cap_delays_and_loses_nothing():
    month = quiet_month()
    for _turn in range(3):
        MessageFactory(user=month.person, sent=True, attempted_at=NOON - HOUR)
    assert (month.live(6).received, month.state.state) == ([], State.GOODBYE_SENT)
    assert (month.live(2).received, month.state.state) == (["goodbye"], State.GOODBYE_SENT)
    assert month.live(60).received == ["goodbye"]


def test_outage_of_three_days_delays_and_loses_nothing():
    down = [True]

    def answer(message):
        if down[0]:
            raise Unavailable("down")

    month = Month(quiet_person(at=NOON), answer).live(3)
    assert (month.received, month.state.state) == ([], State.GOODBYE_SENT)
    down[0] = False
    assert (month.live(1).received, month.state.state) == (["goodbye"], State.GOODBYE_SENT)
    assert (month.live(60).received, month.state.state) == (["goodbye"], State.DORMANT)


def test_daily_work_on_a_board_gets_no_goodbye():
    month = quiet_month()
    for _day in range(60):
        record_activity(member=month.person, at=month.clock.at)
        month.live(1)
    assert set(month.received) == {"weekly_review"}
    assert len(month.received) <= 9


def test_thanks_after_answer_3_leave_alone():
    month = after_goodbye()
    month.write("3")
    month.clock.forward(minutes=1)
    month.write("valeu!")
    assert (month.live(120).received, month.state.state) == (["goodbye"], State.DORMANT)


def test_goodbye_goes_to_the_person_and_not_to_the_group():
    month = quiet_month(
        profile={"preferred_destination": "group", "group_jid": "us@chat", "individual_jid": "me@chat"}
    ).run(DAY)
    assert [(message.destination, message.address) for message in month.provider.taken] == [("individual", "me@chat")]


def test_sweeps_at_the_same_time_queue_one_goodbye():
    month = quiet_month()
    for _again in range(3):
        month.run(HOUR, sending=False)
    month.run(DAY)
    assert month.received == ["goodbye"]
    assert rows("SELECT count(*) FROM members_over_frequency_cap(3, interval '7 days')") == [(0,)]

"""The wait before the next goodbye: doubled after each one without an answer, set back by three days of activity."""

import pytest

from engagement.models import EngagementStateTransition
from engagement.rules import State
from engagement.services.lifecycle import record_activity
from engagement.services.profiles import update_profile
from tests.engagement.month import A_YEAR_AGO, DAY, HOUR, quiet_month
from tests.support.database import rejected_by, rows

pytestmark = pytest.mark.django_db


def wait(unanswered, after=14, at_most=112):
    [(found,)] = rows("SELECT wait_before_goodbye(%s, %s, %s)", [unanswered, after * DAY, at_most * DAY])
    return found / DAY


@pytest.mark.parametrize(
    ("values", "days"),
    [((0,), 14), ((1,), 28), ((2,), 56), ((3,), 112), ((4,), 112), ((100,), 112), ((1, 14, 7), 14), ((1, 0.5), 1)],
)
def test_wait_is_doubled_up_to_the_cap(values, days):
    assert wait(*values) == days


def test_silence_doubles_wait_after_return():
    month = quiet_month().run(6 * DAY)
    assert (month.state.state, month.state.unanswered_goodbyes) == (State.DORMANT, 1)
    record_activity(member=month.person, at=month.clock.at)
    assert month.run(27 * DAY).goodbyes == 1
    assert month.run(2 * DAY).goodbyes == 2


def test_message_only_doubles_wait_and_is_logged():
    month = quiet_month().run(DAY)
    month.write("oi, tô por aqui")
    assert (month.state.state, month.state.unanswered_goodbyes) == (State.ACTIVE, 1)
    last = EngagementStateTransition.objects.filter(user=month.person).order_by("-pk").first()
    assert last.metadata["response_type"] == "message"
    assert month.run(27 * DAY).received == ["goodbye"]


@pytest.mark.parametrize("answer", ["1", "2", "3"])
def test_answers_do_not_double_wait(answer):
    month = quiet_month().run(DAY)
    month.write(answer)
    assert month.state.unanswered_goodbyes == 0


def test_activity_instead_of_an_answer_does_not_double_wait():
    month = quiet_month().run(DAY)
    record_activity(member=month.person, at=month.clock.at)
    assert month.state.unanswered_goodbyes == 0


def test_message_before_goodbye_is_sent_does_not_double_wait():
    month = quiet_month()
    month.run(HOUR, sending=False)
    month.write("oi")
    assert month.state.unanswered_goodbyes == 0


@pytest.mark.long
def test_silence_after_a_reminder_doubles_wait():
    month = quiet_month().run(DAY)
    month.write("2")
    assert month.run(22 * DAY).received == ["goodbye", "reminder"]
    assert (month.state.state, month.state.unanswered_goodbyes) == (State.DORMANT, 1)


def test_message_after_a_reminder_doubles_wait():
    month = quiet_month().run(DAY)
    month.write("2")
    month.run(15 * DAY)
    month.write("ainda estou ocupada, desculpa")
    assert (month.state.state, month.state.unanswered_goodbyes) == (State.ACTIVE, 1)


def test_three_days_of_activity_set_wait_back():
    month = quiet_month().run(6 * DAY)
    for day, expected in ((0, 1), (0.2, 1), (3, 1), (8, 0)):
        record_activity(member=month.person, at=month.clock.at + day * DAY)
        assert month.state.unanswered_goodbyes == expected, day
    assert month.run(23 * DAY).goodbyes == 2


def test_days_are_those_of_the_member():
    """22:00, 23:30 and 01:00 UTC are three hours of one evening in Honolulu, on two days in Lisbon."""
    for zone, days in (("Pacific/Honolulu", 1), ("Europe/Lisbon", 2)):
        month = quiet_month().run(6 * DAY)
        update_profile(actor=month.person, member=month.person, timezone=zone)
        start = month.clock.at.replace(hour=22, minute=0) + DAY
        for later in (0, 1.5, 3):
            record_activity(member=month.person, at=start + later * HOUR)
        assert month.state.active_days == days


@pytest.mark.long
def test_courtesies_to_every_goodbye_get_fewer_goodbyes():
    month = quiet_month(at=A_YEAR_AGO)
    answered = 0
    while month.clock.at < month.begun + 365 * DAY:
        month.live(1)
        if month.goodbyes > answered:
            answered += 1
            month.write("valeu!" if answered == 2 else "oi, tô por aqui")
            if month.state.state == State.GOODBYE_SENT:
                # The thanks are asked about once.
                month.run(DAY).write("estou por aqui")
    # At 0, 28, 84, 196 and 308 days; without growing pauses 26.
    assert month.goodbyes == 5
    assert "weekly_review" not in month.received


def test_database_rejects_days_without_unanswered_goodbye():
    month = quiet_month()
    with rejected_by("user_engagement_states_active_days"):
        rows("UPDATE user_engagement_states SET active_days = 1 WHERE user_id = %s", [month.person.pk])


def test_database_rejects_weeks_in_wrong_order():
    month = quiet_month()
    with rejected_by("user_engagement_states_weeks_order"):
        rows(
            "UPDATE user_engagement_states SET took_part_week = '2026-03-02', took_part_week_before = '2026-03-02'"
            " WHERE user_id = %s",
            [month.person.pk],
        )

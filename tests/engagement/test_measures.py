"""Measures: what happened after messages, against a control group."""

from datetime import timedelta

import pytest
from django.utils import timezone

from engagement.models import EngagementMessage, UserProfile
from engagement.rules import CONTROL_GROUP, SequenceStart, TransitionTrigger
from engagement.selectors.measures import measures
from engagement.services.lifecycle import transition
from engagement.services.sequences import advance_sequences, start_sequences
from tests.engagement.fake_provider import NOON
from tests.support.admin import client, page_text
from tests.support.database import rows
from tests.support.factories.engagement import MessageFactory, PersonFactory

pytestmark = pytest.mark.django_db
PAGE = "/admin/engagement/engagementmessage/measures/"


def sent(member, days_ago: float = 3, **fields):
    at = timezone.now() - timedelta(days=days_ago)
    return MessageFactory(user=member, status="sent", sent_at=at, **fields)


def measured(by: str = "template"):
    now = timezone.now()
    return {each.label: each for each in measures(by=by, since=now - timedelta(weeks=4), until=now)}


def test_measures_count_what_follows_a_message():
    busy, back, out, silent = (PersonFactory() for _ in range(4))
    for member in (busy, back, out, silent):
        sent(member, message_type="goodbye", delivered_at=timezone.now())
    for member, trigger in ((busy, TransitionTrigger.GOODBYE_RESPONSE_2), (back, TransitionTrigger.USER_MESSAGE)):
        transition(actor=member, member=member, trigger=TransitionTrigger.INACTIVITY_14D)
        transition(actor=member, member=member, trigger=trigger)
    UserProfile.objects.filter(pk=out.pk).update(reengagement_opt_out=True)
    MessageFactory(user=silent, message_type="test", message_key="test", sent=True)
    found = measured()["goodbye"]
    assert (found.sent, found.delivered, found.answered) == (4, 4, (0, 1, 0))
    assert (found.came_back, found.opted_out, found.control) == (1, 1, 0)
    assert "test" not in measured()


def test_what_happens_later_or_before_is_not_counted():
    early = PersonFactory()
    sent(early, days_ago=20, message_type="goodbye")
    UserProfile.objects.filter(pk=early.pk).update(reengagement_opt_out=True)
    assert measured()["goodbye"].opted_out == 0


def test_control_group_gets_no_steps_and_is_counted_apart(settings):
    settings.ENGAGEMENT_CONTROL_GROUP_PERCENT = 40
    people = [PersonFactory(entry={}) for _ in range(40)]
    for member in people:
        start_sequences(member=member, start=SequenceStart.APPROVED, at=NOON)
    advance_sequences(at=NOON + timedelta(days=3))
    steps = EngagementMessage.objects.filter(message_key="sequence_first_mission")
    control = steps.filter(status="cancelled", error_message=CONTROL_GROUP)
    assert steps.count() == 40
    assert 4 < control.count() < 30
    assert EngagementMessage.objects.filter(message_key="welcome", status="pending").count() == 40
    [found] = measures(by="sequence", since=NOON, until=NOON + timedelta(days=4))
    assert (found.label, found.control, found.sent) == ("Onboarding", control.count(), 0)


def test_share_of_control_group_is_even():
    [[share]] = rows(
        "SELECT count(*) FILTER (WHERE in_control_group(gen_random_uuid(), 20)) FROM generate_series(1, 5000)"
    )
    assert 850 < share < 1150


@pytest.mark.parametrize("by", ["template", "sequence", "week", "x"])
def test_page_shows_measures(by):
    sent(PersonFactory(), message_type="goodbye")
    shown = page_text(client("Engagement Operator").get(f"{PAGE}?by={by}&weeks=4"))
    assert "Share that came back" in shown or "No message was sent" in shown
    assert client().get(PAGE).status_code == 403

"""Activity: messages, participation, and actions on the site."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engagement.models import (
    EngagementMessage,
    EngagementStateTransition,
    SequenceStep,
    UserEngagementState,
    UserProfile,
)
from engagement.services.lifecycle import record_activities, record_activity, transition
from groups.models import Member
from groups.services.memberships import join_mission
from groups.services.participation import ingest_participation, record_participation
from tests.support.factories.engagement import PersonFactory, move_to
from tests.support.factories.groups import EntryFactory, MissionFactory
from tests.support.factories.tokens import api_client

pytestmark = pytest.mark.django_db

THEN = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = THEN + timedelta(days=4)


def person_in(state):
    person = PersonFactory()
    move_to(person, state, at=THEN)
    UserEngagementState.objects.filter(user=person).update(last_activity_at=THEN - timedelta(days=15))
    return person


def stands(person):
    return UserEngagementState.objects.values_list("state", "last_activity_at").get(user=person)


@pytest.mark.parametrize("state", ["goodbye_sent", "help_flow", "remind_later", "dormant"])
def test_activity_reactivates_member_and_logs_it(state):
    person = person_in(state)
    record_activity(member=person, at=LATER)
    row = UserEngagementState.objects.get(user=person)
    assert (row.state, row.last_activity_at) == ("active", LATER)
    assert (row.goodbye_sent_at, row.goodbye_expires_at, row.remind_at) == (None, None, None)
    log = EngagementStateTransition.objects.filter(user=person).order_by("-pk").first()
    assert (log.from_state, log.trigger, log.to_state) == (state, "user_message", "active")
    assert log.metadata["days_inactive"] >= 19


@pytest.mark.parametrize("state", ["goodbye_sent", "help_flow", "remind_later", "dormant"])
@pytest.mark.parametrize("late", [timedelta(0), timedelta(seconds=1), timedelta(days=10)])
def test_activity_before_last_transition_keeps_state(state, late):
    person = person_in(state)
    record_activity(member=person, at=THEN - late)
    assert stands(person)[0] == state
    assert not EngagementStateTransition.objects.filter(user=person, trigger="user_message").exists()


def test_earlier_activity_keeps_last_activity_at():
    person = PersonFactory()
    for at in (LATER, THEN, LATER - timedelta(seconds=1)):
        record_activity(member=person, at=at)
        assert stands(person) == ("active", LATER)


def test_activity_within_a_minute_writes_nothing():
    person = PersonFactory()
    record_activity(member=person, at=THEN)
    version = UserEngagementState.objects.extra(select={"v": "xmin::text"}).get(user=person).v
    with CaptureQueriesContext(connection) as captured:
        record_activity(member=person, at=THEN + timedelta(seconds=59))
    statements = [one["sql"] for one in captured if "SAVEPOINT" not in one["sql"]]
    assert len(statements) == 1
    assert UserEngagementState.objects.extra(select={"v": "xmin::text"}).get(user=person).v == version
    record_activity(member=person, at=THEN + timedelta(seconds=61))
    assert stands(person) == ("active", THEN + timedelta(seconds=61))


def test_many_members_take_a_fixed_number_of_queries():
    def statements(number):
        people = [person_in(state) for state in ("active", "dormant", "help_flow") for _each in range(number)]
        with CaptureQueriesContext(connection) as captured:
            assert record_activities(seen={one.pk: LATER for one in people}) == 2 * number
        return len(captured)

    assert statements(1) == statements(7)


def test_activity_records_member_as_actor():
    person, staff = person_in("goodbye_sent"), PersonFactory()
    transition(actor=staff, member=person, trigger="goodbye_response_2", at=THEN)
    record_activity(member=person, at=LATER)
    logged = EngagementStateTransition.objects.filter(user=person).order_by("-pk")
    assert [log.actor for log in logged[:2]] == [person, staff]


def test_activity_of_many_members_records_each_as_actor():
    people = [person_in(state) for state in ("dormant", "help_flow")]
    record_activities(seen={one.pk: LATER for one in people})
    logged = EngagementStateTransition.objects.filter(trigger="user_message")
    assert {log.user_id: log.actor_id for log in logged} == {one.pk: one.pk for one in people}


def test_no_members_record_nothing():
    assert record_activities(seen={}) == 0


# --- Participation --------------------------------------------------------------------------------


def event(entry, **values):
    return {"member_id": entry.member_id, "event_type": "MESSAGE", "platform": "telegram", "room_id": "-1"} | values


def test_participation_is_activity():
    one, two = person_in("dormant"), person_in("remind_later")
    entries = [EntryFactory(person=one), EntryFactory(person=two)]
    record_participation(**event(entries[0], occurred_at=LATER))
    assert stands(one) == ("active", LATER)
    times = [LATER - timedelta(hours=1), LATER, LATER - timedelta(hours=2)]
    done = ingest_participation(events=[event(entries[1], occurred_at=at, event_type="REACTION") for at in times])
    assert done.recorded == 3
    assert stands(two) == ("active", LATER)
    # Only members who wrote have completed the introduction.
    steps = [UserProfile.objects.get(pk=person.pk).onboarding_tier_progress for person in (one, two)]
    assert steps == [{"1": {"introduce_yourself": LATER.isoformat()}}, {}]


@pytest.mark.parametrize("state", ["goodbye_sent", "help_flow", "remind_later", "dormant"])
def test_late_participation_keeps_state(state):
    person = person_in(state)
    entry = EntryFactory(person=person)
    ingest_participation(events=[event(entry, occurred_at=THEN - timedelta(minutes=1))])
    assert stands(person)[0] == state


def test_participation_without_account_is_ignored():
    record_participation(**event(EntryFactory(person=None)))
    assert not UserEngagementState.objects.exists()


def test_repeated_participation_keeps_state():
    person = PersonFactory()
    entry = EntryFactory(person=person)
    record_participation(**event(entry, message_id="7"))
    move_to(person, "dormant")
    # The platform sends it again, without a time.
    assert record_participation(**event(entry, message_id="7")) is None
    assert stands(person)[0] == "dormant"


# --- Steps on the site ------------------------------------------------------------------------------


def test_being_added_by_staff_is_no_activity(django_capture_on_commit_callbacks):
    person, staff = person_in("dormant"), PersonFactory(is_staff=True)
    with django_capture_on_commit_callbacks(execute=True):
        join_mission(member=person, mission=MissionFactory(), actor=staff)
    assert stands(person)[0] == "dormant"
    assert UserProfile.objects.get(pk=person.pk).magic_moment_at is not None


@pytest.mark.django_db(transaction=True)
def test_joining_by_api_is_activity():
    person, mission = person_in("dormant"), MissionFactory()
    program = api_client(person, "missions:read")
    assert program.get("/api/missions").status_code == 200
    assert stands(person)[0] == "dormant"
    answer = api_client(person, "missions:write", kind="person").post(
        f"/api/missions/{mission.stable_id or mission.pk}/join",
        "{}",
        content_type="application/json",
        headers={"Idempotency-Key": str(uuid4())},
    )
    assert answer.status_code in (200, 201), answer.content
    assert stands(person)[0] == "active"
    profile = UserProfile.objects.get(pk=person.pk)
    assert profile.magic_moment_at is not None
    assert "join_mission" in profile.onboarding_tier_progress["1"]


def test_approval_queues_one_welcome(django_capture_on_commit_callbacks):
    from groups.services import directory

    person = PersonFactory()
    entry = EntryFactory(person=person, status="pending")
    with django_capture_on_commit_callbacks(execute=True):
        directory.approve(actor=Member.objects.system(), entry=entry)
    [message] = EngagementMessage.objects.filter(user=person)
    first_step = SequenceStep.objects.get(sequence__name="Onboarding", template_key="welcome")
    assert (message.message_type, message.idempotency_key) == ("welcome", f"{person.pk}:sequence:{first_step.pk}")
    assert stands(person)[0] == "active"

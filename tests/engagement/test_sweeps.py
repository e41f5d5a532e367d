"""Sweeps: batches, dry runs, repetition, and calendar edge cases."""

import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from engagement.models import (
    EngagementMessage,
    EngagementStateTransition,
    UserEngagementState,
    UserProfile,
)
from engagement.services.inbound import handle_inbound
from engagement.services.lifecycle import record_activities, record_activity
from engagement.services.sweeps import sweep_daily, sweep_weekly
from groups.models import CommunityMember, Member
from groups.services.participation import record_participation
from tests.engagement.sweep_data import DAY, NOW, count_inconsistencies, make_members, states, stored
from tests.support.database import rows
from tests.support.factories.engagement import PersonFactory, move_to, quiet_person
from tests.support.factories.groups import EntryFactory

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def moved(steps):
    return {step.step: (step.moved, step.queued) for step in steps}


@pytest.fixture
def lived():
    return make_members(quiet=7, unanswered=5, reminded=4, active=6)


# Without the past goodbyes of the fixture, which have no message.
def goodbyes():
    return EngagementMessage.objects.filter(message_type="goodbye", scheduled_for=NOW).count()


# --- Daily ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 5_000, *(pytest.param(size, marks=pytest.mark.long) for size in (3, 7))])
def test_daily_sweep_changes_due_members_in_any_batch_size(lived, batch):
    seen = []
    done = sweep_daily(at=NOW, batch=batch, on_batch=seen.append)
    assert moved(done) == {
        "goodbye sent": (7, 7),
        "goodbye unanswered": (5, 0),
        "reminder queued": (0, 0),
        "reminder unanswered": (4, 0),
    }
    assert states() == {"goodbye_sent": 7, "dormant": 9, "active": 6}
    assert goodbyes() == 7
    assert [one.moved for one in seen if one.step == "goodbye sent"] == [*range(min(batch, 7), 8, batch)] + (
        [7] if batch < 7 and 7 % batch else []
    )
    log = EngagementStateTransition.objects.filter(created_at=NOW)
    assert sorted(log.values_list("trigger", flat=True)) == (
        ["goodbye_timeout"] * 5 + ["inactivity_14d"] * 7 + ["reminder_due"] * 4
    )
    assert {one.actor for one in log} == {Member.objects.system()}
    assert {one.metadata["days_inactive"] for one in log.filter(trigger="inactivity_14d")} == {15}
    assert {one.metadata.get("response_type") for one in log.filter(trigger="goodbye_timeout")} == {"timeout"}
    row = UserEngagementState.objects.filter(state="goodbye_sent").first()
    assert (row.goodbye_sent_at, row.goodbye_expires_at) == (None, None)


@pytest.mark.seed("002 sweeps: twice is once, killed half way is whole batches")
def test_repeated_daily_sweep_changes_nothing(lived):
    sweep_daily(at=NOW)
    once = stored()
    assert {step.moved for step in sweep_daily(at=NOW)} == {0}
    assert {step.moved for step in sweep_daily(at=NOW + timedelta(minutes=5))} == {0}
    assert stored() == once


def test_dry_run_counts_and_changes_nothing(lived):
    before = stored()
    dry = sweep_daily(at=NOW, dry_run=True)
    assert stored() == before
    assert {step.step: step.moved for step in dry} == {
        "goodbye sent": 7,
        "goodbye unanswered": 5,
        "reminder queued": 0,
        "reminder unanswered": 4,
    }
    assert [step.moved for step in sweep_daily(at=NOW)] == [step.moved for step in dry]


@pytest.mark.parametrize(("before", "state"), [(timedelta(microseconds=1), "active"), (timedelta(0), "goodbye_sent")])
def test_goodbye_is_due_after_exactly_fourteen_days(before, state):
    person = quiet_person(days=14, at=NOW)
    sweep_daily(at=NOW - before)
    assert UserEngagementState.objects.get(user=person).state == state


@pytest.mark.parametrize("way", ["goodbye_sent", "remind_later"])
def test_expiry_is_exact_to_the_microsecond(way):
    person = PersonFactory()
    move_to(person, way, at=NOW)
    wait = timedelta(hours=48)
    row = UserEngagementState.objects.filter(user=person)
    if way == "goodbye_sent":
        row.update(goodbye_sent_at=NOW, goodbye_expires_at=NOW + wait)
    else:
        row.update(remind_at=NOW, reminder_queued_at=NOW, reminder_expires_at=NOW + wait)
    sweep_daily(at=NOW + wait - timedelta(microseconds=1))
    assert UserEngagementState.objects.get(user=person).state == way
    sweep_daily(at=NOW + wait)
    assert UserEngagementState.objects.get(user=person).state == "dormant"


def test_member_who_replied_in_time_is_unchanged():
    person = PersonFactory()
    move_to(person, "goodbye_sent", at=NOW)
    record_activity(member=person, at=NOW + HOUR)
    sweep_daily(at=NOW + 3 * DAY)
    assert UserEngagementState.objects.get(user=person).state == "active"


@pytest.mark.seed("002 Subtask 5.2")
def test_blocked_member_gets_no_goodbye():
    errors = quiet_person(at=NOW, entry={})
    reinstated = quiet_person(at=NOW, entry={"status": "pending"})
    left = [
        quiet_person(at=NOW, profile={"reengagement_opt_out": True}),
        quiet_person(at=NOW, is_active=False),
        quiet_person(at=NOW, entry={"status": "suspended"}),
        quiet_person(at=NOW, entry={"status": "banned"}),
    ]
    # A member without activity has no row, or a row without a date.
    PersonFactory()
    PersonFactory(state="active")
    assert sweep_daily(at=NOW, dry_run=True)[0].moved == 2
    assert moved(sweep_daily(at=NOW, batch=1))["goodbye sent"] == (2, 2)
    assert set(EngagementMessage.objects.values_list("user", flat=True)) == {errors.pk, reinstated.pk}
    assert {row.state for row in UserEngagementState.objects.filter(user__in=left)} == {"active"}
    # After opting in again, the next sweep sends the goodbye.
    UserProfile.objects.filter(pk=left[0].pk).update(reengagement_opt_out=False)
    assert moved(sweep_daily(at=NOW + HOUR))["goodbye sent"] == (1, 1)


def test_goodbye_goes_to_own_chat():
    quiet_person(at=NOW, profile={"preferred_destination": "group", "group_jid": "us@chat", "individual_jid": "me"})
    sweep_daily(at=NOW)
    [message] = EngagementMessage.objects.all()
    assert (message.destination, message.destination_jid) == ("individual", "me")
    assert message.idempotency_key == f"{message.user_id}:goodbye:2026-03-04"


def test_sweep_without_due_members_changes_nothing():
    make_members(active=3)
    assert {step.moved for step in sweep_daily(at=NOW)} == {0}
    assert {step.moved for step in sweep_daily(at=NOW, dry_run=True)} == {0}


# --- Command --------------------------------------------------------------------------------------


def run(*arguments):
    output, errors = io.StringIO(), io.StringIO()
    call_command("sweep_engagement", *arguments, stdout=output, stderr=errors)
    return output.getvalue(), errors.getvalue()


def test_command_prints_results_and_progress(lived):
    before = stored()
    output, errors = run("--dry-run", "--at", NOW.isoformat())
    assert output.splitlines()[:3] == ["goodbye sent: 7", "goodbye unanswered: 5", "reminder queued: 0"]
    assert "Nothing was changed." in output
    assert stored() == before
    output, errors = run("--daily", "--batch", "3", "--at", NOW.isoformat())
    assert output.splitlines() == [
        "goodbye sent: 7, 7 messages",
        "goodbye unanswered: 5",
        "reminder queued: 0",
        "reminder unanswered: 4",
    ]
    assert "goodbye sent: 3 so far" in errors
    assert run("--weekly", "--at", NOW.isoformat())[0] == "weekly review: 0\n"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--batch", "0"], "between 1 and 100000"),
        (["--batch", "100001"], "between 1 and 100000"),
        (["--at", "2026-03-02T09:00:00"], "not a time with a UTC offset"),
        (["--at", "soon"], "not a time with a UTC offset"),
        (["--daily", "--weekly"], "not allowed with"),
    ],
)
def test_command_rejects_invalid_options(arguments, text):
    with pytest.raises(CommandError, match=text):
        run(*arguments)


# --- Weekly ---------------------------------------------------------------------------------------


def weeks():
    """Return {member: weeks of their reviews, in order}."""
    found = {}
    for user, params in rows(
        "SELECT user_id, message_params ->> 'week' FROM engagement_message_queue WHERE message_type = 'weekly_review'"
        " ORDER BY id"
    ):
        found.setdefault(user, []).append(params)
    return found


def talker(zone, **kwargs):
    """Create a member who is active every day; see `talk`."""
    return PersonFactory(state="active", profile={"timezone": zone}, **kwargs)


def talk(people, at):
    """Record that every member took part."""
    record_activities(seen={one.pk: at for one in people}, took_part=True)


def hourly(start, end, people):
    """Run the weekly sweep every hour; every member writes each day."""
    at, spoke = start, None
    while at < end:
        if at.date() != spoke:
            spoke = at.date()
            talk(people, at)
        sweep_weekly(at=at)
        at += HOUR


ZONES = ["America/New_York", "Europe/Lisbon", "America/Santiago", "Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"]


def expected(zone, start, end):
    """Return the weeks to review between two instants in a time zone: each Monday at nine, the previous week."""
    local, found = start.astimezone(ZoneInfo(zone)), []
    monday = (local - timedelta(days=local.weekday())).replace(hour=9, minute=0, second=0, microsecond=0)
    while (at := monday.astimezone(UTC)) < end:
        if at >= start:
            found.append(f"{monday - timedelta(days=7):%G-W%V}")
        monday = (monday.replace(tzinfo=None) + timedelta(days=7)).replace(tzinfo=ZoneInfo(zone))
    return found


@pytest.mark.parametrize(
    "middle",
    [
        # Clock changes of New York, Lisbon and Santiago in 2026.
        datetime(2026, 3, 8, tzinfo=UTC),
        *(
            pytest.param(datetime(2026, month, day, tzinfo=UTC), marks=pytest.mark.long)
            for month, day in ((3, 29), (4, 5), (9, 6), (10, 25))
        ),
        datetime(2026, 11, 1, tzinfo=UTC),
        # Ends of ISO years: 2020 and 2026 have 53 weeks.
        datetime(2021, 1, 3, tzinfo=UTC),
        pytest.param(datetime(2027, 1, 3, tzinfo=UTC), marks=pytest.mark.long),
        pytest.param(datetime(2025, 12, 28, tzinfo=UTC), marks=pytest.mark.long),
    ],
    ids=str,
)
def test_hourly_sweeps_queue_each_week_once(middle):
    # Starts on a Wednesday, when it is Monday in no time zone.
    start, end = middle - 4 * DAY, middle + 6 * DAY
    people = {zone: talker(zone) for zone in ZONES}
    hourly(start, end, people.values())
    found = weeks()
    for zone, person in people.items():
        assert found.get(person.pk, []) == expected(zone, start, end), zone
    assert sum(map(len, found.values())) == len(ZONES), "each had exactly one Monday"


def test_review_at_new_year_names_week_53():
    person = talker("UTC")
    hourly(datetime(2020, 12, 31, tzinfo=UTC), datetime(2021, 1, 12, tzinfo=UTC), [person])
    assert weeks() == {person.pk: ["2020-W53", "2021-W01"]}
    hourly(datetime(2026, 12, 31, tzinfo=UTC), datetime(2027, 1, 12, tzinfo=UTC), [person])
    assert weeks()[person.pk][2:] == ["2026-W53", "2027-W01"]


def test_different_clocks_queue_each_week_once():
    people = {zone: talker(zone) for zone in ZONES}
    start = datetime(2026, 3, 7, 23, 57, tzinfo=UTC)
    for tick in range(6 * 24):
        at = start + tick * HOUR
        talk(people.values(), at - HOUR)
        for skew in (timedelta(minutes=5), timedelta(0), timedelta(minutes=-5)):
            sweep_weekly(at=at + skew)
    assert {key: len(found) for key, found in weeks().items()} == {one.pk: 1 for one in people.values()}


def test_review_waits_for_local_monday_morning():
    person = talker("America/New_York")
    record_activity(member=person, at=datetime(2026, 3, 6, tzinfo=UTC))
    # After the change to summer time on Sunday, 9:00 in New York is 13:00 UTC.
    assert sweep_weekly(at=datetime(2026, 3, 9, 12, 59, tzinfo=UTC))[0].queued == 0
    assert sweep_weekly(at=datetime(2026, 3, 9, 13, 0, tzinfo=UTC), dry_run=True)[0].moved == 1
    assert sweep_weekly(at=datetime(2026, 3, 9, 13, 0, tzinfo=UTC))[0].queued == 1
    assert weeks() == {person.pk: ["2026-W10"]}
    [message] = EngagementMessage.objects.all()
    assert message.idempotency_key == f"{person.pk}:weekly_review:2026-W10"
    assert sweep_weekly(at=datetime(2026, 3, 9, 13, 0, tzinfo=UTC))[0].queued == 0


MONDAY = datetime(2026, 3, 9, 10, tzinfo=UTC)


def test_review_needs_participation_and_no_opt_out():
    def took_part(*times, **kwargs):
        person = PersonFactory(**{"state": "active", **kwargs})
        for at in times:
            record_activity(member=person, at=at)
        return person

    first, end = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 8, 23, 59, tzinfo=UTC)
    yes = [
        took_part(first),
        took_part(end),
        took_part(first, MONDAY),
        took_part(MONDAY, end),
        took_part(MONDAY, entry={}),
    ]
    # Participation that is reported late.
    number = CommunityMember.objects.get(person=yes[-1]).member_id
    record_participation(
        member_id=number, event_type="REACTION", platform="telegram", room_id="-1", occurred_at=first + HOUR
    )
    took_part(MONDAY)
    visitor = took_part(MONDAY)
    record_activity(member=visitor, at=end, took_part=False)
    took_part(first - timedelta(microseconds=1))
    took_part(first - timedelta(microseconds=1), MONDAY)
    took_part(end, profile={"reengagement_opt_out": True})
    took_part(end, is_active=False)
    PersonFactory(state="active")
    for state in ("dormant", "help_flow"):
        move_to(took_part(end), state, at=MONDAY - HOUR)
    assert sweep_weekly(at=MONDAY, batch=1)[0].queued == 5
    assert set(weeks()) == {person.pk for person in yes}


def test_visits_and_answers_are_no_participation():
    visitor, writer = (quiet_person(at=MONDAY - 5 * DAY) for _each in range(2))
    record_activity(member=visitor, at=MONDAY - DAY, took_part=False)
    move_to(writer, "goodbye_sent", at=MONDAY - 4 * DAY)
    handle_inbound(actor=writer, text="oi, tô por aqui", at=MONDAY - DAY)
    handle_inbound(actor=writer, text="valeu!", at=MONDAY - HOUR - DAY)
    assert sweep_weekly(at=MONDAY)[0].queued == 0
    handle_inbound(actor=writer, text="Fiz a tarefa do forno", at=MONDAY - HOUR - DAY)
    assert sweep_weekly(at=MONDAY)[0].queued == 1


def test_suspended_member_gets_no_review():
    person = PersonFactory(state="active")
    record_activity(member=person, at=MONDAY - DAY)
    EntryFactory(person=person, status="suspended")
    assert sweep_weekly(at=MONDAY)[0].queued == 0


# --- Both, for ten days ---------------------------------------------------------------------------


def test_ten_days_of_hourly_sweeps_match_model():
    quiet = make_members(quiet=5, active=5)
    UserEngagementState.objects.filter(user__in=quiet).update(last_activity_at=NOW - 14 * DAY)
    for tick in range(-24, 9 * 24):
        at = NOW + tick * HOUR
        if tick % 6 == 0:
            talk(Member.objects.filter(pk__in=quiet[5:]), at)
        sweep_daily(at=at)
        sweep_weekly(at=at)
        if tick == -1:
            assert states() == {"active": 10}
        if tick == 0:
            assert states() == {"active": 5, "goodbye_sent": 5}
            rows("UPDATE engagement_message_queue SET status = 'sent', sent_at = %s", [NOW])
        if tick == 72:
            # Of 72 hours, 33 were quiet.
            assert states() == {"active": 5, "goodbye_sent": 5}
        if tick == 96:
            assert states() == {"active": 5, "dormant": 5}
    assert count_inconsistencies() == (0, 0, 0)
    assert weeks() == {key: ["2026-W10"] for key in quiet[5:]}

"""The ten transitions with their side effects, and the rejection of all other pairs, in Python and SQL."""

from datetime import UTC, datetime, timedelta

import pytest

from engagement.errors import InitialStateNotActive, TransitionRejected
from engagement.models import EngagementMessage, EngagementStateTransition, UserEngagementState, UserProfile
from engagement.rules import RESPONSE_TYPES, TRANSITIONS, State, possible_triggers
from engagement.services.lifecycle import transition
from missionsite.common.audit.context import changeset, set_audit_context
from missionsite.common.errors import translate_db_errors
from tests.engagement.fake_provider import Clock, sender
from tests.engagement.transition_table import ILLEGAL, LEGAL, PAIRS, STATES, TRIGGERS
from tests.support.database import rejected_by, row, rows
from tests.support.factories.engagement import PersonFactory, move_to
from tests.support.factories.groups import StaffFactory

pytestmark = pytest.mark.django_db

# Time of the setup, and time of the tested transition.
THEN = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW = THEN + timedelta(days=1, hours=23)
HOURS_48, DAYS_14 = timedelta(hours=48), timedelta(days=14)
MEMBER_TRIGGERS = {"user_message", "goodbye_response_1", "goodbye_response_2", "goodbye_response_3"}
QUEUED = {"inactivity_14d": "goodbye", "goodbye_response_1": "help_restart"}
HALF_WAY = {"1": {"join_mission": "2026-01-01"}, "2": {"complete_task": "2026-01-02", "completed_at": "2026-01-03"}}


def person_in(state, **profile):
    """Create a member in this state since THEN, last active ten days before."""
    person = PersonFactory()
    move_to(person, state, at=THEN)
    UserProfile.objects.filter(pk=person.pk).update(**{"onboarding_tier": 0} | profile)
    UserEngagementState.objects.filter(user=person).update(last_activity_at=THEN - timedelta(days=10))
    EngagementMessage.objects.filter(user=person).update(created_at=THEN)
    return person


def everything(person):
    """Return all rows of a member that a transition can change."""
    tables = ("user_engagement_states", "engagement_state_transitions", "engagement_message_queue", "user_profiles")
    return [rows(f"SELECT * FROM {table} WHERE user_id = %s ORDER BY 1", [person.pk]) for table in tables]


@pytest.mark.seed("002 Subtask 2.2", "002 ten transitions and nothing else, by service and by raw SQL")
def test_map_has_ten_transitions():
    assert {(str(state), str(trigger)): str(after) for (state, trigger), after in TRANSITIONS.items()} == LEGAL
    assert len(LEGAL) == 10
    assert len(ILLEGAL) == 25


@pytest.mark.seed("002 state, log and message commit together or not at all")
@pytest.mark.parametrize(("state", "trigger"), LEGAL)
def test_valid_pair_changes_state_with_side_effects(state, trigger):
    person = person_in(state, onboarding_tier=2, onboarding_tier_progress=HALF_WAY)
    logged = EngagementStateTransition.objects.filter(user=person).count()
    earlier = set(EngagementMessage.objects.filter(user=person).values_list("pk", flat=True))

    staff = StaffFactory()
    moved = transition(actor=staff, member=person, trigger=trigger, at=NOW)

    after = LEGAL[state, trigger]
    assert moved.state == after
    now = UserEngagementState.objects.get(user=person)
    # Set when the goodbye is sent.
    assert (now.goodbye_sent_at, now.goodbye_expires_at) == (None, None)
    assert now.remind_at == (NOW + DAYS_14 if after == "remind_later" else None)
    assert now.last_activity_at == (NOW if trigger in MEMBER_TRIGGERS else THEN - timedelta(days=10))

    assert EngagementStateTransition.objects.filter(user=person).count() == logged + 1
    log = EngagementStateTransition.objects.filter(user=person).order_by("-pk").first()
    assert (log.from_state, log.trigger, log.to_state, log.created_at) == (state, trigger, after, NOW)
    # 11 days and 23 hours.
    details = {"days_inactive": 11, "by": staff.member_id}
    if answer := RESPONSE_TYPES.get(trigger):
        details["response_type"] = answer
    if (state, trigger) == ("dormant", "user_message"):
        details["unprompted_return"] = True
    assert log.metadata == details

    new = EngagementMessage.objects.filter(user=person).exclude(pk__in=earlier)
    kind = QUEUED.get(trigger)
    expected = [(kind, "pending", NOW, f"{person.pk}:{kind}:2026-03-04")] if kind else []
    assert list(new.values_list("message_type", "status", "scheduled_for", "idempotency_key")) == expected
    profile = UserProfile.objects.get(pk=person.pk)
    if trigger == "goodbye_response_1":
        assert profile.onboarding_tier == 0
        assert profile.onboarding_tier_progress == {"2": {"complete_task": "2026-01-02"}}
    else:
        assert (profile.onboarding_tier, profile.onboarding_tier_progress) == (2, HALF_WAY)


@pytest.mark.seed("002 ten transitions and nothing else, by service and by raw SQL")
@pytest.mark.parametrize(("state", "trigger"), ILLEGAL)
def test_invalid_pair_is_rejected_and_changes_nothing(state, trigger):
    person = person_in(state)
    before = everything(person)
    with pytest.raises(TransitionRejected) as rejected:
        transition(actor=person, member=person, trigger=trigger, at=NOW)
    assert rejected.value.possible == possible_triggers(state) == [each for (first, each) in LEGAL if first == state]
    assert str(rejected.value) == (
        f"The trigger {trigger} is not valid in state {state}. Valid triggers: {', '.join(possible_triggers(state))}."
    )
    assert everything(person) == before


def test_unknown_trigger_is_rejected():
    with pytest.raises(TransitionRejected, match="trigger nonsense is not valid"):
        transition(actor=PersonFactory(), member=PersonFactory(), trigger="nonsense")


# --- SQL ------------------------------------------------------------------------------------------

DATED = {
    "active": "goodbye_sent_at = NULL, goodbye_expires_at = NULL, remind_at = NULL",
    "goodbye_sent": "goodbye_sent_at = now(), goodbye_expires_at = now() + interval '48 hours', remind_at = NULL",
    "help_flow": "goodbye_sent_at = NULL, goodbye_expires_at = NULL, remind_at = NULL",
    "remind_later": "goodbye_sent_at = NULL, goodbye_expires_at = NULL, remind_at = now()",
    "dormant": "goodbye_sent_at = NULL, goodbye_expires_at = NULL, remind_at = NULL",
}


def move_by_sql(person, to, trigger):
    """Set a trigger and update the state with valid dates, by SQL."""
    rows("SELECT set_config('engagement.trigger', %s, true)", [trigger])
    rows(f"UPDATE user_engagement_states SET state = %s, {DATED[to]} WHERE user_id = %s", [to, person.pk])


@pytest.mark.seed("002 ten transitions and nothing else, by service and by raw SQL")
@pytest.mark.parametrize(("state", "trigger"), PAIRS)
def test_sql_update_allows_only_ten_transitions(state, trigger):
    person = person_in(state)
    before = everything(person)
    for to in STATES:
        if to != state and to != LEGAL.get((state, trigger)):
            with rejected_by("engagement_state_transitions_legal"):
                move_by_sql(person, to, trigger)
    assert everything(person) == before
    if to := LEGAL.get((state, trigger)):
        move_by_sql(person, to, trigger)
        [(log,)] = rows(
            "SELECT row_to_json(t) FROM engagement_state_transitions t WHERE user_id = %s ORDER BY id DESC LIMIT 1",
            [person.pk],
        )
        assert (log["from_state"], log["trigger"], log["to_state"]) == (state, trigger, to)
        assert log["metadata"].get("response_type") == RESPONSE_TYPES.get(trigger)


@pytest.mark.parametrize(("state", "to"), [(state, to) for state in STATES for to in STATES if state != to])
def test_sql_update_without_trigger_is_rejected(state, to):
    person = person_in(state)
    before = everything(person)
    with rejected_by("user_engagement_states_trigger_required"):
        rows(f"UPDATE user_engagement_states SET state = %s, {DATED[to]} WHERE user_id = %s", [to, person.pk])
    assert everything(person) == before


@pytest.mark.seed("002 Testing 3")
@pytest.mark.parametrize("trigger", ["nonsense", "USER_MESSAGE", "user_message "])
def test_sql_update_with_unknown_trigger_is_rejected(trigger):
    person = person_in("dormant")
    with rejected_by("engagement_state_transitions_legal"):
        move_by_sql(person, "active", trigger)


def test_sql_update_without_state_change_logs_nothing():
    person = person_in("active")
    rows("SELECT set_config('engagement.trigger', 'user_message', true)")
    rows("UPDATE user_engagement_states SET last_activity_at = now(), state = state WHERE user_id = %s", [person.pk])
    assert not EngagementStateTransition.objects.filter(user=person).exists()


def test_sql_update_of_many_logs_each_transition():
    people = [person_in("dormant") for _each in range(5)] + [person_in("active")]
    rows("SELECT set_config('engagement.trigger', 'user_message', true)")
    rows("UPDATE user_engagement_states SET state = 'active'")
    log = rows("SELECT user_id FROM engagement_state_transitions WHERE trigger = 'user_message'")
    assert sorted(key for (key,) in log) == sorted(person.pk for person in people[:-1])


def test_sql_update_with_one_invalid_pair_changes_nothing():
    people = [person_in("dormant"), person_in("goodbye_sent"), person_in("remind_later")]
    with rejected_by("engagement_state_transitions_legal"):
        rows("SELECT set_config('engagement.trigger', 'goodbye_timeout', true)")
        rows(f"UPDATE user_engagement_states SET state = 'dormant', {DATED['dormant']}")
    states = UserEngagementState.objects.filter(user__in=people).order_by("pk").values_list("state", flat=True)
    assert list(states) == ["dormant", "goodbye_sent", "remind_later"]


@pytest.mark.seed("002 Note 4")
@pytest.mark.parametrize("state", STATES[1:])
def test_first_state_must_be_active(state):
    person = PersonFactory()
    values = {"goodbye_sent": ("now()", "now()", "NULL"), "remind_later": ("NULL", "NULL", "now()")}
    sent, expires, remind = values.get(state, ("NULL", "NULL", "NULL"))
    insert = (
        "INSERT INTO user_engagement_states (user_id, state, goodbye_sent_at, goodbye_expires_at, remind_at) "
        f"VALUES (%s, %s, {sent}, {expires}, {remind})"
    )
    with rejected_by("user_engagement_states_initial_active"):
        rows(insert, [person.pk, state])
    # Setting a trigger does not allow other pairs.
    with rejected_by("user_engagement_states_initial_active"):
        rows("SELECT set_config('engagement.trigger', 'user_message', true)")
        rows(insert, [person.pk, state])
    with pytest.raises(InitialStateNotActive, match="first state must be active"), translate_db_errors():
        UserEngagementState(
            user=person, state=state, goodbye_sent_at=(sent == "now()" and NOW) or None,
            goodbye_expires_at=(sent == "now()" and NOW) or None, remind_at=(remind == "now()" and NOW) or None,
        ).save()  # fmt: skip


def test_state_cannot_change_member():
    person, other = person_in("active"), PersonFactory()
    for change in ("user_id = %(other)s", "id = id + 100000"):
        with rejected_by("user_engagement_states_owner_immutable"):
            rows(
                f"UPDATE user_engagement_states SET {change} WHERE user_id = %(person)s",
                {"other": other.pk, "person": person.pk},
            )


def test_transition_records_actor_and_changeset():
    person, staff = person_in("goodbye_sent"), PersonFactory()
    with changeset() as current:
        transition(actor=staff, member=person, trigger="goodbye_response_2", at=NOW)
    logged = EngagementStateTransition.objects.filter(user=person).latest("id")
    assert (logged.actor, logged.changeset_id) == (staff, current)


def test_transition_leaves_audit_context_unchanged():
    person, staff, other = person_in("goodbye_sent"), PersonFactory(), PersonFactory()
    set_audit_context(other)
    transition(actor=staff, member=person, trigger="goodbye_response_2", at=NOW)
    assert EngagementStateTransition.objects.filter(user=person).latest("id").actor == staff
    assert row("SELECT audit_actor_id()") == (other.pk,)


def test_sql_update_takes_actor_of_setting():
    staff, other = PersonFactory(), PersonFactory()
    people = [person_in("active"), person_in("active")]
    set_audit_context(other)
    for person, setting in zip(people, (str(staff.pk), "own"), strict=True):
        rows("SELECT set_config('engagement.actor', %s, true)", [setting])
        move_by_sql(person, "goodbye_sent", "inactivity_14d")
    logged = [EngagementStateTransition.objects.get(user=person).actor for person in people]
    assert logged == [staff, people[1]]


def test_sql_update_without_context_has_no_actor():
    person = person_in("active")
    rows("SELECT set_config('app.actor_id', '', true), set_config('pghistory.context_id', '', true)")
    move_by_sql(person, "goodbye_sent", "inactivity_14d")
    logged = EngagementStateTransition.objects.filter(user=person).latest("id")
    assert (logged.actor, logged.changeset_id) == (None, None)


def test_trigger_setting_is_reset_after_transition():
    person = person_in("dormant")
    transition(actor=person, member=person, trigger="user_message", at=NOW)
    values = row(
        """SELECT current_setting('engagement.trigger', true), current_setting('engagement.now', true),
               current_setting('engagement.metadata', true), current_setting('engagement.actor', true)"""
    )
    assert not any(values), "the next statement of this transaction has to name a trigger of its own"
    with rejected_by("user_engagement_states_trigger_required"):
        rows(f"UPDATE user_engagement_states SET state = 'dormant', {DATED['dormant']}")


# --- Dates and days -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quiet", "days", "returned"),
    [
        (timedelta(0), 0, None),
        (timedelta(hours=23, minutes=59), 0, None),
        (timedelta(days=1), 1, None),
        (timedelta(days=3) - timedelta(seconds=1), 2, None),
        (timedelta(days=3), 3, True),
        (timedelta(days=400), 400, True),
        (-timedelta(hours=1), 0, None),
    ],
)
def test_metadata_has_days_inactive_and_unprompted_return(quiet, days, returned):
    person = person_in("dormant")
    UserEngagementState.objects.filter(user=person).update(last_activity_at=NOW - quiet)
    transition(actor=person, member=person, trigger="user_message", at=NOW)
    details = EngagementStateTransition.objects.filter(user=person).order_by("-pk").first().metadata
    assert details["days_inactive"] == days
    assert details.get("unprompted_return") is returned


def test_unprompted_return_only_from_dormant():
    for state in ("goodbye_sent", "help_flow", "remind_later"):
        person = person_in(state)
        transition(actor=person, member=person, trigger="user_message", at=NOW + timedelta(days=30))
        log = EngagementStateTransition.objects.filter(user=person).order_by("-pk").first()
        assert "unprompted_return" not in log.metadata


def test_days_inactive_without_activity_counts_from_creation():
    person = PersonFactory(state="active")
    rows("UPDATE user_engagement_states SET created_at = %s WHERE user_id = %s", [NOW - timedelta(days=20), person.pk])
    transition(actor=person, member=person, trigger="inactivity_14d", at=NOW)
    assert EngagementStateTransition.objects.get(user=person).metadata == {"days_inactive": 20}


def test_durations_come_from_settings(settings):
    settings.ENGAGEMENT_GOODBYE_EXPIRES_AFTER = timedelta(minutes=7)
    settings.ENGAGEMENT_REMIND_AFTER = timedelta(days=3)
    settings.ENGAGEMENT_RETURN_AFTER = timedelta(hours=1)
    person = PersonFactory()
    first = transition(actor=person, member=person, trigger="inactivity_14d", at=NOW)
    assert sender(clock=Clock(NOW)).drain().sent == 1
    first.refresh_from_db()
    assert first.goodbye_expires_at - first.goodbye_sent_at == timedelta(minutes=7)
    snoozed = transition(actor=person, member=person, trigger="goodbye_response_2", at=NOW)
    assert snoozed.remind_at == NOW + timedelta(days=3)
    transition(actor=person, member=person, trigger="reminder_due", at=NOW)
    transition(actor=person, member=person, trigger="user_message", at=NOW + timedelta(hours=1))
    log = EngagementStateTransition.objects.filter(user=person).order_by("-pk").first()
    assert log.metadata == {"days_inactive": 0, "unprompted_return": True}


@pytest.mark.seed("002 Note 4")
@pytest.mark.parametrize("trigger", TRIGGERS)
def test_first_trigger_creates_row(trigger):
    person = PersonFactory()
    if trigger == "inactivity_14d":
        assert transition(actor=person, member=person, trigger=trigger).state == State.GOODBYE_SENT
        return
    with pytest.raises(TransitionRejected, match="not valid in state active"):
        transition(actor=person, member=person, trigger=trigger)
    # The whole transaction is rejected, including the new row.
    assert not UserEngagementState.objects.filter(user=person).exists()


@pytest.mark.seed("002 Note 7")
def test_message_goes_to_own_chat():
    """The group is the member's choice for announcements only: other messages are personal."""
    chats = {"individual_jid": "me@chat", "group_jid": "us@chat"}
    person = PersonFactory(profile={"preferred_destination": "group"} | chats)
    transition(actor=person, member=person, trigger="inactivity_14d", at=NOW)
    message = EngagementMessage.objects.get(user=person)
    assert (message.destination, message.destination_jid, message.message_key) == ("individual", "me@chat", "goodbye")

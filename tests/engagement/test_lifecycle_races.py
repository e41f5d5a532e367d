"""Concurrent transitions with real threads and commits, and a negative control of each guard.

RACE_ROUNDS=200 bin/test tests/engagement/test_lifecycle_races.py runs the long proof; a build runs one round.
"""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from engagement.errors import TransitionRejected
from engagement.models import EngagementMessage, EngagementStateTransition, UserEngagementState
from engagement.rules import State
from engagement.services.inbound import handle_inbound
from engagement.services.lifecycle import record_activities, record_activity, transition, transition_context
from tests.common.test_worker import until
from tests.engagement.transition_table import LEGAL
from tests.support.concurrency import PATIENCE, ROUNDS, crowd, without
from tests.support.database import own_connection, rows
from tests.support.factories.engagement import PersonFactory, move_to, quiet_person

pytestmark = pytest.mark.django_db(transaction=True)


def chain(person):
    """Return the transitions of a member in order; each must start in the state of the previous one."""
    moves = list(
        EngagementStateTransition.objects.filter(user=person)
        .order_by("pk")
        .values_list("from_state", "trigger", "to_state")
    )
    stands = "active"
    for before, trigger, after in moves:
        assert (before, LEGAL[before, trigger]) == (stands, after), moves
        stands = after
    assert UserEngagementState.objects.get(user=person).state == stands
    return [trigger for _before, trigger, _after in moves]


def waits_for_lock(watcher) -> bool:
    return bool(
        watcher.execute(
            """SELECT true FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                   AND position('user_engagement_states' IN query) > 0 AND pid <> pg_backend_pid()"""
        ).fetchone()
    )


# --- Two triggers on one member -----------------------------------------------------------------


@pytest.mark.parametrize("second", ["goodbye_response_3", "user_message", "goodbye_timeout"])
def test_second_trigger_waits_for_new_state(second):
    person = PersonFactory(state="goodbye_sent")
    result = []

    def pull():
        try:
            transition(actor=person, member=person, trigger=second)
        except TransitionRejected as rejected:
            result.append(str(rejected))
        finally:
            connection.close()

    other = threading.Thread(target=pull)
    with own_connection() as watcher:
        with transaction.atomic():
            transition(actor=person, member=person, trigger="goodbye_response_2")
            other.start()
            until(lambda: waits_for_lock(watcher), "the second trigger to wait for the first")
        other.join(PATIENCE)
    if second == "user_message":
        # Also valid in remind_later.
        assert result == []
        assert chain(person) == ["inactivity_14d", "goodbye_response_2", "user_message"]
    else:
        assert result == [
            f"The trigger {second} is not valid in state remind_later. Valid triggers: user_message, reminder_due."
        ]
        assert chain(person) == ["inactivity_14d", "goodbye_response_2"]


@pytest.mark.seed("002 of triggers at once one applies")
def test_one_of_concurrent_replies_applies():
    answers = ["goodbye_response_1", "goodbye_response_2", "goodbye_response_3", "goodbye_timeout"]
    with crowd(4) as people:
        for _round in range(ROUNDS):
            person = PersonFactory(state="goodbye_sent")
            done = people.run(
                lambda number, who=person: transition(actor=who, member=who, trigger=answers[number]).state
            )
            rejected = [one for one in done if isinstance(one, TransitionRejected)]
            [state] = [one for one in done if one not in rejected]
            assert len(rejected) == 3
            [_first, answer] = chain(person)
            assert LEGAL["goodbye_sent", answer] == state
            has_message = EngagementMessage.objects.filter(user=person, message_type="help_restart").exists()
            assert has_message == (answer == "goodbye_response_1")


def careless(member, trigger, met):
    """A transition without a lock: read the state, check the pair, write."""
    with transaction.atomic():
        state = UserEngagementState.objects.get(user=member).state
        after = LEGAL.get((state, trigger))
        met.wait(PATIENCE)
        if after is None:
            raise TransitionRejected(state=state, trigger=trigger, possible=[])
        dates = {"goodbye_sent_at": None, "goodbye_expires_at": None, "remind_at": None}
        if after == "remind_later":
            dates["remind_at"] = timezone.now()
        with transition_context(trigger, actor=member, at=timezone.now()):
            UserEngagementState.objects.filter(user=member).update(state=after, **dates)
        return after


@pytest.mark.long
@pytest.mark.seed("002 of triggers at once one applies")
def test_control_without_lock_both_replies_apply():
    person, met = PersonFactory(state="goodbye_sent"), threading.Barrier(2)
    with (
        crowd(2) as people,
        without(
            "ALTER TABLE user_engagement_states DISABLE TRIGGER user_engagement_states_logged",
            "ALTER TABLE user_engagement_states ENABLE TRIGGER user_engagement_states_logged",
        ),
    ):
        done = people.run(lambda n: careless(person, ["goodbye_response_2", "goodbye_response_3"][n], met))
    assert sorted(done) == ["dormant", "remind_later"], "both moved the member from the same state"


@pytest.mark.long
def test_control_without_lock_database_rejects_second():
    person, met = PersonFactory(state="goodbye_sent"), threading.Barrier(2)
    with crowd(2) as people:
        done = people.run(lambda n: careless(person, ["goodbye_response_2", "goodbye_response_3"][n], met))
    rejected = [one for one in done if isinstance(one, Exception)]
    assert len(rejected) == 1
    assert "engagement_state_transitions_legal" in str(rejected[0])
    assert len(chain(person)) == 2


# --- First trigger of a member --------------------------------------------------------------------


def test_concurrent_first_triggers_make_one_transition():
    with crowd(6) as people:
        for _round in range(ROUNDS):
            person = PersonFactory()
            done = people.run(lambda _n, who=person: transition(actor=who, member=who, trigger="inactivity_14d").state)
            assert sorted(type(one).__name__ for one in done) == ["TransitionRejected"] * 5 + ["str"]
            assert chain(person) == ["inactivity_14d"]
            assert EngagementMessage.objects.filter(user=person).count() == 1


def test_concurrent_first_activity_makes_one_row():
    with crowd(6) as people:
        for _round in range(ROUNDS):
            person, at = PersonFactory(), timezone.now()
            acts = [
                lambda who, at=at: record_activity(member=who, at=at),
                lambda who, at=at: handle_inbound(actor=who, text="hello", at=at),
            ]
            done = people.run(lambda n, who=person, acts=acts: acts[n % 2](who))
            assert not [one for one in done if isinstance(one, Exception)], done
            assert chain(person) == []
            assert UserEngagementState.objects.get(user=person).last_activity_at == at


def test_activity_in_any_order_does_not_deadlock():
    people = [PersonFactory(state=state) for state in ("active", "dormant", "help_flow", "remind_later") * 3]
    with crowd(4) as writers:
        for _round in range(ROUNDS):
            at = timezone.now() + timedelta(hours=1)
            orders = [people, people[::-1], people[5:] + people[:5], people[::2]]
            done = writers.run(
                lambda n, orders=orders, at=at: record_activities(seen={one.pk: at for one in orders[n]})
            )
            assert not [one for one in done if isinstance(one, Exception)], done
    assert {each.state for each in UserEngagementState.objects.filter(user__in=people)} == {State.ACTIVE}
    for person in people:
        assert chain(person).count("user_message") <= 1


def test_concurrent_return_is_logged_once():
    with crowd(4) as people:
        for _round in range(ROUNDS):
            person, at = PersonFactory(), timezone.now()
            move_to(person, "dormant", at=at - timedelta(days=5))
            people.run(lambda _n, who=person, at=at: record_activity(member=who, at=at))
            assert chain(person) == ["inactivity_14d", "goodbye_response_3", "user_message"]


# --- Concurrent duplicates ------------------------------------------------------------------------


def test_concurrent_duplicate_reply_applies_once():
    with crowd(5) as gateways:
        for number in range(ROUNDS):
            person = PersonFactory(state="goodbye_sent")
            done = gateways.run(
                lambda _n, who=person, key=f"wamid.{number}": (
                    handle_inbound(actor=who, text="1", platform="whatsapp", message_id=key).effect
                )
            )
            assert sorted(done) == ["goodbye_response_1"] + ["repeated"] * 4
            assert chain(person) == ["inactivity_14d", "goodbye_response_1"]
            assert EngagementMessage.objects.filter(user=person, message_type="help_restart").count() == 1


@pytest.mark.long
def test_control_without_unique_key_duplicate_applies():
    person = PersonFactory(state="goodbye_sent")
    with without(
        """ALTER TABLE engagement_inbound_messages DROP CONSTRAINT engagement_inbound_messages_unique;
           CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN NEW.message_id := NEW.message_id || gen_random_uuid(); RETURN NEW; END $$;
           ALTER TABLE engagement_inbound_messages ADD CONSTRAINT engagement_inbound_messages_unique
               UNIQUE (platform, message_id);
           CREATE TRIGGER forget BEFORE INSERT ON engagement_inbound_messages
               FOR EACH ROW EXECUTE FUNCTION forget()""",
        "DROP TRIGGER forget ON engagement_inbound_messages; DROP FUNCTION forget()",
    ):
        for _delivery in range(2):
            handle_inbound(actor=person, text="1", platform="whatsapp", message_id="wamid.7")
    assert chain(person) == ["inactivity_14d", "goodbye_response_1", "user_message"]


# --- Atomicity ------------------------------------------------------------------------------------


@pytest.mark.seed("002 state, log and message commit together or not at all")
def test_failed_enqueue_rolls_back_transition():
    quiet, person = quiet_person(), PersonFactory(state="goodbye_sent")
    before = rows("SELECT * FROM user_engagement_states ORDER BY id")
    with without(
        "ALTER TABLE engagement_message_queue ADD CONSTRAINT no_more CHECK (message_type = 'welcome') NOT VALID",
        "ALTER TABLE engagement_message_queue DROP CONSTRAINT no_more",
    ):
        for who, trigger in ((quiet, "inactivity_14d"), (person, "goodbye_response_1")):
            with pytest.raises(Exception, match="not allowed together"):
                transition(actor=who, member=who, trigger=trigger)
    assert rows("SELECT * FROM user_engagement_states ORDER BY id") == before
    assert (chain(quiet), chain(person)) == ([], ["inactivity_14d"])
    transition(actor=quiet, member=quiet, trigger="inactivity_14d")
    assert chain(quiet) == ["inactivity_14d"]

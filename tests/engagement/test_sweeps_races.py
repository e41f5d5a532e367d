"""Concurrent, blocked and killed sweeps: the result equals that of one undisturbed sweep."""

import signal
import threading
from contextlib import contextmanager

import pytest
from django.db import connection

from engagement.models import EngagementMessage, UserEngagementState
from engagement.services.lifecycle import record_activity
from engagement.services.sweeps import sweep_daily, sweep_weekly
from tests.common.test_worker import until
from tests.engagement.owner_connection import owner
from tests.engagement.sweep_data import NOW, count_inconsistencies, make_members, states, stored
from tests.groups.test_highlights_races import as_process, one_that_waits
from tests.support.concurrency import PATIENCE, ROUNDS, crowd, without
from tests.support.database import own_connection, row, rows

pytestmark = pytest.mark.django_db(transaction=True)
MONDAY = NOW.replace(day=9, hour=12)
FINISHED = {"goodbye_sent": 60, "dormant": 60, "active": 20}


def lived():
    return make_members(quiet=60, unanswered=30, reminded=30, active=20)


def goodbyes():
    return EngagementMessage.objects.filter(message_type="goodbye", scheduled_for=NOW).count()


def whole(*, times=1):
    """Check that the rows are as after one sweep of this many communities."""
    assert states() == {state: number * times for state, number in FINISHED.items()}
    assert goodbyes() == 60 * times
    assert row("SELECT count(*) FROM engagement_state_transitions WHERE created_at = %s", [NOW]) == (120 * times,)
    assert count_inconsistencies()[1:] == (0, 0)


def many_at_once():
    """Run four concurrent sweeps until none finds a due member; return the counts of each."""
    with crowd(4) as sweepers:
        done = sweepers.run(lambda _n: sum(step.moved for step in sweep_daily(at=NOW, batch=7)))
    assert not [one for one in done if isinstance(one, Exception)], done
    return done


@pytest.mark.seed("002 sweeps: twice is once, killed half way is whole batches")
def test_four_concurrent_sweeps_equal_one():
    for number in range(1, ROUNDS + 1):
        # Members of earlier rounds are not due again.
        lived()
        assert sum(many_at_once()) == 120
        whole(times=number)


@pytest.mark.seed("002 Note 6")
def test_concurrent_weekly_sweeps_queue_each_week_once():
    people = make_members(active=50, at=MONDAY)
    with crowd(4) as sweepers:
        for _round in range(ROUNDS):
            done = sweepers.run(lambda _n: sweep_weekly(at=MONDAY, batch=7)[0].queued)
            assert not [one for one in done if isinstance(one, Exception)], done
    assert EngagementMessage.objects.filter(user__in=people, message_type="weekly_review").count() == 50


@pytest.mark.long
def test_control_without_key_each_sweep_queues_review():
    """Negative control: without the idempotency key, concurrent sweeps queue duplicates."""
    make_members(active=20, at=MONDAY)
    with (
        without(
            """CREATE FUNCTION another_key() RETURNS trigger LANGUAGE plpgsql AS
                   $$ BEGIN NEW.idempotency_key := NEW.idempotency_key || gen_random_uuid(); RETURN NEW; END $$;
               CREATE TRIGGER another_key BEFORE INSERT ON engagement_message_queue
                   FOR EACH ROW EXECUTE FUNCTION another_key()""",
            "DROP TRIGGER another_key ON engagement_message_queue; DROP FUNCTION another_key()",
        ),
        crowd(4) as sweepers,
    ):
        queued = sweepers.run(lambda _n: sweep_weekly(at=MONDAY)[0].queued)
    assert sum(queued) > 20


def test_sweep_skips_locked_member():
    people = make_members(quiet=5)
    ended = threading.Event()

    def sweep():
        try:
            sweep_daily(at=NOW, batch=2)
        finally:
            connection.close()
            ended.set()

    with own_connection() as writer:
        writer.execute("BEGIN")
        writer.execute("SELECT FROM user_engagement_states WHERE user_id = %s FOR UPDATE", [people[2]])
        sweeper = threading.Thread(target=sweep)
        sweeper.start()
        assert ended.wait(PATIENCE), "the sweep waits for the member who is writing"
        writer.execute("ROLLBACK")
        sweeper.join(PATIENCE)
    assert states() == {"goodbye_sent": 4, "active": 1}
    record_activity(member=UserEngagementState.objects.get(user=people[2]).user, at=NOW)
    sweep_daily(at=NOW)
    assert states() == {"goodbye_sent": 4, "active": 1}
    assert count_inconsistencies() == (0, 0, 0)


# --- Killed sweeps --------------------------------------------------------------------------------


@contextmanager
def held_at(member):
    """Block a sweep at one member's goodbye: another transaction has inserted its key and not committed."""
    with owner() as session:
        session.execute(
            """INSERT INTO engagement_message_queue (user_id, message_type, message_key, idempotency_key)
               VALUES (%s, 'goodbye', 'goodbye', %s)""",
            [member, f"{member}:goodbye:2026-03-04"],
        )
        yield


def killed_half_way(how, people):
    """Run the command until its fourth batch and kill the process or its backend."""
    command = ["manage.py", "sweep_engagement", "--daily", "--batch", "10", "--at", NOW.isoformat()]
    # Members are taken in order of activity; theirs is equal, so in order of ID.
    order = rows("SELECT user_id FROM user_engagement_states WHERE user_id = ANY (%s) ORDER BY id", [people])
    with held_at(order[35][0]), own_connection() as watcher:
        process = as_process(*command)
        try:
            backend = until(lambda: one_that_waits(watcher, "WITH candidates"), "the sweep to reach the locked key")
            if how == "process":
                process.send_signal(signal.SIGKILL)
            else:
                assert watcher.execute("SELECT pg_terminate_backend(%s, 10000)", [backend]).fetchone() == (True,)
            assert process.wait(PATIENCE) != 0
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(PATIENCE)
    with own_connection() as watcher:
        until(
            lambda: not watcher.execute("SELECT true FROM pg_stat_activity WHERE pid = %s", [backend]).fetchone(),
            "the backend of the killed sweep to end",
        )


@pytest.mark.seed("002 sweeps: twice is once, killed half way is whole batches")
@pytest.mark.parametrize("how", ["process", "backend"])
def test_killed_sweep_leaves_whole_batches(how):
    people = lived()
    killed_half_way(how, people[:60])
    assert states() == {"active": 20 + 30, "goodbye_sent": 30 + 30, "remind_later": 30}, "three batches of ten"
    assert goodbyes() == 30
    assert count_inconsistencies()[1:] == (0, 0)
    sweep_daily(at=NOW)
    whole()
    # As after one sweep: no member is missing or duplicated.
    once = stored()
    assert {step.moved for step in sweep_daily(at=NOW)} == {0}
    assert stored() == once


@pytest.mark.long
def test_control_killed_two_step_sweep_loses_messages():
    """Negative control: states in one transaction, messages in the next."""
    people = lived()
    with own_connection() as session:
        session.execute("SELECT set_config('engagement.trigger', 'inactivity_14d', false)")
        session.execute(
            """UPDATE user_engagement_states SET state = 'goodbye_sent', goodbye_sent_at = %s, goodbye_expires_at = %s
               WHERE user_id = ANY (%s)""",
            [NOW, NOW, people[:10]],
        )
        session.execute("SELECT set_config('engagement.trigger', '', false)")
        # Killed here.
    sweep_daily(at=NOW)
    assert goodbyes() == 50
    assert count_inconsistencies()[0] > 0, "the check detects the ten without a message"

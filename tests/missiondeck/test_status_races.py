"""Concurrent completion: real threads and commits, with negative controls without the guard.

RACE_ROUNDS=50 bin/test tests/missiondeck/test_status_races.py runs the long proof; a build runs one round.
"""

import threading
from contextlib import suppress

import psycopg
import pytest
from django.db import DatabaseError, connection

from groups.models import Member
from missiondeck.errors import ChecklistClosed, NotDone
from missiondeck.models import DeckStatusChange, DodItem
from missiondeck.services.checklist import add_item, move_item, remove_item, tick_item, update_item
from missiondeck.services.missions import change_status
from tests.common.test_worker import until
from tests.missiondeck.helpers import items_of, mission_in_qa, transaction_of
from tests.support.concurrency import PATIENCE, ROUNDS, crowd, without
from tests.support.database import own_connection, row, rows
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 50
INVALID = """
    SELECT count(*) FROM deck_missions m WHERE status = 'complete' AND override_reason = ''
        AND EXISTS (SELECT FROM dod_items i WHERE i.mission_id = m.id AND NOT i.completed)
"""


def count_invalid() -> int:
    """The number of complete missions with an open item."""
    return row(INVALID)[0]


# --- Fifty complete while others untick --------------------------------------------------------------


@pytest.mark.seed("001 fifty complete while others untick, with the lock taken away once")
def test_fifty_complete_while_ten_untick():
    """Every attempt completes the mission or is rejected; a complete mission has no open item."""
    with crowd(PEOPLE + 10) as people:
        ended = {"complete": 0, "rejected": 0}
        for _round in range(ROUNDS):
            made, lead = mission_in_qa(items=10), MemberFactory()
            items = items_of(made)

            def attempt(number, made=made, items=items, lead=lead):
                if number < PEOPLE:
                    return change_status(mission=made, to="complete", actor=lead).status
                return tick_item(item=items[number - PEOPLE], done=False, actor=lead).completed

            done = people.run(attempt)
            assert count_invalid() == 0
            others = [one for one in done if isinstance(one, Exception)]
            assert all(isinstance(one, NotDone | ChecklistClosed) for one in others), others
            made.refresh_from_db()
            changes = DeckStatusChange.objects.filter(mission=made, to_status="complete").count()
            still_open = DodItem.objects.filter(mission=made, completed=False).count()
            if made.status == "complete":
                # Later completions found it complete; later unticks were rejected.
                assert (changes, still_open) == (1, 0)
                assert set(done[:PEOPLE]) == {"complete"}
                assert all(isinstance(one, ChecklistClosed) for one in done[PEOPLE:])
                ended["complete"] += 1
            else:
                assert changes == 0
                assert still_open > 0
                assert all(isinstance(one, NotDone) for one in done[:PEOPLE])
                assert all(one.missing for one in done[:PEOPLE])
                ended["rejected"] += 1
        assert sum(ended.values()) == ROUNDS


def test_one_of_fifty_completes_once():
    with crowd(PEOPLE) as people:
        made, leads = mission_in_qa(items=3), [MemberFactory() for _each in range(PEOPLE)]
        done = people.run(lambda number: change_status(mission=made, to="complete", actor=leads[number]))
    assert {one.status for one in done} == {"complete"}
    # All got the same completing member.
    assert len({one.completed_by_id for one in done}) == 1
    move = DeckStatusChange.objects.get(mission=made, to_status="complete")
    assert move.by_id == done[0].completed_by_id


# --- Both orders of completion and untick -----------------------------------------------------------


def waits_for_lock(watcher) -> bool:
    return bool(
        watcher.execute(
            """SELECT true FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                   AND position('deck_' IN query) > 0 AND pid <> pg_backend_pid()"""
        ).fetchone()
    )


def in_a_thread(attempt):
    """Run a function in a thread; returns the thread and the list for its result."""
    result = []

    def run():
        try:
            result.append(attempt())
        except Exception as error:
            result.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, result


UNTICK = "UPDATE dod_items SET completed = false, completed_at = NULL, completed_by_id = NULL WHERE id = %s"
COMPLETE = "UPDATE deck_missions SET status = 'complete' WHERE id = %s"


def carry_out(session, statement, key):
    session.execute(statement, [key])
    session.commit()


def test_completion_waits_for_untick():
    made = mission_in_qa(items=2)
    item, lead = items_of(made)[0], MemberFactory()
    with transaction_of() as session, own_connection() as watcher:
        session.execute(UNTICK, [item.pk])
        thread, result = in_a_thread(lambda: change_status(mission=made, to="complete", actor=lead))
        until(lambda: waits_for_lock(watcher), "who completes to wait for who unticks")
        session.commit()
        thread.join(PATIENCE)
    assert isinstance(result[0], NotDone)
    assert result[0].missing == [{"what": "open_items", "count": 1, "items": [item.text]}]
    assert count_invalid() == 0


def test_untick_waits_for_completion():
    made = mission_in_qa(items=2)
    item = items_of(made)[0]
    with transaction_of() as session, own_connection() as watcher:
        session.execute(COMPLETE, [made.pk])
        thread, result = in_a_thread(lambda: tick_item(item=item, done=False, actor=Member.objects.system()))
        until(lambda: waits_for_lock(watcher), "who unticks to wait for who completes")
        session.commit()
        thread.join(PATIENCE)
    assert isinstance(result[0], ChecklistClosed)
    assert count_invalid() == 0


def test_concurrently_added_item_blocks_completion():
    made = mission_in_qa(items=1)
    with transaction_of() as session, own_connection() as watcher:
        session.execute("INSERT INTO dod_items (mission_id, text) VALUES (%s, 'One more')", [made.pk])
        thread, result = in_a_thread(lambda: change_status(mission=made, to="complete", actor=Member.objects.system()))
        until(lambda: waits_for_lock(watcher), "who completes to wait for who adds")
        session.commit()
        thread.join(PATIENCE)
    assert isinstance(result[0], NotDone)


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_stale_snapshot_cannot_complete(level):
    """A transaction with an older snapshot must not complete a mission."""
    made = mission_in_qa(items=1)
    [item] = items_of(made)
    with transaction_of(level) as session:
        assert session.execute("SELECT count(*) FROM dod_items WHERE NOT completed").fetchone() == (0,)
        tick_item(item=item, done=False, actor=Member.objects.system())
        with pytest.raises(psycopg.errors.CheckViolation) as rejected:
            carry_out(session, COMPLETE, made.pk)
        assert rejected.value.diag.constraint_name == "deck_missions_complete_read_committed"
    assert count_invalid() == 0


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_stale_snapshot_cannot_untick(level):
    made = mission_in_qa(items=1)
    [item] = items_of(made)
    with transaction_of(level) as session:
        assert session.execute("SELECT count(*) FROM deck_missions WHERE status = 'complete'").fetchone() == (0,)
        change_status(mission=made, to="complete", actor=Member.objects.system())
        with pytest.raises(psycopg.errors.SerializationFailure):
            carry_out(session, UNTICK, item.pk)
    assert count_invalid() == 0


# --- Negative control -------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.seed("001 fifty complete while others untick, with the lock taken away once")
def test_negative_control_without_item_lock():
    """Without FOR SHARE in the trigger, the untick does not wait and both transactions commit."""
    (body,) = row("SELECT pg_get_functiondef('check_dod_open()'::regprocedure)")
    assert body.count("FOR SHARE") == 1
    made = mission_in_qa(items=2)
    item = items_of(made)[0]
    with without(body.replace("FOR SHARE", ""), body), transaction_of() as session:
        session.execute(COMPLETE, [made.pk])
        with own_connection() as other:
            other.execute(UNTICK, [item.pk])
        session.commit()
    assert count_invalid() == 1


TICK = "UPDATE dod_items SET completed = true, completed_at = now() WHERE id = %s"


def toggle(key) -> None:
    """Untick and tick an item by raw SQL until rejected; the service would lock the mission itself."""
    with suppress(DatabaseError):
        for _time in range(200):
            rows(UNTICK, [key])
            rows(TICK, [key])


def complete(made) -> None:
    """Try a few times."""
    for _attempt in range(5):
        with suppress(NotDone):
            change_status(mission=made, to="complete", actor=Member.objects.system())
            return


def complete_while_two_untick_and_tick(people, made) -> None:
    keys = [item.pk for item in items_of(made)]
    ended = people.run(lambda n: toggle(keys[n]) if n < 2 else complete(made))
    assert [one for one in ended if one is not None] == []


@pytest.mark.seed("001 fifty complete while others untick, with the lock taken away once")
def test_fifty_complete_while_two_toggle():
    with crowd(PEOPLE + 2) as people:
        for _round in range(ROUNDS):
            complete_while_two_untick_and_tick(people, mission_in_qa(items=2))
            assert count_invalid() == 0


@pytest.mark.long
@pytest.mark.seed("001 fifty complete while others untick, with the lock taken away once")
def test_negative_control_without_lock_fifty_lose():
    """The same function without FOR SHARE."""
    (body,) = row("SELECT pg_get_functiondef('check_dod_open()'::regprocedure)")
    lost = 0
    with crowd(PEOPLE + 2) as people, without(body.replace("FOR SHARE", ""), body):
        for _round in range(40):
            complete_while_two_untick_and_tick(people, mission_in_qa(items=2))
            lost = count_invalid()
            if lost:
                break
    assert lost, "forty rounds without the lock, and the race was never lost"


# --- All changes concurrently -----------------------------------------------------------------------


def acts_on(made, items, lead) -> list:
    """The changes of one mission, selected by a number."""
    return [
        lambda n: tick_item(item=items[n % 8], done=n % 3 == 0, actor=lead),
        lambda n: add_item(actor=Member.objects.system(), mission=made, text=f"New {n}"),
        lambda n: move_item(actor=Member.objects.system(), item=items[n % 8], to=n % 5),
        lambda n: change_status(mission=made, to="complete", actor=lead),
        lambda n: update_item(actor=Member.objects.system(), item=items[n % 8], text=f"Other {n}"),
        lambda n: tick_item(item=items[-1 - n % 8], done=True, actor=lead),
        lambda n: remove_item(actor=Member.objects.system(), item=items[-1]),
        lambda n: move_item(actor=Member.objects.system(), item=items[-2], to=0),
    ]


def several(acts: list, number: int) -> None:
    """Run four changes; errors with a message are accepted."""
    for step in range(4):
        with suppress(NotDone, ChecklistClosed, DodItem.DoesNotExist):
            acts[(number + step * 3) % len(acts)](number + step)


@pytest.mark.seed("001 everything at once does not lock up")
def test_concurrent_changes_do_not_deadlock():
    """Tick, add, move, edit, remove and complete: success or an error with a message, and no deadlock."""
    with crowd(16) as people:
        for _round in range(ROUNDS):
            made, lead = mission_in_qa(items=8), MemberFactory()
            acts = acts_on(made, items_of(made), lead)
            done = people.run(lambda n, acts=acts: several(acts, n))
            assert [one for one in done if one is not None] == []
            assert count_invalid() == 0


def test_concurrent_adds_get_distinct_positions():
    with crowd(12) as people:
        for _round in range(ROUNDS):
            made = mission_in_qa(items=0)
            done = people.run(
                lambda n, made=made: add_item(actor=Member.objects.system(), mission=made, text=f"Item {n}").position
            )
            assert sorted(done) == list(range(12))
            items = items_of(made)
            people.run(lambda n, items=items: move_item(actor=Member.objects.system(), item=items[n], to=(n * 5) % 12))
            assert sorted(item.position for item in items_of(made)) == list(range(12))


def test_concurrent_ticks_keep_the_first():
    made = mission_in_qa(items=1, done=False)
    [item] = items_of(made)
    members = [MemberFactory() for _each in range(8)]
    with crowd(8) as people:
        done = people.run(lambda n: tick_item(item=item, done=True, actor=members[n]).completed_by_id)
    assert len(set(done)) == 1
    assert rows("SELECT count(*) FROM dod_items_history WHERE mission_id = %s AND completed", [made.pk]) == [(1,)]

"""Highlights under concurrency, locks and kills; each guard with its negative control."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from groups.models import MemberParticipation
from groups.services.highlights import rebuild_highlights, roll_up_highlights
from tests.common.forks import Process
from tests.common.test_worker import forks, of_the_tests, until
from tests.groups.chats import (
    NOON,
    chatter,
    event,
    in_the_table,
    ingest,
    notes,
    people,
    recounted,
    roll_up_all,
    talk,
)
from tests.support.concurrency import PATIENCE, crowd, execute_as_owner, without
from tests.support.database import own_connection, row

pytestmark = pytest.mark.django_db(transaction=True)
DAY = NOON.date()


# --- Concurrency -----------------------------------------------------------------------------

ROLL_UP = "roll_up_highlights(jsonb, integer, integer)"


def definition() -> str:
    return row(f"SELECT pg_get_functiondef('{ROLL_UP}'::regprocedure)")[0]


def altered(old: str, new: str):
    """Install a changed roll-up function, for a negative control."""
    ours = definition()
    assert ours.count(old) == 1
    return without(ours.replace(old, new), ours)


def naive():
    """The naive roll-up without a lock: read, add, delete."""
    ours = definition()
    head, _body = ours.split("AS $function$")
    return without(
        head
        + """AS $function$
        DECLARE
            read tid[];
        BEGIN
            read := ARRAY(SELECT ctid FROM participation_changes LIMIT at_most);
            INSERT INTO member_daily_highlights AS h (member_id, highlight_date, message_count)
            SELECT member_id, day, coalesce(sum(amount) FILTER (WHERE event_type = 'MESSAGE'), 0)
            FROM participation_changes WHERE ctid = ANY (read) GROUP BY member_id, day ORDER BY member_id, day
            ON CONFLICT (member_id, highlight_date) DO UPDATE
                SET message_count = h.message_count + excluded.message_count;
            DELETE FROM participation_changes WHERE ctid = ANY (read);
            RETURN cardinality(read);
        END $function$""",
        ours,
    )


def messages(days: dict) -> dict:
    return {key: day[0] for key, day in days.items()}


def four_roll_up_at_once() -> list:
    """Run four roll-ups concurrently until the queue is empty; returns the changes each processed."""
    with crowd(4) as runners:
        return runners.run(lambda _number: roll_up_all(at_most=50))


def test_four_concurrent_roll_ups_match_one():
    talk()
    waiting = notes()
    taken = four_roll_up_at_once()
    assert sum(taken) == waiting
    assert in_the_table() == recounted()
    assert rebuild_highlights() == 0


def test_naive_concurrent_roll_ups_count_twice():
    with naive():
        for seed in range(20):
            talk(500, seed=seed)
            four_roll_up_at_once()
            if messages(in_the_table()) != messages(recounted()):
                return
    pytest.fail("twenty rounds without a double count: the harness would not notice one")


@pytest.mark.long
def test_roll_up_without_delete_counts_twice():
    talk(300)
    # The last part of what takes them.
    taken = "RETURNING member_id, day, event_type, amount\n    ), added"
    put_back = taken.replace("added", "put_back AS (INSERT INTO participation_changes SELECT * FROM taken), added")
    with altered(taken, put_back):
        for _run in range(2):
            assert roll_up_highlights() > 0
    assert messages(in_the_table()) == {key: 2 * count for key, count in messages(recounted()).items()}


def test_concurrent_ingest_roll_up_and_rebuild_are_exact():
    members = people(40)
    batches = [chatter(members, 300, days=10, seed=seed) for seed in range(12)]
    still_talking = [4]
    last_words = threading.Lock()
    done = threading.Event()

    def act(number):
        if number < 4:
            try:
                for batch in batches[number::4]:
                    ingest(batch)
            finally:
                with last_words:
                    still_talking[0] -= 1
                    if not still_talking[0]:
                        done.set()
        elif number < 6:
            while not done.is_set():
                roll_up_highlights(at_most=30)
        else:
            while not done.is_set():
                rebuild_highlights(first_day=DAY - timedelta(days=6), last_day=DAY - timedelta(days=3))
                rebuild_highlights()

    with crowd(7) as everyone:
        assert everyone.run(act) == [None] * 7
    roll_up_all()
    assert MemberParticipation.objects.count() == 12 * 300
    assert in_the_table() == recounted()


# --- Locks and kills ----------------------------------------------------------------------------


@contextmanager
def owner_holds(sql: str):
    """Lock the rows of a statement as the owner of the schema until the block ends."""
    owner = settings.DATABASE_OWNER
    with psycopg.connect(
        host=owner["HOST"],
        port=owner["PORT"],
        user=owner["USER"],
        password=owner["PASSWORD"],
        dbname=connection.settings_dict["NAME"],
    ) as session:
        assert session.execute(sql).fetchall(), "nothing to hold"
        yield
        session.rollback()


def one_that_waits(watcher, statement: str, *, on: str = "Lock") -> int | None:
    """Return the process id of a backend that waits in this statement."""
    found = watcher.execute(
        """SELECT pid FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock' AND position(%s IN query) > 0
               AND (%s = 'Lock' OR wait_event = %s) AND pid <> pg_backend_pid()""",
        [statement, on, on],
    ).fetchone()
    return found and found[0]


def rolled_up_on_its_way(*, with_lock: bool) -> None:
    """Block a rebuild after it has counted; meanwhile add an event and try to roll it up."""
    members = talk(500)
    roll_up_all()
    gone = DAY - timedelta(days=3)
    stranger = people(1)[0]
    execute_as_owner(f"INSERT INTO member_daily_highlights (member_id, highlight_date) VALUES ('{stranger}', '{gone}')")
    held = f"SELECT FROM member_daily_highlights WHERE member_id = '{stranger}' FOR UPDATE"
    with crowd(1) as rebuilder, crowd(1) as roller, own_connection() as watcher:
        rebuild = threading.Thread(target=rebuilder.run, args=[lambda _number: rebuild_highlights()])
        roll_up = threading.Thread(target=roller.run, args=[lambda _number: roll_up_all()])
        with owner_holds(held):
            rebuild.start()
            until(lambda: one_that_waits(watcher, "rebuild_highlights"), "the rebuild to come to the held row")
            ingest([event(members[0])] * 3)
            roll_up.start()
            until(
                lambda: not roll_up.is_alive() or one_that_waits(watcher, "SELECT roll_up_highlights", on="advisory"),
                "the roll-up to wait or end",
            )
            assert roll_up.is_alive() == with_lock
        rebuild.join(PATIENCE)
        roll_up.join(PATIENCE)
    assert notes() == 0


def test_roll_up_waits_for_rebuild():
    rolled_up_on_its_way(with_lock=True)
    assert in_the_table() == recounted()


@pytest.mark.long
def test_rebuild_without_lock_loses_roll_up():
    with altered("PERFORM pg_advisory_xact_lock(19795, 1);", ""):
        rolled_up_on_its_way(with_lock=False)
    assert in_the_table() != recounted()


def as_process(*arguments: str) -> subprocess.Popen | Process:
    """A Python process that knows the test database by its environment; killed by the caller."""
    if arguments[0] == "manage.py":
        return forks().start(*arguments[1:], "--skip-checks")
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        env=os.environ | of_the_tests(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


# A wrong roll-up: it commits the deletion before it adds.
IN_TWO_STEPS = """
import os, psycopg
with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as session:
    taken = session.execute("SELECT member_id, day, amount FROM take_notes()").fetchall()
    with session.transaction():
        for note in taken:
            session.execute("SELECT add_note(%s, %s, %s)", note)
"""
TWO_STEPS = """
    CREATE FUNCTION take_notes() RETURNS SETOF participation_changes LANGUAGE sql SECURITY DEFINER AS
        'DELETE FROM participation_changes RETURNING *';
    CREATE FUNCTION add_note(varchar, date, bigint) RETURNS void LANGUAGE sql SECURITY DEFINER AS
        'INSERT INTO member_daily_highlights AS h (member_id, highlight_date, message_count) VALUES ($1, $2, $3)
         ON CONFLICT (member_id, highlight_date) DO UPDATE SET message_count = h.message_count + $3'
"""
NO_STEPS = "DROP FUNCTION take_notes(), add_note(varchar, date, bigint)"


def killed_half_way(*arguments: str, statement: str, how: str) -> None:
    """Start a roll-up process, block it at the first highlight, and kill it or its backend."""
    members = talk(500)
    roll_up_all()
    ingest([event(member) for member in members])
    held = f"SELECT FROM member_daily_highlights WHERE highlight_date = '{DAY}' FOR UPDATE"
    with owner_holds(held), own_connection() as watcher:
        process = as_process(*arguments)
        try:
            backend = until(lambda: one_that_waits(watcher, statement), "the roll-up to come to the held row")
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
            "the backend of the killed process to end",
        )


@pytest.mark.parametrize("how", ["process", "backend"])
def test_killed_roll_up_can_be_repeated(how):
    killed_half_way("manage.py", "roll_up_highlights", statement="SELECT roll_up_highlights", how=how)
    assert notes() > 0, "the killed run kept its notes"
    assert in_the_table() != recounted()
    roll_up_all()
    assert in_the_table() == recounted()
    assert rebuild_highlights() == 0


def test_killed_two_step_roll_up_loses_rows():
    with without(TWO_STEPS, NO_STEPS):
        killed_half_way("-c", IN_TWO_STEPS, statement="add_note", how="process")
    roll_up_all()
    ours, right = messages(in_the_table()), messages(recounted())
    assert sum(right.values()) - sum(ours.values()) == 40, "the forty messages of the killed run"

"""Counts under concurrent changes, deletions and rollbacks of eight connections: no drift, no deadlock.

COUNTER_CHANGES=100000 bin/test tests/fallback/test_counters.py runs the long proof; a build runs fewer changes.
"""

import os
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.support.concurrency import execute_as_owner, without
from tests.support.database import own_connection, row, rows
from tests.support.factories.fallback import ItemFactory, OrganizationFactory

CHANGES = int(os.environ.get("COUNTER_CHANGES", "800"))
CONNECTIONS = 8
PROJECTS = 6
pytestmark = pytest.mark.django_db(transaction=True)

# --- Operations -------------------------------------------------------------------------------
# Writers share an advisory lock; deletions take it exclusively. As services do, the operations take it before the first
# row if their transaction has several statements.
SHARE = "SELECT pg_advisory_xact_lock_shared(hashtextextended('fallback_rows', 0))"
ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('fallback_rows', 0))"

NEW_PROJECT = """
    WITH p AS (INSERT INTO projects (organization_id, name, slug)
               SELECT id, 'Project', lower(ulid()) FROM organizations LIMIT 1 RETURNING id),
         f AS (INSERT INTO flows (project_id, name) SELECT id, 'Flow' FROM p RETURNING id),
         a AS (INSERT INTO actors (project_id, name) SELECT id, 'Actor' FROM p RETURNING id),
         r AS (INSERT INTO project_repositories (project_id, name) SELECT id, 'Repository' FROM p RETURNING id),
         c AS (INSERT INTO mission_fallback_configs (project_id, weekly_mission_cap, monthly_target_hours)
               SELECT id, (2 + random() * 100)::int, (2 + random() * 100)::int FROM p),
         t AS (INSERT INTO mission_fallback_templates
                   (project_id, name, flow_id, actor_id, repository_id, estimated_effort_minutes)
               SELECT p.id, 'Template', f.id, a.id, r.id, 60 FROM p, f, a, r),
         u AS (INSERT INTO mission_fallback_runs (project_id, triggered_by)
               SELECT id, 'manual' FROM p, generate_series(1, 3))
    INSERT INTO missions (project_id, title, ready) SELECT id, 'Mission', true FROM p, generate_series(1, 6)
"""
NEW_RUN = "INSERT INTO mission_fallback_runs (project_id, triggered_by) VALUES (%(project)s, 'manual')"
PROPOSE = """
    INSERT INTO mission_fallback_items (mission_fallback_run_id, template_id, project_id, title, flow_id, actor_id,
        repository_id, estimated_effort_minutes)
    SELECT r.id, t.id, t.project_id, 'Proposal', t.flow_id, t.actor_id, t.repository_id, (1 + random() * 90)::int
    FROM mission_fallback_runs r JOIN mission_fallback_templates t USING (project_id), generate_series(1, %(some)s)
    WHERE r.id = %(run)s
"""
# Statements on many rows lock them in the order of their keys.
SOME = """
    SELECT id FROM mission_fallback_items WHERE id IN (
        SELECT id FROM mission_fallback_items WHERE project_id = %(project)s {condition}
        ORDER BY random() LIMIT %(some)s
    ) ORDER BY id FOR UPDATE
"""
WAITING = SOME.format(condition="AND status = 'proposed'")
WAITING_OF_RUN = SOME.format(condition="AND status = 'proposed' AND mission_fallback_run_id = %(run)s")
ACCEPTED = SOME.format(condition="AND status = 'accepted'")
ANY, ANY_OF_RUN = SOME.format(condition=""), SOME.format(condition="AND mission_fallback_run_id = %(run)s")
DISCARD = """
    UPDATE mission_fallback_items SET status = 'discarded', reason = 'not_needed', reviewed_at = now(),
        mission_id = NULL WHERE id = ANY (%(items)s) AND status = 'proposed'
"""
PROPOSE_AGAIN = """
    UPDATE mission_fallback_items SET status = 'proposed', reason = NULL, reviewed_at = NULL, mission_id = NULL
    WHERE id = ANY (%(items)s) AND status <> 'proposed'
"""
MISSIONS_OF = """
    INSERT INTO missions (project_id, title, ready, origin, fallback_item_id)
    SELECT project_id, title, true, 'fallback', id FROM mission_fallback_items
    WHERE id = ANY (%(items)s) AND status = 'proposed'
"""
ACCEPT = """
    UPDATE mission_fallback_items i SET status = 'accepted', mission_id = m.id
    FROM missions m WHERE m.fallback_item_id = i.id AND i.id = ANY (%(items)s) AND i.status = 'proposed'
"""
NO_MISSIONS_OF = "DELETE FROM missions WHERE fallback_item_id = ANY (%(items)s)"
MOVE_TO_ANOTHER_RUN = """
    UPDATE mission_fallback_items i
    SET mission_fallback_run_id = r.id, estimated_effort_minutes = (1 + random() * 90)::int
    FROM (SELECT id FROM mission_fallback_runs WHERE project_id = %(project)s ORDER BY random() LIMIT 1) r
    WHERE i.id = ANY (%(items)s)
"""
DELETE_ITEMS = "DELETE FROM mission_fallback_items WHERE id = ANY (%(items)s)"
# One of the oldest rows, so that connections compete for few rows.
ONE_MISSION = """(
    SELECT id FROM (SELECT id FROM missions WHERE project_id = %(project)s ORDER BY id LIMIT 8) oldest
    ORDER BY random() LIMIT 1
)"""
NEW_MISSION = "INSERT INTO missions (project_id, title, ready) VALUES (%(project)s, 'Mission', true)"
MOVE_MISSION = f"""
    UPDATE missions SET list = (ARRAY['todo', 'doing', 'review', 'done', 'done'])[1 + floor(random() * 5)::int]
    WHERE id = {ONE_MISSION}
"""
WAIT_FOR = f"""
    INSERT INTO mission_dependencies (mission_id, depends_on_id)
    SELECT a, b FROM {ONE_MISSION} x (a), {ONE_MISSION} y (b) WHERE a <> b
"""
WAIT_NO_LONGER = """
    DELETE FROM mission_dependencies WHERE id =
        (SELECT d.id FROM mission_dependencies d JOIN missions m ON m.id = d.mission_id
         WHERE m.project_id = %(project)s ORDER BY random() LIMIT 1)
"""
DELETE_MISSION = f"DELETE FROM missions WHERE id = {ONE_MISSION}"
DELETE_RUN = """
    DELETE FROM mission_fallback_runs WHERE id =
        (SELECT id FROM mission_fallback_runs WHERE project_id = %(project)s ORDER BY random() LIMIT 1)
"""
SOMEWHERE = """
    SELECT p.id, r.id FROM projects p LEFT JOIN mission_fallback_runs r ON r.project_id = p.id ORDER BY random() LIMIT 1
"""
DELETE_PROJECT = "DELETE FROM projects WHERE id = %(project)s"

# Weight, lock, rows and statements of each operation. A transaction of several statements stays within one
# run and locks the allowance before the run, as an acceptance does.
BOARD = [
    (6, None, None, [NEW_MISSION]),
    (24, None, None, [MOVE_MISSION]),
    (24, None, None, [WAIT_FOR]),
    (8, None, None, [WAIT_NO_LONGER]),
    (6, None, None, [DELETE_MISSION]),
]
OPERATIONS = [
    *BOARD,
    (20, None, None, [PROPOSE]),
    (14, SHARE, WAITING, [DISCARD]),
    (14, SHARE, WAITING, [MISSIONS_OF, ACCEPT]),
    (8, SHARE, WAITING_OF_RUN, [MISSIONS_OF, ACCEPT, PROPOSE]),
    (8, ALONE, ACCEPTED, [NO_MISSIONS_OF, PROPOSE_AGAIN]),
    (6, SHARE, ANY, [MOVE_TO_ANOTHER_RUN]),
    (4, SHARE, ANY, [DELETE_ITEMS]),
    (4, SHARE, ANY_OF_RUN, [DELETE_ITEMS, PROPOSE]),
    (4, None, None, [NEW_RUN]),
    (3, None, None, [DELETE_RUN]),
    (1, None, None, [DELETE_PROJECT, NEW_PROJECT]),
]


def one_transaction(session: psycopg.Connection, chance: random.Random, operations) -> int:
    """Run a random operation in a project, rolled back at times. Returns the number of effective statements."""
    _often, lock, which, statements = chance.choices(operations, [operation[0] for operation in operations])[0]
    changes = 0
    with session.transaction() as whole:
        if lock:
            session.execute(lock)
        project, run = session.execute(SOMEWHERE).fetchone() or (None, None)
        with_ = {"project": project, "run": run, "some": chance.randint(1, 4)}
        if which:
            with_["items"] = [key for (key,) in session.execute(which, with_)]
        for statement in statements:
            changes += session.execute(statement, with_).rowcount > 0
        if chance.random() < 0.15:
            raise psycopg.Rollback(whole)
    return changes


def run_concurrently(changes: int, operations=OPERATIONS, *, until: str = "") -> Counter:
    """Run eight connections until the number of changes is reached, or a transaction ends like `until`.

    How many ended how: "transactions" that did not fail, "deadlocks", "rejected: <rule>"; and how many "changes".
    """
    ended, guard = Counter(), threading.Lock()

    def operation(number: int) -> None:
        chance = random.Random(number)
        with own_connection() as session:
            while ended["changes"] < changes and not (until and ended[until]):
                try:
                    done, how = one_transaction(session, chance, operations), "transactions"
                except psycopg.errors.DeadlockDetected:
                    done, how = 0, "deadlocks"
                except psycopg.IntegrityError as rejected:
                    done, how = 0, f"rejected: {rejected.diag.constraint_name}"
                with guard:
                    ended["changes"] += done
                    ended[how] += 1

    OrganizationFactory()
    for _project in range(PROJECTS):
        rows(NEW_PROJECT)
    before = deadlocks()
    with ThreadPoolExecutor(CONNECTIONS) as people:
        list(people.map(operation, range(CONNECTIONS)))
    ended["deadlocks"] = max(ended["deadlocks"], deadlocks() - before)
    return ended


def deadlocks() -> int:
    """The number of deadlocks that the server has counted in this database."""
    rows("SELECT pg_stat_clear_snapshot()")
    return row("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0]


def drift() -> list[tuple]:
    return rows("SELECT * FROM drifted_fallback_runs()") + rows("SELECT * FROM drifted_missions()")


# Allowances are at least the accepted proposals: deleting a proposal releases nothing.
OVERDRAWN = """
    SELECT a.* FROM mission_fallback_allowances a
    LEFT JOIN (
        SELECT project_id, 'week' AS period, counted_week AS starts_on, count(*) AS used
        FROM mission_fallback_items WHERE status = 'accepted' GROUP BY 1, 3
        UNION ALL
        SELECT project_id, 'month', counted_month, sum(estimated_effort_minutes)
        FROM mission_fallback_items WHERE status = 'accepted' GROUP BY 1, 3
    ) n USING (project_id, period, starts_on)
    WHERE a.used < coalesce(n.used, 0) OR a.used > a.allowed OR a.used < 0
"""


# --- Tests ------------------------------------------------------------------------------------


@pytest.mark.seed("004 counters: inserts, updates, deletes, cascades, rollbacks from 8 connections")
@pytest.mark.deletes("mission_fallback_items", "mission_fallback_runs", "projects")
def test_concurrent_writes_neither_drift_nor_deadlock():
    ended = run_concurrently(CHANGES)
    print(dict(ended))  # noqa: T201 - the figures of the long proof, with -s
    assert ended["changes"] >= CHANGES
    assert ended["deadlocks"] == 0
    assert drift() == []
    assert rows(OVERDRAWN) == []


@pytest.mark.long
@pytest.mark.seed("004 counters: inserts, updates, deletes, cascades, rollbacks from 8 connections", control=True)
@pytest.mark.deletes("mission_fallback_items", "mission_fallback_runs", "projects")
def test_without_counting_trigger_items_drift():
    table = "ALTER TABLE mission_fallback_items {} TRIGGER mission_fallback_items_count_changed"
    with without(table.format("DISABLE"), table.format("ENABLE")):
        run_concurrently(200)
    assert rows("SELECT * FROM drifted_fallback_runs()") != []


@pytest.mark.long
@pytest.mark.seed("004 counters: inserts, updates, deletes, cascades, rollbacks from 8 connections", control=True)
@pytest.mark.deletes("mission_fallback_items", "mission_fallback_runs", "projects")
def test_without_counting_dependents_missions_drift():
    table = "ALTER TABLE missions {} TRIGGER missions_count_dependents"
    with without(table.format("DISABLE"), table.format("ENABLE")):
        run_concurrently(400, BOARD)
    assert rows("SELECT * FROM drifted_missions()") != []


@pytest.mark.long
@pytest.mark.seed("004 counters: inserts, updates, deletes, cascades, rollbacks from 8 connections", control=True)
@pytest.mark.deletes("mission_fallback_items", "mission_fallback_runs", "projects")
def test_without_exclusive_lock_deletions_deadlock():
    tables = ("missions", "mission_fallback_runs", "projects")
    triggers = "; ".join(f"ALTER TABLE {table} {{0}} TRIGGER {table}_exclusive_lock" for table in tables)
    shared = [(often, lock and SHARE, which, statements) for often, lock, which, statements in OPERATIONS]
    with without(triggers.format("DISABLE"), triggers.format("ENABLE")):
        assert run_concurrently(5000, shared, until="deadlocks")["deadlocks"] > 0


@pytest.mark.seed("004 triggers keep the counts of runs")
def test_truncate_of_items_resets_counts_of_runs():
    ItemFactory()
    execute_as_owner("TRUNCATE mission_fallback_items CASCADE")
    assert rows("SELECT generated_count FROM mission_fallback_runs") == [(0,)]
    assert drift() == []

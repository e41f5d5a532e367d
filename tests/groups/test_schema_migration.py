"""The mission schema database on databases with data: forward, back, forward again, through Django's migrate."""

import io
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError
from django.test import override_settings

from tests.migrating import Database, databases_of

# Shipped migrations do not change (tests/common/test_upgrade.py); a build upgrades a released database.
pytestmark = pytest.mark.long

CHECKOUT = Path(settings.BASE_DIR)
COLONY = "10000000-0000-0000-0000-000000000001"
# Every table with rows of people's own, in the order of their first columns.
TABLES = ["members", "groups", "memberships", "tasks", "events"]
HISTORY = ["members_history", "groups_history", "memberships_history", "tasks_history"]


@pytest.fixture(scope="module")
def databases(request, django_db_setup, django_db_blocker):
    return databases_of(request.config, django_db_blocker)


@pytest.fixture(scope="module", params=["groups", "everything"])
def scope(request) -> str:
    """What is migrated: this app and what it needs, or the whole site."""
    return request.param


@pytest.fixture(scope="module")
def make(databases):
    """Makes a stage once, from the one before it; returns the name of its database."""
    stages = {
        "upgraded": ("before", forward),
        "after": ("upgraded", migrate_and_use),
        "back_before_membership_periods": ("after", lambda database, _scope: back_to(database, "0002")),
        "back": ("back_before_membership_periods", lambda database, _scope: back_to(database, "0001")),
    }

    def make(stage: str, scope: str = "") -> str:
        if stage == "before":
            return databases.once("story_before", databases.migrated("groups_0001"), tell_before)
        earlier, apply = stages[stage]
        return databases.once(f"story_{scope}_{stage}", make(earlier, scope), lambda database: apply(database, scope))

    return make


@pytest.fixture
def before(databases, make):
    """The schema before the database, with a community in it."""
    return databases.copy(make("before"), "test")


@pytest.fixture
def upgraded(databases, make, scope):
    """The database make, and nothing done since."""
    return databases.copy(make("upgraded", scope), "test")


@pytest.fixture
def after(databases, make, scope):
    """The database make, and lived in: thresholds, ended stays, a return, edits with their history."""
    return databases.copy(make("after", scope), "test")


@pytest.fixture
def back_before_membership_periods(databases, make, scope):
    """Lived in, and taken back to the first step of the database: the next one back is that of the stays."""
    return databases.copy(make("back_before_membership_periods", scope), "test_back")


@pytest.fixture
def back(databases, make, scope):
    """Lived in, and taken back to before the database."""
    return databases.copy(make("back", scope), "test_back")


def forward(database: Database, scope: str) -> None:
    database.migrate(*([] if scope == "everything" else [scope]))


def back_to(database: Database, name: str) -> None:
    with override_settings(GROUPS_ROLLBACK_WITH_BACKUP=True):
        database.migrate("groups", name)


def rows(database: Database) -> dict[str, list]:
    # Where a count is kept, merged or not, is no fact about the group.
    row = "to_jsonb(t) - '{merged_member_count,merged_membership_count,merged_open_task_count}'::text[]"
    return {table: database.sql(f"SELECT {row} FROM {table} t ORDER BY ({row})::text") for table in [*TABLES, *HISTORY]}


def tell_before(database: Database) -> None:
    database.sql(
        """
        INSERT INTO members (email, display_name) SELECT 'm' || i || '@example.org', 'Member ' || i
        FROM generate_series(1, 5) i;
        INSERT INTO groups (id, name, type, created_at)
        VALUES ('10000000-0000-0000-0000-000000000001', 'Future''s Edge', 'colony', '2026-01-01');
        INSERT INTO groups (name, type, parent_group_id, created_at, description) VALUES
            ('Older than the webinars', 'mission', '10000000-0000-0000-0000-000000000001', '2026-01-02', 'a'),
            ('Webinar Series Season 0', 'mission', '10000000-0000-0000-0000-000000000001', '2026-01-03', 'b'),
            ('Newer than the webinars', 'mission', '10000000-0000-0000-0000-000000000001', '2026-01-04', 'c');
        INSERT INTO groups (name, type, created_at) VALUES ('A second colony', 'colony', '2026-01-05');
        INSERT INTO memberships (member_id, group_id, role)
        SELECT m.id, g.id, 'Role of ' || g.name FROM members m, groups g;
        INSERT INTO tasks (group_id, title) SELECT id, 'Task in ' || name FROM groups;
        INSERT INTO events (type, group_id) SELECT 'group.created', id FROM groups;
        """
    )


def migrate_and_use(database: Database, _scope: str) -> None:
    database.sql(
        """
        UPDATE groups SET min_trust_score = 250 WHERE stable_id = 'FE-M-00002';
        UPDATE memberships SET status = 'left', left_at = joined_at + interval '3 days'
        WHERE group_id = (SELECT id FROM groups WHERE stable_id = 'FE-M-00002');
        INSERT INTO memberships (member_id, group_id, role)
        SELECT m.id, g.id, 'Back again' FROM members m, groups g
        WHERE m.member_id = 'FE-P-00001' AND g.stable_id = 'FE-M-00002';
        UPDATE tasks SET title = title || ', edited';
        """
    )


@pytest.mark.seed(
    "000 AC2",
    "000 AC4",
    "000 AC5",
    "000 Step 2",
    "000 FE-G-00001, threshold NULL",
    "000 FE-M-00001, threshold 0",
    "000 the migration is applied",
    "000 unique rule against existing memberships",
    "000 stable IDs against groups made by hand",
    "000 existing data preserved",
)
def test_migrate_adds_stable_ids_and_keeps_rows(before, upgraded):
    memberships = before.sql("SELECT member_id, group_id, role, joined_at FROM memberships ORDER BY 1, 2")
    assert upgraded.sql("SELECT stable_id, name, min_trust_score FROM groups ORDER BY stable_id") == [
        ("FE-G-00001", "Future's Edge", None),
        ("FE-G-00002", "A second colony", None),
        ("FE-M-00001", "Webinar Series Season 0", 0),
        ("FE-M-00002", "Older than the webinars", 0),
        ("FE-M-00003", "Newer than the webinars", 0),
    ]
    assert upgraded.sql("SELECT member_id, group_id, role, joined_at FROM memberships ORDER BY 1, 2") == memberships
    assert upgraded.sql("SELECT DISTINCT status, left_at FROM memberships") == [("active", None)]
    assert upgraded.sql("SELECT count(DISTINCT id) FROM memberships") == [(25,)]
    assert upgraded.sql("SELECT count(*) FROM tasks") == upgraded.sql("SELECT count(*) FROM events") == [(5,)]
    assert upgraded.sql("SELECT * FROM mission_counter_drift()") == []
    assert upgraded.sql("INSERT INTO groups (name, type) VALUES ('Next', 'colony') RETURNING stable_id") == [
        ("FE-G-00003",)
    ]


@pytest.mark.seed(
    "000 going back drops the columns",
    "000 going back restores the primary key",
    "site upgrade: data before, forward, back, forward; same rows, same schema dump",
)
def test_round_trip_gives_same_rows_and_schema(after, back, scope):
    assert back.sql("SELECT count(*) FROM memberships") == [(21,)], "every active membership is still there"
    assert back.sql("SELECT count(*) FROM memberships_backup WHERE status = 'left'") == [(5,)]
    forward(back, scope)
    assert rows(back) == rows(after)
    assert back.schema() == after.schema()
    assert back.sql("SELECT * FROM mission_counter_drift()") == []


@pytest.mark.seed("000 going back loses nothing silently")
def test_rollback_stops_and_names_ended_memberships(after):
    was, schema = rows(after), after.schema()
    # What manage.py prints as it is, without a traceback.
    with pytest.raises(CommandError) as rejected:
        after.migrate("groups", "0001")
    assert rejected.value.returncode == 1
    assert "cannot hold 5 ended memberships" in str(rejected.value)
    assert "FE-P-00001 in FE-M-00002" in str(rejected.value)
    assert "GROUPS_ROLLBACK_WITH_BACKUP=on" in str(rejected.value)
    assert rows(after) == was
    assert after.schema() == schema


@pytest.mark.seed("000 going back loses nothing silently")
def test_reverse_sql_rejects_ended_memberships(back_before_membership_periods):
    sql = (CHECKOUT / "groups/sql/data/membership_periods.reverse.sql").read_text()
    with pytest.raises(psycopg.errors.CheckViolation) as rejected:
        back_before_membership_periods.sql(sql)
    assert rejected.value.diag.constraint_name == "memberships_rollback_keeps_ended"
    assert back_before_membership_periods.sql("SELECT count(*) FROM memberships WHERE status = 'left'") == [(5,)]


@pytest.mark.seed("000 going back loses nothing silently")
def test_group_deleted_after_rollback_keeps_id_retired(back):
    back.sql(
        """
        ALTER TABLE events DISABLE TRIGGER events_append_only;
        WITH gone AS (SELECT id FROM groups WHERE name = 'Newer than the webinars'),
             t AS (DELETE FROM tasks WHERE group_id IN (SELECT id FROM gone)),
             e AS (DELETE FROM events WHERE group_id IN (SELECT id FROM gone)),
             m AS (DELETE FROM memberships WHERE group_id IN (SELECT id FROM gone))
        DELETE FROM groups WHERE id IN (SELECT id FROM gone);
        ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only;
        """
    )
    back.migrate("groups", "0002")
    assert back.sql("SELECT stable_id FROM retired_stable_ids WHERE stable_id LIKE 'FE-M-%%'") == [("FE-M-00003",)]
    with pytest.raises(psycopg.errors.UniqueViolation):
        back.sql("INSERT INTO groups (stable_id, name, parent_group_id) VALUES ('FE-M-00003', 'Again', %s)", [COLONY])


@pytest.mark.seed("000 Step 2")
def test_migration_stops_at_mission_below_mission(before):
    before.sql(
        """INSERT INTO groups (name, type, parent_group_id)
           SELECT 'Misplaced', 'mission', id FROM groups WHERE name = 'Webinar Series Season 0'"""
    )
    schema = before.schema()
    with pytest.raises(DatabaseError, match="the parent of these missions is no colony: Misplaced"):
        before.migrate("groups", "0002")
    assert before.schema() == schema


# The seed's four validation blocks and three manual tests, in words of our own, as one would type them into psql.
VALIDATION = """
DO $$ BEGIN
    IF (SELECT count(*) FROM groups WHERE stable_id IS NULL) > 0 THEN RAISE EXCEPTION 'missing stable IDs'; END IF;
    RAISE NOTICE 'first passes';
END $$;
DO $$ BEGIN
    IF EXISTS (SELECT FROM groups GROUP BY stable_id HAVING count(*) > 1) THEN RAISE EXCEPTION 'repeated IDs'; END IF;
    RAISE NOTICE 'second passes';
END $$;
DO $$
DECLARE
    no_one uuid := '00000000-0000-0000-0000-000000000000';
    webinars uuid := '20000000-0000-0000-0000-000000000001';
BEGIN
    INSERT INTO memberships (member_id, group_id, role, joined_at, status)
    VALUES (no_one, webinars, 'Member', now(), 'active');
    BEGIN
        INSERT INTO memberships (member_id, group_id, role, joined_at, status)
        VALUES (no_one, webinars, 'Member', now(), 'active');
        RAISE EXCEPTION 'two active memberships';
    EXCEPTION WHEN unique_violation THEN
        RAISE NOTICE 'third rejects';
    END;
    UPDATE memberships SET status = 'left', left_at = now()
    WHERE member_id = no_one AND group_id = webinars AND status = 'active';
    INSERT INTO memberships (member_id, group_id, role, joined_at, status)
    VALUES (no_one, webinars, 'Member', now(), 'active');
    RAISE NOTICE 'third passes';
    DELETE FROM memberships WHERE member_id = no_one AND group_id = webinars;
END $$;
DO $$ BEGIN
    IF (SELECT count(*) FROM get_active_missions('00000000-0000-0000-0000-000000000000'::uuid, 0)) <> 3 THEN
        RAISE EXCEPTION 'not three missions';
    END IF;
    PERFORM count(*) FROM get_mission_members('20000000-0000-0000-0000-000000000001'::uuid);
    RAISE NOTICE 'fourth passes';
END $$;
"""
MANUAL = """
SELECT stable_id, name, type, min_trust_score FROM groups ORDER BY stable_id;
SELECT name, is_eligible FROM get_active_missions('00000000-0000-0000-0000-000000000000'::uuid, 0);
INSERT INTO memberships (member_id, group_id, role, joined_at, status)
VALUES ('00000000-0000-0000-0000-000000000000', '20000000-0000-0000-0000-000000000001', 'Member', now(), 'active');
UPDATE memberships SET status = 'left', left_at = now()
WHERE member_id = '00000000-0000-0000-0000-000000000000' AND group_id = '20000000-0000-0000-0000-000000000001';
INSERT INTO memberships (member_id, group_id, role, joined_at, status)
VALUES ('00000000-0000-0000-0000-000000000000', '20000000-0000-0000-0000-000000000001', 'Member', now(), 'active');
DELETE FROM memberships
WHERE member_id = '00000000-0000-0000-0000-000000000000' AND group_id = '20000000-0000-0000-0000-000000000001';
"""


def psql(database: Database, script: str) -> subprocess.CompletedProcess:
    """Feed a script to `manage.py dbshell` as the owner: the site's role may delete no memberships."""
    environment = database.environment()
    return subprocess.run(
        [sys.executable, "manage.py", "dbshell", "--", "-v", "ON_ERROR_STOP=1", "-At"],
        cwd=CHECKOUT,
        input=script,
        text=True,
        capture_output=True,
        env=os.environ | environment | {"DATABASE_URL": environment["DATABASE_OWNER_URL"]},
        timeout=300,
    )


@pytest.mark.seed(
    "000 AC6",
    "000 AC9",
    "000 AC10",
    "000 AC11",
    "000 Validation 1",
    "000 Validation 2",
    "000 Validation 3",
    "000 Validation 4",
    "000 Test 1",
    "000 Test 2",
    "000 Test 3",
    "000 FE-M-00002, threshold 250",
    "000 FE-M-00003, threshold 500",
    "000 3 active missions, 4 groups",
    "000 IDs of colony, missions and system member (10000000-…, 20000000-…, 00000000-…)",
    "000 manual tests done",
)
def test_seed_sql_and_validation_command_pass(databases, scope):
    database = databases.copy(databases.migrated(scope), "test_seeds")
    database.manage("loaddata", "seeds", app_label=None if scope == "everything" else scope, verbosity=0)
    ran = psql(database, VALIDATION + MANUAL)
    assert ran.returncode == 0, ran.stderr
    for passed in ("first passes", "second passes", "third rejects", "third passes", "fourth passes"):
        assert passed in ran.stderr
    assert ran.stdout.splitlines() == [
        *["DO"] * 4,
        "FE-G-00001|Future's Edge|colony|",
        "FE-M-00001|Webinar Series Season 0|mission|0",
        "FE-M-00002|Content Creation|mission|250",
        "FE-M-00003|Platform Development|mission|500",
        "Webinar Series Season 0|t",
        "Content Creation|f",
        "Platform Development|f",
        "INSERT 0 1",
        "UPDATE 1",
        "INSERT 0 1",
        "DELETE 2",
    ]
    passing = io.StringIO()
    database.manage("validate_missions", stdout=passing)
    assert passing.getvalue().count("PASS") == 7

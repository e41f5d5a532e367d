"""The mission schema migration on databases with data: forward, back, forward again, through manage.py."""

import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from psycopg.conninfo import make_conninfo

from missionsite import embedded

CHECKOUT = Path(settings.BASE_DIR)
COLONY = "10000000-0000-0000-0000-000000000001"
# The tables with data, in the order of their first columns.
TABLES = ["members", "groups", "memberships", "tasks", "events"]
HISTORY = ["members_history", "groups_history", "memberships_history", "tasks_history"]


class MigrationDatabase:
    """An empty database of its own, reached through manage.py and as its owner."""

    def __init__(self, name: str) -> None:
        self.name = name
        owner = settings.DATABASE_OWNER
        self.owner = {key: owner[key.upper()] for key in ("host", "port", "user", "password")}

    def connect(self, database: str | None = None) -> psycopg.Connection:
        return psycopg.connect(make_conninfo(**self.owner, dbname=database or self.name), autocommit=True)

    def sql(self, query: str, parameters=None) -> list[tuple]:
        with self.connect() as session:
            cursor = session.execute(query, parameters)
            return cursor.fetchall() if cursor.description else []

    def manage(self, *arguments: str, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess:
        app = settings.DATABASES["default"]
        url = "postgres://{user}:{password}@{host}:{port}/" + self.name
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=CHECKOUT,
            input=stdin,
            text=True,
            capture_output=True,
            env=os.environ
            | {
                "DATABASE_URL": url.format(**{k: app[k.upper()] for k in ("user", "password", "host", "port")}),
                "DATABASE_OWNER_URL": url.format(**self.owner),
                "SECRET_KEY": "only for this test " * 4,
            }
            | environment,
        )

    def migrate(self, *target: str, **environment: str) -> None:
        done = self.manage("migrate", "-v0", *target, **environment)
        assert done.returncode == 0, done.stderr

    def rows(self) -> dict[str, list]:
        # Whether a count is merged yet does not matter.
        row = "to_jsonb(t) - '{merged_member_count,merged_membership_count,merged_open_task_count}'::text[]"
        return {table: self.sql(f"SELECT {row} FROM {table} t ORDER BY ({row})::text") for table in [*TABLES, *HISTORY]}

    def schema(self) -> str:
        dump = subprocess.run(
            [embedded.psql_path().with_name("pg_dump"), "--schema-only", make_conninfo(**self.owner, dbname=self.name)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        # Newer versions guard a dump with a random word.
        return re.sub(r"^\\(un)?restrict .*$", "", dump, flags=re.MULTILINE)


class Databases:
    """Makes databases and copies of them: migrating one for each test would take most of the time."""

    def __init__(self) -> None:
        self.made: dict[str, MigrationDatabase] = {}

    def copy(self, of: str | None, name: str) -> MigrationDatabase:
        database = MigrationDatabase(f"migration_{os.getpid()}_{name}")
        with database.connect("postgres") as session:
            session.execute(f"DROP DATABASE IF EXISTS {database.name} WITH (FORCE)")
            template = f"TEMPLATE {self.made[of].name}" if of else ""
            session.execute(f"CREATE DATABASE {database.name} {template}")
        self.made[name] = database
        return database

    def drop(self) -> None:
        for database in self.made.values():
            with database.connect("postgres") as session:
                session.execute(f"DROP DATABASE IF EXISTS {database.name} WITH (FORCE)")


@pytest.fixture(scope="module")
def databases(django_db_setup):
    databases = Databases()
    yield databases
    databases.drop()


@pytest.fixture
def database(databases):
    return databases.copy(None, "empty")


@pytest.fixture
def before(databases):
    """The schema before the migration, with members and memberships."""
    if "before" not in databases.made:
        fill_before(databases.copy(None, "before"))
    return databases.copy("before", "test")


@pytest.fixture
def after(databases, before):
    """Migrated and used: thresholds, ended memberships, a re-join, edits with their history."""
    if "after" not in databases.made:
        migrate_and_use(databases.copy("before", "after"))
    return databases.copy("after", "test")


@pytest.fixture
def back_before_membership_periods(databases, after):
    """Migrated, used, and rolled back to 0002: the next step back is that of the membership periods."""
    if "before_membership_periods" not in databases.made:
        databases.copy("after", "before_membership_periods").migrate("groups", "0002", GROUPS_ROLLBACK_WITH_BACKUP="on")
    return databases.copy("before_membership_periods", "test_back")


@pytest.fixture
def back(databases, back_before_membership_periods):
    """Migrated, used, and rolled back to before the migration."""
    if "back" not in databases.made:
        databases.copy("before_membership_periods", "back").migrate("groups", "0001", GROUPS_ROLLBACK_WITH_BACKUP="on")
    return databases.copy("back", "test_back")


def fill_before(database: MigrationDatabase) -> None:
    database.migrate("groups", "0001")
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
    return database


def migrate_and_use(database: MigrationDatabase) -> None:
    database.migrate()
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


def test_migrate_adds_stable_ids_and_keeps_rows(before):
    memberships = before.sql("SELECT member_id, group_id, role, joined_at FROM memberships ORDER BY 1, 2")
    before.migrate()
    assert before.sql("SELECT stable_id, name, min_trust_score FROM groups ORDER BY stable_id") == [
        ("FE-G-00001", "Future's Edge", None),
        ("FE-G-00002", "A second colony", None),
        ("FE-M-00001", "Webinar Series Season 0", 0),
        ("FE-M-00002", "Older than the webinars", 0),
        ("FE-M-00003", "Newer than the webinars", 0),
    ]
    assert before.sql("SELECT member_id, group_id, role, joined_at FROM memberships ORDER BY 1, 2") == memberships
    assert before.sql("SELECT DISTINCT status, left_at FROM memberships") == [("active", None)]
    assert before.sql("SELECT count(DISTINCT id) FROM memberships") == [(25,)]
    assert before.sql("SELECT count(*) FROM tasks") == before.sql("SELECT count(*) FROM events") == [(5,)]
    assert before.sql("SELECT * FROM mission_counter_drift()") == []
    assert before.sql("INSERT INTO groups (name, type) VALUES ('Next', 'colony') RETURNING stable_id") == [
        ("FE-G-00003",)
    ]


def test_round_trip_gives_same_rows_and_schema(after, back):
    assert back.sql("SELECT count(*) FROM memberships") == [(21,)], "every active membership is still there"
    assert back.sql("SELECT count(*) FROM memberships_backup WHERE status = 'left'") == [(5,)]
    back.migrate()
    assert back.rows() == after.rows()
    assert back.schema() == after.schema()
    assert back.sql("SELECT * FROM mission_counter_drift()") == []


def test_rollback_stops_and_names_ended_memberships(after):
    rows, schema = after.rows(), after.schema()
    rejected = after.manage("migrate", "groups", "0001")
    assert rejected.returncode == 1
    assert "cannot hold 5 ended memberships" in rejected.stderr
    assert "FE-P-00001 in FE-M-00002" in rejected.stderr
    assert "GROUPS_ROLLBACK_WITH_BACKUP=on" in rejected.stderr
    assert "Traceback" not in rejected.stderr
    assert after.rows() == rows
    assert after.schema() == schema


def test_reverse_sql_rejects_ended_memberships(back_before_membership_periods):
    sql = (CHECKOUT / "groups/migrations/sql/membership_periods.reverse.sql").read_text()
    with pytest.raises(psycopg.errors.CheckViolation) as rejected:
        back_before_membership_periods.sql(sql)
    assert rejected.value.diag.constraint_name == "memberships_rollback_keeps_ended"
    assert back_before_membership_periods.sql("SELECT count(*) FROM memberships WHERE status = 'left'") == [(5,)]


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
    back.migrate()
    assert back.sql("SELECT stable_id FROM retired_stable_ids WHERE stable_id LIKE 'FE-M-%%'") == [("FE-M-00003",)]
    with pytest.raises(psycopg.errors.UniqueViolation):
        back.sql("INSERT INTO groups (stable_id, name, parent_group_id) VALUES ('FE-M-00003', 'Again', %s)", [COLONY])


def test_migration_stops_at_mission_below_mission(before):
    before.sql(
        """INSERT INTO groups (name, type, parent_group_id)
           SELECT 'Misplaced', 'mission', id FROM groups WHERE name = 'Webinar Series Season 0'"""
    )
    schema = before.schema()
    rejected = before.manage("migrate", "groups", "0002")
    assert rejected.returncode != 0
    assert "the parent of these missions is no colony: Misplaced" in rejected.stderr
    assert before.schema() == schema


# The seed's four validation blocks and three manual tests, reworded, as typed into psql.
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
    system_member uuid := '00000000-0000-0000-0000-000000000000';
    webinars uuid := '20000000-0000-0000-0000-000000000001';
BEGIN
    INSERT INTO memberships (member_id, group_id, role, joined_at, status)
    VALUES (system_member, webinars, 'Member', now(), 'active');
    BEGIN
        INSERT INTO memberships (member_id, group_id, role, joined_at, status)
        VALUES (system_member, webinars, 'Member', now(), 'active');
        RAISE EXCEPTION 'two active memberships';
    EXCEPTION WHEN unique_violation THEN
        RAISE NOTICE 'third rejects';
    END;
    UPDATE memberships SET status = 'left', left_at = now()
    WHERE member_id = system_member AND group_id = webinars AND status = 'active';
    INSERT INTO memberships (member_id, group_id, role, joined_at, status)
    VALUES (system_member, webinars, 'Member', now(), 'active');
    RAISE NOTICE 'third passes';
    DELETE FROM memberships WHERE member_id = system_member AND group_id = webinars;
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


def test_seed_sql_and_validation_command_pass(database):
    database.migrate()
    assert database.manage("loaddata", "seeds").returncode == 0
    validated = database.manage("dbshell", "--", "-v", "ON_ERROR_STOP=1", stdin=VALIDATION)
    assert validated.returncode == 0, validated.stderr
    for passed in ("first passes", "second passes", "third rejects", "third passes", "fourth passes"):
        assert passed in validated.stderr
    manual = database.manage("dbshell", "--", "-v", "ON_ERROR_STOP=1", "-At", stdin=MANUAL)
    assert manual.returncode == 0, manual.stderr
    assert manual.stdout.splitlines() == [
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
    passing = database.manage("validate_missions")
    assert passing.returncode == 0
    assert passing.stdout.count("PASS") == 7
    database.sql("DROP INDEX idx_memberships_active_unique")
    failing = database.manage("validate_missions")
    assert failing.returncode == 1
    assert "FAIL  A second active membership is rejected: a member got a second active membership" in failing.stdout
    assert "Traceback" not in failing.stderr

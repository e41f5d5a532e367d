"""The migrations of the directory: a clean database, back, and forward again, with people in it."""

import psycopg
import pytest

from tests.groups.directory_tables import INDEXES
from tests.migrating import Database, databases_of

# Shipped migrations do not change (tests/common/test_upgrade.py); a build upgrades a released database.
pytestmark = pytest.mark.long

BEFORE = ("groups", "0002")
TABLES = [
    "community_invitations",
    "community_members",
    "member_relationships",
    "member_participation",
    "member_daily_highlights",
]
BESIDE = [
    "community_members_history",
    "community_invitations_history",
    "community_invitation_uses",
    "member_merges",
    "participation_changes",
    "community_returns",
    "import_mappings",
    "taggings",
    "notes",
    "custom_values",
    "people_jobs",
    "possible_duplicates",
]
# What later migrations add to the tables before the directory.
ADDED = {"members": ["merged_into_id"], "events": []}

USED = """
    INSERT INTO events (type) VALUES ('group.created');
    INSERT INTO members (email, display_name) SELECT 'm' || i || '@example.org', 'Member ' || i
    FROM generate_series(1, 4) i;
    INSERT INTO community_members (person_id, telegram_id, name, primary_role, status)
    SELECT id, 'tg ' || email, display_name, 'founder', 'active' FROM members;
    UPDATE community_members SET invited_by = '#1' WHERE member_id IN ('#2', '#3');
    INSERT INTO community_invitations (invitation_code, created_by, status, expires_at)
    VALUES ('23456789ABCDEFGH', '#1', 'pending', '2999-01-04Z');
    INSERT INTO member_relationships (entity_id_a, entity_id_b, relationship_type, content)
    VALUES ('#1', '#2', 'INVITED', '{"a": 1}');
    INSERT INTO member_participation (member_id, event_type, platform, room_id, occurred_at)
    SELECT '#' || i % 4 + 1, 'MESSAGE', 'telegram', 'room', '2026-01-05Z'::timestamptz + i * interval '1 hour'
    FROM generate_series(1, 100) i;
    SELECT roll_up_highlights('{"MESSAGE": 1}', 50);
"""


@pytest.fixture(scope="module")
def databases(request, django_db_setup, django_db_blocker):
    return databases_of(request.config, django_db_blocker)


@pytest.fixture(scope="module")
def back(databases):
    """A clean database, used and migrated back."""
    database = databases.copy(databases.migrated("groups"), "directory_back")
    database.schema_then = database.schema()
    database.sql(USED)
    database.rows_then = rows_of(database)
    database.migrate(*BEFORE)
    return database


@pytest.fixture(scope="module")
def again(back, databases):
    """Forward once more."""
    database = databases.copy("directory_back", "directory_again")
    database.migrate("groups")
    return database


def rows_of(database: Database) -> dict[str, list]:
    return {
        table: database.sql(f"SELECT to_jsonb(t) - %s::text[] FROM {table} t ORDER BY to_jsonb(t)::text", [added])
        for table, added in ADDED.items()
    }


@pytest.mark.seed("003 AC8", "003 Task 12", "003 Integration 1", "003 Integration 2")
def test_migrate_creates_tables_and_indexes(back):
    # Tables and columns in full: test_directory_columns.py. Here, that one `migrate` is enough.
    assert all(f"CREATE TABLE public.{table} (" in back.schema_then for table in TABLES + BESIDE)
    assert all(index in back.schema_then for index in INDEXES)


@pytest.mark.seed("003 AC9", "003 Task 11", "003 Task 13", "003 Integration 6", "003 Integration 7")
def test_rollback_drops_what_the_migration_created(back):
    left = """
        SELECT tablename FROM pg_tables WHERE tablename = ANY (%s)
        UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            AND proname ~ 'community|invitation|participation|highlight|directory|relationship|counted|check_points'
        UNION ALL SELECT relname FROM pg_class WHERE relkind = 'S' AND relname ~ 'community'
    """
    assert back.sql(left, [TABLES + BESIDE]) == []


@pytest.mark.seed("003 AC9")
def test_rollback_keeps_rows_of_other_tables(back):
    assert rows_of(back) == back.rows_then
    with pytest.raises(psycopg.errors.CheckViolation, match="append-only"):
        back.sql("UPDATE events SET payload = '{\"a\": 1}'")


@pytest.mark.seed("003 Integration 8")
def test_second_migration_gives_same_schema(back, again):
    assert again.schema() == back.schema_then
    assert rows_of(again) == back.rows_then


@pytest.mark.seed("003 Integration 8")
def test_second_migration_installs_working_triggers(again):
    made = """INSERT INTO community_members (telegram_id, name, primary_role) VALUES ('new', 'New', 'other')
              RETURNING member_id"""
    assert again.sql(made) == [("#1",)]
    with pytest.raises(psycopg.errors.CheckViolation) as rejected:
        again.sql("UPDATE community_members SET status = 'active' WHERE member_id = '#1'")
    assert rejected.value.diag.constraint_name == "community_members_status_moves"
    assert again.sql("SELECT count(*) FROM community_members_history") == [(1,)]
    again.sql(
        "INSERT INTO member_participation (member_id, event_type, platform, room_id)"
        " VALUES ('#1', 'MESSAGE', 'telegram', 'room')"
    )
    assert again.sql("""SELECT roll_up_highlights('{"MESSAGE": 1}', 50)""") == [(1,)]

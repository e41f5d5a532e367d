"""The directory's migrations: a clean database, there and back, and again — empty, and with people.

The way back sets rows aside; going forward restores them, with their history, triggers and numbers.
"""

import psycopg
import pytest

from groups.models.invitations import digest_of_code
from tests.groups.test_directory_db import INDEXES
from tests.migrating import Database, databases_of

BEFORE = ("groups", "0006")
TABLES = [
    "community_invitations",
    "community_members",
    "member_relationships",
    "member_participation",
    "member_daily_highlights",
]
BESIDE = ["community_members_history", "community_invitations_history", "participation_changes"]
BEFORE_AND_AFTER = TABLES + BESIDE + [f"{table}_backup" for table in TABLES + BESIDE]

LIVED_IN = """
    INSERT INTO events (type) VALUES ('group.created');
    INSERT INTO members (email, display_name) SELECT 'm' || i || '@example.org', 'Member ' || i
    FROM generate_series(1, 4) i;
    INSERT INTO community_members (person_id, telegram_id, telegram_username, name, primary_role, organization, country,
        github_username, github_verified, github_verified_at, github_profile_data, status, reputation_score,
        registration_fee_paid, registration_fee_tx_hash, profile_data, created_at, updated_at, last_active_at)
    SELECT id, 'tg ' || email, 'at_' || member_id, display_name, 'founder', 'Ours', 'Brazil', 'gh-' || member_id,
        true, '2026-01-02Z', '{"public_repos": 15}', 'active', 1125, true, '0xabc', '{"a": [1, null]}',
        '2026-01-01Z', '2026-01-03Z', '2026-01-04Z' FROM members;
    -- A number far ahead, someone removed, someone erased.
    INSERT INTO community_members (member_id, telegram_id, name, primary_role, status, deleted_at)
    VALUES ('#500', 'far', 'Far ahead', 'other', 'banned', '2026-02-01Z');
    INSERT INTO community_members (telegram_id, name, primary_role) VALUES ('gone', 'Gone', 'student');
    SELECT erase_directory_entry(id) FROM community_members WHERE telegram_id = 'gone';
    UPDATE community_members SET invited_by = '#1' WHERE member_id IN ('#2', '#3');
    -- Two who name each other: neither can be there before the other.
    UPDATE community_members SET invited_by = '#4' WHERE member_id = '#1';
    UPDATE community_members SET invited_by = '#1' WHERE member_id = '#4';
    INSERT INTO community_invitations (invitation_code, created_by, invited_telegram_username, status, expires_at,
        created_at, updated_at, accepted_by, accepted_at)
    VALUES ('23456789ABCDEFGH', '#1', 'bob', 'accepted', '2026-01-04Z', '2026-01-01Z', '2026-01-02Z', '#2',
            '2026-01-02Z'),
        ('23456789ABCDEFGJ', '#1', NULL, 'expired', '2026-01-04Z', '2026-01-01Z', '2026-01-04Z', NULL, NULL),
        ('23456789ABCDEFGK', '#1', NULL, 'pending', '2999-01-04Z', '2026-01-01Z', '2026-01-01Z', NULL, NULL);
    UPDATE community_invitations SET status = 'cancelled' WHERE invitation_code = '23456789ABCDEFGK';
    INSERT INTO member_relationships (entity_id_a, entity_id_b, relationship_type, content, created_at)
    VALUES ('#1', '#2', 'INVITED', '{"a": 1}', '2026-01-02Z'), ('bot:7', '#3', 'MENTORED', '{}', '2026-01-02Z');
    INSERT INTO member_participation (member_id, event_type, platform, room_id, event_metadata, occurred_at)
    SELECT '#' || i % 4 + 1, 'MESSAGE', 'telegram', 'room', '{"n": 1}',
        '2026-01-05Z'::timestamptz + i * interval '1 hour'
    FROM generate_series(1, 100) i;
    SELECT roll_up_highlights('{"MESSAGE": 1}', 50);
    -- Not rolled up yet.
    INSERT INTO member_participation (member_id, event_type, platform, room_id, event_metadata, occurred_at)
    VALUES ('#1', 'VOICE', 'discord', 'call', '{"minutes": 9}', '2026-01-05Z');
"""


@pytest.fixture(scope="module")
def databases(request, django_db_setup, django_db_blocker):
    return databases_of(request.config, django_db_blocker)


@pytest.fixture(scope="module")
def back(databases):
    """A clean database: there, lived in and taken back."""
    database = databases.copy(databases.migrated("groups"), "directory_back")
    database.rows_empty, database.schema_then = rows_of(database), database.schema()
    database.sql(LIVED_IN)
    database.rows_then = rows_of(database)
    database.migrate(*BEFORE)
    return database


@pytest.fixture(scope="module")
def again(back, databases):
    """Forward once more."""
    database = databases.copy("directory_back", "directory_again")
    database.migrate("groups")
    database.rows_then, database.schema_then = back.rows_then, back.schema_then
    return database


def rows_of(database: Database) -> dict[str, list]:
    return {
        table: database.sql(f"SELECT to_jsonb(t) FROM {table} t ORDER BY to_jsonb(t)::text")
        for table in ["members", "events", *TABLES, *BESIDE]
    }


def there(database: Database, tables: list[str]) -> set[str]:
    found = database.sql("SELECT tablename FROM pg_tables WHERE tablename = ANY (%s)", [tables])
    return {table for (table,) in found}


def test_empty_database_gets_tables_and_indexes(back):
    # Tables and columns in full: test_directory_db.py. Here, that one `migrate` is enough.
    assert all(f"CREATE TABLE public.{table} (" in back.schema_then for table in TABLES + BESIDE)
    assert all(index in back.schema_then for index in INDEXES)
    assert {table: rows for table, rows in back.rows_empty.items() if rows} == {}


@pytest.mark.long
def test_round_trip_of_empty_tables_leaves_no_backup(databases):
    database = databases.copy(databases.migrated("groups"), "directory_test")
    schema = database.schema()
    database.migrate(*BEFORE)
    # A history is set aside also when there is nothing in it.
    assert there(database, BEFORE_AND_AFTER) <= {f"{table}_backup" for table in BESIDE if table.endswith("_history")}
    database.migrate("groups")
    assert database.schema() == schema


def test_rollback_removes_objects_and_keeps_rows(back):
    assert there(back, TABLES + BESIDE) == set()
    left = """
        SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            AND proname ~ 'community|invitation|participation|highlight|directory|relationship|counted|odd_points'
        UNION ALL SELECT relname FROM pg_class WHERE relkind = 'S' AND relname ~ 'community'
    """
    assert back.sql(left) == []
    asides = {f"{table}_backup": len(back.rows_then[table]) for table in TABLES + BESIDE}
    assert {table: back.sql(f"SELECT count(*) FROM {table}")[0][0] for table in asides} == asides
    assert min(asides.values()) > 0


def test_site_works_after_rollback(back):
    assert len(back.sql("SELECT 1 FROM members")) == 4
    # Events are as they were, and reject again whatever was possible for an erasure.
    with pytest.raises(psycopg.errors.CheckViolation, match="append-only"):
        back.sql("SET missionsite.erasing = 'on'; UPDATE events SET payload = '{\"a\": 1}'")


def test_round_trip_restores_every_row(again):
    now = rows_of(again)
    for table in again.rows_then:
        assert now[table] == again.rows_then[table], table
    assert there(again, [f"{table}_backup" for table in TABLES + BESIDE]) == set()


def test_round_trip_gives_same_schema(again):
    assert again.schema() == again.schema_then


def test_round_trip_continues_numbers_and_triggers(databases, again):
    database = databases.copy("directory_again", "directory_lived_on")
    made = """INSERT INTO community_members (telegram_id, name, primary_role) VALUES (%s, 'New', 'other')
              RETURNING member_id"""
    # The one who was erased has #501.
    assert database.sql(made, ["new"]) == [("#502",)]
    with pytest.raises(psycopg.errors.UniqueViolation):
        database.sql(made, ["far"])
    with pytest.raises(psycopg.errors.CheckViolation) as rejected:
        database.sql("UPDATE community_members SET status = 'active' WHERE member_id = '#500'")
    assert rejected.value.diag.constraint_name == "community_members_status_moves"
    before = database.sql("SELECT count(*) FROM community_members_history")[0][0]
    database.sql("UPDATE community_members SET country = 'Peru' WHERE member_id = '#2'")
    assert database.sql("SELECT count(*), count(DISTINCT pgh_id) FROM community_members_history") == [
        (before + 1, before + 1)
    ]
    # The day that was not rolled up is, once; everything else was counted before.
    assert database.sql("""SELECT roll_up_highlights('{"MESSAGE": 1}', 50)""") == [(1,)]
    assert database.sql("SELECT sum(message_count), sum(voice_minutes) FROM member_daily_highlights") == [(100, 9)]
    assert database.sql("""SELECT rebuild_highlights('{"MESSAGE": 1}', 50)""") == [(0,)]


# --- Digests instead of codes -------------------------------------------------------------------

CODES = ["23456789ABCDEFGH", "23456789ABCDEFGJ", "23456789ABCDEFGK"]
STORED = "SELECT invitation_code FROM community_invitations ORDER BY expires_at"
IN_HISTORY = "SELECT DISTINCT invitation_code FROM community_invitations_history"


@pytest.fixture(scope="module")
def with_codes(databases):
    """A database of the version before the digests, with invitations in every place their codes were written to."""
    database = databases.copy(databases.migrated("groups_0010"), "codes")
    database.sql(
        """
        INSERT INTO django_content_type (app_label, model) VALUES ('groups', 'communityinvitation')
        ON CONFLICT DO NOTHING;
        INSERT INTO members (email, display_name) VALUES ('a@example.org', 'A');
        INSERT INTO community_members (telegram_id, name, primary_role, status) VALUES ('1', 'A', 'other', 'active');
        INSERT INTO community_invitations (invitation_code, created_by, status, expires_at, updated_at)
        VALUES ('23456789ABCDEFGH', '#1', 'pending', '2999-01-01Z', '2026-01-01Z'),
            ('23456789ABCDEFGJ', '#1', 'expired', '2999-01-02Z', '2026-01-01Z'),
            ('23456789ABCDEFGK', '#1', 'pending', '2999-01-03Z', '2026-01-01Z');
        UPDATE community_invitations SET status = 'cancelled' WHERE invitation_code = '23456789ABCDEFGK';
        INSERT INTO django_admin_log (action_time, object_id, object_repr, action_flag, change_message, content_type_id,
            user_id)
        SELECT now(), i.invitation_id::text, '2345-6789-ABCD-EFGH', 1, '', c.id, m.id
        FROM django_content_type c, members m, community_invitations i
        WHERE c.model = 'communityinvitation' AND i.invitation_code = '23456789ABCDEFGH';
        INSERT INTO pghistory_context (id, created_at, updated_at, metadata)
        SELECT gen_random_uuid(), now(), now(), jsonb_build_object('url', url, 'user', 'x')
        FROM unnest(
            ARRAY['/join/2345-6789-ABCD-EFGH/', '/unsubscribe/abc/', '/deck/feeds/abc.ics', '/admin/', '/join/']
        ) url;
        """
    )
    database.history = database.sql("SELECT count(*) FROM community_invitations_history")
    return database


def test_migration_replaces_codes_with_digests(with_codes):
    database = with_codes
    database.migrate("groups", "0011")
    digests = [digest_of_code(code) for code in CODES]
    assert [code for (code,) in database.sql(STORED)] == digests
    assert {code for (code,) in database.sql(IN_HISTORY)} == set(digests)
    # Nothing was changed about the invitations themselves.
    assert database.sql("SELECT count(*) FROM community_invitations_history") == database.history
    updated = "SELECT DISTINCT updated_at = '2026-01-01Z' FROM community_invitations WHERE status <> 'cancelled'"
    assert database.sql(updated) == [(True,)]
    (log,) = database.sql("SELECT object_repr, left(object_id, 8) FROM django_admin_log")
    assert log[0] == f"Invitation {log[1]}"
    urls = {url for (url,) in database.sql("SELECT metadata ->> 'url' FROM pghistory_context")}
    assert urls == {"/join/…", "/unsubscribe/…", "/deck/feeds/…", "/admin/", "/join/"}


def test_round_trip_keeps_digests(with_codes):
    database = with_codes
    database.migrate("groups", "0011")
    before = database.sql(STORED)
    database.migrate("groups", "0010")
    assert database.sql(STORED) == before
    # An invitation of the older version in between.
    database.sql("INSERT INTO community_invitations (invitation_code, created_by, expires_at)"
              " VALUES ('ABCDEFGHABCDEFGH', '#1', '2999-01-04Z')")  # fmt: skip
    database.migrate("groups", "0011")
    assert database.sql(STORED) == [*before, (digest_of_code("ABCDEFGHABCDEFGH"),)]
    assert {code for (code,) in database.sql(IN_HISTORY)} == {code for (code,) in database.sql(STORED)}
    assert there(database, ["invitation_digests_backup"]) == set()
    # Its triggers work again.
    count = database.sql("SELECT count(*) FROM community_invitations_history")[0][0]
    database.sql("UPDATE community_invitations SET status = 'cancelled' WHERE status = 'pending'")
    assert database.sql("SELECT count(*) FROM community_invitations_history") == [(count + 2,)]

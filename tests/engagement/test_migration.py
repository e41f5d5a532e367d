"""This app's migration: forward, back and forward again, with members in the database."""

import pytest

from tests.migrating import Database, databases_of

# Shipped migrations do not change (tests/common/test_upgrade.py); a build upgrades a released database.
pytestmark = pytest.mark.long

TABLES = [
    "user_engagement_states",
    "engagement_state_transitions",
    "engagement_message_queue",
    "user_profiles",
    "message_templates",
    "engagement_announcements",
    "engagement_transports",
    "engagement_inbound_messages",
    "engagement_claims",
    "user_profiles_history",
    "message_templates_history",
    "reply_phrases",
    "reply_phrases_history",
    "bounced_addresses",
    "unassigned_messages",
    "member_addresses",
    "engagement_sequences",
    "engagement_sequence_steps",
    "engagement_sequence_members",
]
TEXTS = "SELECT key, locale, subject, body FROM message_templates ORDER BY 1, 2"
USED = """
    INSERT INTO members (email, display_name) SELECT 'e' || i || '@example.org', 'Member ' || i
    FROM generate_series(1, 6) i;
    INSERT INTO user_engagement_states (user_id, last_activity_at) SELECT id, '2026-02-01Z' FROM members;
    INSERT INTO engagement_message_queue (user_id, message_type, message_key, idempotency_key)
    SELECT id, 'welcome', 'welcome', id FROM members;
    UPDATE message_templates SET subject = 'Ours' WHERE key = 'welcome' AND locale = 'en';
"""


@pytest.fixture(scope="module")
def databases(request, django_db_setup, django_db_blocker):
    return databases_of(request.config, django_db_blocker)


@pytest.fixture(scope="module")
def back(databases):
    """A clean database, used and migrated back."""
    database = databases.copy(databases.migrated("engagement"), "engagement_back")
    database.texts_then, database.schema_then = database.sql(TEXTS), database.schema()
    database.sql(USED)
    database.members_then = members_of(database)
    database.migrate("engagement", "zero")
    return database


@pytest.fixture(scope="module")
def again(back, databases):
    """Forward once more, with a member added while the app was away."""
    database = databases.copy("engagement_back", "engagement_again")
    database.sql("INSERT INTO members (email, display_name) VALUES ('while-away@example.org', 'Away')")
    database.migrate("engagement")
    return database


def members_of(database: Database) -> list:
    return database.sql("SELECT to_jsonb(t) FROM members t ORDER BY to_jsonb(t)::text")


@pytest.mark.seed("002 AC-1", "002 Task 1")
def test_migrate_creates_tables_and_default_texts(back):
    assert all(f"CREATE TABLE public.{table} (" in back.schema_then for table in TABLES)
    assert len({key for key, *_rest in back.texts_then}) == len(back.texts_then) / 2 >= 6


@pytest.mark.seed("002 Subtask 1.1")
def test_rollback_drops_what_the_migration_created(back):
    left = """
        SELECT tablename FROM pg_tables WHERE tablename = ANY (%s)
        UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            AND proname ~ 'engagement|profile|quiet_until|message|transitions|state_(owner|without)|claim|phrase'
            AND proname <> 'claim_stable_id'
        UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgname ~ 'engagement|profile|phrase'
        UNION ALL SELECT policyname FROM pg_policies
            WHERE tablename ~ 'engagement|user_profiles|message_template|reply_phrase|bounced_add|unassigned|member_add'
    """
    assert back.sql(left, [TABLES]) == []


def test_rollback_keeps_members_and_accepts_more(back):
    assert members_of(back) == back.members_then
    made = """INSERT INTO members (email, display_name) VALUES ('meanwhile@example.org', 'M') RETURNING true"""
    with back.connect() as session:
        session.execute("BEGIN")
        assert session.execute(made).fetchone() == (True,)
        session.execute("ROLLBACK")


@pytest.mark.seed("002 Subtask 1.1")
def test_second_migration_gives_same_schema_and_texts(back, again):
    assert again.schema() == back.schema_then
    assert again.sql(TEXTS) == back.texts_then


@pytest.mark.seed("002 there and back, with members in the database")
def test_second_migration_gives_every_member_a_profile(again):
    assert again.sql("SELECT count(*) FROM members") == again.sql("SELECT count(*) FROM user_profiles") == [(8,)]

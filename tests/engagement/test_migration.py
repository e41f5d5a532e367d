"""This app's migrations: there, back and there again, empty and with people; nothing is lost."""

import psycopg
import pytest

from tests.migrating import Database, databases_of

TABLES = [
    "user_engagement_states",
    "engagement_state_transitions",
    "engagement_message_queue",
    "user_profiles",
    "message_templates",
    "engagement_announcements",
    "engagement_transports",
    "engagement_inbound_messages",
    "user_profiles_history",
    "message_templates_history",
]
# No one holds a batch while the site is migrated.
NOT_KEPT = ["engagement_claims"]

LIVED_IN = """
    INSERT INTO members (email, display_name) SELECT 'e' || i || '@example.org', 'Member ' || i
    FROM generate_series(1, 6) i;
    INSERT INTO user_engagement_states (user_id, last_activity_at)
    SELECT id, '2026-02-01Z' FROM members ORDER BY email LIMIT 5;
    BEGIN;
    SELECT set_config('engagement.trigger', 'inactivity_14d', true), set_config('engagement.now', '2026-02-15Z', true),
        set_config('engagement.metadata', '{"by": "a sweep"}', true);
    UPDATE user_engagement_states SET state = 'goodbye_sent', goodbye_sent_at = '2026-02-15Z',
        goodbye_expires_at = '2026-02-17Z'
    WHERE user_id IN (SELECT id FROM members WHERE email IN ('e1@example.org', 'e2@example.org', 'e3@example.org'));
    SELECT set_config('engagement.trigger', 'goodbye_response_2', true),
        set_config('engagement.now', '2026-02-16Z', true);
    UPDATE user_engagement_states SET state = 'remind_later', goodbye_sent_at = NULL, goodbye_expires_at = NULL,
        remind_at = '2026-03-02Z'
    WHERE user_id = (SELECT id FROM members WHERE email = 'e2@example.org');
    SELECT set_config('engagement.trigger', 'goodbye_timeout', true), set_config('engagement.now', '2026-02-17Z', true);
    UPDATE user_engagement_states SET state = 'dormant', goodbye_sent_at = NULL, goodbye_expires_at = NULL
    WHERE user_id = (SELECT id FROM members WHERE email = 'e3@example.org');
    COMMIT;
    UPDATE user_profiles SET preferred_destination = 'group', group_jid = 'us@chat', individual_jid = 'me@chat',
        reengagement_opt_out = true, onboarding_tier = 2, magic_moment_at = '2026-01-02Z', locale = 'pt-BR',
        timezone = 'America/Sao_Paulo', onboarding_tier_progress = '{"1": {"join_mission": "2026-01-02"}}'
    WHERE user_id = (SELECT id FROM members WHERE email = 'e1@example.org');
    INSERT INTO engagement_announcements (title, audience, recipients, skipped, created_by_id)
    SELECT 'Summer', 'status=active', 2, '{"dormant": 1}', id FROM members WHERE email = 'e6@example.org';
    INSERT INTO message_templates (key, locale, subject, body, announcement_id)
    SELECT 'announcement-' || id, 'en', 'Summer', 'It is here', id FROM engagement_announcements;
    INSERT INTO engagement_message_queue (user_id, message_type, message_key, status, sent_at, idempotency_key,
        message_params, announcement_id, provider_message_id, error_message)
    SELECT m.id, 'announcement', 'announcement-1', s.status,
        CASE WHEN s.status = 'sent' THEN '2026-02-20Z'::timestamptz END,
        m.id || s.status, '{"a": [1, null]}', a.id, 'p-1', s.status
    FROM members m, engagement_announcements a, unnest('{pending,sent,failed,cancelled}'::text[]) AS s (status);
    -- With a sender while it goes back, and tried before.
    UPDATE engagement_message_queue SET attempted_at = '2026-02-20Z' WHERE status = 'pending';
    INSERT INTO engagement_claims (attempt_token, claimed_by, lease_expires_at, attempted_at, message_ids, user_ids)
    SELECT gen_random_uuid(), 'a sender', '2026-02-20Z', '2026-02-20Z', array_agg(id), array_agg(user_id)
    FROM engagement_message_queue WHERE status = 'pending';
    INSERT INTO engagement_transports (name, failures, last_error) VALUES ('webhook', 3, 'no route');
    INSERT INTO engagement_inbound_messages (user_id, platform, message_id, effect)
    SELECT id, 'whatsapp', email, 'user_message' FROM members;
    -- Staff change the words of one message, and take another away.
    UPDATE message_templates SET body = 'Our own words, {{ name }}', subject = 'Ours'
    WHERE key = 'welcome' AND locale = 'en';
    DELETE FROM message_templates WHERE key = 'weekly_review' AND locale = 'pt-BR';
"""


@pytest.fixture(scope="module")
def databases(request, django_db_setup, django_db_blocker):
    return databases_of(request.config, django_db_blocker)


def rows_of(database: Database) -> dict[str, list]:
    return {
        table: database.sql(f"SELECT to_jsonb(t) FROM {table} t ORDER BY to_jsonb(t)::text")
        for table in ["members", "events", *TABLES]
    }


def there(database: Database, tables: list[str]) -> set[str]:
    found = database.sql("SELECT tablename FROM pg_tables WHERE tablename = ANY (%s)", [tables])
    return {table for (table,) in found}


DEFAULT_TEXTS = "SELECT key, locale, subject, body FROM message_templates ORDER BY 1, 2"


@pytest.fixture(scope="module")
def back(databases):
    """A clean database: there, lived in and taken back."""
    database = databases.copy(databases.migrated("engagement"), "engagement_back")
    database.texts_then, database.schema_then = database.sql(DEFAULT_TEXTS), database.schema()
    database.sql(LIVED_IN)
    database.rows_then = rows_of(database)
    database.migrate("engagement", "zero")
    return database


@pytest.fixture(scope="module", params=["once", pytest.param("twice", marks=pytest.mark.long)])
def again(request, back, databases):
    """Forward; and back and forward once more."""
    database = databases.copy("engagement_back", "engagement_again")
    # Someone who comes while the app is away.
    database.sql("INSERT INTO members (email, display_name) VALUES ('while-away@example.org', 'Away')")
    database.migrate("engagement")
    if request.param == "twice":
        database.migrate("engagement", "zero")
        database.migrate("engagement")
    database.rows_then, database.schema_then = back.rows_then, back.schema_then
    return database


def test_migrate_creates_tables_and_default_texts(back):
    assert all(f"CREATE TABLE public.{table} (" in back.schema_then for table in TABLES + NOT_KEPT)
    assert len({key for key, *_rest in back.texts_then}) == len(back.texts_then) / 2 >= 6


@pytest.mark.long
def test_empty_app_migrates_back_and_forth(databases):
    database = databases.copy(databases.migrated("engagement"), "engagement_test")
    words, schema = database.sql(DEFAULT_TEXTS), database.schema()
    database.migrate("engagement", "zero")
    database.migrate("engagement")
    assert database.schema() == schema
    assert database.sql(DEFAULT_TEXTS) == words


def test_reverse_migration_archives_every_row(back):
    assert there(back, TABLES + NOT_KEPT) == set()
    left = """
        SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            AND proname ~ 'engagement|profile|quiet_until|attention|message|transitions|state_(owner|without)'
        UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgname ~ 'engagement|profile'
        UNION ALL SELECT policyname FROM pg_policies WHERE tablename ~ 'engagement|user_profiles|message_templates'
    """
    assert back.sql(left) == []
    asides = {f"{table}_backup": len(back.rows_then[table]) for table in TABLES}
    assert {table: back.sql(f"SELECT count(*) FROM {table}")[0][0] for table in asides} == asides
    assert min(asides.values()) > 0


def test_site_works_without_engagement_tables(back):
    assert len(back.sql("SELECT 1 FROM members")) == 6
    made = """INSERT INTO members (email, display_name) VALUES ('meanwhile@example.org', 'M') RETURNING true"""
    with back.connect() as session:
        session.execute("BEGIN")
        assert session.execute(made).fetchone() == (True,)
        session.execute("ROLLBACK")


def newcomers(found, table):
    """The rows of a table without those of who came while the app was away."""
    away = {row["id"] for (row,) in found["members"] if row["email"] == "while-away@example.org"}
    owner = "id" if table == "members" else "user_id"
    return [one for one in found[table] if one[0].get(owner) not in away]


def test_second_migration_restores_every_row(again):
    now = rows_of(again)
    for table in again.rows_then:
        if table != "message_templates" and table != "message_templates_history":
            assert newcomers(now, table) == again.rows_then[table], table
    assert there(again, [f"{table}_backup" for table in TABLES]) == set()


def test_second_migration_restores_schema(again):
    assert again.schema() == again.schema_then


def test_edited_templates_survive_migration(again):
    words = "SELECT subject, body FROM message_templates WHERE key = %s AND locale = %s"
    assert again.sql(words, ["welcome", "en"]) == [("Ours", "Our own words, {{ name }}")]
    kept = {row["key"]: row for (row,) in again.rows_then["message_templates"] if row["locale"] == "en"}
    now = {row["key"]: row for (row,) in rows_of(again)["message_templates"] if row["locale"] == "en"}
    assert now == kept
    assert again.sql("SELECT count(*) FROM message_templates WHERE key LIKE 'announcement-%%'", []) == [(1,)]


def test_member_added_meanwhile_has_profile(again):
    assert again.sql(
        "SELECT p.timezone FROM members m JOIN user_profiles p ON p.user_id = m.id"
        " WHERE m.email = 'while-away@example.org'"
    ) == [("UTC",)]


def test_second_migration_continues_numbers(again):
    with again.connect() as session:
        for table in ("engagement_message_queue", "engagement_state_transitions", "engagement_announcements"):
            (last, following) = session.execute(
                f"SELECT max(id), nextval(pg_get_serial_sequence('{table}', 'id')) FROM {table}"
            ).fetchone()
            assert following > last, table
        session.execute("SELECT set_config('engagement.trigger', 'goodbye_response_1', false)")
        with pytest.raises(psycopg.errors.CheckViolation) as rejected:
            session.execute("UPDATE user_engagement_states SET state = 'help_flow' WHERE state = 'dormant'")
        assert rejected.value.diag.constraint_name == "engagement_state_transitions_legal"
        session.execute("SELECT set_config('engagement.trigger', 'user_message', false)")
        before = session.execute("SELECT count(*) FROM engagement_state_transitions").fetchone()[0]
        moved = session.execute("UPDATE user_engagement_states SET state = 'active' WHERE state = 'dormant'").rowcount
        assert session.execute("SELECT count(*) FROM engagement_state_transitions").fetchone() == (before + moved,)
        assert moved == 1


def test_migration_sets_address_of_registered_members(databases):
    database = databases.copy(databases.migrated("engagement_0005"), "addresses")
    database.migrate("groups", "0011")
    database.sql(
        """
        INSERT INTO members (email, display_name) SELECT i || '@example.org', i
        FROM unnest(ARRAY['inviter', 'registered', 'has one', 'taken', 'imported', 'no number', 'removed']) i;
        INSERT INTO community_members (person_id, telegram_id, name, primary_role, status, deleted_at)
        SELECT id,
            CASE display_name WHEN 'no number' THEN '9,00013E+09' ELSE (100 + row_number() OVER ())::text END,
            display_name, 'other', 'active', CASE display_name WHEN 'removed' THEN now() END
        FROM members WHERE display_name <> 'System';
        INSERT INTO community_invitations
            (invitation_code, created_by, status, expires_at, accepted_by, accepted_at)
        SELECT '23456789ABCDEFG' || substr('HJKMNP', row_number() OVER ()::int, 1), inviter.member_id, 'accepted',
            '2999-01-01Z', guest.member_id, now()
        FROM community_members inviter, community_members guest
        WHERE inviter.name = 'inviter' AND guest.name NOT IN ('inviter', 'imported');
        UPDATE user_profiles SET individual_jid = 'chat@example.org'
        WHERE user_id = (SELECT id FROM members WHERE display_name = 'has one');
        UPDATE user_profiles SET individual_jid =
            (SELECT telegram_id FROM community_members WHERE name = 'taken')
        WHERE user_id = (SELECT id FROM members WHERE display_name = 'inviter');
        """
    )
    database.migrate("engagement")
    found = dict(
        database.sql(
            """
            SELECT c.name, CASE p.individual_jid WHEN c.telegram_id THEN 'theirs' ELSE p.individual_jid END
            FROM community_members c JOIN user_profiles p ON p.user_id = c.person_id
            WHERE c.name NOT IN ('inviter')
            """
        )
    )
    assert found == {
        "registered": "theirs",
        "has one": "chat@example.org",
        "taken": "",
        "imported": "",
        "no number": "",
        "removed": "",
    }

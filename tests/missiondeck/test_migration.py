"""The migrations of the seed, in its order and on data: forward, back one by one, and forward again.

Only this app is migrated, and what it needs: the other apps take minutes.
"""

from functools import partial

import psycopg
import pytest
from django.db.migrations.loader import MigrationLoader

from tests.migrating import Database, databases_of

TABLES = ["deck_missions", "dod_items", "chat_messages", "test_runs", "test_run_log_pages", "deck_status_changes"]
MORE = ["test_results", "deck_latest_runs", "deck_feeds", "deck_missions_history", "dod_items_history"]
STEPS = [
    "0001_initial",
    "0002_add_github_url",
    "0003_add_citizen",
    "0004_create_test_runs",
    "0005_workspace",
    "0006_labels",
    "0007_translate_warnings",
    "0008_ci_runs",
    "0009_feed_options",
    "0010_further_meaningful_rows",
    "0011_test_results",
    "0012_evidence",
    "0013_client_links",
    "0014_limit_of_items",
    "0015_outside_evidence",
    "0016_report_formats",
    "0017_notices",
    "0018_comments",
    "0019_citizens",
    "0020_dod_templates",
    "0021_costs",
    "0022_faster_gate",
]
# As they were before the seed: missions without a repository, one chat without a citizen.
BEFORE = """
    INSERT INTO members (email, display_name) VALUES ('lead@example.org', 'Lead');
    INSERT INTO deck_missions (number, title, client, budget, deadline, assigned_to)
    SELECT 46 + i, 'Mission ' || i, 'Client ' || i, 100 * i, '2025-11-08Z', 'lead@example.org'
    FROM generate_series(1, 3) i;
    INSERT INTO dod_items (mission_id, text, category, completed, completed_at)
    SELECT id, 'It works', c, true, '2025-11-05Z' FROM deck_missions, unnest('{functional,tests}'::text[]) c;
    INSERT INTO chat_messages (mission_id, sender, message, code_blocks)
    SELECT id, 'user', 'Hello from ' || title, '[{"language": "python", "code": "1"}]' FROM deck_missions;
"""
REPOSITORIES = "UPDATE deck_missions SET github_url = 'https://github.com/mind-protocol/mission-' || number"
CITIZENS = """
    INSERT INTO chat_messages (mission_id, citizen, sender, message)
    SELECT id, c, 'citizen', 'I am ' || c FROM deck_missions, unnest('{emma,inna,rafael,sofia,maya}'::text[]) c
"""
RUNS = """
    INSERT INTO test_runs (mission_id, status, results, logs, digest, finished_at)
    SELECT id, 'passed', '[{"name": "a", "status": "passed"}]', 'line 1' || E'\\n' || title,
        lpad(to_hex(number), 64, '0'), '2025-11-06Z'
    FROM deck_missions;
"""
LIVED_IN = """
    INSERT INTO test_runs (mission_id, status, logs, results, warnings)
    SELECT id, 'failed', repeat('a line of a log' || E'\\n', 20000), '[{"name": "b", "status": "failed"}]',
        '["a text", {"code": "cleaned", "values": {"n": 1}}]'
    FROM deck_missions WHERE number = 48;
    INSERT INTO test_runs (mission_id, status, results, logs, digest, import_key)
    SELECT id, 'passed', '[{"name": "a", "status": "passed"}]', 'again', lpad(to_hex(number), 64, '0'), 'build-2'
    FROM deck_missions WHERE number = 47;
    UPDATE dod_items SET text = 'It works everywhere' WHERE category = 'tests';
    UPDATE deck_missions SET status = 'qa';
    UPDATE deck_missions SET status = 'complete' WHERE number = 47;
    BEGIN;
    SELECT set_config('app.reason', 'the client wants more', true);
    UPDATE deck_missions SET status = 'active' WHERE number = 49;
    COMMIT;
    UPDATE deck_missions SET status = 'complete', override_reason = 'the client signed',
        completed_by_id = (SELECT id FROM members WHERE email = 'lead@example.org') WHERE number = 48;
    UPDATE deck_missions SET budget = 333 WHERE number = 49;
    INSERT INTO deck_feeds (member_id, name, digest) SELECT id, 'phone', repeat('a', 64) FROM members
    WHERE email = 'lead@example.org';
"""


def rows(copy: Database) -> dict[str, list]:
    """Every row of the tables of this app that are there."""
    with copy.connect() as session:
        found = session.execute("SELECT tablename FROM pg_tables WHERE tablename = ANY (%s)", [TABLES + MORE])
        return {
            table: session.execute(f"SELECT to_jsonb(t) FROM {table} t ORDER BY to_jsonb(t)::text").fetchall()
            for (table,) in found.fetchall()
        }


@pytest.fixture(scope="module")
def databases(request, django_db_setup, django_db_blocker):
    return databases_of(request.config, django_db_blocker)


@pytest.fixture(scope="module", params=["in one go", "step by step"])
def migrated(request, databases):
    """The app migrated forward on data, back, and forward again; with what was seen after each step."""
    copy = databases.copy(databases.migrated("groups"), "deck")
    copy.ready = databases.made[databases.migrated("missiondeck")].schema()
    run_steps(copy, step_by_step=request.param == "step by step")
    return copy


@pytest.fixture(scope="module")
def upgraded(databases) -> Database:
    """A database in which the app was migrated forward on data."""
    copy = databases.copy(databases.migrated("groups"), "deck_upgraded")
    migrate(copy, False, STEPS, at=partial(live_through, copy))
    copy.sql(LIVED_IN)
    return copy


def run_steps(copy: Database, *, step_by_step: bool) -> None:
    migrate(copy, step_by_step, STEPS, at=partial(live_through, copy))
    copy.sql(LIVED_IN)
    copy.first, copy.first_schema = rows(copy), copy.schema()
    copy.back = {}
    migrate(copy, step_by_step, [*reversed(STEPS[:-1]), None], at=partial(look_back, copy))
    copy.nothing = rows(copy)
    copy.left = copy.sql(
        """SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
               AND proname ~ 'deck|dod_|test_(run|summary|results|identity)|flaky|latest_run|paginate'
           UNION ALL SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgname ~ 'deck|assignees'
           UNION ALL SELECT relname FROM pg_class WHERE relname ~ '^(deck_|dod_|chat_mess|test_run)'"""
    )
    migrate(copy, step_by_step, STEPS)
    copy.again_schema = copy.schema()


def migrate(copy: Database, step_by_step: bool, to: list[str | None], at=None) -> None:
    for step in to if step_by_step else to[-1:]:
        copy.migrate_alone("missiondeck", step, at=at)


def live_through(copy: Database, _action: str, step: str) -> None:
    """What is done and seen after a step of the way there."""
    if step == "0001_initial":
        copy.columns_first = columns(copy)
        copy.sql(BEFORE)
    elif step == "0002_add_github_url":
        copy.columns_second = columns(copy)
        copy.repositories_before = copy.sql("SELECT DISTINCT github_url FROM deck_missions")
        copy.sql(REPOSITORIES)
    elif step == "0003_add_citizen":
        copy.citizens_before = copy.sql("SELECT citizen, count(*) FROM chat_messages GROUP BY 1")
        copy.sql(CITIZENS)
    elif step == "0004_create_test_runs":
        copy.sql(RUNS)


def look_back(copy: Database, _action: str, step: str) -> None:
    """What there is after a step was taken back: what the one before it had brought."""
    if number := STEPS.index(step):
        copy.back[STEPS[number - 1]] = rows(copy)


def columns(copy: Database) -> set[str]:
    return {
        f"{table}.{column}"
        for table, column in copy.sql(
            """SELECT table_name, column_name FROM information_schema.columns
               WHERE table_name IN ('deck_missions', 'chat_messages', 'test_runs')"""
        )
    }


@pytest.mark.seed("001 Migration 1", "001 Migration 5")
def test_order_follows_the_seed():
    names = sorted(name for app, name in MigrationLoader(None).disk_migrations if app == "missiondeck")
    assert names == STEPS


@pytest.mark.long
def test_reverse_migration_removes_everything(migrated):
    assert migrated.nothing == {}
    assert migrated.left == []


@pytest.mark.long
@pytest.mark.seed("001 Migration 3")
def test_initial_schema_has_no_later_columns(migrated):
    assert "deck_missions.title" in migrated.columns_first
    assert not {"deck_missions.github_url", "chat_messages.citizen", "test_runs.id"} & migrated.columns_first
    assert migrated.columns_second - migrated.columns_first == {"deck_missions.github_url"}


@pytest.mark.long
@pytest.mark.seed("001 Migration 1")
def test_existing_missions_get_empty_repository(migrated):
    assert migrated.repositories_before == [("",)]


@pytest.mark.long
@pytest.mark.seed("001 chat_messages.citizen", "001 Migration 2")
def test_existing_messages_belong_to_rafael(migrated):
    assert migrated.citizens_before == [("rafael", 3)]


@pytest.mark.long
@pytest.mark.seed("001 Migration 3")
def test_data_covers_all_tables_and_statuses(migrated):
    assert set(migrated.first) == set(TABLES + MORE)
    assert min(len(rows) for rows in migrated.first.values()) > 0
    assert {row["status"] for (row,) in migrated.first["deck_missions"]} == {"active", "complete"}
    assert {row["status"] for (row,) in migrated.first["test_runs"]} == {"passed", "failed"}
    assert len(migrated.first["test_run_log_pages"]) > 4


@pytest.mark.long
def test_existing_runs_get_pages_and_latest_row(migrated):
    runs = {row["id"] for (row,) in migrated.first["test_runs"]}
    assert {row["run_id"] for (row,) in migrated.first["test_run_log_pages"]} == runs
    missions = {row["id"] for (row,) in migrated.first["deck_missions"]}
    assert {row["mission_id"] for (row,) in migrated.first["deck_latest_runs"]} == missions
    assert {row["assignee_id"] for (row,) in migrated.first["deck_missions"]} != {None}


def codes(value):
    """A value as it is before 0007: a warning that is a message is its code."""
    if not isinstance(value, list):
        return value
    return [each["code"] if isinstance(each, dict) and "values" in each else each for each in value]


@pytest.mark.long
@pytest.mark.seed("001 forward and back step by step, each step removes only what it made")
def test_each_reverse_step_removes_only_its_part(migrated):
    results = {"test_results"}
    workspace = results | {
        "test_run_log_pages", "deck_status_changes", "deck_latest_runs", "deck_feeds",
        "deck_missions_history", "dod_items_history",
    }  # fmt: skip
    runs = workspace | {"test_runs"}
    author = {"author_id", "author_name"}
    citizen, repository = {"chat_messages": author | {"citizen"}}, {"deck_missions": {"github_url"}}
    ci_run = {
        "commit", "branch", "build_url", "job", "attempt", "environment", "shards", "parts", "started_at",
        "committed_at", "is_given_up", "ordered_at",
    }  # fmt: skip
    feed = {"alarm_hours", "hides_budget", "hides_addresses"}
    without = {
        "0020_dod_templates": (set(), {}),
        "0019_citizens": (set(), {}),
        "0018_comments": (set(), {}),
        "0017_notices": (set(), {}),
        "0016_report_formats": (set(), {}),
        "0015_outside_evidence": (set(), {}),
        "0014_limit_of_items": (set(), {}),
        "0013_client_links": (set(), {}),
        "0012_evidence": (set(), {}),
        "0011_test_results": (set(), {}),
        "0010_further_meaningful_rows": (results, {}),
        "0009_feed_options": (results, {}),
        "0008_ci_runs": (results, {}),
        "0007_translate_warnings": (results, {}),
        "0006_labels": (results, {}),
        "0005_workspace": (results, {}),
        "0004_create_test_runs": (workspace, {}),
        "0003_add_citizen": (runs, {}),
        "0002_add_github_url": (runs, citizen),
        "0001_initial": (runs, citizen | repository),
    }
    assert set(without) == set(STEPS[:-1])
    for step, (tables, removed) in without.items():
        gone = {
            "chat_messages": set() if step in STEPS[17:] else author,
            "deck_feeds": set() if step in STEPS[8:] else feed,
            "test_runs": set() if step in STEPS[7:] else ci_run,
        } | removed
        expected = {
            table: sorted(
                (
                    {
                        key: value if step in STEPS[6:] else codes(value)
                        for key, value in row.items()
                        if key not in gone.get(table, ())
                    }
                    for (row,) in rows
                ),
                key=str,
            )
            for table, rows in migrated.first.items()
            if table not in tables
        }
        found = {table: sorted((row for (row,) in rows), key=str) for table, rows in migrated.back[step].items()}
        assert found == expected, step


@pytest.mark.long
@pytest.mark.seed("001 forward and back step by step, each step removes only what it made")
def test_second_migration_gives_same_schema(migrated):
    assert migrated.again_schema == migrated.first_schema == migrated.ready


@pytest.mark.long
def test_numbers_continue_and_rules_hold_on_existing_rows(upgraded):
    with upgraded.connect() as session:
        (number,) = session.execute(
            """INSERT INTO deck_missions (title, client, budget, deadline, assigned_to)
               VALUES ('Next', 'Acme', 1, now(), 'lead@example.org') RETURNING number"""
        ).fetchone()
        assert number == 50
        for statement, rule in (
            ("UPDATE deck_missions SET status = 'complete' WHERE number = 50", "deck_missions_one_step"),
            ("UPDATE test_runs SET name = 'x'", "test_runs_finished_immutable"),
            ("DELETE FROM dod_items", "dod_items_closed"),
        ):
            with pytest.raises(psycopg.errors.CheckViolation) as rejected:
                session.execute(statement)
            assert rejected.value.diag.constraint_name == rule


def test_migrations_have_docstrings():
    for step in STEPS:
        module = __import__(f"missiondeck.migrations.{step}", fromlist=["Migration"])
        assert module.Migration.__doc__.strip().endswith("."), step

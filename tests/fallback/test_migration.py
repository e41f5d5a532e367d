"""The database of the fallback on databases with data: from the schema with loops, forward, back, forward again."""

import json

import pytest

from tests.migrating import Database, databases_of

# Shipped migrations do not change (tests/common/test_upgrade.py); a build upgrades a released database.
pytestmark = pytest.mark.long

BEFORE = ("fallback", "0001")
FORWARD = ("fallback",)


@pytest.fixture(scope="module")
def databases(request, django_db_setup, django_db_blocker):
    return databases_of(request.config, django_db_blocker)


@pytest.fixture(scope="module")
def stages(databases):
    """Makes each stage once, from the one before it; migrating takes most of the time of these tests."""

    def make(stage: str) -> str:
        earlier, apply = STAGES[stage]
        earlier = make(earlier) if earlier else databases.migrated("fallback_0001")
        return databases.once(f"fallback_{stage}", earlier, apply)

    return make


def stage(name: str):
    """A fixture: a copy of the database at the end of a stage."""

    @pytest.fixture
    def database(databases, stages) -> Database:
        return databases.copy(stages(name), "fallback_test")

    return database


STAGES = {
    "before": (None, lambda database: database.sql(PEOPLE_WITH_LOOPS)),
    # The next step converts the loops.
    "with_tables": ("before", lambda database: database.migrate("fallback", "0003")),
    "upgraded": ("with_tables", lambda database: database.migrate(*FORWARD)),
    "lived_in": ("upgraded", lambda database: database.sql(LIVED_IN)),
    "back": ("lived_in", lambda database: database.migrate(*BEFORE)),
    "again": ("back", lambda database: database.migrate(*FORWARD)),
}
before, with_tables, upgraded, lived_in, back, again = map(stage, STAGES)


# Project A has flow, actor and repository; B has none; C only a flow.
PEOPLE_WITH_LOOPS = """
    INSERT INTO members (email, display_name) VALUES ('ana@example.org', 'Ana'), ('bruno@example.org', 'Bruno');
    INSERT INTO organizations (name, slug) VALUES ('Ours', 'ours');
    INSERT INTO projects (organization_id, name, slug)
    SELECT o.id, 'Project ' || p, lower(p) FROM organizations o, unnest(ARRAY['A', 'B', 'C']) p;
    INSERT INTO flows (project_id, name) SELECT id, 'Short' FROM projects WHERE slug IN ('a', 'c');
    INSERT INTO actors (project_id, name) SELECT id, 'Writer' FROM projects WHERE slug = 'a';
    INSERT INTO project_repositories (project_id, name) SELECT id, 'ours/site' FROM projects WHERE slug = 'a';

    -- Work in every list, from the year before.
    INSERT INTO missions (project_id, title, list, ready, created_at, updated_at, last_event_at)
    SELECT p.id, 'Work ' || l || ' of ' || p.slug, l, l = 'todo', '2025-02-03', '2025-03-04', '2025-03-04'
    FROM projects p, unnest(ARRAY['todo', 'doing', 'review', 'done']) l;
    INSERT INTO missions (project_id, title, description, list, is_loop, loop_schedule, priority, flow_id, actor_id,
        repository_id, created_at, updated_at)
    SELECT p.id, 'Loop with links', 'Again and again', 'loop', true, '{"every": "day"}', 5, f.id, a.id, r.id,
        '2025-02-03', '2025-03-04'
    FROM projects p JOIN flows f ON f.project_id = p.id JOIN actors a ON a.project_id = p.id
        JOIN project_repositories r ON r.project_id = p.id WHERE p.slug = 'a';
    INSERT INTO missions (project_id, title, list, is_loop, loop_schedule, created_at, updated_at)
    SELECT id, 'Loop of ' || slug, 'loop', true, '{"every": "week"}', '2025-02-03', '2025-03-04' FROM projects;
    INSERT INTO missions (project_id, title, list, is_loop, ready, created_at, updated_at)
    SELECT id, 'Second loop of b', 'loop', true, true, '2025-02-03', '2025-03-04' FROM projects WHERE slug = 'b';
    INSERT INTO mission_dependencies (mission_id, depends_on_id)
    SELECT t.id, d.id FROM missions t JOIN missions d USING (project_id)
    WHERE t.title LIKE 'Work todo%' AND d.title LIKE ANY (ARRAY['Work doing%', 'Work done%']);
    INSERT INTO mission_events (project_id, mission_id, type, payload)
    SELECT project_id, id, 'mission.created', jsonb_build_object('list', list) FROM missions;
    INSERT INTO project_activity (project_id, type) SELECT id, 'project.created' FROM projects;
"""
LIVED_IN = """
    INSERT INTO mission_fallback_configs (project_id, weekly_mission_cap, status, snoozed_until, last_run_at)
    SELECT id, 7, CASE slug WHEN 'a' THEN 'active' ELSE 'snoozed' END,
        CASE slug WHEN 'a' THEN NULL ELSE timestamptz '2030-01-01' END, '2026-01-05' FROM projects;
    INSERT INTO mission_fallback_samples (project_id, backlog_count, backlog_threshold)
    SELECT id, 1, 5 FROM projects;
    INSERT INTO mission_fallback_runs (project_id, triggered_by, started_by_id, started_at)
    SELECT p.id, 'manual', m.id, '2026-01-05' FROM projects p, members m WHERE m.email = 'bruno@example.org';
    -- A second one is decided, and completed by that.
    INSERT INTO mission_fallback_runs (project_id, triggered_by, started_at)
    SELECT id, 'automatic', '2026-01-06' FROM projects;
    INSERT INTO mission_fallback_items (mission_fallback_run_id, template_id, project_id, title, flow_id, actor_id,
        repository_id)
    SELECT r.id, t.id, t.project_id, t.name || ' ' || n, t.flow_id, t.actor_id, t.repository_id
    FROM mission_fallback_runs r JOIN mission_fallback_templates t USING (project_id), generate_series(1, 2) n;
    UPDATE mission_fallback_items SET status = 'discarded', reason = 'duplicate', feedback = 'No', reviewed_at = now(),
        duplicate_of_id = (SELECT m.id FROM missions m WHERE m.project_id = mission_fallback_items.project_id LIMIT 1),
        reviewed_by_id = (SELECT id FROM members WHERE email = 'ana@example.org')
    WHERE title LIKE '% 1' AND mission_fallback_run_id IN (SELECT id FROM mission_fallback_runs
        WHERE triggered_by = 'automatic');
    BEGIN;
    SET LOCAL app.event_origin = 'fallback';
    INSERT INTO missions (project_id, title, ready, origin, fallback_item_id)
    SELECT project_id, title, true, 'fallback', id FROM mission_fallback_items
    WHERE title LIKE '% 2' AND mission_fallback_run_id IN (SELECT id FROM mission_fallback_runs
        WHERE triggered_by = 'automatic');
    UPDATE mission_fallback_items i SET status = 'accepted', mission_id = m.id, reviewed_at = '2026-01-07',
        reviewed_by_id = (SELECT id FROM members WHERE email = 'ana@example.org')
    FROM missions m WHERE m.fallback_item_id = i.id;
    COMMIT;
    UPDATE missions SET list = 'doing' WHERE title = 'Second loop of b';
"""


DAYS = """SELECT to_jsonb(t) FROM (
    SELECT project_id, template_id, day, sum(generated) made, sum(accepted) taken, sum(discarded) rejected
    FROM fallback_proposal_rollups GROUP BY 1, 2, 3) t"""


def rows(database: Database) -> dict[str, list[dict]]:
    """Every row of every table, as text that sorts; without what migrations note for themselves."""
    with database.connect() as session:
        tables = session.execute(
            """SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
               AND relname NOT IN ('django_migrations', 'mission_loops_converted') ORDER BY 1"""
        ).fetchall()
        found = {table: session.execute(f"SELECT to_jsonb(t) FROM {table} t").fetchall() for (table,) in tables}
        if "fallback_proposal_rollups" in found:
            # Its rows are parts of the figures of a day.
            found["fallback_proposal_rollups"] = session.execute(DAYS).fetchall()
    return {table: sorted(json.dumps(kept, sort_keys=True) for (kept,) in rows) for table, rows in found.items()}


# Django adds a permission where a model comes, and leaves it where the model goes.
ABOUT_THE_SITE = {"auth_permission", "django_content_type"}


def differences(before: dict, after: dict) -> dict:
    """What is in one and not in the other, by table."""
    return {
        table: (sorted(set(before.get(table, [])) - set(now)), sorted(set(now) - set(before.get(table, []))))
        for table, now in after.items()
        if before.get(table) != now
    } | dict.fromkeys(before.keys() - after.keys(), "gone")


# --- Forward ----------------------------------------------------------------------------------


@pytest.mark.seed(
    "004 Migration 1",
    "004 Migration 2",
    "004 Migration 3",
    "004 upgrade from the schema with loops: forward, back, forward; missions and loops",
)
def test_every_loop_mission_becomes_template_and_todo(upgraded):
    assert upgraded.sql(
        """SELECT p.slug, t.name, t.description, f.name, a.name, r.name, t.priority, t.estimated_effort_minutes,
               t.enabled, t.tags
           FROM mission_fallback_templates t JOIN projects p ON p.id = t.project_id JOIN flows f ON f.id = t.flow_id
           JOIN actors a ON a.id = t.actor_id JOIN project_repositories r ON r.id = t.repository_id ORDER BY 1, 2"""
    ) == [
        ("a", "Loop of a", "", "Short", "Writer", "ours/site", 3, 60, True, ["loop"]),
        ("a", "Loop with links", "Again and again", "Short", "Writer", "ours/site", 5, 60, True, ["loop"]),
        ("b", "Loop of b", "", "Loops", "Loops", "loops", 3, 60, True, ["loop"]),
        ("b", "Second loop of b", "", "Loops", "Loops", "loops", 3, 60, True, ["loop"]),
        ("c", "Loop of c", "", "Short", "Loops", "loops", 3, 60, True, ["loop"]),
    ]
    assert upgraded.sql("SELECT DISTINCT list, origin, fallback_item_id FROM missions WHERE title LIKE '%%oop%%'") == [
        ("todo", "manual", None)
    ]


@pytest.mark.seed("004 Migration 2")
def test_other_missions_are_unchanged_without_events(databases, stages, upgraded):
    was = databases.made[stages("before")]
    for kept in (
        """SELECT id, title, ready, priority, stage, created_at, updated_at, last_event_at, flow_id FROM missions
           ORDER BY id""",
        "SELECT id, list FROM missions WHERE title LIKE 'Work%%' ORDER BY id",
        "SELECT id, mission_id, type, payload, occurred_at FROM mission_events ORDER BY id",
    ):
        assert upgraded.sql(kept) == was.sql(kept)
    assert upgraded.sql("SELECT DISTINCT origin FROM missions") == [("manual",)]
    assert upgraded.sql("SELECT DISTINCT origin FROM mission_events") == [("system",)]


def test_existing_dependencies_are_counted(upgraded):
    assert upgraded.sql(
        "SELECT dependency_count, open_dependency_count, count(*)::int FROM missions GROUP BY 1, 2 ORDER BY 1"
    ) == [(0, 0, 14), (2, 1, 3)]
    assert upgraded.sql("SELECT * FROM drifted_missions()") == []


@pytest.mark.seed("004 Migration 3")
def test_loop_without_flag_or_flow_is_converted(with_tables):
    with_tables.sql("UPDATE missions SET is_loop = false WHERE title = 'Loop of b'")
    with_tables.sql("DELETE FROM missions WHERE title = 'Second loop of b'")
    with_tables.migrate("fallback", "0004")
    assert with_tables.sql("SELECT f.name FROM mission_fallback_templates t JOIN flows f ON f.id = t.flow_id"
                      " WHERE t.name = 'Loop of b'") == [("Loops",)]  # fmt: skip


def test_former_loops_are_not_readable_by_the_site(upgraded):
    assert upgraded.sql("SELECT count(*)::int FROM mission_loops_converted") == [(5,)]
    assert upgraded.sql("SELECT has_table_privilege('missionsite_app', 'mission_loops_converted', 'SELECT')") == [
        (False,)
    ]


# --- Back and forward again -------------------------------------------------------------------


def test_backward_restores_loop_missions(back):
    assert back.sql("SELECT title, list, is_loop, loop_schedule FROM missions WHERE is_loop ORDER BY title") == [
        ("Loop of a", "loop", True, {"every": "week"}),
        ("Loop of b", "loop", True, {"every": "week"}),
        ("Loop of c", "loop", True, {"every": "week"}),
        ("Loop with links", "loop", True, {"every": "day"}),
        # It has moved on since, and stays where it is.
        ("Second loop of b", "doing", True, None),
    ]
    assert back.sql("SELECT count(*)::int FROM missions WHERE title LIKE '%%oop%% 2'") == [(5,)], "what was accepted"


def test_backward_drops_tables_functions_and_triggers(back):
    assert back.sql(
        """SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^mission_(fallback|loops)'
           UNION ALL SELECT proname FROM pg_proc WHERE proname ~ '(fallback|mission_changes|dependencies$|allowance)'
               AND pronamespace = 'public'::regnamespace
           UNION ALL SELECT tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
               WHERE NOT tgisinternal AND relname IN ('missions', 'mission_dependencies', 'projects')"""
    ) == []  # fmt: skip


def test_unused_upgrade_is_reverted_exactly(before):
    # A loop by its flag alone, and one by its list alone.
    before.sql("UPDATE missions SET list = 'todo' WHERE title = 'Second loop of b'")
    before.sql("UPDATE missions SET is_loop = false WHERE title = 'Loop of a'")
    # No one counted dependencies then; what the upgrade counts stays right.
    before.sql("UPDATE missions SET dependency_count = 2, open_dependency_count = 1 WHERE title LIKE 'Work todo%'")
    was = rows(before)
    before.migrate(*FORWARD)
    before.migrate(*BEFORE)
    changed = differences(was, rows(before)).keys() & was.keys()
    # Flows, actors and repositories that loops needed stay; they do no harm.
    assert changed <= {"flows", "actors", "project_repositories", *ABOUT_THE_SITE}


@pytest.mark.seed("004 upgrade from the schema with loops: forward, back, forward; missions and loops")
def test_back_to_loops_and_forward_changes_nothing(lived_in):
    was, schema = rows(lived_in), lived_in.schema()
    assert all(kept for table, kept in was.items() if table.startswith("mission_fallback"))
    lived_in.migrate("fallback", "0003")
    assert lived_in.sql("SELECT count(*)::int FROM missions WHERE is_loop") == [(5,)]
    lived_in.migrate(*FORWARD)
    assert differences(was, rows(lived_in)) == {}
    assert lived_in.schema() == schema
    assert lived_in.sql("SELECT * FROM drifted_fallback_runs()") == []


@pytest.mark.seed(
    "004 Migration 3", "004 upgrade from the schema with loops: forward, back, forward; missions and loops"
)
def test_back_and_forward_keeps_missions_and_schema(databases, stages, again):
    was = databases.made[stages("lived_in")]
    kept = "SELECT id, title, list, ready, created_at, flow_id, dependency_count FROM missions ORDER BY id"
    assert again.sql(kept) == was.sql(kept)
    # A mission that had left the lists of loops has its template again too.
    templates = "SELECT project_id, name, flow_id, priority, tags FROM mission_fallback_templates ORDER BY 1, 2"
    assert again.sql(templates) == was.sql(templates)
    assert again.schema() == was.schema()
    assert again.sql("SELECT * FROM drifted_fallback_runs()") == again.sql("SELECT * FROM drifted_missions()") == []


# --- From nothing -----------------------------------------------------------------------------


def test_zero_and_up_gives_same_schema(databases):
    database = databases.copy(databases.migrated("everything"), "fallback_test")
    schema = database.schema()
    database.migrate("fallback", "zero")
    assert database.sql("SELECT to_regclass('missions'), to_regclass('organizations')") == [(None, None)]
    database.migrate()
    assert database.schema() == schema

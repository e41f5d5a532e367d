"""Columns, foreign keys and numbers of the tables, checked by raw SQL as the site role."""

import pytest
from django.db import IntegrityError

from tests.groups.test_erase import owner_session
from tests.missiondeck.helpers import insert, mission, raw_mission
from tests.support.database import rejected_by, row, rows

pytestmark = pytest.mark.django_db

# The columns of the seed: type, nullable, default.
SEED = """
deck_missions
    id                uuid                      needed  gen_random_uuid()
    title             character varying(200)    needed  -
    client            character varying(200)    needed  -
    budget            integer                   needed  -
    deadline          timestamp with time zone  needed  -
    status            text                      needed  'active'
    assigned_to       character varying(254)    needed  -
    github_url        character varying(200)    needed  ''
    created_at        timestamp with time zone  needed  now()
dod_items
    id                uuid                      needed  gen_random_uuid()
    mission_id        uuid                      needed  -
    text              character varying(500)    needed  -
    category          text                      needed  'functional'
    completed         boolean                   needed  false
    completed_at      timestamp with time zone  empty   -
chat_messages
    id                uuid                      needed  gen_random_uuid()
    mission_id        uuid                      needed  -
    citizen           text                      needed  'rafael'
    sender            text                      needed  -
    message           text                      needed  -
    code_blocks       jsonb                     needed  '[]'
    created_at        timestamp with time zone  needed  now()
test_runs
    id                uuid                      needed  gen_random_uuid()
    mission_id        uuid                      needed  -
    status            text                      needed  -
    summary           jsonb                     empty   -
    results           jsonb                     empty   -
    logs              text                      empty   -
    created_at        timestamp with time zone  needed  now()
"""
# Columns that are not in the seed.
OURS = """
deck_missions
    number            bigint                    needed  nextval('deck_missions_number_seq')
    currency          character varying(3)      needed  'USD'
    assignee_id       uuid                      empty   -
    completed_at      timestamp with time zone  empty   -
    completed_by_id   uuid                      empty   -
    override_reason   text                      needed  ''
    updated_at        timestamp with time zone  needed  now()
dod_items
    completed_by_id   uuid                      empty   -
    position          integer                   needed  0
    created_at        timestamp with time zone  needed  now()
chat_messages
    author_id         uuid                      empty   -
    author_name       character varying(200)    needed  ''
deck_citizens
    id                uuid                      needed  gen_random_uuid()
    created_at        timestamp with time zone  needed  now()
    key               text                      needed  -
    name              character varying(80)     needed  -
    role              character varying(200)    needed  ''
    position          smallint                  needed  0
    is_enabled        boolean                   needed  true
deck_dod_templates
    id                uuid                      needed  gen_random_uuid()
    created_at        timestamp with time zone  needed  now()
    name              character varying(100)    needed  -
    description       character varying(500)    needed  ''
    items             jsonb                     needed  '[]'
    is_enabled        boolean                   needed  true
    updated_at        timestamp with time zone  needed  now()
deck_costs
    id                uuid                      needed  gen_random_uuid()
    created_at        timestamp with time zone  needed  now()
    mission_id        uuid                      needed  -
    worked_on         date                      needed  -
    minutes           integer                   empty   -
    amount_cents      bigint                    needed  0
    currency          character varying(3)      needed  -
    note              character varying(300)    needed  ''
    author_id         uuid                      needed  -
    removed_at        timestamp with time zone  empty   -
dod_comments
    id                uuid                      needed  gen_random_uuid()
    created_at        timestamp with time zone  needed  now()
    item_id           uuid                      needed  -
    author_id         uuid                      needed  -
    text              text                      needed  -
test_runs
    name              character varying(255)    needed  ''
    source            text                      needed  'manual'
    digest            character varying(64)     needed  ''
    import_key        character varying(255)    needed  ''
    warnings          jsonb                     needed  '[]'
    flaky_tests       text[]                    needed  '{}'
    finished_at       timestamp with time zone  empty   -
    created_by_id     uuid                      empty   -
    commit            character varying(64)     needed  ''
    branch            character varying(200)    needed  ''
    build_url         character varying(500)    needed  ''
    job               character varying(150)    needed  ''
    attempt           integer                   needed  1
    environment       character varying(100)    needed  ''
    shards            integer                   empty   -
    parts             integer                   needed  0
    started_at        timestamp with time zone  empty   -
    committed_at      timestamp with time zone  empty   -
    is_given_up       boolean                   needed  false
    ordered_at        timestamp with time zone  empty   generated
test_run_parts
    id                uuid                      needed  gen_random_uuid()
    created_at        timestamp with time zone  needed  now()
    run_id            uuid                      needed  -
    label             character varying(255)    needed  ''
    digest            character varying(64)     needed  -
deck_gate_rules
    mission_id        uuid                      needed  -
    required_suites   character varying(150)[]  needed  '{}'
    min_tests         integer                   empty   -
    max_failures      integer                   needed  0
    max_age_days      integer                   empty   -
    updated_at        timestamp with time zone  needed  now()
deck_gate_baselines
    id                bigint                    needed  identity
    mission_id        uuid                      needed  -
    runs              uuid[]                    needed  -
    tests             integer                   needed  -
    reason            text                      needed  ''
    by_id             uuid                      empty   -
    created_at        timestamp with time zone  needed  now()
deck_vanished_tests
    id                bigint                    needed  identity
    mission_id        uuid                      needed  -
    test              text                      needed  -
    reason            text                      needed  -
    by_id             uuid                      needed  -
    created_at        timestamp with time zone  needed  now()
test_run_log_pages
    run_id            uuid                      needed  -
    page              integer                   needed  -
    first_line        integer                   needed  -
    text              text                      needed  -
deck_latest_runs
    mission_id        uuid                      needed  -
    run_id            uuid                      needed  -
    status            text                      needed  -
    created_at        timestamp with time zone  needed  -
deck_status_changes
    id                bigint                    needed  identity
    mission_id        uuid                      needed  -
    from_status       text                      needed  -
    to_status         text                      needed  -
    reason            text                      needed  ''
    is_override       boolean                   needed  false
    missing           jsonb                     needed  '[]'
    by_id             uuid                      empty   -
    created_at        timestamp with time zone  needed  now()
    changeset_id      uuid                      empty   audit_changeset_id()
deck_feeds
    id                uuid                      needed  gen_random_uuid()
    created_at        timestamp with time zone  needed  now()
    member_id         uuid                      needed  -
    name              character varying(100)    needed  -
    only_own          boolean                   needed  false
    alarm_hours       smallint                  empty   -
    hides_budget      boolean                   needed  false
    hides_addresses   boolean                   needed  false
    digest            character varying(64)     needed  -
    last_read_at      timestamp with time zone  empty   -
    revoked_at        timestamp with time zone  empty   -
"""
# Equivalent spellings.
PLAINLY = {
    "CURRENT_TIMESTAMP": "now()",
    "nextval('deck_missions_number_seq'::regclass)": "nextval('deck_missions_number_seq')",
    "COALESCE(committed_at, started_at, created_at)": "generated",
}


def data(*listings):
    """{table: {column: (type, nullable or needed, default)}} of the listings above."""
    tables = {}
    for line in "".join(listings).splitlines():
        if line and not line.startswith(" "):
            columns = tables.setdefault(line, {})
        elif line:
            name, rest = line.split(maxsplit=1)
            kind, needed, default = (part.strip() for part in rest.rsplit(maxsplit=2))
            columns[name] = (kind, needed, default)
    return tables


def columns_of(table):
    return {
        name: (kind, needed, PLAINLY.get(default, default.split("::")[0]))
        for name, kind, needed, default in rows(
            """SELECT a.attname, format_type(a.atttypid, a.atttypmod),
                   CASE WHEN a.attnotnull THEN 'needed' ELSE 'empty' END,
                   CASE WHEN a.attidentity <> '' THEN 'identity'
                       ELSE coalesce(pg_get_expr(d.adbin, d.adrelid), '-') END
               FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
               WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped""",
            [table],
        )
    }


@pytest.mark.seed(
    "001 Table 1",
    "001 missions.id",
    "001 missions.title",
    "001 missions.client",
    "001 missions.budget",
    "001 missions.deadline",
    "001 missions.status",
    "001 missions.assigned_to",
    "001 missions.github_url",
    "001 missions.created_at",
    "001 Table 2",
    "001 dod_items.id",
    "001 dod_items.mission_id",
    "001 dod_items.text",
    "001 dod_items.category",
    "001 dod_items.completed",
    "001 dod_items.completed_at",
    "001 Table 3",
    "001 chat_messages.id",
    "001 chat_messages.mission_id",
    "001 chat_messages.citizen",
    "001 chat_messages.sender",
    "001 chat_messages.message",
    "001 chat_messages.code_blocks",
    "001 chat_messages.created_at",
    "001 Table 4",
    "001 test_runs.id",
    "001 test_runs.mission_id",
    "001 test_runs.status",
    "001 test_runs.summary",
    "001 test_runs.results",
    "001 test_runs.logs",
    "001 test_runs.created_at",
)
@pytest.mark.parametrize("table", data(SEED, OURS))
def test_columns_match_seed_and_additions(table):
    assert columns_of(table) == data(SEED, OURS)[table]


@pytest.mark.seed("001 dod_items.mission_id", "001 chat_messages.mission_id", "001 test_runs.mission_id")
@pytest.mark.parametrize(
    ("table", "column", "target", "deletes"),
    [
        ("dod_items", "mission_id", "deck_missions", "CASCADE"),
        ("chat_messages", "mission_id", "deck_missions", "CASCADE"),
        ("test_runs", "mission_id", "deck_missions", "CASCADE"),
        ("deck_status_changes", "mission_id", "deck_missions", "CASCADE"),
        ("deck_latest_runs", "mission_id", "deck_missions", "CASCADE"),
        ("deck_latest_runs", "run_id", "test_runs", "CASCADE"),
        ("test_run_log_pages", "run_id", "test_runs", "CASCADE"),
        ("test_run_parts", "run_id", "test_runs", "CASCADE"),
        ("deck_gate_rules", "mission_id", "deck_missions", "CASCADE"),
        ("deck_gate_baselines", "mission_id", "deck_missions", "CASCADE"),
        ("deck_vanished_tests", "mission_id", "deck_missions", "CASCADE"),
        ("deck_missions", "assignee_id", "members", "SET NULL"),
        ("deck_missions", "completed_by_id", "members", ""),
        ("dod_items", "completed_by_id", "members", ""),
        ("test_runs", "created_by_id", "members", ""),
        ("deck_feeds", "member_id", "members", ""),
        ("chat_messages", "author_id", "members", ""),
        ("deck_costs", "mission_id", "deck_missions", "CASCADE"),
        ("deck_costs", "author_id", "members", ""),
        ("dod_comments", "item_id", "dod_items", "CASCADE"),
        ("dod_comments", "author_id", "members", ""),
    ],
)
def test_foreign_keys_have_expected_targets(table, column, target, deletes):
    (definition,) = row(
        """SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass
             AND conkey = ARRAY(SELECT attnum FROM pg_attribute WHERE attrelid = conrelid AND attname = %s)""",
        [table, column],
    )
    how = f" ON DELETE {deletes}" if deletes else ""
    assert definition == f"FOREIGN KEY ({column}) REFERENCES {target}(id){how} DEFERRABLE INITIALLY DEFERRED"


@pytest.mark.seed("001 dod_items.mission_id", "001 chat_messages.mission_id", "001 test_runs.mission_id")
@pytest.mark.parametrize("table", ["dod_items", "chat_messages", "test_runs"])
def test_row_needs_mission(table):
    values = {
        "dod_items": {"text": "It works"},
        "chat_messages": {"sender": "user", "message": "Hi"},
        "test_runs": {"status": "running"},
    }[table]
    insert(table, mission_id="11111111-1111-4111-8111-111111111111", **values)
    with pytest.raises(IntegrityError, match="foreign key"):
        rows("SET CONSTRAINTS ALL IMMEDIATE")


def test_deleting_mission_cascades():
    """The site role cannot delete a mission; as the owner, deleting cascades."""
    with owner_session() as session:
        key = session.execute(
            """INSERT INTO deck_missions (title, client, budget, deadline, assigned_to)
               VALUES ('Bot', 'Acme', 300, now(), 'a@example.org') RETURNING id"""
        ).fetchone()
        session.execute("INSERT INTO dod_items (mission_id, text) VALUES (%s, 'It works')", key)
        session.execute("INSERT INTO chat_messages (mission_id, sender, message) VALUES (%s, 'user', 'Hi')", key)
        session.execute("INSERT INTO test_runs (mission_id, status, logs) VALUES (%s, 'running', 'out')", key)
        session.execute("UPDATE deck_missions SET status = 'qa' WHERE id = %s", key)
        tables = ("dod_items", "chat_messages", "test_runs", "deck_status_changes", "deck_latest_runs")
        count = "SELECT " + ", ".join(f"(SELECT count(*) FROM {t} WHERE mission_id = %(id)s)" for t in tables)
        count += ", (SELECT count(*) FROM test_run_log_pages p WHERE p.run_id IN (SELECT id FROM test_runs))"
        assert session.execute(count, {"id": key[0]}).fetchone() == (1, 1, 1, 1, 1, 1)
        session.execute("DELETE FROM deck_missions WHERE id = %s", key)
        assert session.execute(count, {"id": key[0]}).fetchone() == (0, 0, 0, 0, 0, 0)
        session.rollback()


# --- Numbers ----------------------------------------------------------------------------------------


def test_numbers_follow_explicit_number():
    first, second = mission(), mission()
    assert second.number == first.number + 1
    raw_mission(number=second.number + 1000)
    assert mission().number == second.number + 1001
    # A smaller number does not change the sequence.
    raw_mission(number=second.number + 500)
    assert mission().number == second.number + 1002


def test_number_is_unique():
    with rejected_by("deck_missions_number_unique"):
        raw_mission(number=mission().number)

"""Columns, constraints and foreign keys of the tables, checked by raw SQL as the site role."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from missiondeck.models import Category, Citizen, DeckMission, DeckStatus
from tests.groups.test_erase import owner_session
from tests.missiondeck.helpers import insert, mission, raw_mission
from tests.support.database import assert_rejects_alone, rejected_by, row, rows

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)

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
test_runs
    name              character varying(255)    needed  ''
    source            text                      needed  'manual'
    digest            character varying(64)     needed  ''
    import_key        character varying(255)    needed  ''
    warnings          jsonb                     needed  '[]'
    flaky_tests       text[]                    needed  '{}'
    finished_at       timestamp with time zone  empty   -
    created_by_id     uuid                      empty   -
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
    digest            character varying(64)     needed  -
    last_read_at      timestamp with time zone  empty   -
    revoked_at        timestamp with time zone  empty   -
"""
# Equivalent spellings.
PLAINLY = {
    "CURRENT_TIMESTAMP": "now()",
    "nextval('deck_missions_number_seq'::regclass)": "nextval('deck_missions_number_seq')",
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
        ("deck_missions", "assignee_id", "members", "SET NULL"),
        ("deck_missions", "completed_by_id", "members", ""),
        ("dod_items", "completed_by_id", "members", ""),
        ("test_runs", "created_by_id", "members", ""),
        ("deck_feeds", "member_id", "members", ""),
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


# --- Rejected values ---------------------------------------------------------------------------------


MISSIONS = [
    ({"number": 0}, "number_positive"),
    ({"number": -47}, "number_positive"),
    ({"title": ""}, "title_not_empty"),
    ({"title": " \n\t"}, "title_not_empty"),
    ({"client": "  "}, "client_not_empty"),
    ({"budget": 0}, "budget_positive"),
    ({"deadline": "1999-12-31T23:59:59Z"}, "deadline_range"),
    ({"deadline": "2200-01-01T00:00:00Z"}, "deadline_range"),
    ({"deadline": "infinity"}, "deadline_range"),
    ({"currency": "usd"}, "currency_form"),
    ({"currency": "US"}, "currency_form"),
    ({"currency": "U$D"}, "currency_form"),
    ({"currency": ""}, "currency_form"),
    ({"assigned_to": ""}, "assigned_to_form"),
    ({"assigned_to": "Emma"}, "assigned_to_form"),
    ({"assigned_to": "a b@example.org"}, "assigned_to_form"),
    ({"assigned_to": "a@b@example.org"}, "assigned_to_form"),
    ({"github_url": "http://github.com/a/b"}, "github_url_form"),
    ({"github_url": "https://github.com/a"}, "github_url_form"),
    ({"github_url": "https://github.com.evil.example/a/b"}, "github_url_form"),
    ({"github_url": "https://user@github.com/a/b"}, "github_url_form"),
    ({"github_url": "https://github.com/a/b/issues"}, "github_url_form"),
    ({"github_url": "https://github.com/a/b?x=<script>"}, "github_url_form"),
    ({"github_url": "https://github.com/a--b/c"}, "github_url_form"),
    ({"github_url": "javascript:alert(1)//github.com/a/b"}, "github_url_form"),
    ({"github_url": " https://github.com/a/b"}, "github_url_form"),
    ({"github_url": "https://github.com/a/b\n"}, "github_url_form"),
    ({"status": "lost"}, None),
    ({"completed_at": NOW}, "completion_consistent"),
    ({"override_reason": "because"}, "completion_consistent"),
]


@pytest.mark.seed(
    "001 Table 1",
    "001 missions.title",
    "001 missions.client",
    "001 missions.budget",
    "001 missions.deadline",
    "001 missions.assigned_to",
    "001 missions.github_url",
)
@pytest.mark.parametrize(("values", "rule"), MISSIONS)
@pytest.mark.rule(
    "deck_missions_assigned_to_form",
    "deck_missions_budget_positive",
    "deck_missions_client_not_empty",
    "deck_missions_completion_consistent",
    "deck_missions_currency_form",
    "deck_missions_deadline_range",
    "deck_missions_number_positive",
    "deck_missions_title_not_empty",
)
def test_mission_rejects(values, rule):
    with rejected_by(f"deck_missions_{rule or 'begin_active'}"):
        raw_mission(**values)


@pytest.mark.parametrize(("values", "rule"), [each for each in MISSIONS if "status" not in each[0]])
def test_mission_change_rejects(values, rule):
    [(name, value)] = values.items()
    made = mission()
    # Number and completion are immutable, so their other rules are never reached.
    is_immutable = name in ("number", "completed_at", "override_reason")
    with rejected_by("deck_missions_immutable_fields" if is_immutable else f"deck_missions_{rule}"):
        rows(f"UPDATE deck_missions SET {name} = %s WHERE id = %s", [value, made.pk])


@pytest.mark.seed("001 missions.budget")
def test_negative_budget_is_rejected():
    """Rejected by Django's CHECK of a positive number, which PostgreSQL evaluates first."""
    with rejected_by("deck_missions_budget_check"):
        raw_mission(budget=-1)


def test_unknown_status_is_rejected():
    made = mission()
    with rejected_by("deck_missions_one_step"):
        rows("UPDATE deck_missions SET status = 'lost' WHERE id = %s", [made.pk])


@pytest.mark.seed("001 missions.status")
def test_unknown_status_is_rejected_without_trigger():
    with owner_session() as session:
        session.execute("SET lock_timeout = '20s'")
        session.execute("ALTER TABLE deck_missions DISABLE TRIGGER deck_missions_begin_active")
        with pytest.raises(Exception, match="deck_missions_status_known"):
            session.execute(
                """INSERT INTO deck_missions (title, client, budget, deadline, assigned_to, status)
                   VALUES ('Bot', 'Acme', 300, now(), 'a@example.org', 'lost')"""
            )
        session.rollback()


@pytest.mark.seed("001 missions.github_url")
@pytest.mark.parametrize(
    "address",
    ["", "https://github.com/mind-protocol/mission-47", "https://github.com/a/b.git/", "https://github.com/A1/_._"],
)
def test_valid_repositories_are_accepted(address):
    raw_mission(github_url=address)


@pytest.mark.parametrize("field", [{"budget": 0}, {"currency": "usd"}, {"github_url": "https://gitlab.com/a/b"}])
def test_form_validates_before_database(field):
    values = {"title": "Bot", "client": "Acme", "budget": 300, "deadline": NOW, "assigned_to": "a@example.org"}
    with pytest.raises(ValidationError):
        DeckMission(**(values | field)).full_clean()


@pytest.mark.seed("001 Table 2", "001 dod_items.text", "001 dod_items.category", "001 dod_items.completed_at")
@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"category": "fun"}, "category_known"),
        ({"category": "Functional"}, "category_known"),
        ({"text": ""}, "text_not_empty"),
        ({"text": " \n"}, "text_not_empty"),
        ({"completed": True}, "completion_consistent"),
        ({"completed_at": NOW}, "completion_consistent"),
        ({"position": -1}, "position_check"),
    ],
)
@pytest.mark.rule("dod_items_category_known", "dod_items_completion_consistent")
def test_item_rejects(values, rule):
    with rejected_by(f"dod_items_{rule}"):
        insert("dod_items", **({"mission_id": mission().pk, "text": "It works"} | values))


@pytest.mark.seed("001 Table 3", "001 chat_messages.sender", "001 chat_messages.message")
@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"citizen": "bob"}, "citizen_known"),
        ({"citizen": "Emma"}, "citizen_known"),
        ({"citizen": ""}, "citizen_known"),
        ({"sender": "system"}, "sender_known"),
        ({"message": ""}, "message_not_empty"),
        ({"message": " \n\t "}, "message_not_empty"),
        ({"message": "x" * 100_001}, "message_length"),
    ],
)
@pytest.mark.rule("chat_messages_citizen_known", "chat_messages_sender_known")
def test_message_rejects(values, rule):
    with rejected_by(f"chat_messages_{rule}"):
        insert("chat_messages", **({"mission_id": mission().pk, "sender": "user", "message": "Hi"} | values))


@pytest.mark.seed("001 Table 4")
@pytest.mark.parametrize(
    ("values", "rule"),
    [
        # The outcome is checked before the known values.
        ({"status": "green"}, "status_follows_from_results"),
        ({"status": ""}, "status_follows_from_results"),
        ({"source": "paper"}, "source_known"),
        ({"digest": "abc"}, "digest_form"),
        ({"digest": "A" * 64}, "digest_form"),
        ({"digest": "g" * 64}, "digest_form"),
        ({"import_key": "build 7"}, "key_form"),
        ({"import_key": "bülid"}, "key_form"),
    ],
)
@pytest.mark.rule("test_runs_digest_form", "test_runs_key_form", "test_runs_source_known")
def test_run_rejects(values, rule):
    with rejected_by(f"test_runs_{rule}"):
        insert("test_runs", **({"mission_id": mission().pk, "status": "running"} | values))


def test_run_with_unknown_status_is_rejected():
    with rejected_by("test_runs_status_follows_from_results"):
        insert("test_runs", mission_id=mission().pk, status="green", results='[{"name": "a", "status": "passed"}]')


NEW_MISSION = """INSERT INTO deck_missions (title, client, budget, deadline, assigned_to)
    VALUES ('Bot', 'Acme', 300, now(), 'a@example.org')"""


def test_unknown_run_status_is_rejected_without_outcome():
    assert_rejects_alone(
        "test_runs_status_known",
        f"""{NEW_MISSION}; INSERT INTO test_runs (mission_id, status, results)
            SELECT id, 'green', '[]' FROM deck_missions""",
        prepare="ALTER TABLE test_runs DROP CONSTRAINT test_runs_status_follows_from_results",
    )


@pytest.mark.parametrize(("status", "finished_at"), [("running", "now()"), ("failed", "NULL")])
def test_finish_time_must_fit_status_without_trigger(status, finished_at):
    assert_rejects_alone(
        "test_runs_finished_at_consistent",
        f"""{NEW_MISSION}; INSERT INTO test_runs (mission_id, status, results, finished_at)
            SELECT id, '{status}', '[]', {finished_at} FROM deck_missions""",
        prepare="ALTER TABLE test_runs DISABLE TRIGGER USER",
    )


@pytest.mark.rule("deck_status_changes_from_status_known", "deck_status_changes_to_status_known")
@pytest.mark.parametrize("column", ["from_status", "to_status"])
def test_unknown_status_of_change_is_rejected(column):
    values = {"from_status": "active", "to_status": "qa"} | {column: "lost"}
    assert_rejects_alone(
        f"deck_status_changes_{column}_known",
        f"""{NEW_MISSION}; INSERT INTO deck_status_changes (mission_id, from_status, to_status)
            SELECT id, '{values["from_status"]}', '{values["to_status"]}' FROM deck_missions""",
        # The site role cannot write this table at all.
        prepare="SET CONSTRAINTS ALL DEFERRED",
    )


def test_file_of_latest_run_needs_key():
    first, second, digest = mission(), mission(), "0f" * 32
    insert("test_runs", mission_id=first.pk, status="running", digest=digest)
    insert("test_runs", mission_id=second.pk, status="running", digest=digest)
    with rejected_by("test_runs_file_unique"):
        insert("test_runs", mission_id=first.pk, status="running", digest=digest)
    insert("test_runs", mission_id=first.pk, status="running", digest=digest, import_key="build-7")
    insert("test_runs", mission_id=first.pk, status="running")
    insert("test_runs", mission_id=first.pk, status="running", digest=digest)


def test_key_is_unique_per_mission():
    first, second = mission(), mission()
    for made in (first, second):
        insert("test_runs", mission_id=made.pk, status="running", import_key="build-7")
    with rejected_by("test_runs_key_unique"):
        insert("test_runs", mission_id=first.pk, status="running", import_key="build-7")


@pytest.mark.seed("001 dod_items.category", "001 chat_messages.citizen", "001 chat_messages.sender")
def test_all_values_of_seed_are_accepted():
    made = mission()
    for category in Category.values:
        insert("dod_items", mission_id=made.pk, text=category, category=category)
    for citizen in Citizen.values:
        for sender in ("user", "citizen"):
            insert("chat_messages", mission_id=made.pk, citizen=citizen, sender=sender, message="Hi")
    insert("test_runs", mission_id=made.pk, status="running")
    for status in ("passed", "failed"):
        insert("test_runs", mission_id=made.pk, status=status, results=f'[{{"name": "a", "status": "{status}"}}]')
    assert set(Category.values) == {"functional", "non-functional", "tests"}
    assert set(DeckStatus.values) == {"active", "qa", "complete"}
    assert {"rafael", "sofia", "emma", "inna", "maya"} == set(Citizen.values)


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

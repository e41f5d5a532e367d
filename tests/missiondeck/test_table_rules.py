"""Invalid JSON and immutable values, for every entry point: raw SQL, the ORM and COPY."""

import json

import pytest
from django.db import DatabaseError, transaction
from psycopg.types.json import Jsonb

from groups.models import Member
from missiondeck.errors import CodeBlocksInvalid
from missiondeck.models import ChatMessage, DeckMission, TestRun
from missiondeck.services.chats import add_message
from tests.groups.test_erase import owner_session
from tests.missiondeck.helpers import complete_mission, copy_in, insert, mission, mission_in_qa
from tests.support.database import rejected_by, row, rows

pytestmark = pytest.mark.django_db

ENTRY_POINTS = ("sql", "update", "orm", "copy")

# --- Invalid JSON ------------------------------------------------------------------------------------

BLOCK = {"language": "python", "code": "print(1)"}
NO_BLOCKS = {
    "null": None,
    "object": {},
    "one block": BLOCK,
    "text": "print(1)",
    "number": 1,
    "boolean": True,
    "list of a text": ["print(1)"],
    "list of null": [None],
    "list in a list": [[BLOCK]],
    "no code": [{"language": "python"}],
    "no language": [{"code": "x"}],
    "language null": [{"language": None, "code": "x"}],
    "language a number": [{"language": 1, "code": "x"}],
    "code null": [{"language": "python", "code": None}],
    "code a list": [{"language": "python", "code": ["x"]}],
    "code an object": [{"language": "python", "code": {"x": 1}}],
    "unknown key": [BLOCK | {"run": True}],
    "one of two wrong": [BLOCK, {"language": "python"}],
    "language too long": [{"language": "x" * 41, "code": "x"}],
    "code too long": [{"language": "x", "code": "x" * 100_001}],
    "too many": [BLOCK] * 51,
}
NO_SUMMARY = {
    "json null": None,
    "list": [],
    "list of counts": [{"passed": 1}],
    "text": "passed",
    "number": 8,
    "boolean": True,
    "count below nothing": {"passed": -1},
    "count a text": {"passed": "8"},
    "count null": {"passed": None},
    "count a list": {"passed": [8]},
    "nested": {"functional": {"passed": 8}},
    "count a boolean": {"passed": True},
    "failures by another name": {"functional_failed": 2},
    "errors by another name": {"error": 1},
    "failures by a third name": {"failures": 1},
    "unknown name": {"green": 1},
    "more passed than there are": {"functional_passed": 11, "functional_total": 10},
    "total a text": {"functional_passed": 1, "functional_total": "10"},
}
RESULT = {"name": "test_a", "status": "passed"}
NO_RESULTS = {
    "json null": None,
    "object": {},
    "one result": RESULT,
    "text": "passed",
    "number": 0,
    "boolean": False,
    "list of a text": ["passed"],
    "list of null": [None],
    "list of a number": [1],
    "list in a list": [[RESULT]],
    "empty result": [{}],
    "no name": [{"status": "passed"}],
    "no status": [{"name": "test_a"}],
    "name empty": [RESULT | {"name": ""}],
    "name blank": [RESULT | {"name": " \n"}],
    "name null": [RESULT | {"name": None}],
    "name a number": [RESULT | {"name": 1}],
    "status unknown": [RESULT | {"status": "green"}],
    "status in capitals": [RESULT | {"status": "PASSED"}],
    "status null": [RESULT | {"status": None}],
    "status a list": [RESULT | {"status": ["passed"]}],
    "status running": [RESULT | {"status": "running"}],
    "unknown key": [RESULT | {"verdict": "passed"}],
    "duration a text": [RESULT | {"duration": "0.5"}],
    "duration below nothing": [RESULT | {"duration": -0.1}],
    "duration null": [RESULT | {"duration": None}],
    "retries below nothing": [RESULT | {"retries": -1}],
    "retries a text": [RESULT | {"retries": "1"}],
    "flaky a text": [RESULT | {"flaky": "yes"}],
    "flaky null": [RESULT | {"flaky": None}],
    **{
        f"{key} {kind}": [RESULT | {key: value}]
        for key in ("classname", "suite", "file", "error", "traceback", "output")
        for kind, value in (("null", None), ("a number", 1), ("a list", ["x"]), ("an object", {"x": 1}))
    },
    "one of two wrong": [RESULT, RESULT | {"status": "green"}],
}
NO_WARNINGS = {
    "null": None,
    "object": {},
    "text": "careful",
    "number": 1,
    "list of a number": [1],
    "list of null": [None],
    "list of an object": [{"line": 1}],
    "message without values": [{"code": "cleaned"}],
    "message without a code": [{"values": {}}],
    "message with a number as code": [{"code": 1, "values": {}}],
    "message with a list of values": [{"code": "cleaned", "values": [1]}],
    "list of a list of a message": [[{"code": "cleaned", "values": {}}]],
    "list in a list": [["careful"]],
    "one of two wrong": ["careful", 1],
}

CASES = [
    (table, column, value, rule, name, entry_point)
    for table, column, values, rule in (
        ("chat_messages", "code_blocks", NO_BLOCKS, "chat_messages_code_blocks_shape"),
        ("test_runs", "summary", NO_SUMMARY, "test_runs_summary_shape"),
        ("test_runs", "results", NO_RESULTS, "test_runs_results_shape"),
        ("test_runs", "warnings", NO_WARNINGS, "test_runs_warnings_shape"),
    )
    for number, (name, value) in enumerate(values.items())
    # Every value by SQL; one of them by each way rows are written, to which the same CHECK applies.
    for entry_point in (ENTRY_POINTS if number == 0 else ENTRY_POINTS[:1])
    # A message is immutable.
    if (table, entry_point) != ("chat_messages", "update")
]
MODELS = {"chat_messages": ChatMessage, "test_runs": TestRun}
LEAST = {"chat_messages": {"sender": "user", "message": "Hi"}, "test_runs": {"status": "running"}}


def put(entry_point: str, table: str, column: str, value) -> None:
    """Write one JSON value by one entry point, in an otherwise valid row."""
    values = {"mission_id": mission().pk} | LEAST[table]
    if entry_point == "orm":
        # None would be NULL, not JSON's null.
        from django.db.models import JSONField, Value

        given = Value(None, JSONField()) if value is None else value
        MODELS[table].objects.create(**values, **{column: given})
    elif entry_point == "copy":
        copy_in(table, **values, **{column: json.dumps(value)})
    elif entry_point == "sql":
        insert(table, **values, **{column: Jsonb(value)})
    else:
        key = insert(table, **values)
        rows(f"UPDATE {table} SET {column} = %s WHERE id = %s", [Jsonb(value), key])


@pytest.mark.seed(
    "001 chat_messages.code_blocks",
    "001 test_runs.summary",
    "001 test_runs.results",
    "001 JSON is checked at every entry point",
)
@pytest.mark.parametrize(
    ("table", "column", "value", "rule", "entry_point"),
    [(*case[:4], case[5]) for case in CASES],
    ids=[f"{case[1]}: {case[4]} by {case[5]}" for case in CASES],
)
def test_invalid_json_shape_is_rejected(table, column, value, rule, entry_point):
    if entry_point == "copy":
        with pytest.raises(Exception) as rejected, transaction.atomic():  # noqa: PT011  (psycopg's own, or Django's)
            put(entry_point, table, column, value)
        error = rejected.value.__cause__ or rejected.value
        assert error.diag.constraint_name == rule
    else:
        with rejected_by(rule):
            put(entry_point, table, column, value)
    assert row(f"SELECT count(*) FROM {table}") == (0,)


@pytest.mark.seed("001 chat_messages.code_blocks", "001 test_runs.results", "001 Seed 5")
@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("chat_messages", "code_blocks", []),
        ("chat_messages", "code_blocks", [BLOCK, {"language": "", "code": ""}]),
        ("chat_messages", "code_blocks", [{"language": "x" * 40, "code": "x" * 100_000}]),
        ("test_runs", "summary", {}),
        ("test_runs", "summary", {"passed": 8, "failed": 2, "duration": 5.2}),
        ("test_runs", "summary", {"functional_passed": 8, "functional_total": 10}),
        ("test_runs", "summary", {"functional_passed": 10, "functional_total": 10}),
        ("test_runs", "results", []),
        ("test_runs", "results", [RESULT, {"name": "test_b", "status": "failed", "error": "KeyError"}]),
        (
            "test_runs",
            "results",
            [
                RESULT
                | {"duration": 0, "classname": "", "suite": "a > b", "file": "a.py", "error": "", "traceback": "…"}
                | {"output": "é€😀", "flaky": True, "retries": 2}
            ],
        ),
        ("test_runs", "warnings", ["the report says 3 tests, it has 2"]),
        ("test_runs", "warnings", ["careful", {"code": "cleaned", "values": {"n": 1}}]),
    ],
)
def test_valid_json_shape_is_accepted(entry_point, table, column, value):
    if (table, entry_point) == ("chat_messages", "update"):
        return
    put(entry_point, table, column, value)
    (stored,) = row(f"SELECT {column}::text FROM {table}")
    assert json.loads(stored) == value


def test_service_explains_invalid_code_blocks():
    with pytest.raises(CodeBlocksInvalid, match="a list of at most 50"):
        add_message(
            actor=Member.objects.system(),
            mission=mission(),
            citizen="emma",
            sender="user",
            message="Hi",
            code_blocks=[{"language": "python"}],
        )


# --- Immutable values -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "verb"),
    [
        ("deck_missions", "DELETE"),
        ("test_runs", "DELETE"),
        ("deck_status_changes", "INSERT"),
        ("deck_status_changes", "UPDATE"),
        ("deck_status_changes", "DELETE"),
        ("chat_messages", "UPDATE"),
        ("chat_messages", "DELETE"),
        ("deck_missions_history", "UPDATE"),
        ("deck_missions_history", "DELETE"),
        ("dod_items_history", "UPDATE"),
        ("dod_items_history", "DELETE"),
        ("test_run_log_pages", "INSERT"),
        ("test_run_log_pages", "UPDATE"),
        ("test_run_log_pages", "DELETE"),
        ("deck_latest_runs", "INSERT"),
        ("deck_latest_runs", "UPDATE"),
        ("deck_latest_runs", "DELETE"),
        *((table, "TRUNCATE") for table in ("deck_missions", "dod_items", "test_runs", "deck_status_changes")),
    ],
)
def test_site_role_lacks_privilege(table, verb):
    (column,) = row("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", [table])
    statement = {
        "DELETE": f"DELETE FROM {table}",
        "UPDATE": f"UPDATE {table} SET {column} = {column}",
        "INSERT": f"INSERT INTO {table} SELECT * FROM {table}",
        "TRUNCATE": f"TRUNCATE {table} CASCADE",
    }[verb]
    with pytest.raises(DatabaseError) as rejected, transaction.atomic():
        rows(statement)
    assert rejected.value.__cause__.sqlstate == "42501"


def test_status_changes_are_append_only_for_owner():
    with owner_session() as session:
        session.execute("SET lock_timeout = '20s'")
        (key,) = session.execute(
            """INSERT INTO deck_missions (title, client, budget, deadline, assigned_to)
               VALUES ('Bot', 'Acme', 300, now(), 'a@example.org') RETURNING id"""
        ).fetchone()
        session.execute("UPDATE deck_missions SET status = 'qa' WHERE id = %s", [key])
        for statement in (
            "UPDATE deck_status_changes SET reason = 'x'",
            "DELETE FROM deck_status_changes",
        ):
            with pytest.raises(Exception, match="append-only") as rejected, session.transaction():
                session.execute(statement)
            assert rejected.value.diag.constraint_name == "deck_status_changes_append_only"
        session.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(Exception, match="append-only"), session.transaction():
            session.execute("TRUNCATE deck_status_changes")
        session.rollback()


@pytest.mark.parametrize(
    "changes", ["number = number + 1", "id = gen_random_uuid()", "completed_at = now()", "override_reason = 'because'"]
)
def test_mission_number_is_immutable(changes):
    made = mission_in_qa()
    with rejected_by("deck_missions_immutable_fields"):
        rows(f"UPDATE deck_missions SET {changes} WHERE id = %s", [made.pk])


@pytest.mark.parametrize(
    "changes", ["completed_at = now() + interval '1 day'", "completed_by_id = NULL", "override_reason = 'because'"]
)
def test_completion_details_are_immutable(changes):
    made = complete_mission()
    with rejected_by("deck_missions_immutable_fields"):
        rows(f"UPDATE deck_missions SET {changes} WHERE id = %s", [made.pk])


@pytest.mark.parametrize("status", ["qa", "complete"])
@pytest.mark.parametrize("entry_point", ["sql", "orm", "copy"])
def test_new_mission_must_be_active(status, entry_point):
    values = {"title": "Bot", "client": "Acme", "budget": 1, "deadline": "2026-03-02Z", "assigned_to": "a@example.org"}
    values |= {"status": status, "completed_at": "2026-03-02T00:00:00Z" if status == "complete" else None}
    with pytest.raises(Exception) as rejected, transaction.atomic():  # noqa: PT011, PT012  (psycopg's own, or Django's)
        if entry_point == "sql":
            insert("deck_missions", **values)
        elif entry_point == "orm":
            DeckMission.objects.create(**(values | {"deadline": mission().deadline}))
        else:
            copy_in("deck_missions", **values)
    assert (rejected.value.__cause__ or rejected.value).diag.constraint_name == "deck_missions_begin_active"


def test_timestamps_are_set_by_database():
    made = mission()
    rows("UPDATE deck_missions SET updated_at = '2020-01-01Z' WHERE id = %s", [made.pk])
    rows("UPDATE deck_missions SET title = 'Another' WHERE id = %s", [made.pk])
    assert row("SELECT updated_at = now(), created_at <= now() FROM deck_missions WHERE id = %s", [made.pk]) == (
        True,
        True,
    )


def test_history_records_every_change():
    made = mission_in_qa(items=1, title="Before")
    rows("UPDATE deck_missions SET title = 'After', budget = 400 WHERE id = %s", [made.pk])
    assert rows(
        "SELECT pgh_label, title, status, budget FROM deck_missions_history WHERE pgh_obj_id = %s ORDER BY pgh_id",
        [made.pk],
    ) == [
        ("insert", "Before", "active", 300),
        ("update", "Before", "qa", 300),
        ("update", "After", "qa", 400),
    ]
    rows("DELETE FROM dod_items WHERE mission_id = %s", [made.pk])
    assert rows(
        "SELECT pgh_label, completed FROM dod_items_history WHERE mission_id = %s ORDER BY pgh_id", [made.pk]
    ) == [("insert", False), ("update", True), ("delete", True)]

"""The rules of runs of CI and of gates in the database, by raw SQL as the role of the site."""

import pytest
from django.db import DatabaseError, connection, transaction

from missiondeck.rules import BASELINE_RATIO, MAX_AGE_DAYS, MAX_SHARDS, MAX_SUITES, MAX_TESTS
from tests.missiondeck.helpers import insert, mission
from tests.support.database import rejected_by
from tests.support.factories.groups import MemberFactory
from tests.support.factories.missiondeck import RunFactory

pytestmark = pytest.mark.django_db

RUN = {"status": "passed", "results": '[{"name": "a", "status": "passed"}]'}
A = "a" * 40


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("test_runs_commit_form", {"commit": "A" * 40}),
        ("test_runs_commit_form", {"commit": "a" * 12}),
        ("test_runs_build_url_form", {"build_url": "javascript:alert(1)"}),
        ("test_runs_build_url_form", {"build_url": "https://ci.example.org/a b"}),
        ("test_runs_attempt_positive", {"attempt": 0}),
        ("test_runs_shards_range", {"shards": MAX_SHARDS + 1, "status": "failed", "results": "[]"}),
        ("test_runs_job_one_line", {"job": "unit\ntests"}),
    ],
)
def test_invalid_value_of_ci_run_is_rejected(constraint, values):
    made = mission()
    with rejected_by(constraint):
        insert("test_runs", mission_id=made.pk, **(RUN | values))


def test_ci_run_is_unique_by_all_of_its_values():
    made = mission()
    run = insert("test_runs", mission_id=made.pk, commit=A, **RUN)
    insert("test_runs", mission_id=made.pk, commit=A, attempt=2, **RUN)
    with rejected_by("test_runs_ci_run_unique"):
        insert("test_runs", mission_id=made.pk, commit=A, **RUN)
    with rejected_by("test_runs_ci_run_immutable"), connection.cursor() as cursor:
        cursor.execute(
            """UPDATE test_runs SET job = 'e2e', parts = 1, summary = NULL,
                   results = results || '[{"name": "b", "status": "passed"}]'::jsonb WHERE id = %s""",
            [run],
        )


def test_part_is_unique_and_append_only():
    run = RunFactory().pk
    insert("test_run_parts", run_id=run, label="1", digest="0" * 64)
    with rejected_by("test_run_parts_unique"):
        insert("test_run_parts", run_id=run, label="1", digest="0" * 64)
    with rejected_by("test_run_parts_digest_form"):
        insert("test_run_parts", run_id=run, digest="x")
    for statement in ("DELETE FROM test_run_parts", "UPDATE test_run_parts SET label = '2'"):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            connection.cursor().execute(statement)


@pytest.mark.parametrize(
    ("constraint", "values"),
    [
        ("deck_gate_rules_suites_bounded", {"required_suites": [str(n) for n in range(MAX_SUITES + 1)]}),
        ("deck_gate_rules_min_tests_range", {"min_tests": MAX_TESTS + 1}),
        ("deck_gate_rules_max_failures_range", {"max_failures": MAX_TESTS + 1}),
        ("deck_gate_rules_max_age_range", {"max_age_days": MAX_AGE_DAYS + 1}),
    ],
)
def test_invalid_rule_of_gate_is_rejected(constraint, values):
    made = mission()
    with rejected_by(constraint), connection.cursor() as cursor:
        ((name, value),) = values.items()
        cursor.execute(f"INSERT INTO deck_gate_rules (mission_id, {name}) VALUES (%s, %s)", [made.pk, value])


def test_confirmations_need_reasons_and_are_append_only():
    made, lead = mission(), MemberFactory()
    with rejected_by("deck_gate_baselines_reason_not_empty"):
        insert("deck_gate_baselines", mission_id=made.pk, runs=[], tests=1, reason=" ")
    values = {"mission_id": made.pk, "test": "t" * 5_000, "by_id": lead.pk}
    with rejected_by("deck_vanished_tests_reason_not_empty"):
        insert("deck_vanished_tests", reason=" ", **values)
    insert("deck_vanished_tests", reason="Removed", **values)
    with rejected_by("deck_vanished_tests_unique"):
        insert("deck_vanished_tests", reason="Removed", **values)
    for table in ("deck_gate_baselines", "deck_vanished_tests"):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            connection.cursor().execute(f"DELETE FROM {table}")


def test_sql_has_same_share_of_baseline():
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'deck_gate'")
        assert f"baseline.tests * {BASELINE_RATIO}" in cursor.fetchone()[0]

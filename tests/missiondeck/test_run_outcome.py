"""A run is passed only if its tests passed, for every entry point and every summary."""

import json
from itertools import product

import pytest
from django.db import DatabaseError, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from missiondeck.errors import RunFinished, StatusContradictsResults, SummaryContradictsResults
from missiondeck.models import DeckMission, TestRun
from missiondeck.services.runs import outcome_of
from missionsite.common.errors import translate_db_errors
from tests.missiondeck.helpers import FAILED, PASSED, copy_in, insert, mission
from tests.support.database import rejected_by, row, rows

pytestmark = pytest.mark.django_db

SKIPPED = {"name": "test_c", "status": "skipped"}
TOO_FEW = {"functional_passed": 8, "functional_total": 10}
BROKEN = {"name": "test_d", "status": "error"}

# --- Any results, any summary, any status ---------------------------------------------------------

STATUSES = ["passed", "failed", "error", "skipped"]
COUNTS = ["passed", "failed", "errors", "skipped", "total", "duration"]
PAIRS = [f"{kind}_{end}" for kind in ("functional", "performance") for end in ("passed", "total")]
result = st.fixed_dictionaries({"name": st.sampled_from("abc"), "status": st.sampled_from(STATUSES)})
figure = st.one_of(st.integers(0, 4), st.sampled_from([0.0, 0.5, 2.0]))
# Half of the runs have only passed results, so that every outcome is frequent.
results_of_any_kind = st.one_of(
    st.lists(result, max_size=5),
    st.lists(
        st.fixed_dictionaries({"name": st.just("a"), "status": st.sampled_from(["passed", "skipped"])}), max_size=4
    ),
)
made_up = st.dictionaries(st.sampled_from([*COUNTS, *PAIRS]), figure, max_size=5)


def counted(results: list[dict]) -> dict:
    """The correct summary of these results."""
    count = [each["status"] for each in results].count
    return {
        "passed": count("passed"), "failed": count("failed"), "errors": count("error"), "skipped": count("skipped"),
        "total": len(results),
    }  # fmt: skip


def verdict(summary: dict | None, results: list[dict]) -> str:
    """The rule in Python: passed only if something passed and nothing contradicts it."""
    statuses = {each["status"] for each in results}
    summary = summary or {}
    if "passed" not in statuses or "failed" in statuses or "error" in statuses:
        return "failed"
    if summary.get("failed", 0) > 0 or summary.get("errors", 0) > 0:
        return "failed"
    pairs = [(summary[key], summary.get(key[: -len("passed")] + "total")) for key in summary if key.endswith("_passed")]
    return "failed" if any(total is not None and passed < total for passed, total in pairs) else "passed"


def is_true(status: str, summary: dict | None, results: list[dict] | None) -> None:
    """Check the invariants of all finished runs."""
    assert results is not None
    bad = [each for each in results if each["status"] in ("failed", "error")]
    counts = {key: value for key, value in (summary or {}).items() if key in ("failed", "errors") and value > 0}
    if status == "passed":
        assert not bad, results
        assert not counts, summary
        assert any(each["status"] == "passed" for each in results)
    elif status == "failed":
        assert verdict(summary, results) == "failed", (summary, results)


@pytest.mark.seed("001 test_runs.status", "001 a run with a failed test is never passed, at any entry point")
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    results=results_of_any_kind,
    made_up=made_up,
    true_counts=st.booleans(),
    status=st.sampled_from(["passed", "failed", "running"]),
    entry_point=st.sampled_from(["insert", "update", "copy", "orm"]),
)
@example(results=[FAILED, PASSED], made_up={}, true_counts=True, status="passed", entry_point="insert")
@example(results=[PASSED], made_up=TOO_FEW, true_counts=False, status="passed", entry_point="insert")
@example(results=[PASSED], made_up={"failed": 1}, true_counts=False, status="passed", entry_point="update")
@example(results=[], made_up={}, true_counts=True, status="passed", entry_point="insert")
@example(results=[PASSED], made_up={}, true_counts=True, status="failed", entry_point="insert")
def test_outcome_is_enforced_at_every_entry_point(results, made_up, true_counts, status, entry_point):
    summary = made_up | (counted(results) if true_counts else {})
    (expected,) = row("SELECT test_run_outcome(%s, %s)", [Jsonb(summary), Jsonb(results)])
    assert expected == verdict(summary, results)
    one = mission()
    try:
        with transaction.atomic():
            if entry_point == "insert":
                insert("test_runs", mission_id=one.pk, status=status, summary=Jsonb(summary), results=Jsonb(results))
            elif entry_point == "copy":
                copy_in(
                    "test_runs",
                    mission_id=one.pk,
                    status=status,
                    summary=json.dumps(summary),
                    results=json.dumps(results),
                )
            elif entry_point == "orm":
                TestRun.objects.create(mission=one, status=status, summary=summary, results=results)
            else:
                key = insert("test_runs", mission_id=one.pk, status="running")
                rows(
                    "UPDATE test_runs SET status = %s, summary = %s, results = %s WHERE id = %s",
                    [status, Jsonb(summary), Jsonb(results), key],
                )
    except Exception as error:
        # Psycopg's error from COPY, else Django's. Wrong statuses and invalid pairs are rejected.
        rejected = (error.__cause__ or error).diag.constraint_name
        if rejected == "test_runs_status_follows_from_results":
            assert status != expected
        elif rejected == "test_runs_summary_fits_results":
            true = counted(results)
            assert any(summary[key] != true[key] for key in true if key in summary)
        else:
            assert rejected == "test_runs_summary_shape"
            assert any(
                summary[key] > summary.get(key[: -len("passed")] + "total", summary[key])
                for key in summary
                if key.endswith("_passed")
            )
        return
    stored, stored_summary, stored_results = row(
        "SELECT status, summary::text, results::text FROM test_runs WHERE mission_id = %s", [one.pk]
    )
    assert stored == status
    if status != "running":
        is_true(stored, json.loads(stored_summary), json.loads(stored_results))
        assert status == expected


# Every kind of summary: none, no failures, failures, fractions, pairs that are full, short, above or without a partner.
SUMMARIES = [
    None, {}, {"passed": 1, "total": 1}, {"failed": 0, "errors": 0}, {"failed": 1}, {"errors": 2}, {"failed": 0.5},
    {"skipped": 3, "duration": 1.5}, {"functional_passed": 10, "functional_total": 10}, TOO_FEW,
    {"functional_passed": 3, "functional_total": 2}, {"functional_passed": 3}, {"functional_total": 3},
    {"a_passed": 1, "a_total": 1, "b_passed": 0, "b_total": 1}, TOO_FEW | {"failed": 1},
]  # fmt: skip


@pytest.mark.seed("001 test_runs.status", "001 a run with a failed test is never passed, at any entry point")
def test_stored_outcome_agrees_for_all_combinations():
    """What the service stores, the function over all results, and the rule in Python: up to three results."""
    one = DeckMission.objects.filter(pk=mission().pk)
    for statuses in (each for count in range(4) for each in product(STATUSES, repeat=count)):
        results = [{"name": str(place), "status": status} for place, status in enumerate(statuses)]
        expected = [verdict(summary, results) for summary in SUMMARIES]
        computed = one.values_list(*(outcome_of(summary, results) for summary in SUMMARIES)).get()
        calls = ", ".join(["test_run_outcome(%s, %s)"] * len(SUMMARIES))
        parameters = [Jsonb(value) for summary in SUMMARIES for value in (summary, results)]
        assert list(computed) == list(row(f"SELECT {calls}", parameters)) == expected, statuses


# --- Wrong values -----------------------------------------------------------------------------------

LIES = {
    "passed beside a failed test": ("passed", None, [PASSED, FAILED]),
    "passed beside an error": ("passed", None, [PASSED, BROKEN]),
    "passed with nothing that passed": ("passed", None, [SKIPPED]),
    "passed with no tests": ("passed", None, []),
    "passed with no results": ("passed", None, None),
    "failed with no results": ("failed", None, None),
    "failed beside a clean pass": ("failed", None, [PASSED, SKIPPED]),
    "passed, the summary counts a failure": ("passed", {"failed": 1}, [PASSED]),
    "passed, the summary counts an error": ("passed", {"errors": 1}, [PASSED]),
    "passed, eight of ten passed": ("passed", {"functional_passed": 8, "functional_total": 10}, [PASSED]),
    "the seed's own example": (
        "passed",
        {"functional_passed": 8, "functional_total": 10, "performance_passed": 2, "performance_total": 3},
        [
            {"name": "test_send_message", "status": "passed"},
            {"name": "test_callback_handler", "status": "failed", "error": "KeyError: callback_data"},
        ],
    ),
}


@pytest.mark.seed("001 test_runs.status")
@pytest.mark.parametrize(("status", "summary", "results"), LIES.values(), ids=LIES)
@pytest.mark.parametrize("entry_point", ["insert", "update"])
def test_wrong_status_is_rejected(status, summary, results, entry_point):
    values = {
        "status": status,
        "summary": None if summary is None else Jsonb(summary),
        "results": None if results is None else Jsonb(results),
    }
    one = mission().pk
    if entry_point == "insert":
        with rejected_by("test_runs_status_follows_from_results"):
            insert("test_runs", mission_id=one, **values)
    else:
        key = insert("test_runs", mission_id=one, status="running")
        with rejected_by("test_runs_status_follows_from_results"):
            rows(
                "UPDATE test_runs SET status = %s, summary = %s, results = %s WHERE id = %s",
                [*values.values(), key],
            )


def test_seed_example_is_failed_run():
    status, summary, results = LIES["the seed's own example"]
    key = insert("test_runs", mission_id=mission().pk, status="failed", summary=Jsonb(summary), results=Jsonb(results))
    assert row("SELECT status, finished_at IS NOT NULL FROM test_runs WHERE id = %s", [key]) == ("failed", True)
    assert verdict(summary, results) == "failed" != status


@pytest.mark.seed("001 test_runs.summary")
@pytest.mark.parametrize(
    ("summary", "results"),
    [
        ({"passed": 2}, [PASSED]),
        ({"failed": 2, "passed": 1}, [PASSED, FAILED]),
        ({"errors": 0, "total": 2}, [PASSED, BROKEN]),
        ({"skipped": 0}, [PASSED, SKIPPED]),
        ({"total": 3}, [PASSED]),
        ({"passed": 0.5}, [PASSED]),
    ],
)
def test_wrong_summary_is_rejected(summary, results):
    with rejected_by("test_runs_summary_fits_results"):
        insert(
            "test_runs",
            mission_id=mission().pk,
            status=verdict(summary, results),
            summary=Jsonb(summary),
            results=Jsonb(results),
        )


def test_rejections_have_messages():
    one = mission()
    with (
        pytest.raises(StatusContradictsResults, match="must follow from the results"),
        translate_db_errors(),
        transaction.atomic(),
    ):
        TestRun.objects.create(mission=one, status="passed", results=[FAILED])
    with (
        pytest.raises(SummaryContradictsResults, match="do not match the results"),
        translate_db_errors(),
        transaction.atomic(),
    ):
        TestRun.objects.create(mission=one, status="passed", summary={"passed": 7}, results=[PASSED])


# --- Finished runs are immutable --------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        "status = 'running'",
        'status = \'failed\', results = \'[{"name": "a", "status": "failed"}]\'',
        'results = \'[{"name": "b", "status": "passed"}]\'',
        "logs = 'other'",
        "flaky_tests = '{a}'",
        "created_at = created_at - interval '1 day'",
        "finished_at = NULL",
        "name = 'other'",
    ],
)
def test_finished_run_is_immutable(changes):
    key = insert("test_runs", mission_id=mission().pk, status="passed", results=Jsonb([PASSED]))
    with rejected_by("test_runs_finished_immutable"):
        rows(f"UPDATE test_runs SET {changes} WHERE id = %s", [key])
    with pytest.raises(RunFinished), translate_db_errors(), transaction.atomic():
        TestRun.objects.filter(pk=key).update(name="other")


@pytest.mark.parametrize("changes", ["mission_id = %(other)s", "created_at = now() - interval '1 day'"])
def test_mission_and_time_of_run_are_immutable(changes):
    key, other = insert("test_runs", mission_id=mission().pk, status="running"), mission().pk
    with rejected_by("test_runs_mission_immutable"):
        rows(f"UPDATE test_runs SET {changes} WHERE id = %(run)s", {"run": key, "other": other})


def test_finish_time_is_set_only_for_finished_run():
    key = insert("test_runs", mission_id=mission().pk, status="running", finished_at="2026-03-02Z")
    assert row("SELECT finished_at FROM test_runs WHERE id = %s", [key]) == (None,)
    rows("UPDATE test_runs SET status = 'passed', results = %s WHERE id = %s", [Jsonb([PASSED]), key])
    assert row("SELECT finished_at BETWEEN now() AND clock_timestamp() FROM test_runs WHERE id = %s", [key]) == (True,)


def test_flaky_tests_cannot_be_set_directly():
    """A value that is written directly is replaced."""
    key = insert("test_runs", mission_id=mission().pk, status="failed", results=Jsonb([FAILED]), flaky_tests=["test_b"])
    assert row("SELECT flaky_tests FROM test_runs WHERE id = %s", [key]) == ([],)


@pytest.mark.seed("001 a run with a failed test is never passed, at any entry point")
def test_constraints_hold_without_triggers():
    """The CHECK applies also with triggers disabled, as in a restore."""
    from tests.groups.test_erase import owner_session

    with owner_session() as session:
        session.execute("SET lock_timeout = '20s'")
        (key,) = session.execute(
            """INSERT INTO deck_missions (title, client, budget, deadline, assigned_to)
               VALUES ('Bot', 'Acme', 300, now(), 'a@example.org') RETURNING id"""
        ).fetchone()
        session.execute("ALTER TABLE test_runs DISABLE TRIGGER USER")
        with pytest.raises(Exception, match="test_runs_status_follows_from_results"):
            session.execute(
                """INSERT INTO test_runs (mission_id, status, results, finished_at)
                   VALUES (%s, 'passed', '[{"name": "a", "status": "failed"}]', now())""",
                [key],
            )
        session.rollback()


@pytest.mark.seed("001 a run with a failed test is never passed, at any entry point")
def test_negative_control_without_constraint():
    """Without the constraint the wrong status is stored, and the check above finds it."""
    from tests.groups.test_erase import owner_session

    with owner_session() as session:
        session.execute("SET lock_timeout = '20s'")
        session.execute("ALTER TABLE test_runs DROP CONSTRAINT test_runs_status_follows_from_results")
        (key,) = session.execute(
            """INSERT INTO deck_missions (title, client, budget, deadline, assigned_to)
               VALUES ('Bot', 'Acme', 300, now(), 'a@example.org') RETURNING id"""
        ).fetchone()
        session.execute(
            """INSERT INTO test_runs (mission_id, status, results)
               VALUES (%s, 'passed', '[{"name": "a", "status": "failed"}]')""",
            [key],
        )
        stored = session.execute("SELECT status, results FROM test_runs WHERE mission_id = %s", [key]).fetchone()
        with pytest.raises(AssertionError):
            is_true(stored[0], None, stored[1])
        session.rollback()


def test_site_role_cannot_drop_constraint():
    with pytest.raises(DatabaseError) as rejected, transaction.atomic():
        rows("ALTER TABLE test_runs DROP CONSTRAINT test_runs_status_follows_from_results")
    assert rejected.value.__cause__.sqlstate == "42501"

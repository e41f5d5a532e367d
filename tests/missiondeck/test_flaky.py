"""Flaky tests: a test that fails now and passed after a failure within its last five runs."""

from datetime import UTC, datetime, timedelta

import pytest

from missiondeck.models import TestRun
from tests.missiondeck.helpers import mission
from tests.support.database import row, rows

pytestmark = pytest.mark.django_db

BEGINNING = datetime(2026, 3, 2, 12, tzinfo=UTC)
# Separator of class and test.
SIGN = "\u203a"
LETTERS = {"P": "passed", "F": "failed", "E": "error", "S": "skipped"}


def result(letter: str, name: str = "test_a", **more) -> dict:
    return {"name": name, "status": LETTERS[letter]} | more


def run(of, *results: dict, at: int) -> TestRun:
    """A finished run, `at` hours after the beginning."""
    statuses = {each["status"] for each in results}
    passed = "passed" in statuses and not statuses & {"failed", "error"}
    made = TestRun.objects.create(
        mission=of,
        status="passed" if passed else "failed",
        results=list(results),
        created_at=BEGINNING + timedelta(hours=at),
    )
    made.refresh_from_db()
    return made


def flaky_after(history: str, **more) -> list[str]:
    """The flaky tests of the last run for a history of one test: P, F, E, S, or - if it was not in the run."""
    made = mission()
    for hour, letter in enumerate(history):
        results = [result("P", "test_other")] + ([] if letter == "-" else [result(letter, **more)])
        last = run(made, *results, at=hour)
    return last.flaky_tests


@pytest.mark.parametrize(
    "history",
    ["FPF", "EPF", "FPE", "PFPF", "FFPF", "FPFF", "FPPF", "FPPPF", "FPFFF", "PFPPF", "FPFPF", "FPPFF"],
)
def test_flaky_history_is_detected(history):
    assert flaky_after(history) == ["test_a"]


@pytest.mark.parametrize("history", ["F", "PF", "FF", "PPF", "PFF", "PPPPF", "FFFFF", "PPFFF", "PFFFF"])
def test_stable_history_is_not_flaky(history):
    assert flaky_after(history) == []


@pytest.mark.parametrize("history", ["FPP", "FPFP", "FP", "FPS"])
def test_passing_test_is_not_flaky(history):
    assert flaky_after(history) == []


def test_only_last_five_runs_count():
    assert flaky_after("FPPPF") == ["test_a"]
    assert flaky_after("FPPPPF") == [], "the failure is the sixth from the end"
    assert flaky_after("FPFFFF") == [], "and here too"
    assert flaky_after("FFPFFF") == ["test_a"]


@pytest.mark.seed("001 flaky tests are found")
@pytest.mark.parametrize("history", ["FSPSF", "FPSSSF", "FSSSPF", "SFSPSF", "FPPPSF", "FSPPPSF"])
def test_skipped_runs_do_not_count(history):
    assert flaky_after(history) == ["test_a"]


def test_runs_without_the_test_do_not_count():
    assert flaky_after("F--P--F") == ["test_a"]


def test_ten_earlier_runs_are_searched():
    assert flaky_after("F" + "-" * 8 + "PF") == ["test_a"]
    assert flaky_after("F" + "-" * 9 + "PF") == []


@pytest.mark.seed("001 flaky tests are found")
def test_cases_with_same_name_are_one_test():
    """Parametrized cases with one name: the test failed if one case failed."""
    made = mission()
    run(made, result("P"), result("F"), at=0)
    run(made, result("P"), result("P"), at=1)
    assert run(made, result("F"), result("P"), at=2).flaky_tests == ["test_a"]
    other = mission()
    run(other, result("P"), result("F"), at=0)
    run(other, result("P"), result("F"), at=1)
    # It never passed, because one case always failed.
    assert run(other, result("P"), result("F"), at=2).flaky_tests == []


def test_same_name_in_two_classes_is_two_tests():
    made = mission()
    run(made, result("F", classname="A"), result("P", classname="B"), at=0)
    run(made, result("P", classname="A"), result("P", classname="B"), at=1)
    last = run(made, result("F", classname="A"), result("F", classname="B"), at=2)
    assert last.flaky_tests == [f"A {SIGN} test_a"]


def test_suite_replaces_missing_class():
    made = mission()
    for hour, letter in enumerate("FPF"):
        last = run(made, result(letter, suite="web > forms"), result("P", "b"), at=hour)
    assert last.flaky_tests == [f"web > forms {SIGN} test_a"]
    assert row('SELECT test_identity(\'{"name": "n", "classname": "", "suite": "s"}\')') == (f"s {SIGN} n",)


def test_runs_of_other_mission_do_not_count():
    one, other = mission(), mission()
    run(one, result("F"), at=0)
    run(other, result("P"), at=1)
    assert run(one, result("F"), at=2).flaky_tests == []
    run(one, result("P"), at=3)
    assert run(other, result("F"), at=4).flaky_tests == []
    assert run(one, result("F"), at=5).flaky_tests == ["test_a"]


def test_running_and_later_runs_do_not_count():
    made = mission()
    run(made, result("F"), at=0)
    TestRun.objects.create(
        mission=made, status="running", results=[result("P")], created_at=BEGINNING + timedelta(hours=1)
    )
    assert run(made, result("F"), at=2).flaky_tests == []
    # A run imported later with an earlier time.
    run(made, result("P"), at=10)
    assert run(made, result("F"), at=3).flaky_tests == []


def test_flaky_tests_are_sorted_by_name():
    made = mission()
    for hour, letter in enumerate("FPF"):
        last = run(made, *(result(letter, name) for name in ("test_z", "test_a", "test_m")), result("P", "b"), at=hour)
    assert last.flaky_tests == ["test_a", "test_m", "test_z"]


def test_finished_run_looks_back_from_its_start():
    made = mission()
    run(made, result("F"), at=0)
    run(made, result("P"), at=1)
    running = TestRun.objects.create(mission=made, status="running", created_at=BEGINNING + timedelta(hours=2))
    TestRun.objects.filter(pk=running.pk).update(status="failed", results=[result("F")])
    running.refresh_from_db()
    assert running.flaky_tests == ["test_a"]


def naive(history: str) -> bool:
    """The rule in Python for one test. history: letters, the last one is the current run."""
    runs = [letter for letter in history if letter != "S"][-5:]
    if history[-1] not in "FE":
        return False
    before = runs[:-1]
    return any(bad in "FE" and "P" in before[place + 1 :] for place, bad in enumerate(before))


@pytest.mark.seed("001 flaky tests are found")
def test_all_histories_up_to_six_runs_follow_rule():
    """Compares the SQL function with the rule for 1,092 histories of passed, failed and skipped."""
    from itertools import product

    histories = ["".join(each) for length in range(1, 7) for each in product("PFS", repeat=length)]
    assert len(histories) == 1092
    asked = [each for each in histories if each[-1] == "F"]
    made = [mission() for _each in asked]
    past = [
        (one.pk, hour, LETTERS[letter])
        for one, history in zip(made, asked, strict=True)
        for hour, letter in enumerate(history[:-1])
    ]
    rows(
        """INSERT INTO test_runs (mission_id, status, results, created_at)
           SELECT m, CASE s WHEN 'skipped' THEN 'failed' ELSE s END,
                  jsonb_build_array(jsonb_build_object('name', 'test_a', 'status', s)),
                  %s::timestamptz + h * interval '1 hour'
           FROM unnest(%s::uuid[], %s::int[], %s::text[]) AS t (m, h, s)""",
        [BEGINNING, *(list(column) for column in zip(*past, strict=True))],
    )
    found = rows(
        """SELECT flaky_tests_of(m, %s, gen_random_uuid(), '[{"name": "test_a", "status": "failed"}]') <> '{}'
           FROM unnest(%s::uuid[]) WITH ORDINALITY AS t (m, place) ORDER BY place""",
        [BEGINNING + timedelta(days=1), [one.pk for one in made]],
    )
    assert [is_flaky for (is_flaky,) in found] == [naive(history) for history in asked]
    assert sum(is_flaky for (is_flaky,) in found) > 50

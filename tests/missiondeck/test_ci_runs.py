"""A test run is a run of CI: parts of one identity are one run, and the gate judges the newest commit."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from groups.models import Member
from missiondeck.errors import NoReportReceived, NotDone, RunFinished
from missiondeck.models import TestRun
from missiondeck.selectors.missions import missing_of
from missiondeck.selectors.runs import latest_run, log_page
from missiondeck.services.missions import change_status
from missiondeck.services.runs import CiRun, finish_run, give_up_run, give_up_stale_runs, import_report, start_run
from missionsite.common.errors import ConstraintViolated
from tests.missiondeck.helpers import junit, mission, mission_in_qa
from tests.missiondeck.reports.test_samples import DATA
from tests.support.concurrency import crowd
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db

A, B = "a" * 40, "b" * 40
BUILD = "https://ci.example.org/runs/1"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RED = '<testcase name="{}"><failure message="no"/></testcase>'
GREEN = '<testcase name="{}"/>'


def sample(number: str) -> io.BytesIO:
    return io.BytesIO(next(DATA.glob(f"{number}-*")).read_bytes())


def ready():
    return mission_in_qa(run=[])


def send(made, file, *, key: str = "", logs: bytes | None = None, **ci):
    return import_report(
        actor=Member.objects.system(),
        mission=made,
        file=file,
        logs=io.BytesIO(logs) if logs else None,
        key=key,
        ci=CiRun(**ci),
    )


def begin(made, **ci) -> TestRun:
    return start_run(actor=Member.objects.system(), mission=made, ci=CiRun(**ci))


def end(run: TestRun, file=None) -> TestRun:
    return finish_run(actor=Member.objects.system(), run=run, file=file)


def reasons(made) -> list[str]:
    return [each["what"] for each in missing_of(made)]


# --- Parts ------------------------------------------------------------------------------------------


@pytest.mark.seed("001 reports of one CI run are one run")
@pytest.mark.parametrize("order", [("25", "26"), ("26", "25")])
def test_parts_of_one_ci_run_are_merged(order):
    made = ready()
    first, second = (send(made, sample(number), commit=A, build_url=BUILD) for number in order)
    assert (first.is_new, second.is_new, first.run) == (True, True, second.run)
    run = TestRun.objects.get()
    assert (run.status, run.parts, run.summary["total"], run.summary["failed"]) == ("failed", 2, 2, 1)
    assert {each["name"] for each in run.results} == {"pay", "css"}
    with pytest.raises(NotDone):
        change_status(mission=made, to="complete", actor=MemberFactory())


@pytest.mark.seed("001 reports of one CI run are one run")
def test_run_is_running_until_announced_shards_arrive():
    made = ready()
    send(made, junit(GREEN.format("a")), commit=A, shard=1, shards=2)
    assert (TestRun.objects.get().status, reasons(made)) == ("running", ["open_run"])
    # The same shard again is not the second one.
    assert not send(made, junit(GREEN.format("a")), commit=A, shard=1, shards=2).is_new
    assert TestRun.objects.get().status == "running"
    # Another shard may have the same bytes.
    send(made, junit(GREEN.format("a")), commit=A, shard=2, shards=2)
    run = TestRun.objects.get()
    assert (run.status, run.parts, run.summary["total"], reasons(made)) == ("passed", 2, 2, [])


def test_shard_sent_twice_with_other_results_is_no_other_shard():
    made = ready()
    send(made, junit(RED.format("a")), commit=A, shard=1, shards=2)
    run = send(made, junit(GREEN.format("a")), commit=A, shard=1, shards=2).run
    assert (run.status, run.parts) == ("running", 1)
    assert send(made, junit(GREEN.format("b")), commit=A, shard=2, shards=2).run.status == "failed"


def test_announcement_after_first_part_reopens_run():
    made = ready()
    assert send(made, junit(GREEN.format("a")), commit=A).run.status == "passed"
    assert send(made, junit(GREEN.format("b")), commit=A, shards=3).run.status == "running"
    assert reasons(made) == ["open_run"]


def test_begun_run_is_finished_explicitly():
    made = ready()
    run = begin(made, commit=A)
    assert begin(made, commit=A) == run
    with pytest.raises(NoReportReceived):
        end(run)
    for name in ("a", "b"):
        assert send(made, junit(GREEN.format(name)), commit=A).run.status == "running"
    assert (end(run).status, TestRun.objects.get().summary["total"]) == ("passed", 2)
    with pytest.raises(RunFinished):
        end(run)
    with pytest.raises(ConstraintViolated, match="This CI run exists already"):
        begin(made, commit=A)
    # A part that arrives late still counts.
    assert send(made, junit(RED.format("c")), commit=A).run.status == "failed"


def test_run_finished_without_all_shards_fails():
    made = ready()
    run = begin(made, commit=A, shards=3)
    send(made, junit(GREEN.format("a")), commit=A, shard=1)
    done = end(run)
    assert (done.status, done.summary["errors"], done.summary["total"]) == ("failed", 1, 2)
    assert TestRun.objects.get().results[-1]["error"] == "1 of 3 shards were received."


def test_given_up_run_keeps_parts_and_rejects_more():
    made = ready()
    run = begin(made, commit=A, shards=2)
    send(made, junit(GREEN.format("a")), commit=A, shard=1)
    given_up = give_up_run(actor=Member.objects.system(), run=run)
    assert (given_up.status, given_up.is_given_up, given_up.summary["total"]) == ("failed", True, 2)
    with pytest.raises(RunFinished):
        send(made, junit(GREEN.format("b")), commit=A, shard=2)
    assert reasons(made) == ["suite"]


def test_stale_run_is_given_up():
    made = ready()
    run = begin(made, commit=A)
    at = run.created_at
    assert give_up_stale_runs(actor=Member.objects.system(), at=at + timedelta(hours=23)) == 0
    assert give_up_stale_runs(actor=Member.objects.system(), at=at + timedelta(hours=25)) == 1
    assert (TestRun.objects.get().status, reasons(made)) == ("failed", ["suite"])


def test_empty_shard_fails_run():
    made = ready()
    send(made, junit(GREEN.format("a")), commit=A)
    run = send(made, io.BytesIO(b'<testsuite name="empty" tests="0"/>'), commit=A).run
    assert (run.status, run.summary["errors"]) == ("failed", 1)


def test_logs_of_parts_are_kept_apart():
    made = ready()
    for number in (1, 2):
        send(made, junit(GREEN.format(number)), commit=A, shard=number, shards=2, logs=f"line of {number}".encode())
    lines = [text for _line, text in log_page(TestRun.objects.get()).lines]
    assert lines == ["=== 1 ===", "line of 1", "=== 2 ===", "line of 2"]


@pytest.mark.seed("001 the same file after another run, or under another key, is a new run")
def test_same_bytes_of_other_attempt_are_another_run():
    made = ready()
    for attempt, number in enumerate(("27", "28", "27"), 1):
        send(made, sample(number), commit=A, build_url=BUILD, attempt=attempt)
    assert [run.status for run in TestRun.objects.order_by("attempt")] == ["failed", "passed", "failed"]
    assert reasons(made) == ["suite"]


@pytest.mark.django_db(transaction=True)
def test_concurrent_parts_are_one_run():
    made = mission()
    with crowd(8) as people:
        done = people.run(
            lambda n: send(made, junit(GREEN.format(n) if n else RED.format(n)), commit=A, shard=n + 1, shards=8),
            timeout=120,
        )
    assert not [one for one in done if isinstance(one, Exception)], done
    run = TestRun.objects.get()
    assert (run.status, run.parts, run.summary["total"], run.summary["failed"]) == ("failed", 8, 8, 1)


def test_database_rejects_changed_results_of_ci_run():
    made = mission()
    run = send(made, junit(RED.format("a")), commit=A).run
    for change in (
        'results = \'[{"name": "a", "status": "passed"}]\', summary = NULL, status = \'passed\', parts = 2',
        "commit = repeat('b', 40)",
        "status = 'running', results = NULL, parts = 2",
        "is_given_up = true",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE test_runs SET {change} WHERE id = %s", [run.pk])


def test_database_rejects_passed_run_without_all_shards():
    made = mission()
    with pytest.raises(IntegrityError, match="test_runs_shards_complete"):
        TestRun.objects.create(
            mission=made, status="passed", results=[{"name": "a", "status": "passed"}], commit=A, shards=2, parts=1
        )


# --- The latest run ---------------------------------------------------------------------------------


@pytest.mark.seed("001 the newest commit decides")
def test_slow_run_of_old_commit_is_not_latest():
    made = ready()
    new = send(made, junit(RED.format("a")), commit=B, committed_at=NOON + timedelta(hours=1)).run
    send(made, junit(GREEN.format("a")), commit=A, committed_at=NOON, started_at=NOON + timedelta(hours=2))
    assert latest_run(made) == new == made.latest_run.run
    assert reasons(made) == ["suite"]


def test_start_decides_without_commit_time():
    made = ready()
    send(made, junit(RED.format("a")), commit=B, started_at=NOON + timedelta(hours=1))
    send(made, junit(GREEN.format("a")), commit=A, started_at=NOON)
    assert reasons(made) == ["suite"]


def test_clock_ahead_does_not_outlast_later_run():
    made = ready()
    send(made, junit(GREEN.format("a")), commit=A, committed_at=datetime(2199, 1, 1, tzinfo=UTC))
    send(made, junit(RED.format("a")), commit=B)
    assert reasons(made) == ["suite"]


def test_each_suite_and_environment_of_commit_counts():
    made = ready()
    send(made, junit(GREEN.format("a")), commit=A, job="unit", environment="linux")
    send(made, junit(RED.format("a")), commit=A, job="unit", environment="windows")
    send(made, junit(GREEN.format("b")), commit=A, job="e2e")
    (missing,) = missing_of(made)
    assert (missing["suite"], missing["environment"], missing["status"]) == ("unit", "windows", "failed")
    send(made, junit(GREEN.format("a")), commit=A, job="unit", environment="windows", attempt=2)
    assert reasons(made) == []


def test_late_first_attempt_does_not_hide_second():
    made = ready()
    send(made, junit(RED.format("a")), commit=A, build_url=BUILD, attempt=2)
    send(made, junit(GREEN.format("a")), commit=A, build_url=BUILD, attempt=1)
    assert reasons(made) == ["suite"]


def test_run_without_commit_closes_gate_but_does_not_open_it():
    made = ready()
    send(made, junit(RED.format("a")), commit=A)
    import_report(actor=Member.objects.system(), mission=made, file=junit(GREEN.format("a")))
    assert reasons(made) == ["suite"]
    send(made, junit(GREEN.format("a")), commit=A, attempt=2)
    assert reasons(made) == []
    import_report(actor=Member.objects.system(), mission=made, file=junit(RED.format("a")))
    assert reasons(made) == ["later_test_run"]

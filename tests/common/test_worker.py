"""Real worker processes against the real queue: what they run, and what becomes of it when they die."""

import atexit
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from functools import partial

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.jobs import Job

from missionsite.common.models import Heartbeat, WorkerProcess
from missionsite.common.worker import watchdog
from missionsite.common.worker.retries import MAX_ATTEMPTS, Retries
from missionsite.common.worker.watchdog import replace_lost_workers
from tests.common.forks import Forks
from tests.common.jobs import fail_once, hold, hold_row, note
from tests.support.concurrency import PATIENCE, execute_as_owner
from tests.support.database import rejected_by

pytestmark = pytest.mark.django_db(transaction=True)


def until(condition, what: str):
    """Wait until a condition of another process holds, and return what it gave."""
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}"
        # Nothing to wait on across processes but the rows and files themselves.
        select.select([], [], [], 0.05)
    return result


@pytest.fixture(autouse=True)
def empty_queue():
    """Each test begins with a queue of its own; the tables are procrastinate's, and no fixture empties them."""
    with connection.cursor() as cursor:
        for table in ("periodic_defers", "events", "jobs", "workers"):
            cursor.execute(f"DELETE FROM procrastinate_{table}")
    WorkerProcess.objects.all().delete()


FORKS: dict[str, Forks] = {}


def of_the_tests() -> dict[str, str]:
    """What leads a process to the database of the tests."""
    own = connection.settings_dict
    secret = f":{own['PASSWORD']}" if own["PASSWORD"] else ""
    host = own["HOST"].replace("/", "%2F")
    return {
        "DATABASE_URL": f"postgres://{own['USER']}{secret}@{host}:{own['PORT']}/{own['NAME']}",
        "DJANGO_SETTINGS_MODULE": "tests.common.worker_settings",
        "SECRET_KEY": settings.SECRET_KEY,
    }


def forks() -> Forks:
    """The server that forks processes which know the database of the tests; it ends with this process."""
    environment = of_the_tests()
    if environment["DATABASE_URL"] not in FORKS:
        FORKS[environment["DATABASE_URL"]] = server = Forks(environment)
        atexit.register(server.close)
    return FORKS[environment["DATABASE_URL"]]


@contextmanager
def running_worker(*options: str, expect: int | None = 0, as_program: bool = True, **environment: str):
    """`manage.py worker` on the test database, ended with SIGTERM; its exit code is checked unless None.

    as_program: started by the shell's line, with its errors in `stderr`; otherwise forked from a process that has
    imported the site.
    """
    arguments = ["worker", "--stale-after", "5", *options]
    if as_program:
        process = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments],
            cwd=settings.BASE_DIR,
            env=os.environ | of_the_tests() | environment,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    else:
        process = forks().start(*arguments, "--skip-checks", stderr=sys.__stderr__.fileno(), **environment)
    try:
        yield process
        if expect is not None:
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == expect
    finally:
        # Only what this test started: the session it was given.
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
        if process.stderr:
            process.stderr.close()


# Starts in no time, and its errors are not read.
forked_worker = partial(running_worker, as_program=False)


def status_of(job_id: int) -> tuple[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT status::text, attempts FROM procrastinate_jobs WHERE id = %s", [job_id])
        return cursor.fetchone()


def running_jobs() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM procrastinate_jobs WHERE status = 'doing'")
        return [job for (job,) in cursor.fetchall()]


def lines(path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def a_worker() -> WorkerProcess:
    return until(WorkerProcess.objects.first, "a worker")


@pytest.fixture
def gate(tmp_path):
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


def test_job_runs_and_is_noted_as_done(tmp_path):
    report = tmp_path / "report"
    with running_worker():
        job = note.defer(report=str(report), word="hello")
        until(lambda: status_of(job)[0] == "succeeded", "the job")
    assert lines(report) == ["hello"]


def test_job_of_a_transaction_appears_on_commit_only(tmp_path):
    report = tmp_path / "report"
    with forked_worker():
        a_worker()
        with transaction.atomic():
            lost = note.defer(report=str(report), word="rolled-back")
            transaction.set_rollback(True)
        with transaction.atomic():
            kept = note.defer(report=str(report), word="committed")
            later = connection.copy()
            try:
                with later.cursor() as cursor:
                    cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE id IN (%s, %s)", [lost, kept])
                    assert cursor.fetchone() == (0,)
            finally:
                later.close()
        until(lambda: status_of(kept)[0] == "succeeded", "the committed job")
    assert lines(report) == ["committed"]


@pytest.mark.seed("site background work: killed, lost and hung workers")
def test_killed_worker_is_replaced_and_its_job_runs_once_more(tmp_path, gate):
    report = tmp_path / "report"
    with forked_worker():
        job = hold.defer(report=str(report), gate=str(gate))
        until(lambda: lines(report) == ["started"], "the job to start")
        first = a_worker()
        os.kill(first.pid, signal.SIGKILL)
        until(lambda: lines(report) == ["started", "started"], "the job to start again")
        gate.write_text("")
        until(lambda: status_of(job)[0] == "succeeded", "the job to end")
        assert not WorkerProcess.objects.filter(tag=first.tag).exists()
    assert lines(report) == ["started", "started", "done"]
    assert status_of(job) == ("succeeded", 2)


@pytest.mark.seed("site background work: killed, lost and hung workers")
@pytest.mark.long
def test_job_of_a_lost_machine_waits_for_the_watchdog(tmp_path, gate):
    """Supervisor and worker die together; another machine's watchdog gives the job back, not before it is stale."""
    report = tmp_path / "report"
    with forked_worker(expect=None) as process:
        job = hold.defer(report=str(report), gate=str(gate))
        until(lambda: lines(report) == ["started"], "the job to start")
        a_worker()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE)
    assert replace_lost_workers(stale_after=timedelta(hours=1)) == []
    assert status_of(job)[0] == "doing"
    # The watchdog of the supervisor that was killed may hold its lock until the server notices.
    given_back = []
    until(lambda: given_back.extend(replace_lost_workers(stale_after=timedelta(0))) or given_back, "the job")
    # The regular jobs of that minute may have run there too.
    assert job in given_back
    assert replace_lost_workers(stale_after=timedelta(0)) == []
    assert status_of(job) == ("todo", 1)
    with forked_worker():
        until(lambda: lines(report) == ["started", "started"], "the job to start again")
        gate.write_text("")
        until(lambda: status_of(job)[0] == "succeeded", "the job to end")


def freeze_between_heartbeats(worker: WorkerProcess) -> bool:
    """Freeze a worker; wake it again in the middle of a heartbeat, which locks the row that deregistering deletes."""
    os.kill(worker.pid, signal.SIGSTOP)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT FROM procrastinate_workers FOR UPDATE NOWAIT")
    except OperationalError:
        os.kill(worker.pid, signal.SIGCONT)
        return False
    return True


def freeze_lose_and_wake(tmp_path, gate, **environment: str) -> int:
    """Freeze a worker in the middle of a transaction, take it for lost, wake it up; returns how often its job wrote."""
    report = tmp_path / "report"
    report.touch()
    with forked_worker("--stale-after", "3600", TEST_DECIDE_FIRST=str(report), **environment):
        job = hold_row.defer(report=str(report), gate=str(gate))
        until(lambda: lines(report) == ["started"], "the job to start")
        # The regular jobs of this minute first: the end of any of them would show the worker that it was deregistered.
        until(lambda: running_jobs() == [job], "the other jobs to end")
        frozen = a_worker()
        until(lambda: freeze_between_heartbeats(frozen), "the worker to be frozen")
        assert job in replace_lost_workers(known_dead=frozen.tag)
        report.with_suffix(".frozen").touch()
        os.kill(frozen.pid, signal.SIGCONT)
        gate.write_text("")
        until(lambda: lines(report).count("started") == 2, "the job to start again")
        gate.write_text("")
        until(lambda: status_of(job)[0] == "succeeded", "the job to end")
    return Heartbeat.objects.filter(name__startswith="written-").count()


@pytest.mark.seed("site background work: killed, lost and hung workers")
def test_worker_that_only_seemed_dead_changes_nothing_more(tmp_path, gate):
    assert freeze_lose_and_wake(tmp_path, gate) == 1
    assert lines(tmp_path / "report") == ["started", "rejected", "started", "done"]


@pytest.mark.seed("site background work: killed, lost and hung workers")
def test_fence_holds_where_connections_cannot_be_ended(tmp_path, gate, monkeypatch):
    """As behind a pooler, whose connections have no names."""
    monkeypatch.setattr(watchdog, "_terminate_connections", lambda cursor, tag: True)
    assert freeze_lose_and_wake(tmp_path, gate) == 1


@pytest.mark.long
@pytest.mark.seed("site background work: killed, lost and hung workers", control=True)
def test_without_cut_off_and_fence_it_would_do_its_work_twice(tmp_path, gate, monkeypatch):
    """The negative control of the two tests above."""
    monkeypatch.setattr(watchdog, "_terminate_connections", lambda cursor, tag: True)
    assert freeze_lose_and_wake(tmp_path, gate, TEST_NO_FENCE="1") == 2


def test_sigterm_lets_the_running_job_finish(tmp_path, gate):
    report = tmp_path / "report"
    with forked_worker(expect=None) as process:
        job = hold.defer(report=str(report), gate=str(gate))
        until(lambda: lines(report) == ["started"], "the job to start")
        before = a_worker().worker_id
        process.send_signal(signal.SIGTERM)
        with connection.cursor() as cursor:
            cursor.execute("SELECT last_heartbeat FROM procrastinate_workers WHERE id = %s", [before])
            (asked,) = cursor.fetchone()

        def beats_on() -> bool:
            with connection.cursor() as cursor:
                cursor.execute("SELECT last_heartbeat FROM procrastinate_workers WHERE id = %s", [before])
                return cursor.fetchone()[0] > asked + timedelta(seconds=2)

        until(beats_on, "the heartbeat of a worker that is finishing")
        waiting = note.defer(report=str(report), word="not-any-more")
        assert process.poll() is None
        gate.write_text("")
        assert process.wait(PATIENCE) == 0
    assert lines(report) == ["started", "done"]
    assert status_of(job)[0] == "succeeded"
    assert status_of(waiting)[0] == "todo"
    assert not WorkerProcess.objects.exists()


def cut_off(worker: WorkerProcess) -> None:
    """End the connections of a worker, as a restart of PostgreSQL does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", [worker.tag]
        )


def is_idle() -> bool:
    """Whether the periodic jobs of this minute have run."""
    with connection.cursor() as cursor:
        cursor.execute("""SELECT count(*) > 0 AND bool_and(status NOT IN ('todo', 'doing')) FROM procrastinate_jobs""")
        return cursor.fetchone()[0]


def cut_off_in_a_query(workers: list[WorkerProcess]) -> None:
    """End the connections of idle workers while each asks for a job, which ends the worker.

    A connection that is lost while nothing uses it is replaced, and the worker goes on.
    """
    until(is_idle, "the periodic jobs")
    with transaction.atomic(), connection.cursor() as cursor:
        # Every request for a job now waits for the table.
        cursor.execute("LOCK TABLE procrastinate_jobs")

        def waiting() -> bool:
            # In a transaction, pg_stat_activity is read once and kept.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                """SELECT count(DISTINCT application_name) FROM pg_stat_activity
                   WHERE application_name = ANY (%s) AND wait_event_type = 'Lock' AND query LIKE '%%fetch_job%%'""",
                [[each.tag for each in workers]],
            )
            return cursor.fetchone()[0] == len(workers)

        until(waiting, "each worker to ask for a job")
        for worker in workers:
            cut_off(worker)


@pytest.mark.seed("site background work goes on after PostgreSQL was restarted, killed or away; SIGTERM")
@pytest.mark.long
def test_worker_that_lost_a_cancellation_is_replaced(tmp_path):
    """Its connections are gone, so it stops; the heartbeat of the old code went on for good in its place."""
    with forked_worker("--stale-after", "30", TEST_LOSE_CANCELLATION="1"):
        first = a_worker()
        cut_off_in_a_query([first])
        until(lambda: not WorkerProcess.objects.filter(tag=first.tag).exists(), "the worker to end")
        job = note.defer(report=str(tmp_path / "report"), word="hello")
        until(lambda: status_of(job)[0] == "succeeded", "the job")


@pytest.mark.seed("site background work goes on after PostgreSQL was restarted, killed or away; SIGTERM")
@pytest.mark.long
def test_sigterm_ends_a_worker_that_lost_a_cancellation():
    with forked_worker("--stale-after", "30", TEST_LOSE_CANCELLATION="1"):
        a_worker()


@pytest.mark.seed("site background work goes on after PostgreSQL was restarted, killed or away; SIGTERM")
@pytest.mark.long
def test_supervisor_ends_a_worker_that_stopped_and_stays(tmp_path):
    """Frozen after SIGTERM, a worker neither beats nor ends; before, the supervisor waited for it for good."""
    with forked_worker(expect=None) as process:
        worker = a_worker()
        os.kill(worker.pid, signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


@pytest.mark.seed("site background work goes on after PostgreSQL was restarted, killed or away; SIGTERM")
@pytest.mark.long
def test_workers_run_jobs_again_after_the_database_was_away(tmp_path):
    """Each worker loses a query. bin/prove-workers restarts PostgreSQL at any age of a worker."""
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    report = tmp_path / "report"
    with forked_worker("--stale-after", "30", "--processes", "4"):
        until(lambda: WorkerProcess.objects.count() == 4, "four workers")
        workers = list(WorkerProcess.objects.all())
        execute_as_owner(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false", dbname="postgres")
        try:
            cut_off_in_a_query(workers)
            select.select([], [], [], 1)
        finally:
            execute_as_owner(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true", dbname="postgres")
        until(lambda: WorkerProcess.objects.exclude(tag__in=[each.tag for each in workers]).count() == 4, "four others")
        for number in range(10):
            note.defer(report=str(report), word=str(number))
        until(lambda: len(lines(report)) == 10, "all jobs")


@pytest.mark.seed("site background work goes on after PostgreSQL was restarted, killed or away; SIGTERM")
@pytest.mark.long
def test_jobs_run_after_random_restarts_and_crashes():
    """Five of each; bin/prove-workers --random 50 is the whole proof."""
    proof = [sys.executable, str(settings.BASE_DIR / "bin/prove_workers.py"), "--random", "5"]
    found = subprocess.run(proof, cwd=settings.BASE_DIR, capture_output=True, text=True, timeout=900)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.count("PASS") == 11


def test_worker_ends_when_its_supervisor_is_killed(tmp_path):
    with forked_worker(expect=None) as process:
        worker = a_worker()
        process.kill()
        process.wait(PATIENCE)
        until(lambda: not WorkerProcess.objects.exists(), "the worker to end")
        with pytest.raises(ProcessLookupError):
            until(lambda: os.kill(worker.pid, 0), "the process to be gone")


@pytest.mark.long
def test_two_workers_share_the_queue_without_running_a_job_twice(tmp_path):
    report = tmp_path / "report"
    with forked_worker("--processes", "2"):
        until(lambda: WorkerProcess.objects.count() == 2, "two workers")
        for number in range(100):
            note.defer(report=str(report), word=str(number))
        until(lambda: len(lines(report)) >= 100, "all jobs")
    assert sorted(lines(report), key=int) == [str(number) for number in range(100)]


def test_job_that_takes_every_worker_down_is_given_up(tmp_path):
    job = note.defer(report=str(tmp_path / "report"), word="never")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', attempts = %s WHERE id = %s", [MAX_ATTEMPTS - 1, job]
        )
    assert replace_lost_workers() == []
    assert status_of(job) == ("failed", MAX_ATTEMPTS)


def test_failed_job_is_tried_again(tmp_path):
    report = tmp_path / "report"
    with forked_worker():
        job = fail_once.defer(report=str(report))
        until(lambda: status_of(job) == ("succeeded", 2), "the second run")
    assert lines(report) == ["run", "run"]


def test_pauses_grow_until_the_job_has_failed():
    now = timezone.now()
    failed = [Job(id=1, queue="", lock=None, queueing_lock=None, task_name="", attempts=each) for each in range(5)]
    decisions = [Retries().get_retry_decision(exception=ValueError(), job=each) for each in failed]
    assert [each and round((each.retry_at - now).total_seconds()) for each in decisions] == [2, 8, 32, 128, None]


@pytest.mark.long
def test_lost_job_gives_way_to_a_newer_one_of_its_kind(tmp_path):
    once = note.configure(queueing_lock="one-of-a-kind")
    old = once.defer(report=str(tmp_path / "report"), word="old")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = %s", [old])
    new = once.defer(report=str(tmp_path / "report"), word="new")
    assert replace_lost_workers() == []
    assert status_of(old)[0] == "aborted"
    assert status_of(new)[0] == "todo"


def test_health_says_whether_a_worker_beats(capsys):
    with pytest.raises(CommandError, match="No worker has a recent heartbeat"):
        call_command("health")
    with forked_worker():
        worker = a_worker()
        call_command("health")
        assert f"{worker.host}:{worker.pid} alive" in capsys.readouterr().out


@pytest.mark.long
def test_worker_says_in_words_that_the_database_is_away_and_keeps_trying(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")
    with running_worker(expect=None) as process:
        said = []
        while not said or "does not respond" not in said[-1]:
            said.append(process.stderr.readline())
            assert said[-1], "the worker ended without a word"
        assert "The database does not respond; trying again." in said[-1]
        assert "Traceback" not in "".join(said)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"worker_id": 1}, "worker_processes_worker_unique"),
        ({"concurrency": 0}, "worker_processes_concurrency_positive"),
    ],
)
def test_invalid_worker_is_rejected(changes, rule):
    values = {"host": "host", "pid": 1, "concurrency": 1}
    WorkerProcess.objects.create(tag="first", worker_id=1, **values)
    with rejected_by(rule):
        WorkerProcess.objects.create(tag="second", **({"worker_id": 2} | values | changes))
    WorkerProcess.objects.create(tag="second", worker_id=2, **values)


def test_every_regular_job_is_known_by_name():
    app.perform_import_paths()
    names = {task for task, _ in app.periodic_registry.periodic_tasks}
    assert names >= {"health", "watchdog", "prune_request_counts", "prune_jobs", "merge_mission_counters"}

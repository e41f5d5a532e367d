"""Restart and kill PostgreSQL under running workers and check that each of them runs jobs again.

Six supervisors with one worker each share the queue of a database of its own in `var/prove-workers`, emptied for each
run. Restarts: PostgreSQL is stopped and started when the workers are 0 to 29 seconds old. Crashes: it is killed
(SIGKILL) when they are 4 to 7 seconds old, when most of their queries are due at the same time. At the end every
supervisor has to end on SIGTERM. Prints PASS or FAIL for each check.

Random rounds (`--random 50`): three workers, jobs that write one row each all the time, and PostgreSQL restarted and
killed in turn at random moments, as often as asked of each. Every job queued has to have run, and its row to be there
once, within 30 seconds after PostgreSQL is back.
"""

# ruff: noqa: S603, T201 - it runs the worker and prints results

import argparse
import contextlib
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))
# Seconds within which a worker runs jobs again after the database has returned, and within which SIGTERM ends it.
BACK_WITHIN = 90
ENDS_WITHIN = 30
SUPERVISORS = 6
# The same of the random rounds; their number of supervisors, and the longest wait before PostgreSQL ends.
DONE_WITHIN = 30
RANDOM_SUPERVISORS = 3
LONGEST_WAIT = 12.0
# Seconds from the kill of a worker until the supervisor has started the next one, whose age begins then.
START_SECONDS = 0.8

from missionsite import embedded  # noqa: E402
from missionsite.embedded import processes  # noqa: E402


def prepare(folder: Path) -> None:
    """Start a new cluster with the site's tables, and connect this process to it."""
    embedded.remove(folder)
    os.environ |= {
        "DATABASE_URL": "",
        "MISSIONSITE_VAR_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "tests.common.worker_settings",
        "CONN_MAX_AGE": "0",
    }
    embedded.start(folder)
    import django

    django.setup()
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
    from django.core.management import call_command

    from missionsite.common.roles import as_owner

    with as_owner():
        call_command("migrate", verbosity=0)


class Fleet:
    """Supervisors with one worker each."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self.report = folder / "report"
        self.log = open(folder / "workers.log", "a")  # noqa: SIM115 - closed by end()
        command = [sys.executable, str(CHECKOUT / "manage.py"), "worker"]
        self.supervisors = [
            subprocess.Popen(command, cwd=CHECKOUT, stdout=self.log, stderr=self.log, start_new_session=True)
            for _ in range(size)
        ]

    def workers(self) -> dict[int, int]:
        """Return the process id of each supervisor's worker, by that of the supervisor."""
        found = {}
        for each in self.supervisors:
            children = Path(f"/proc/{each.pid}/task/{each.pid}/children").read_text().split()
            if children:
                found[each.pid] = int(children[0])
        return found

    def wait_until_all_work(self, *, seconds: float) -> tuple[int, float]:
        """Queue jobs until a worker of each supervisor ran one. Return how many did, and the seconds it took."""
        from django.db import connection
        from procrastinate.exceptions import ConnectorException

        from tests.common.jobs import name_supervisor

        self.report.unlink(missing_ok=True)
        began = time.monotonic()
        working: set[int] = set()
        while len(working) < len(self.supervisors) and time.monotonic() - began < seconds:
            try:
                for _ in self.supervisors:
                    name_supervisor.defer(report=str(self.report))
            except ConnectorException:
                connection.close()
            time.sleep(0.5)
            if self.report.exists():
                working = {int(line) for line in self.report.read_text().split()}
        return len(working), time.monotonic() - began

    def renew(self, ages: list[float]) -> None:
        """Kill each worker so that its replacement has the given age in seconds when this returns."""
        now = time.monotonic()
        longest = max(ages)
        for supervisor, age in sorted(zip(self.supervisors, ages, strict=True), key=lambda each: -each[1]):
            _sleep_until(now + longest - age)
            os.kill(self.workers()[supervisor.pid], signal.SIGKILL)
        _sleep_until(now + longest + START_SECONDS)

    def end(self) -> tuple[int, float]:
        """Send SIGTERM to all. Return how many ended in time, and the seconds of the last; kill the others."""
        began = time.monotonic()
        for each in self.supervisors:
            each.send_signal(signal.SIGTERM)
        ended = 0
        for each in self.supervisors:
            with contextlib.suppress(subprocess.TimeoutExpired):
                each.wait(max(began + ENDS_WITHIN - time.monotonic(), 0.01))
                ended += 1
        took = time.monotonic() - began
        for each in self.supervisors:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(each.pid, signal.SIGKILL)
            each.wait()
        self.log.close()
        return ended, took


class Effects:
    """Jobs that write one row each, queued as far as the database takes them."""

    def __init__(self) -> None:
        self.queued: set[str] = set()

    def queue(self, *, seconds: float) -> None:
        """Queue jobs for this number of seconds."""
        from django.db import connection
        from procrastinate.exceptions import ConnectorException

        from tests.common.jobs import write_effect

        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            key = f"{len(self.queued)}"
            try:
                write_effect.defer(key=key)
                # Only what was acknowledged; a job that the crash hides is queued again under the same key.
                self.queued.add(key)
            except ConnectorException:
                connection.close()
            time.sleep(min(0.05, left))

    def wait(self, *, seconds: float) -> tuple[int, float]:
        """Wait until every job queued has its row and none waits. Return how many are missing, and the seconds."""
        from django.db import DatabaseError, connection

        began = time.monotonic()
        missing = len(self.queued)
        while missing and time.monotonic() - began < seconds:
            with contextlib.suppress(DatabaseError):
                missing = self.missing()
                if not missing:
                    break
            connection.close()
            time.sleep(0.1)
        return missing, time.monotonic() - began

    def missing(self) -> int:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT substr(name, 8) FROM heartbeats WHERE name LIKE 'effect-%'")
            written = [key for (key,) in cursor.fetchall()]
            if len(set(written)) < len(written):
                raise AssertionError("A row was written twice.")
            cursor.execute(
                "SELECT count(*) FROM procrastinate_jobs"
                " WHERE task_name = 'tests.write_effect' AND status <> 'succeeded'"
            )
            return len(self.queued - set(written)) + cursor.fetchone()[0]


def random_rounds(folder: Path, rounds: int, seed: int, report) -> None:
    """Restart and kill PostgreSQL in turn at random moments, each as often as asked."""
    chance, effects, fleet = random.Random(seed), Effects(), Fleet(folder, RANDOM_SUPERVISORS)  # noqa: S311
    longest = 0.0
    try:
        for number in range(rounds * 2):
            label, interrupt = (("restart", restart), ("crash", crash))[number % 2]
            wait = chance.uniform(0, LONGEST_WAIT)
            effects.queue(seconds=wait)
            interrupt(folder)
            missing, took = effects.wait(seconds=DONE_WITHIN)
            longest = max(longest, took)
            text = f"{label} {number // 2 + 1} after {wait:.1f} s: {missing} of {len(effects.queued)} jobs not run"
            report(not missing, f"{text} after {took:.1f} s")
    finally:
        ended, took = fleet.end()
    report(ended == RANDOM_SUPERVISORS, f"SIGTERM: {ended} of {RANDOM_SUPERVISORS} ended, the last after {took:.1f} s")
    print(f"seed {seed}: {len(effects.queued)} jobs, each row once; the longest wait was {longest:.1f} s", flush=True)


def _sleep_until(at: float) -> None:
    time.sleep(max(at - time.monotonic(), 0))


def restart(folder: Path) -> None:
    embedded.stop(folder)
    embedded.start(folder)


def crash(folder: Path) -> None:
    os.kill(embedded.status(folder).pid, signal.SIGKILL)
    processes.wait_until(lambda: embedded.status(folder) is None, seconds=30)
    embedded.start(folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=30, help="restart at each age from 0 to this, default 30")
    parser.add_argument("--crashes", type=int, default=10)
    parser.add_argument("--random", type=int, metavar="N", help="instead, N restarts and N crashes at random moments")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the random moments")  # noqa: S311
    options = parser.parse_args()
    folder = embedded.var_dir().absolute() / "prove-workers"
    shutil.rmtree(folder / "documents", ignore_errors=True)
    prepare(folder)
    results: list[bool] = []

    def report(passed: bool, text: str) -> None:
        results.append(passed)
        print(f"{time.strftime('%H:%M:%S')} {'PASS' if passed else 'FAIL'} {text}", flush=True)

    if options.random:
        try:
            random_rounds(folder, options.random, options.seed, report)
        finally:
            embedded.stop(folder)
        embedded.remove(folder)
        return 0 if all(results) else 1

    def check(label: str, ages: list[float], interrupt) -> None:
        nonlocal fleet
        if fleet.wait_until_all_work(seconds=BACK_WITHIN)[0] < SUPERVISORS:
            # Supervisors that failed were counted; replace all of them.
            fleet.end()
            fleet = Fleet(folder, SUPERVISORS)
            fleet.wait_until_all_work(seconds=BACK_WITHIN)
        fleet.renew(ages)
        interrupt(folder)
        working, took = fleet.wait_until_all_work(seconds=BACK_WITHIN)
        shown = ", ".join(f"{age:g}" for age in ages)
        report(
            working == SUPERVISORS,
            f"{label} at an age of {shown} s: {working} of {SUPERVISORS} workers run jobs again"
            f" after {took:.1f} s at most",
        )

    fleet = Fleet(folder, SUPERVISORS)
    try:
        step = -(-options.seconds // SUPERVISORS)
        for first in range(step):
            check("restart", [first + step * number + 0.5 for number in range(SUPERVISORS)], restart)
        for number in range(options.crashes):
            check(f"crash {number + 1}", [4 + 0.5 * index for index in range(SUPERVISORS)], crash)
    finally:
        ended, took = fleet.end()
        embedded.stop(folder)
    report(ended == SUPERVISORS, f"SIGTERM: {ended} of {SUPERVISORS} supervisors ended, the last after {took:.1f} s")
    embedded.remove(folder)
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())

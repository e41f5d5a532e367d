"""Kill each process of the README's production line under load, and check that the site answers within 5 seconds.

The web command of the README and `manage.py worker` run as services that are started again as the units in
deploy/systemd do it: when the first process of a service ends, the others are killed, and after RestartSec it is
started again. The database is a cluster of its own in `var/prove-web`. Load: clients that open the log-in page and read
missions by the API. Killed in turn: a web process, the first web process, the process of PostgreSQL that serves a
request, PostgreSQL itself (its service starts it again), a worker, and its supervisor. For the last two it is also
measured when a job runs again.
"""

# ruff: noqa: S310, S603, T201 - it runs commands of the site, requests its pages, and prints results

import argparse
import contextlib
import os
import re
import shlex
import signal
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))
WITHIN = 5.0
JOBS_WITHIN = 30.0

import psycopg  # noqa: E402

from missionsite import embedded  # noqa: E402
from missionsite.embedded.cluster import free_port  # noqa: E402


def restart_seconds(unit: str) -> float:
    """RestartSec of a unit."""
    text = (CHECKOUT / "deploy/systemd" / unit).read_text()
    number, kind = re.search(r"^RestartSec=(\d+)(ms)?$", text, re.MULTILINE).groups()
    return int(number) / (1000 if kind else 1)


def web_command(port: int) -> list[str]:
    """The command of the README, on this port."""
    line = re.search(r"`(\.venv/bin/granian .*?)`", (CHECKOUT / "README.md").read_text())[1]
    return shlex.split(line.replace("--port 8000", f"--port {port}"))


class Service:
    """A command that is started again whenever its first process ends, as systemd does it."""

    def __init__(self, command: list[str], pause: float, log: Path) -> None:
        self.command, self.pause, self.log = command, pause, log
        self.is_stopping = False
        self.process = self._start()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def _start(self) -> subprocess.Popen:
        with open(self.log, "ab") as log:
            return subprocess.Popen(self.command, cwd=CHECKOUT, stdout=log, stderr=log, start_new_session=True)

    def _keep(self) -> None:
        while True:
            self.process.wait()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            if self.is_stopping:
                return
            time.sleep(self.pause)
            self.process = self._start()

    def children(self) -> list[int]:
        pid = self.process.pid
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def stop(self) -> None:
        self.is_stopping = True
        self.process.terminate()
        self._keeper.join(60)


class Load:
    """Clients that ask for pages until stopped. answers: when each was asked and answered, and whether with 200."""

    def __init__(self, port: int, token: str, clients: int) -> None:
        self.addresses = [f"http://127.0.0.1:{port}/login/", f"http://127.0.0.1:{port}/api/missions"]
        self.token = token
        self.answers: list[tuple[float, float, bool]] = []
        self.is_stopping = False
        self.threads = [threading.Thread(target=self._ask, args=[number], daemon=True) for number in range(clients)]
        for each in self.threads:
            each.start()

    def _ask(self, number: int) -> None:
        while not self.is_stopping:
            began, good = time.monotonic(), False
            request = urllib.request.Request(
                self.addresses[number % 2], headers={"Authorization": f"Bearer {self.token}"}
            )
            with contextlib.suppress(OSError, ValueError), urllib.request.urlopen(request, timeout=10) as answer:
                good = answer.status == 200
                answer.read()
            self.answers.append((began, time.monotonic(), good))
            if not good:
                time.sleep(0.05)

    def back_after(self, at: float, seconds: float) -> float | None:
        """Seconds until the site answers again: the fifth answer to a request that began after this time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            good = sorted(ended for began, ended, good in self.answers[-5_000:] if good and began >= at)
            if len(good) >= 5:
                return good[4] - at
            time.sleep(0.05)
        return None

    def failed_since(self, at: float) -> int:
        """Requests that began after this time and failed."""
        return sum(not good and began >= at for began, _ended, good in self.answers)

    def stop(self) -> None:
        self.is_stopping = True
        for each in self.threads:
            each.join(15)


def prepare(folder: Path) -> tuple[embedded.Server, str]:
    """Start a new cluster with the example data, and connect this process and its children to it."""
    embedded.remove(folder)
    server = embedded.start(folder)
    os.environ |= {
        "DATABASE_URL": server.app_url,
        "DATABASE_OWNER_URL": server.owner_url,
        "DJANGO_SETTINGS_MODULE": "tests.common.worker_settings",
        "MISSIONSITE_VAR_DIR": str(folder),
        "SECRET_KEY": "of-the-proof",
        "API_REQUESTS_PER_MINUTE": "0",
        "LOG_LEVEL": "WARNING",
        "ACCESS_LOG": "off",
    }
    import django

    django.setup()
    from django.core.management import call_command

    from missionsite.common.roles import as_owner

    with as_owner():
        call_command("migrate", verbosity=0)
    call_command("loaddata", "seeds", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    from django.utils import timezone

    from groups.models import Member
    from missionsite.common.models import TokenKind
    from missionsite.common.tokens import create_token

    member = Member.objects.create_user("load@example.org", display_name="Load", is_staff=True, is_superuser=True)
    actor, expires_at = Member.objects.system(), timezone.now() + timedelta(days=1)
    _token, text = create_token(
        actor=actor, owner=member, name="load", scopes=["missions:read"], kind=TokenKind.PROGRAM, expires_at=expires_at
    )
    return server, text


def keep_database(folder: Path, ended: threading.Event) -> None:
    """Start PostgreSQL again whenever it is gone, as its own service does."""
    while not ended.wait(0.1):
        if embedded.status(folder) is None:
            embedded.start(folder)


def job_runs_within(seconds: float, report: Path) -> float | None:
    """Seconds until a job that is queued now has run."""
    from django.db import connection

    from tests.common.jobs import note

    report.unlink(missing_ok=True)
    # The one of an earlier call may have been lost with its server.
    connection.close()
    began = time.monotonic()
    note.defer(report=str(report), word="ran")
    while time.monotonic() - began < seconds:
        if report.exists():
            return time.monotonic() - began
        time.sleep(0.05)
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="kills of each process")
    parser.add_argument("--clients", type=int, default=8)
    options = parser.parse_args()
    folder = embedded.var_dir().absolute() / "prove-web"
    server, token = prepare(folder)
    port, results, longest = free_port(), [], {}
    web = Service(web_command(port), restart_seconds("missionsite-web.service"), folder / "web.log")
    worker = [sys.executable, "manage.py", "worker"]
    jobs = Service(worker, restart_seconds("missionsite-worker.service"), folder / "worker.log")
    ended = threading.Event()
    keeper = threading.Thread(target=keep_database, args=[folder, ended], daemon=True)
    keeper.start()
    load = Load(port, token, options.clients)

    def backend() -> int:
        """The process of PostgreSQL of a web process or worker."""
        with psycopg.connect(server.app_url) as session:
            query = "SELECT max(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = current_user"
            return session.execute(query).fetchone()[0]

    victims: dict[str, Callable[[], int]] = {
        "web process": lambda: web.children()[-1],
        "first web process": lambda: web.process.pid,
        "process of a database connection": backend,
        "PostgreSQL": lambda: embedded.status(folder).pid,
        "worker": lambda: jobs.children()[0],
        "supervisor of workers": lambda: jobs.process.pid,
    }
    try:
        if load.back_after(time.monotonic(), 120) is None:
            sys.exit(f"The site does not answer: {(folder / 'web.log').read_text()[-2000:]}")
        for name, victim in victims.items():
            waits, failed = [], 0
            for _ in range(options.rounds):
                # Granian ends when a process is lost that it has just started, as it would be lost again.
                time.sleep(10)
                pid, at = victim(), time.monotonic()
                os.kill(pid, signal.SIGKILL)
                took = load.back_after(at, 60)
                waits.append(took if took is not None else 60)
                failed += load.failed_since(at)
                if name in ("worker", "supervisor of workers"):
                    ran = job_runs_within(60, folder / "report")
                    longest.setdefault(name, []).append(ran or 60)
            passed = max(waits) <= WITHIN
            text = f"{name} killed {len(waits)} times: the site answered again after at most {max(waits):.1f} s"
            text += f", {failed} requests failed"
            if name in longest:
                passed = passed and max(longest[name]) <= JOBS_WITHIN
                text += f", a job ran after at most {max(longest[name]):.1f} s"
            results.append(passed)
            print(f"{time.strftime('%H:%M:%S')} {'PASS' if passed else 'FAIL'} {text}", flush=True)
    finally:
        load.stop()
        for each in (web, jobs):
            each.stop()
        ended.set()
        keeper.join()
        embedded.remove(folder)
    times = sorted(ended - began for began, ended, good in load.answers if good)
    failed = sum(not good for _began, _ended, good in load.answers)
    middle = statistics.median(times) * 1000
    print(f"{len(load.answers)} requests of {options.clients} clients, {failed} failed, median {middle:.0f} ms")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())

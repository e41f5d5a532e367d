"""Runs sender processes against a gateway process and measures the result."""

import json
import os
import random
import secrets
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.engagement.gateway import children_of, kill

CHECKOUT = Path(__file__).resolve().parents[2]
LEASE = 3
# Settings of the senders: short leases, no quiet hours, no circuit breaker.
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "missionsite.settings",
    "ENGAGEMENT_TRANSPORT": "webhook",
    "ENGAGEMENT_WEBHOOK_SECRET": "of the run_senders",
    "ENGAGEMENT_LEASE": f"PT{LEASE}S",
    "ENGAGEMENT_SEND_TIMEOUT": "1",
    "ENGAGEMENT_QUIET_FROM": "00:00",
    "ENGAGEMENT_QUIET_TO": "00:00",
    "ENGAGEMENT_CIRCUIT_FAILURES": "1000000",
    "ENGAGEMENT_RETRY_AFTER": "PT1S",
    "ENGAGEMENT_ATTEMPTS": "1000",
}
ENQUEUE = """
WITH made AS (
    INSERT INTO members (id, email, display_name)
    SELECT gen_random_uuid(), %(run)s || n || '@example.org', 'Member ' || n FROM generate_series(1, %(messages)s) n
    RETURNING id
)
INSERT INTO engagement_message_queue (user_id, message_type, message_key, message_params, destination_jid,
    scheduled_for, idempotency_key)
SELECT id, 'weekly_review', 'weekly_review', '{"week": "2026-W10"}', 'chat', now() - interval '1 minute',
    id || ':weekly_review:' || %(run)s
FROM made
"""


@dataclass
class Outcome:
    """Result of a run. overdue: age of the oldest expired lease in seconds
    before its message was due again; more than a lease is stuck.
    """

    messages: int
    sent: int = 0
    accepted: int = 0
    lost: int = 0
    accepted_twice: int = 0
    repeats: int = 0
    overdue: float = 0.0
    kills: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def killed(self) -> int:
        return sum(self.kills.values())


class SenderProcesses:
    """Running senders and their gateway. database: connection string of a role that can read the queue."""

    def __init__(self, database: str, port: int, pool: subprocess.Popen) -> None:
        self.database, self.port, self.pool = database, port, pool
        # Suffix of the idempotency keys.
        self.name = secrets.token_hex(6)

    def request(self, path: str, values: dict | None = None) -> dict:
        content = json.dumps(values).encode() if values is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=content)
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)

    def senders(self) -> list[int]:
        return children_of(self.pool.pid)

    def run(self, *, messages: int, kills: int, patience: float) -> Outcome:
        """Send messages while senders are killed: four fifths by the gateway, the others at random times."""
        outcome, started = Outcome(messages), time.monotonic()
        anywhere = kills // 5
        aimed = kills - anywhere
        # More often than needed, so that messages are left for the last kills.
        self.request("/kill", {"pool": self.pool.pid, "kills": aimed, "one_in": max(messages * 2 // 3 // aimed, 1)})
        chance, hit = random.Random(7), 0
        with psycopg.connect(self.database, autocommit=True) as session:
            session.execute(ENQUEUE, {"run": self.name, "messages": messages})
            while (left := self._left(session)) and time.monotonic() - started < patience:
                outcome.overdue = max(outcome.overdue, self._overdue(session))
                # In proportion to the progress, so that kills are spread over the whole queue.
                if hit < anywhere * min(1, (messages - left) * 1.5 / messages) and (senders := self.senders()):
                    kill(chance.choice(senders))
                    hit += 1
                pause(chance.uniform(0.005, 0.05))
            outcome.sent = messages - left
            # The gateway counts messages whose result is not recorded yet.
            report = self.request("/report")
            keys = {
                key
                for (key,) in session.execute(
                    "SELECT idempotency_key FROM engagement_message_queue WHERE idempotency_key LIKE %s",
                    [f"%:{self.name}"],
                )
            }
        accepted = report["accepted"]
        outcome.accepted = len(accepted)
        outcome.lost = len(keys - accepted.keys())
        outcome.accepted_twice = sum(1 for count in accepted.values() if count > 1)
        outcome.repeats = report["requests"] - len(accepted)
        outcome.kills = report["killed"] | {"anywhere": hit}
        outcome.seconds = time.monotonic() - started
        return outcome

    def measure_outage(self, *, stop: Callable[[], None], start: Callable[[], None], seconds: float) -> float:
        """Stop the database while messages are sent; return the seconds from its restart to the next message."""
        self.request("/kill", {"pool": self.pool.pid, "kills": 0, "one_in": 1})
        with psycopg.connect(self.database, autocommit=True) as session:
            # More than are sent before it goes.
            session.execute(ENQUEUE, {"run": self.name, "messages": 3_000})
        until(lambda: self.sent() > 20, "messages", seconds=120)
        stop()
        # Duration of the outage.
        pause(seconds)
        before = self.sent()
        start()
        return until(lambda: self.sent() > before, "messages after the database is back", seconds=120)

    def sent(self) -> int:
        """Return how many messages the gateway has accepted."""
        return len(self.request("/report")["accepted"])

    def _left(self, session) -> int:
        return session.execute(
            "SELECT count(*) FROM engagement_message_queue WHERE status <> 'sent' AND idempotency_key LIKE %s",
            [f"%:{self.name}"],
        ).fetchone()[0]

    @staticmethod
    def _overdue(session) -> float:
        """Return the age of the oldest expired lease in seconds."""
        return session.execute(
            """SELECT coalesce(max(extract(epoch FROM clock_timestamp() - lease_expires_at)), 0)::float
               FROM engagement_claims"""
        ).fetchone()[0]


def pause(seconds: float) -> None:
    """Pause between two polls of another process."""
    select.select([], [], [], seconds)


def until(condition: Callable[[], object], what: str, *, seconds: float) -> float:
    """Poll until the condition is true; return the seconds it took."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > seconds:
            raise AssertionError(f"waited {seconds} s for {what}")
        pause(0.05)
    return time.monotonic() - started


def database_arguments() -> dict:
    """Return the arguments of `run_senders` for the test database: connection of the owner, environment of the site."""
    from django.conf import settings
    from django.db import connection

    own, owner = connection.settings_dict, settings.DATABASE_OWNER
    secret = f":{own['PASSWORD']}" if own["PASSWORD"] else ""
    host = own["HOST"].replace("/", "%2F")
    return {
        "database": psycopg.conninfo.make_conninfo(
            host=owner["HOST"], port=owner["PORT"], user=owner["USER"], password=owner["PASSWORD"], dbname=own["NAME"]
        ),
        "environment": {
            "DATABASE_URL": f"postgres://{own['USER']}{secret}@{host}:{own['PORT']}/{own['NAME']}",
            "SECRET_KEY": settings.SECRET_KEY,
        },
    }


@contextmanager
def run_senders(
    *, database: str, environment: dict[str, str], log: Path, senders: int = 6, batch: int = 10, **settings: str
) -> Iterator[SenderProcesses]:
    """Run senders that are replaced when they are killed. environment: connection of the site's role."""
    with log.open("w") as lines:
        surroundings = os.environ | SETTINGS | environment
        gateway = subprocess.Popen(
            [sys.executable, "-m", "tests.engagement.gateway"], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
        )
        port = int(gateway.stdout.readline())
        surroundings |= {"ENGAGEMENT_WEBHOOK_URL": f"http://127.0.0.1:{port}/messages"} | settings
        pool = subprocess.Popen(
            [sys.executable, "-m", "tests.engagement.sender_pool", str(senders), "--batch", str(batch)],
            cwd=CHECKOUT,
            env=surroundings,
            stdout=lines,
            stderr=lines,
            # A process group, so that its senders are ended with it.
            start_new_session=True,
        )
        try:
            until(lambda: len(children_of(pool.pid)) == senders, "the senders", seconds=120)
            yield SenderProcesses(database, port, pool)
        finally:
            pool.terminate()
            with suppress(subprocess.TimeoutExpired):
                pool.wait(10)
            with suppress(ProcessLookupError):
                os.killpg(pool.pid, signal.SIGKILL)
            pool.wait()
            gateway.terminate()
            gateway.wait()
            gateway.stdout.close()

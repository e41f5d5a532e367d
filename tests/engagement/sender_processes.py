"""A fleet of real senders against a real gateway, each a process, and what can be said of them afterwards."""

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
# What the senders of a fleet are set to: short leases, no nights, a circuit that is not in the way.
SETTINGS = {
    "DJANGO_SETTINGS_MODULE": "missionsite.settings",
    "ENGAGEMENT_TRANSPORT": "webhook",
    "ENGAGEMENT_WEBHOOK_SECRET": "of the fleet",
    "ENGAGEMENT_LEASE": f"PT{LEASE}S",
    "ENGAGEMENT_SEND_TIMEOUT": "1",
    "ENGAGEMENT_QUIET_FROM": "00:00",
    "ENGAGEMENT_QUIET_TO": "00:00",
    "ENGAGEMENT_CIRCUIT_FAILURES": "1000000",
    "ENGAGEMENT_RETRY_AFTER": "PT1S",
    "ENGAGEMENT_ATTEMPTS": "1000",
}
QUEUE_UP = """
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
    """What a run came to. overdue: for how many seconds a lease was over at most
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


class Fleet:
    """Senders, the gateway, and a look at the queue. database: how to connect, with the rights to read all of it."""

    def __init__(self, database: str, port: int, keeper: subprocess.Popen) -> None:
        self.database, self.port, self.keeper = database, port, keeper
        # What the keys of its messages end with.
        self.name = secrets.token_hex(6)

    def ask(self, path: str, values: dict | None = None) -> dict:
        content = json.dumps(values).encode() if values is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=content)
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.load(answer)

    def senders(self) -> list[int]:
        return children_of(self.keeper.pid)

    def run(self, *, messages: int, kills: int, patience: float) -> Outcome:
        """Send so many messages, of which the gateway shoots at some and others are shot anywhere, a fifth of all."""
        outcome, started = Outcome(messages), time.monotonic()
        anywhere = kills // 5
        aimed = kills - anywhere
        # With some to spare: the last shots must find messages to be aimed at.
        self.ask("/shoot", {"keeper": self.keeper.pid, "kills": aimed, "one_in": max(messages * 2 // 3 // aimed, 1)})
        chance, hit = random.Random(7), 0
        with psycopg.connect(self.database, autocommit=True) as session:
            session.execute(QUEUE_UP, {"run": self.name, "messages": messages})
            while (left := self._left(session)) and time.monotonic() - started < patience:
                outcome.overdue = max(outcome.overdue, self._overdue(session))
                # As far as the queue is: the shots are spread over the whole of it.
                if hit < anywhere * min(1, (messages - left) * 1.5 / messages) and (senders := self.senders()):
                    kill(chance.choice(senders))
                    hit += 1
                pause(chance.uniform(0.005, 0.05))
            outcome.sent = messages - left
            # The last answer may still be on its way to the queue; what it says is there.
            report = self.ask("/report")
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
        outcome.repeats = report["asked"] - len(accepted)
        outcome.kills = report["shots"] | {"anywhere": hit}
        outcome.seconds = time.monotonic() - started
        return outcome

    def outlast(self, *, stop: Callable[[], None], start: Callable[[], None], seconds: float) -> float:
        """Take the database away while messages are being sent; returns how long after its return they are again."""
        self.ask("/shoot", {"keeper": self.keeper.pid, "kills": 0, "one_in": 1})
        with psycopg.connect(self.database, autocommit=True) as session:
            # More than are sent before it goes.
            session.execute(QUEUE_UP, {"run": self.name, "messages": 3_000})
        until(lambda: self.sent() > 20, "messages", seconds=60)
        stop()
        # The outage itself.
        pause(seconds)
        before = self.sent()
        start()
        return until(lambda: self.sent() > before, "messages after the database is back", seconds=60)

    def sent(self) -> int:
        """Messages the gateway has taken so far."""
        return len(self.ask("/report")["accepted"])

    def _left(self, session) -> int:
        return session.execute(
            "SELECT count(*) FROM engagement_message_queue WHERE status <> 'sent' AND idempotency_key LIKE %s",
            [f"%:{self.name}"],
        ).fetchone()[0]

    @staticmethod
    def _overdue(session) -> float:
        """For how many seconds the lease of a message has been over at most."""
        return session.execute(
            """SELECT coalesce(max(extract(epoch FROM clock_timestamp() - lease_expires_at)), 0)::float
               FROM engagement_claims"""
        ).fetchone()[0]


def pause(seconds: float) -> None:
    """Between two looks at rows of other processes, on which nothing can be waited for."""
    select.select([], [], [], seconds)


def until(condition: Callable[[], object], what: str, *, seconds: float) -> float:
    """Wait for something in another process; returns how long it took."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > seconds:
            raise AssertionError(f"waited {seconds} s for {what}")
        pause(0.05)
    return time.monotonic() - started


def places_of_tests() -> dict:
    """The database of the tests, for `fleet`: as its owner, and as the site and its senders connect to it."""
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
def fleet(
    *, database: str, environment: dict[str, str], log: Path, senders: int = 6, batch: int = 10, **settings: str
) -> Iterator[Fleet]:
    """Senders that are replaced when they are killed. environment: leads them to the database as the site."""
    with log.open("w") as lines:
        surroundings = os.environ | SETTINGS | environment
        gateway = subprocess.Popen(
            [sys.executable, "-m", "tests.engagement.gateway"], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
        )
        port = int(gateway.stdout.readline())
        surroundings |= {"ENGAGEMENT_WEBHOOK_URL": f"http://127.0.0.1:{port}/messages"} | settings
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.engagement.sender_pool", str(senders), "--batch", str(batch)],
            cwd=CHECKOUT,
            env=surroundings,
            stdout=lines,
            stderr=lines,
            # Its senders are ended with it.
            start_new_session=True,
        )
        try:
            until(lambda: len(children_of(keeper.pid)) == senders, "the senders", seconds=60)
            yield Fleet(database, port, keeper)
        finally:
            keeper.terminate()
            with suppress(subprocess.TimeoutExpired):
                keeper.wait(10)
            with suppress(ProcessLookupError):
                os.killpg(keeper.pid, signal.SIGKILL)
            keeper.wait()
            gateway.terminate()
            gateway.wait()
            gateway.stdout.close()

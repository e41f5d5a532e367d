"""Compare the outbound queue with a job per message and with a bare UPDATE.

Each method empties the same generated queue; the methods alternate. A sender claims 500 messages, renders them, passes
them to a transport that does nothing, and marks them. "claim + mark" is the same sender without rendering, that is the
database's share; the job and the bare UPDATE it is compared with do not render either. It is measured with one sender
and with several, each in a process like `manage.py send_messages`; in a small table, with ten million sent messages,
and while another transaction is open for a minute.
"""

import argparse
import asyncio
import multiprocessing
import os
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from unittest import mock

import psycopg

from benchmarks.database import log, medians, prepare, restore_schema, stop, table
from missionsite import embedded

BATCH = 500
# Numbers of concurrent senders, each a process.
SENDERS = (2, 4)
# Start of the simulated time. Each round is eight days after the one before, so the frequency cap does not block.
DAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


class NullTransport:
    """A transport that only counts."""

    name, marks_every = "null", BATCH

    def __init__(self) -> None:
        self.sends: Counter[str] = Counter()

    def send(self, message):
        from engagement.transports import Receipt

        self.sends[message.idempotency_key] += 1
        return Receipt()

    def close(self) -> None:
        pass


class Queue:
    """The queue of one server, filled and emptied in each round. sent: number of messages sent long ago."""

    def __init__(self, server, *, members: int, messages: int, sent: int) -> None:
        self.members, self.messages = members, messages
        self.owner = psycopg.connect(server.owner_url, autocommit=True)
        load(self.owner, members=members, sent=sent)
        self.processes = SenderProcesses(server.app_url, max(SENDERS))
        self.rounds = 0
        self.connection = _connection_to(server.app_url)
        [self.last_of_before] = self.owner.execute("SELECT max(id) FROM engagement_message_queue").fetchone()
        # Messages per CPU second of this process and its backend, by method.
        self.by_cpu: dict[str, list[float]] = defaultdict(list)
        # How often a message was sent, per round with several senders.
        self.sends: list[float] = []

    @property
    def at(self) -> datetime:
        return DAY + timedelta(days=8 * self.rounds)

    def fill(self, messages: int = 0) -> None:
        """Delete the messages of the last round and insert new ones."""
        from django.db import connections

        self.rounds += 1
        connections["default"] = self.connection
        self.connection.ensure_connection()
        self.owner.execute("DELETE FROM engagement_message_queue WHERE id > %s", [self.last_of_before])
        self.owner.execute("VACUUM engagement_message_queue")
        self.owner.execute(
            """
            INSERT INTO engagement_message_queue (user_id, message_type, message_key, message_params, scheduled_for,
                idempotency_key)
            SELECT user_id, 'weekly_review', 'weekly_review', '{"week": "2026-W12"}',
                   %(at)s - interval '1 hour' + number * interval '1 microsecond',
                   user_id || ':weekly_review:' || %(round)s || '-' || number / %(members)s
            FROM generate_series(0, %(messages)s - 1) AS number
            JOIN members_by_number ON place = number %% %(members)s
            ORDER BY number
            """,
            {
                "at": self.at,
                "round": self.rounds,
                "members": self.members,
                "messages": messages or self.messages,
            },
        )
        self.owner.execute("VACUUM (ANALYZE) engagement_message_queue")

    def emptied(self, method: str, work: Callable[[], int]) -> float:
        """Return messages per second of a method to empty the queue."""
        self.fill()
        pids = [process.pid for process in self.processes.processes]
        started, cpu = time.perf_counter(), _cpu_seconds_of_all(pids)
        done = work()
        took, cpu = time.perf_counter() - started, _cpu_seconds_of_all(pids) - cpu
        if done != self.messages:
            raise SystemExit(f"{done} of {self.messages} messages were sent.")
        self.by_cpu[method].append(done / cpu)
        return done / took

    def sender(self):
        from engagement.services.sending import MessageSender

        return MessageSender(NullTransport(), batch=BATCH, clock=lambda: self.at)

    # --- Methods ----------------------------------------------------------------------------------

    def send(self, method: str = "sender") -> float:
        return self.emptied(method, lambda: _drain(self.sender()))

    def claim_and_mark(self) -> float:
        """Return messages per second of a sender that renders no template and signs no link."""
        with _without_rendering():
            return self.send("claim + mark")

    def update(self) -> float:
        from django.db import connection

        def work() -> int:
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE engagement_message_queue SET status = 'sent', sent_at = %s WHERE status = 'pending'",
                    [self.at],
                )
                return cursor.rowcount

        return self.emptied("UPDATE", work)

    def jobs(self, sample: int, concurrency: int, *, rendering: bool) -> float:
        """Return messages per second of one job per message, with procrastinate's own worker.

        The job reads the message and its member, and marks it. rendering: it also renders the text and signs the link.
        """
        self.fill(sample)
        job = _job()
        ids = [row[0] for row in self.owner.execute("SELECT id FROM engagement_message_queue WHERE status = 'pending'")]
        job.batch_defer(*({"message_id": message_id, "rendering": rendering} for message_id in ids))
        self.owner.execute("VACUUM (ANALYZE) procrastinate_jobs")
        method = f"jobs, {concurrency} at a time{', with rendering' if rendering else ''}"
        started, cpu = time.perf_counter(), _cpu_seconds_of_all()
        _work_off(concurrency)
        took, cpu = time.perf_counter() - started, _cpu_seconds_of_all() - cpu
        self.by_cpu[method].append(sample / cpu)
        [left] = self.owner.execute("SELECT count(*) FROM engagement_message_queue WHERE status <> 'sent'").fetchone()
        if left:
            raise SystemExit(f"{left} of {sample} jobs did not send their message.")
        return sample / took

    # --- Several senders, and another transaction -------------------------------------------------

    def several(self, senders: int) -> float:
        """Return messages per second of several senders without rendering."""
        method = f"claim + mark, {senders} senders"

        def work() -> int:
            return self.processes.drain(senders, at=self.at)

        figure = self.emptied(method, work)
        self.sends.append(self.processes.sends().total() / self.messages)
        return figure

    def during_open_transaction(self, other, *, seconds: float) -> tuple[float, float]:
        """Return messages per second before and during a transaction that the connection `other` keeps open.

        Before: a quarter of that time, after warming up; during: the last quarter.
        """
        from django.conf import settings
        from django.db import connection

        sender, quarter = self.sender(), seconds / 4
        # Members get more messages in this minute than the cap allows.
        with _without_rendering(), mock.patch.object(settings, "ENGAGEMENT_FREQUENCY_CAP", 1_000):
            _pace(sender, quarter / 4)
            before = _pace(sender, quarter)
            other.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            other.execute("SELECT pg_current_xact_id(), count(*) FROM engagement_transports")
            _pace(sender, seconds - quarter)
            during = _pace(sender, quarter)
            other.execute("COMMIT")
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM engagement_message_queue WHERE status = 'pending'")
            if not cursor.fetchone()[0]:
                raise SystemExit("The queue was empty before the minute was over.")
        return before, during


class SenderProcesses:
    """Senders of one database without rendering, each in a process of its own."""

    def __init__(self, url: str, number: int) -> None:
        context = multiprocessing.get_context("spawn")
        pipes = [context.Pipe() for _ in range(number)]
        self.pipes = [parent for parent, _child in pipes]
        self.processes = [context.Process(target=_run_sender, args=[url, child]) for _parent, child in pipes]
        for process in self.processes:
            process.start()
        for pipe in self.pipes:
            pipe.recv()

    def drain(self, senders: int, *, at: datetime) -> int:
        """Empty the queue with some of the senders; return how many messages they marked."""
        self.last = self.pipes[:senders]
        for pipe in self.last:
            pipe.send(at)
        return sum(pipe.recv() for pipe in self.last)

    def sends(self) -> Counter[str]:
        """Return how often each key was sent in the last drain."""
        sent: Counter[str] = Counter()
        for pipe in self.last:
            pipe.send("keys")
            sent.update(pipe.recv())
        return sent

    def end(self) -> None:
        for pipe in self.pipes:
            pipe.send(None)
        for process in self.processes:
            process.join()


def _run_sender(url: str, pipe) -> None:
    """Empty the queue for each time received through the pipe, until None."""
    import django

    django.setup()
    from django.db import connections

    from engagement.services.sending import MessageSender

    connections["default"] = _connection_to(url)
    pipe.send("ready")
    sender = None
    with _without_rendering():
        while command := pipe.recv():
            if command == "keys":
                pipe.send(sender.transport.sends)
            else:
                at = command
                sender = MessageSender(NullTransport(), batch=BATCH, clock=lambda: at)  # noqa: B023
                pipe.send(_drain(sender))


def _connection_to(url: str):
    """Return a Django connection, as the site's role, to one of the servers."""
    from django.db import connections
    from psycopg.conninfo import conninfo_to_dict

    place = conninfo_to_dict(url)
    connection = connections.create_connection("default")
    connection.settings_dict = connection.settings_dict | {"PORT": place["port"], "PASSWORD": place["password"]}
    return connection


def _without_rendering():
    """Return a patch that skips rendering."""
    return mock.patch("engagement.services.sending._outgoing", lambda message, _templates: message)


def _drain(sender) -> int:
    return sender.drain().sent


def _pace(sender, seconds: float) -> float:
    """Return messages per second of a sender during some seconds."""
    started, sent = time.perf_counter(), 0
    while (passed := time.perf_counter() - started) < seconds:
        sent += sender.send_batch().sent
    return sent / passed


def _job():
    """Return the task for the comparison; defined on the first call."""
    from procrastinate.contrib.django import app

    from engagement.models import EngagementMessage
    from engagement.services import sending
    from engagement.services.rendering import Templates

    if "benchmarks.send_one" in app.tasks:
        return app.tasks["benchmarks.send_one"]
    transport = NullTransport()

    @app.task(name="benchmarks.send_one", queue="benchmarks")
    def send_one(message_id: int, rendering: bool) -> None:
        message = EngagementMessage.objects.select_related("user__engagement_profile").get(pk=message_id)
        if rendering:
            Templates().render(
                key=message.message_key,
                locale=message.user.engagement_profile.locale,
                params={"name": message.user.display_name, **message.message_params},
                unsubscribe_url=sending.unsubscribe_url(message.user_id),
            )
        transport.send(message)
        message.status, message.sent_at = "sent", DAY
        message.save(update_fields=["status", "sent_at"])

    return send_one


def _cpu_seconds_of_all(processes: Iterable[int] = ()) -> float:
    """Return the CPU seconds of this process, those named and all backends, including ended backends.

    Source: proc_pid_stat, fields 4, 16 and 17.
    """
    from django.db import connection

    def stat(pid: str) -> list[str]:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()

    server = stat(str(connection.connection.info.backend_pid))[1]
    nanoseconds = 0
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    for pid in [*children, *processes]:
        # A process that ends meanwhile is included in `gone`, which is read last.
        with suppress(FileNotFoundError, ProcessLookupError):
            nanoseconds += int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
    gone = sum(map(int, stat(server)[13:15])) / os.sysconf("SC_CLK_TCK")
    return time.process_time() + gone + nanoseconds / 1e9


def _work_off(concurrency: int) -> None:
    from procrastinate.contrib.django import app

    async def work() -> None:
        async with app.with_connector(app.connector.get_worker_connector()).open_async() as worker:
            await worker.run_worker_async(
                queues=["benchmarks"], wait=False, concurrency=concurrency, install_signal_handlers=False
            )

    asyncio.run(work())


def _another_server() -> embedded.Server:
    """Start a second server with empty tables."""
    folder = embedded.var_dir() / "many"
    embedded.remove(folder)
    server = embedded.start(folder)
    with psycopg.connect(server.owner_url, autocommit=True) as owner:
        owner.execute("DROP SCHEMA public CASCADE")
    restore_schema(server)
    return server


# --- Data -----------------------------------------------------------------------------------------


def load(owner, *, members: int, sent: int) -> None:
    """Insert members, and messages that were sent to them long ago."""
    log(f"Loading {members:,} members and {sent:,} sent messages")
    owner.execute(
        """INSERT INTO members (id, email, display_name)
           SELECT gen_random_uuid(), 'member' || n || '@example.org', 'Member ' || n FROM generate_series(1, %s) n""",
        [members],
    )
    owner.execute(
        """CREATE TABLE members_by_number AS
           SELECT row_number() OVER () - 1 AS place, id AS user_id FROM members ORDER BY email"""
    )
    owner.execute("CREATE UNIQUE INDEX ON members_by_number (place)")
    owner.execute(
        "INSERT INTO user_engagement_states (user_id, last_activity_at) SELECT id, %s FROM members",
        [DAY - timedelta(days=1)],
    )
    if sent:
        from benchmarks.database import bulk

        with owner.cursor() as cursor, bulk(cursor, "engagement_message_queue"):
            cursor.execute(
                """
                INSERT INTO engagement_message_queue (user_id, message_type, message_key, message_params,
                    scheduled_for, sent_at, status, attempted_at, idempotency_key, created_at)
                SELECT user_id, 'announcement', 'announcement', '{}', at, at, 'sent', at,
                       user_id || ':announcement:' || number, at
                FROM generate_series(1, %(sent)s) AS number
                JOIN members_by_number ON place = number %% %(members)s
                CROSS JOIN LATERAL (SELECT %(at)s - interval '1 year' + number * interval '1 second') AS t (at)
                """,
                {"sent": sent, "members": members, "at": DAY},
            )
    # Each got two messages this week.
    owner.execute(
        """
        INSERT INTO engagement_message_queue (user_id, message_type, message_key, scheduled_for, sent_at, status,
            attempted_at, idempotency_key)
        SELECT user_id, 'announcement', 'announcement', at, at, 'sent', at, user_id || ':announcement:-' || days
        FROM members_by_number
        CROSS JOIN LATERAL (SELECT days, %s - days * interval '1 day' FROM unnest('{6,5}'::int[]) AS days) t (days, at)
        ORDER BY at, place
        """,
        [DAY],
    )
    for name in ("members", "members_by_number", "user_profiles", "user_engagement_states", "engagement_message_queue"):
        owner.execute(f"VACUUM (ANALYZE) {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="1.0: 10,000,000 sent messages")
    parser.add_argument("--messages", type=int, default=50_000, help="in the queue at each round")
    parser.add_argument("--members", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sample", type=int, default=1_500, help="jobs a round")
    parser.add_argument("--shared-buffers", default="6GB", help="a quarter of the machine's memory")
    parser.add_argument("--seconds", type=float, default=60, help="for which the other transaction is open")
    options = parser.parse_args()

    started = time.monotonic()
    sent = round(10_000_000 * options.scale)
    sizes = {"members": options.members, "messages": options.messages}
    settings = f"shared_buffers={options.shared_buffers} max_wal_size=16GB max_connections=100"
    server, server_of_many = prepare(settings=settings), _another_server()
    many = Queue(server_of_many, **sizes, sent=sent)
    few = Queue(server, **sizes, sent=0)
    with psycopg.connect(server.owner_url, autocommit=True) as other:
        log("Emptying queues")
        figures = medians(
            {
                "claim + mark": few.claim_and_mark,
                "claim + mark, many": many.claim_and_mark,
                "UPDATE": few.update,
                **{f"claim + mark, {number} senders": partial(few.several, number) for number in SENDERS},
                **{f"claim + mark, {number} senders, many": partial(many.several, number) for number in SENDERS},
                "UPDATE, many": many.update,
                "sender": few.send,
                "sender, many": many.send,
                **{
                    f"jobs, {number} at a time{', with rendering' if rendering else ''}": partial(
                        few.jobs, options.sample, number, rendering=rendering
                    )
                    for rendering in (False, True)
                    for number in (1, 8)
                },
            },
            rounds=options.rounds,
        )
        log("During an open transaction")
        # Enough for the time; the rate of a short queue is an underestimate.
        few.fill(max(round(figures["claim + mark"] * 1.6 * options.seconds), 100 * BATCH))
        before, during = few.during_open_transaction(other, seconds=options.seconds)
    for queue in (few, many):
        queue.processes.end()
        queue.owner.close()
    embedded.stop(embedded.var_dir() / "many")
    stop()
    print(f"\nA queue of {options.messages:,} messages, batches of {BATCH} (medians of {options.rounds} rounds)")
    by_cpu = {method: statistics.median(each[1:]) for method, each in few.by_cpu.items()} | {
        f"{method}, many": statistics.median(each[1:]) for method, each in many.by_cpu.items()
    }
    table(
        [
            (name, f"{figure:,.0f}", f"{by_cpu[name]:,.0f}" if name in by_cpu else "")
            for name, figure in figures.items()
        ],
        head=("method", "messages/s", "per CPU second"),
    )
    print(
        f"\nA transaction open for {options.seconds:.0f} s: {before:,.0f} messages/s before, {during:,.0f} at its end."
    )
    jobs, jobs_with_rendering = (
        max(figures[f"jobs, {number} at a time{end}"] for number in (1, 8)) for end in ("", ", with rendering")
    )
    at_once = [f"claim + mark, {number} senders" for number in SENDERS]
    goals = []
    for label, alone, best_job in (
        ("one sender", "claim + mark", jobs),
        ("one sender with rendering", "sender", jobs_with_rendering),
        *((method.removeprefix("claim + mark, "), method, jobs) for method in at_once),
    ):
        goals += [
            (f"{label}: at least 80 times a job per message", figures[alone] / best_job, 80),
            (f"{label}: at least half of one bare UPDATE", figures[alone] / figures["UPDATE"], 0.5),
            (f"{label}: at least 0.9 beside {sent:,} sent", figures[f"{alone}, many"] / figures[alone], 0.9),
        ]
    goals += [
        ("one sender: at least 0.9 during an open transaction", during / before, 0.9),
        (
            "one sender: at least 80 times a job per message, by CPU time",
            by_cpu["claim + mark"] / max(by_cpu[f"jobs, {number} at a time"] for number in (1, 8)),
            80,
        ),
        (
            "one sender: at least half of one bare UPDATE, by CPU time",
            by_cpu["claim + mark"] / by_cpu["UPDATE"],
            0.5,
        ),
        (
            "one sender: at least 0.9 beside many, by CPU time",
            by_cpu["claim + mark, many"] / by_cpu["claim + mark"],
            0.9,
        ),
    ]
    rows = [(name, f"{figure:.2f}", "met" if figure >= goal else "missed") for name, figure, goal in goals]
    sends = max(few.sends + many.sends)
    rows.append(("several senders: sends of each message", f"{sends:.2f}", "met" if sends == 1 else "missed"))
    table(rows, head=("goal", "figure", ""))
    print(f"Took {time.monotonic() - started:.0f} s.")


if __name__ == "__main__":
    main()

"""The outbound queue: batches of leases against a job per message and against a bare UPDATE.

Every way empties the same made-up queue; they take turns. A sender claims 500 messages, renders them, hands them to a
transport that does nothing, and marks them. "claim + mark" is the same sender without the rendering, so the database's
share; what it is compared with, a job or a bare UPDATE, renders nothing either. It is measured alone and as several,
each in a process as `manage.py send_messages` is; in a small table, beside ten million sent messages, and while another
transaction stays open for a minute.
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

from benchmarks.database import medians, prepare, restore_schema, say, stop, table
from missionsite import embedded

BATCH = 500
# Senders at once, each a process.
TOGETHER = (2, 4)
# The day the clock of the run begins with. Each round is eight days after the one before: the budget has room again.
DAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Nowhere:
    """A transport that does nothing but count."""

    name, marks_every = "nowhere", BATCH

    def __init__(self) -> None:
        self.sends: Counter[str] = Counter()

    def send(self, message):
        from engagement.transports import Receipt

        self.sends[message.idempotency_key] += 1
        return Receipt()

    def close(self) -> None:
        pass


class Queue:
    """The queue of one server, filled and emptied again and again. sent: messages that were sent long ago."""

    def __init__(self, server, *, members: int, messages: int, sent: int) -> None:
        self.members, self.messages = members, messages
        self.owner = psycopg.connect(server.owner_url, autocommit=True)
        load(self.owner, members=members, sent=sent)
        # Senders without words, each in a process of its own.
        self.crew = Crew(server.app_url, max(TOGETHER))
        self.rounds = 0
        self.connection = _connection_to(server.app_url)
        [self.last_of_before] = self.owner.execute("SELECT max(id) FROM engagement_message_queue").fetchone()
        # Messages for each second that this process and its backend had a processor, by way.
        self.by_processor: dict[str, list[float]] = defaultdict(list)
        # How often a message was sent, by drain of several senders.
        self.sends: list[float] = []

    @property
    def at(self) -> datetime:
        return DAY + timedelta(days=8 * self.rounds)

    def fill(self, messages: int = 0) -> None:
        """Make the queue anew, as a new round: what was sent in the last one goes, what was there before stays."""
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

    def emptied(self, way: str, work: Callable[[], int]) -> float:
        """Messages a second of a way to empty the queue."""
        self.fill()
        crew = [process.pid for process in self.crew.processes]
        started, processor = time.perf_counter(), _processor_time_of_all(crew)
        done = work()
        took, processor = time.perf_counter() - started, _processor_time_of_all(crew) - processor
        if done != self.messages:
            raise SystemExit(f"{done} of {self.messages} messages were sent.")
        self.by_processor[way].append(done / processor)
        return done / took

    def sender(self):
        from engagement.services.sending import Sender

        return Sender(Nowhere(), batch=BATCH, clock=lambda: self.at)

    # --- Ways -------------------------------------------------------------------------------------

    def send(self, way: str = "sender") -> float:
        return self.emptied(way, lambda: _drain(self.sender()))

    def claim_and_mark(self) -> float:
        """The same sender; no template is filled, no link signed."""
        with _no_words():
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

    def jobs(self, sample: int, concurrency: int, *, words: bool) -> float:
        """One job a message, with procrastinate's own worker: it reads the message and its member, and marks it; with
        words it renders it and signs its link in between.
        """
        self.fill(sample)
        job = _job()
        ids = [row[0] for row in self.owner.execute("SELECT id FROM engagement_message_queue WHERE status = 'pending'")]
        job.batch_defer(*({"message_id": message_id, "words": words} for message_id in ids))
        self.owner.execute("VACUUM (ANALYZE) procrastinate_jobs")
        way = f"jobs, {concurrency} at a time{', with words' if words else ''}"
        started, processor = time.perf_counter(), _processor_time_of_all()
        _work_off(concurrency)
        took, processor = time.perf_counter() - started, _processor_time_of_all() - processor
        self.by_processor[way].append(sample / processor)
        [left] = self.owner.execute("SELECT count(*) FROM engagement_message_queue WHERE status <> 'sent'").fetchone()
        if left:
            raise SystemExit(f"{left} of {sample} jobs did not send their message.")
        return sample / took

    # --- More than one ----------------------------------------------------------------------------

    def together(self, senders: int) -> float:
        """Messages a second of so many senders of the crew without words; each message is sent once."""
        way = f"claim + mark, {senders} senders"

        def work() -> int:
            return self.crew.drain(senders, at=self.at)

        figure = self.emptied(way, work)
        self.sends.append(self.crew.sends().total() / self.messages)
        return figure

    def beside_an_open_transaction(self, other, *, seconds: float) -> tuple[float, float]:
        """Messages a second, before and while `other`, a connection, has had a transaction open for `seconds`.

        Before: a quarter of that time, after a beginning that does not count; while: the last quarter.
        """
        from django.conf import settings
        from django.db import connection

        sender, quarter = self.sender(), seconds / 4
        # Members get more in this minute than in their weeks: their lists are kept, and none is held back.
        with _no_words(), mock.patch.object(settings, "ENGAGEMENT_BUDGET", 1_000):
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


class Crew:
    """Senders of one database without words, each in a process of its own, that wait to be told."""

    def __init__(self, url: str, number: int) -> None:
        context = multiprocessing.get_context("spawn")
        pipes = [context.Pipe() for _ in range(number)]
        self.ends = [ours for ours, _theirs in pipes]
        self.processes = [context.Process(target=_be_told, args=[url, theirs]) for _ours, theirs in pipes]
        for process in self.processes:
            process.start()
        for end in self.ends:
            end.recv()

    def drain(self, senders: int, *, at: datetime) -> int:
        """Empty the queue with so many of them; returns how many messages they marked."""
        self.last = self.ends[:senders]
        for end in self.last:
            end.send(at)
        return sum(end.recv() for end in self.last)

    def sends(self) -> Counter[str]:
        """How often each key was handed over in the last drain."""
        sent: Counter[str] = Counter()
        for end in self.last:
            end.send("keys")
            sent.update(end.recv())
        return sent

    def end(self) -> None:
        for end in self.ends:
            end.send(None)
        for process in self.processes:
            process.join()


def _be_told(url: str, end) -> None:
    import django

    django.setup()
    from django.db import connections

    from engagement.services.sending import Sender

    connections["default"] = _connection_to(url)
    end.send("here")
    sender = None
    with _no_words():
        while asked := end.recv():
            if asked == "keys":
                end.send(sender.transport.sends)
            else:
                at = asked
                sender = Sender(Nowhere(), batch=BATCH, clock=lambda: at)  # noqa: B023
                end.send(_drain(sender))


def _connection_to(url: str):
    """Django's connection as the site's role to one of the servers."""
    from django.db import connections
    from psycopg.conninfo import conninfo_to_dict

    place = conninfo_to_dict(url)
    connection = connections.create_connection("default")
    connection.settings_dict = connection.settings_dict | {"PORT": place["port"], "PASSWORD": place["password"]}
    return connection


def _no_words():
    return mock.patch("engagement.services.sending._outgoing", lambda message, _templates: message)


def _drain(sender) -> int:
    return sender.drain().sent


def _pace(sender, seconds: float) -> float:
    """Messages a second of a sender in so many seconds."""
    started, sent = time.perf_counter(), 0
    while (passed := time.perf_counter() - started) < seconds:
        sent += sender.send_batch().sent
    return sent / passed


def _job():
    """The task of the comparison, made once."""
    from procrastinate.contrib.django import app

    from engagement.models import EngagementMessage
    from engagement.services import sending
    from engagement.services.rendering import Templates

    if "benchmarks.send_one" in app.tasks:
        return app.tasks["benchmarks.send_one"]
    transport = Nowhere()

    @app.task(name="benchmarks.send_one", queue="benchmarks")
    def send_one(message_id: int, words: bool) -> None:
        message = EngagementMessage.objects.select_related("user__engagement_profile").get(pk=message_id)
        if words:
            Templates().words(
                key=message.message_key,
                locale=message.user.engagement_profile.locale,
                params={"name": message.user.display_name, **message.message_params},
                unsubscribe_url=sending.unsubscribe_url(message.user_id),
            )
        transport.send(message)
        message.status, message.sent_at = "sent", DAY
        message.save(update_fields=["status", "sent_at"])

    return send_one


def _processor_time_of_all(processes: Iterable[int] = ()) -> float:
    """Seconds this process, those named and all backends have run so far, backends that are gone too.

    Source: proc_pid_stat, fields 4, 16 and 17.
    """
    from django.db import connection

    def stat(pid: str) -> list[str]:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()

    server = stat(str(connection.connection.info.backend_pid))[1]
    nanoseconds = 0
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    for pid in [*children, *processes]:
        # One that ends meanwhile is among those that are gone, which are read last.
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
    """A server beside the first, with empty tables."""
    folder = embedded.var_dir() / "many"
    embedded.remove(folder)
    server = embedded.start(folder)
    with psycopg.connect(server.owner_url, autocommit=True) as owner:
        owner.execute("DROP SCHEMA public CASCADE")
    restore_schema(server)
    return server


# --- Data -----------------------------------------------------------------------------------------


def load(owner, *, members: int, sent: int) -> None:
    """Members, and messages that were sent to them long ago."""
    say(f"Loading {members:,} members and {sent:,} sent messages")
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
    # Each was written to twice this week.
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
    parser.add_argument("--seconds", type=float, default=60, help="the other transaction stays open")
    options = parser.parse_args()

    started = time.monotonic()
    sent = round(10_000_000 * options.scale)
    sizes = {"members": options.members, "messages": options.messages}
    settings = f"shared_buffers={options.shared_buffers} max_wal_size=16GB max_connections=100"
    server, server_of_many = prepare(settings=settings), _another_server()
    many = Queue(server_of_many, **sizes, sent=sent)
    few = Queue(server, **sizes, sent=0)
    with psycopg.connect(server.owner_url, autocommit=True) as other:
        say("Emptying queues")
        figures = medians(
            {
                "claim + mark": few.claim_and_mark,
                "claim + mark, many": many.claim_and_mark,
                "UPDATE": few.update,
                **{f"claim + mark, {number} senders": partial(few.together, number) for number in TOGETHER},
                **{f"claim + mark, {number} senders, many": partial(many.together, number) for number in TOGETHER},
                "UPDATE, many": many.update,
                "sender": few.send,
                "sender, many": many.send,
                **{
                    f"jobs, {number} at a time{', with words' if words else ''}": partial(
                        few.jobs, options.sample, number, words=words
                    )
                    for words in (False, True)
                    for number in (1, 8)
                },
            },
            rounds=options.rounds,
        )
        say("Beside an open transaction")
        # Enough for the time; the rate of a short queue is too low an estimate.
        few.fill(max(round(figures["claim + mark"] * 1.6 * options.seconds), 100 * BATCH))
        before, during = few.beside_an_open_transaction(other, seconds=options.seconds)
    for queue in (few, many):
        queue.crew.end()
        queue.owner.close()
    embedded.stop(embedded.var_dir() / "many")
    stop()
    print(f"\nA queue of {options.messages:,} messages, batches of {BATCH} (medians of {options.rounds} rounds)")
    by_processor = {way: statistics.median(each[1:]) for way, each in few.by_processor.items()} | {
        f"{way}, many": statistics.median(each[1:]) for way, each in many.by_processor.items()
    }
    table(
        [
            (name, f"{figure:,.0f}", f"{by_processor[name]:,.0f}" if name in by_processor else "")
            for name, figure in figures.items()
        ],
        head=("way", "messages/s", "with a processor"),
    )
    print(
        f"\nA transaction open for {options.seconds:.0f} s: {before:,.0f} messages/s before, {during:,.0f} at its end."
    )
    jobs, jobs_with_words = (
        max(figures[f"jobs, {number} at a time{end}"] for number in (1, 8)) for end in ("", ", with words")
    )
    at_once = [f"claim + mark, {number} senders" for number in TOGETHER]
    goals = []
    for who, alone, best_job in (
        ("one sender", "claim + mark", jobs),
        ("one sender with words", "sender", jobs_with_words),
        *((way.removeprefix("claim + mark, "), way, jobs) for way in at_once),
    ):
        goals += [
            (f"{who}: at least 80 times a job per message", figures[alone] / best_job, 80),
            (f"{who}: at least half of one bare UPDATE", figures[alone] / figures["UPDATE"], 0.5),
            (f"{who}: at least 0.9 beside {sent:,} sent", figures[f"{alone}, many"] / figures[alone], 0.9),
        ]
    goals += [
        ("one sender: at least 0.9 beside an open transaction", during / before, 0.9),
        (
            "one sender: at least 80 times a job per message, by time with a processor",
            by_processor["claim + mark"] / max(by_processor[f"jobs, {number} at a time"] for number in (1, 8)),
            80,
        ),
        (
            "one sender: at least half of one bare UPDATE, by time with a processor",
            by_processor["claim + mark"] / by_processor["UPDATE"],
            0.5,
        ),
        (
            "one sender: at least 0.9 beside many, by time with a processor",
            by_processor["claim + mark, many"] / by_processor["claim + mark"],
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

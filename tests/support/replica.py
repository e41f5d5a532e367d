"""A streaming replica of the tests' PostgreSQL, made by pg_basebackup."""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from missionsite import embedded
from missionsite.embedded.cluster import HOST, Cluster, free_port


class Replica:
    """A running replica. Its superuser is that of the primary."""

    def __init__(self, port: int) -> None:
        self.port = port

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        user, password = embedded.superuser(embedded.var_dir())
        return psycopg.connect(
            host=HOST, port=self.port, user=user, password=password, dbname=database, autocommit=True
        )

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Let the replica replay nothing within the block."""
        with self.connect() as session:
            session.execute("SELECT pg_wal_replay_pause()")
            # A request: it takes effect between two records.
            while session.execute("SELECT pg_get_wal_replay_pause_state()").fetchone() != ("paused",):
                time.sleep(0.01)
            try:
                yield
            finally:
                session.execute("SELECT pg_wal_replay_resume()")

    def catch_up(self) -> None:
        """Wait until everything that was committed is there."""
        with Replica(embedded.status(embedded.var_dir()).port).connect() as primary, self.connect() as session:
            # The tests commit asynchronously; this commit and all before it are flushed.
            primary.execute("SET synchronous_commit = on")
            primary.execute("SELECT pg_logical_emit_message(true, 'test', '')")
            position = primary.execute("SELECT pg_current_wal_lsn()").fetchone()
            ends = time.monotonic() + 60
            while session.execute("SELECT pg_last_wal_replay_lsn() >= %s", position).fetchone() != (True,):
                assert time.monotonic() < ends, "the replica does not follow"
                time.sleep(0.01)


@contextlib.contextmanager
def streaming_replica() -> Iterator[Replica]:
    cluster = Cluster(embedded.var_dir(), tests=True)
    user, password = embedded.superuser(embedded.var_dir())
    port, account = free_port(), cluster.account
    folder = Path(tempfile.mkdtemp(prefix="replica-"))
    data = folder / "data"
    primary = f"postgres://{user}:{password}@{HOST}:{cluster.running().port}/postgres"
    account.take_ownership(folder)
    control = [cluster.binaries.program("pg_ctl"), "-D", data, "-w"]
    try:
        copied = account.run(
            [cluster.binaries.program("pg_basebackup"), "-d", primary, "-D", data, "-R", "-c", "fast", "--no-sync"]
        )
        assert copied.returncode == 0, copied.stderr
        options = f"-c port={port} -c listen_addresses={HOST} -c unix_socket_directories= -c hot_standby_feedback=on"
        started = account.run([*control, "-l", folder / "log", "-o", options, "start"])
        assert started.returncode == 0, (folder / "log").read_text()
        try:
            yield Replica(port)
        finally:
            account.run([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder)

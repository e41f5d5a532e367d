"""After a kill -9 the next start comes up with every committed row."""

import contextlib
import os
import signal
import subprocess
import threading

import psycopg
import pytest

from missionsite import embedded
from missionsite.embedded import account, processes


@pytest.fixture
def var(shared_var):
    return shared_var


@pytest.fixture
def server(var):
    """A running server with an empty table."""
    server = embedded.start(var)
    with psycopg.connect(server.owner_url) as owner:
        owner.execute("DROP TABLE IF EXISTS kept")
        owner.execute("CREATE TABLE kept (id int PRIMARY KEY)")
    return server


def data_of(var):
    return (var / "postgres").resolve() / "data"


def kill_postmaster(var):
    """Kill it and wait until the system has taken note."""
    os.kill(embedded.status(var).pid, signal.SIGKILL)
    assert processes.wait_until(lambda: embedded.status(var) is None, seconds=60)


@pytest.mark.seed("site killed: PostgreSQL, web, worker, demo, process group, everything; every")
def test_every_committed_row_survives_a_killed_postmaster(var, server):
    committed, enough = [], threading.Event()

    def write():
        with psycopg.connect(server.owner_url, autocommit=True) as owner:
            for number in range(1_000_000):
                owner.execute("INSERT INTO kept VALUES (%s)", [number])
                committed.append(number)
                if number == 200:
                    enough.set()

    def write_until_killed():
        with pytest.raises(psycopg.OperationalError):
            write()

    writer = threading.Thread(target=write_until_killed)
    writer.start()
    assert enough.wait(60)
    kill_postmaster(var)
    after = embedded.start(var)
    writer.join(60)
    assert after.started
    with psycopg.connect(after.owner_url) as owner:
        rows = [row for [row] in owner.execute("SELECT id FROM kept ORDER BY id")]
    # The last one may have been committed without the writer hearing of it.
    assert rows[: len(committed)] == committed
    assert len(rows) - len(committed) in (0, 1)


@pytest.mark.long
def test_a_backend_that_does_not_notice_is_ended(var, server, monkeypatch):
    monkeypatch.setattr(processes, "PATIENCE", 0.5)
    held = psycopg.connect(server.owner_url)
    backend = held.info.backend_pid
    os.kill(backend, signal.SIGSTOP)
    kill_postmaster(var)
    assert embedded.start(var).started
    assert backend not in processes._orphans(data_of(var))
    held.close()


@pytest.mark.seed("site killed: PostgreSQL, web, worker, demo, process group, everything; every")
def test_killing_every_process_at_once_is_survived(var, server):
    with psycopg.connect(server.owner_url) as owner:
        owner.execute("INSERT INTO kept VALUES (7)")
    for pid in processes._orphans(data_of(var)):
        # Those still alive: some end by themselves when their postmaster is gone.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert processes.wait_until(lambda: embedded.status(var) is None, seconds=60)
    after = embedded.start(var)
    with psycopg.connect(after.owner_url) as owner:
        assert owner.execute("SELECT id FROM kept").fetchone() == (7,)


@pytest.mark.long
def test_a_number_now_used_by_another_process_does_not_stand_in_the_way(var, server):
    data = data_of(var)
    lines = (data / "postmaster.pid").read_text().splitlines()
    owner = data.stat()
    embedded.stop(var)
    demotion = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    other = subprocess.Popen(["sleep", "600"], cwd="/", **demotion)
    try:
        lines[0] = str(other.pid)
        (data / "postmaster.pid").write_text("\n".join(lines) + "\n")
        assert embedded.status(var) is None
        assert embedded.start(var).started
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


@pytest.mark.long
def test_another_program_in_the_data_folder_is_not_taken_for_a_server(var, server):
    embedded.stop(var)
    data = data_of(var)
    shell = subprocess.Popen(["sleep", "600"], cwd=data)
    try:
        assert embedded.start(var).started
        assert shell.poll() is None
    finally:
        shell.kill()
        shell.wait()


@pytest.mark.long
def test_a_garbled_pid_file_is_not_a_running_server(var, server):
    embedded.stop(var)
    for content in ("", "x\n", "-1\n", "99999999999999999999\n"):
        (data_of(var) / "postmaster.pid").write_text(content)
        assert embedded.status(var) is None
    assert account.choose(data_of(var)).uid != 0
    assert embedded.start(var).started

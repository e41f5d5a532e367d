"""What is left when the demo is killed is ended; what ends by itself starts again."""

import fcntl
import os
import signal
import threading

import pytest

from missionsite import embedded
from missionsite.demo.services import Service, Watcher
from missionsite.demo.site import DemoError, Site
from missionsite.embedded.processes import PROC, wait_until

# Does not end, and starts another that does too.
STUBBORN = "trap '' TERM; sh -c \"trap '' TERM; while :; do sleep 1; done\" & while :; do sleep 1; done"


@pytest.fixture
def lock(tmp_path):
    with open(tmp_path / "lock", "a") as file:
        yield file.fileno()


@pytest.fixture
def watcher(lock):
    watcher = Watcher(var=None, keep_open=lock, seconds=2)
    yield watcher
    watcher.dismiss()


def end_of_pipe(watcher):
    """What the watcher sees when the demo is killed."""
    watcher.process.stdin.close()
    assert watcher.process.wait(60) == 0


def service(tmp_path, watcher, script):
    return Service("The test", ["sh", "-c", script], log=tmp_path / "logs" / "test.log", watcher=watcher)


def is_gone(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.seed("site killed: PostgreSQL, web, worker, demo, process group, everything; every")
def test_processes_of_a_killed_demo_are_ended(tmp_path, watcher):
    running = service(tmp_path, watcher, "sleep 600")
    running.start()
    # The watcher sees it until it is waited for.
    waiting = threading.Thread(target=running.process.wait)
    waiting.start()
    end_of_pipe(watcher)
    waiting.join(60)
    assert running.process.returncode == -signal.SIGTERM


def test_processes_that_reject_to_end_are_killed_with_their_children(tmp_path, watcher):
    running = service(tmp_path, watcher, STUBBORN)
    running.start()
    end_of_pipe(watcher)
    assert running.process.wait(60) == -signal.SIGKILL
    assert wait_until(lambda: is_gone(running.process.pid), seconds=60)


def test_the_server_of_a_killed_demo_is_stopped(tmp_path, lock):
    var = tmp_path / "var"
    try:
        watcher = Watcher(var=var, keep_open=lock)
        embedded.start(var, tests=True)
        end_of_pipe(watcher)
        assert embedded.status(var) is None
    finally:
        embedded.remove(var)


@pytest.mark.skipif(not PROC.exists(), reason="what a process ignores is read from /proc")
def test_signals_of_the_terminal_do_not_end_the_watcher(watcher):
    numbers = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)

    def ignores_them() -> bool:
        [mask] = [line.split()[1] for line in (PROC / str(watcher.process.pid) / "status").open() if "SigIgn" in line]
        return all(int(mask, 16) >> (number - 1) & 1 for number in numbers)

    assert wait_until(ignores_them, seconds=60)
    for number in numbers:
        os.kill(watcher.process.pid, number)
    end_of_pipe(watcher)


def test_a_service_that_ends_starts_again_and_ever_later(tmp_path, watcher):
    said = []
    failing = service(tmp_path, watcher, "exit 3")
    failing.start()
    failing.process.wait()
    failing.check(said.append)
    assert not failing.is_running()
    assert "ended (exit code 3). Restarting in 1 s" in said[0]
    assert failing.pause == 2
    failing.restart_at = 0.0
    failing.check(said.append)
    failing.process.wait()
    failing.check(said.append)
    assert "in 2 s" in said[1]


def test_a_killed_service_takes_its_children_along(tmp_path, watcher):
    running = service(tmp_path, watcher, "sleep 600 & echo started; wait")
    running.start()
    assert wait_until(lambda: "started" in running.log.read_text(), seconds=60)
    group = running.process.pid
    os.kill(group, signal.SIGKILL)
    running.process.wait()
    said = []
    running.check(said.append)
    assert "killed by SIGKILL" in said[0]
    assert wait_until(lambda: is_gone(group), seconds=60)


def test_a_second_demo_in_the_same_folder_is_rejected(tmp_path):
    first, second = (Site(var=tmp_path, is_embedded=False, log=print) for _ in range(2))
    with first.single_instance():
        (tmp_path / "demo.address").write_text("http://127.0.0.1:8000/ (process 1)")
        with pytest.raises(DemoError, match=r"running already: http://127\.0\.0\.1:8000/"), second.single_instance():
            pass
    with second.single_instance():
        pass


def test_a_demo_waits_for_the_cleaning_of_the_one_before(tmp_path):
    said, inside, leave = [], threading.Event(), threading.Event()

    def run():
        with Site(var=tmp_path, is_embedded=False, log=said.append).single_instance():
            inside.set()
            leave.wait(60)

    with open(tmp_path / "demo-cleanup.lock", "a") as cleaning:
        fcntl.flock(cleaning, fcntl.LOCK_EX)
        demo = threading.Thread(target=run)
        demo.start()
        assert wait_until(lambda: said == ["Waiting for the processes of the previous run to end ..."], seconds=60)
        assert not inside.is_set()
    assert inside.wait(60)
    leave.set()
    demo.join()


@pytest.mark.parametrize("existing", [False, True])
def test_log_is_read_by_its_owner_only(tmp_path, watcher, existing):
    folder = tmp_path / "logs"
    log = folder / "test.log"
    if existing:
        folder.mkdir()
        log.touch(0o644)
    before = os.umask(0)
    try:
        running = service(tmp_path, watcher, "echo a line")
        running.start()
        running.process.wait(60)
    finally:
        os.umask(before)
    assert log.stat().st_mode & 0o777 == 0o600
    assert existing or folder.stat().st_mode & 0o777 == 0o700
    assert log.read_text() == "a line\n"

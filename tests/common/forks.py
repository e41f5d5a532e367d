"""Commands of manage.py as processes of their own without the seconds each would take to import the site.

A server (`python -m tests.common.forks`) imports the site once and forks a process for each command; nothing has been
connected to or started in it by then, so the process is as one of manage.py.
"""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


class Forks:
    """The server, for one set of settings. environment: what leads it to a database and names its settings."""

    def __init__(self, environment: dict[str, str]) -> None:
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.common.forks", str(its.fileno())],
                cwd=CHECKOUT,
                env=os.environ | environment,
                pass_fds=[its.fileno()],
                start_new_session=True,
            )
        self.line = ours

    def start(self, *arguments: str, stderr: int | None = None, **environment: str) -> "Process":
        """Run `manage.py ARGUMENT ...` in a session of its own. stderr: a descriptor; without one it is not kept."""
        with open(os.devnull, "wb") as nothing:
            order = json.dumps({"arguments": ["manage.py", *arguments], "environment": environment}).encode()
            socket.send_fds(self.line, [order], [nothing.fileno() if stderr is None else stderr])
        return Process(self, self._answer())

    def ended(self, pid: int) -> int | None:
        """The exit code of a process, None while it runs."""
        self.line.send(json.dumps({"pid": pid}).encode())
        return self._answer()

    def _answer(self):
        heard = self.line.recv(1_000)
        if not heard:
            raise RuntimeError(f"tests.common.forks ended ({self.process.wait()})")
        return json.loads(heard)

    def close(self) -> None:
        self.line.close()
        self.process.wait()


class Process:
    """A process of a fork server, with what the tests use of subprocess.Popen."""

    stderr = None

    def __init__(self, forks: Forks, pid: int) -> None:
        self.forks, self.pid, self.returncode = forks, pid, None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self.forks.ended(self.pid)
        return self.returncode

    def wait(self, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("a fork", timeout)
            select.select([], [], [], 0.02)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def serve(line: socket.socket) -> None:
    """Answer until the other end is closed."""
    import django

    django.setup()
    from django.core.management import get_commands

    get_commands()
    while True:
        heard, descriptors, _flags, _address = socket.recv_fds(line, 100_000, 1)
        if not heard:
            return
        order = json.loads(heard)
        if "pid" in order:
            pid, status = os.waitpid(order["pid"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if not answer:
                line.close()
                become(order["arguments"], order["environment"], descriptors[0])
            os.close(descriptors[0])
        line.send(json.dumps(answer).encode())


def become(arguments: list[str], environment: dict[str, str], stderr: int) -> None:
    """Run a command in the forked process, and end it without returning."""
    from django.core.management import execute_from_command_line

    code = 1
    try:
        os.setsid()
        os.dup2(stderr, 2)
        os.close(stderr)
        os.environ.update(environment)
        sys.argv = arguments
        execute_from_command_line(arguments)
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))

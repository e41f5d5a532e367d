"""The demo's processes, which are restarted when they end."""

# ruff: noqa: S603 - runs only programs of the site

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

from missionsite import embedded
from missionsite.demo import watcher

LONGEST_PAUSE = 30
# After running this long, a process is restarted without a longer pause.
STEADY_SECONDS = 60
LARGEST_LOG = 10_000_000


def _private(path: str, flags: int) -> int:
    """Open a file that only its owner can read: log lines contain addresses and ids of members."""
    return os.open(path, flags, 0o600)


class Watcher:
    """The process that cleans up after a killed demo."""

    def __init__(self, *, var: Path | None, keep_open: int, seconds: float = watcher.PATIENCE) -> None:
        """var: folder of the embedded server to stop. keep_open: descriptor of a lock, released after cleaning up.

        seconds: what processes may take to end before they are killed.
        """
        self.process = subprocess.Popen(
            [sys.executable, "-m", "missionsite.demo.watcher", str(seconds), *([str(var)] if var else [])],
            cwd=embedded.CHECKOUT,
            stdin=subprocess.PIPE,
            text=True,
            pass_fds=[keep_open],
            start_new_session=True,
        )
        self._input = cast(IO[str], self.process.stdin)

    def send(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._input.write(line + "\n")
            self._input.flush()

    def dismiss(self) -> None:
        """Close the pipe, so that the watcher cleans up, and wait for its end."""
        with contextlib.suppress(BrokenPipeError):
            self._input.close()
        self.process.wait()


class Service:
    """A process of the demo, in a separate session, so that Ctrl-C in the terminal only reaches the demo."""

    def __init__(self, name: str, command: list[str], *, log: Path, watcher: Watcher) -> None:
        self.name = name
        self.command = command
        self.log = log
        self.watcher = watcher
        self.process: subprocess.Popen | None = None
        self.started_at = self.restart_at = 0.0
        self.pause = 1

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".old"))
        with open(self.log, "a", opener=_private) as output:
            # An earlier version let everyone read it.
            os.fchmod(output.fileno(), 0o600)
            self.process = subprocess.Popen(
                self.command,
                cwd=embedded.CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.watcher.send(f"+{self.process.pid}")
        self.started_at = time.monotonic()

    def check(self, log: Callable[[str], None]) -> None:
        """Restart the process if it has ended: after a second, or with growing pauses if it keeps ending."""
        now = time.monotonic()
        if self.process and self.process.poll() is not None:
            self._clean_up()
            if now - self.started_at > STEADY_SECONDS:
                self.pause = 1
            self.restart_at = now + self.pause
            log(f"{self.name} ended ({self._reason()}). Restarting in {self.pause} s. Log: {self.log}")
            self.pause = min(self.pause * 2, LONGEST_PAUSE)
            self.process = None
        if not self.process and now >= self.restart_at:
            self.start()

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def terminate(self) -> None:
        if self.process:
            watcher.signal_all({self.process.pid}, signal.SIGTERM)

    def end(self) -> None:
        """Terminate the process with its child processes, and wait for their end."""
        if self.process:
            self.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(watcher.PATIENCE)
            self._clean_up()
            self.process = None

    def _clean_up(self) -> None:
        process = cast(subprocess.Popen, self.process)
        # Its child processes would keep the port.
        group = process.pid
        watcher.signal_all({group}, signal.SIGKILL)
        process.wait()
        self.watcher.send(f"-{group}")

    def _reason(self) -> str:
        code = cast(subprocess.Popen, self.process).returncode
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def web_command(port: int, *, workers: int = 2) -> list[str]:
    """The command of the web server on a loopback port, as in production."""
    return [sys.executable, "-m", "granian", "--interface", "asginl", "--host", "127.0.0.1", "--port", str(port),
            "--workers", str(workers), "--respawn-failed-workers", "--workers-kill-timeout", "5",
            "--backpressure", "2048", "--no-ws",
            "missionsite.asgi:application"]  # fmt: skip


def worker_command() -> list[str]:
    """The command of the background worker."""
    return [sys.executable, "manage.py", "worker"]

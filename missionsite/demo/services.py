"""The demo's processes, each started again when it ends by itself."""

# ruff: noqa: S603 - it runs programs of ours

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from missionsite import embedded
from missionsite.demo import watcher

LONGEST_PAUSE = 30
# A process that ran this long had started well: the next pause is short again.
STEADY_SECONDS = 60
LARGEST_LOG = 10_000_000


class Watcher:
    """The process that outlives a killed demo for as long as cleaning up takes."""

    def __init__(self, *, var: Path | None, keep_open: int) -> None:
        """var: folder of the embedded server to stop. keep_open: descriptor of a lock to hold until all is clean."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "missionsite.demo.watcher", *([str(var)] if var else [])],
            cwd=embedded.CHECKOUT,
            stdin=subprocess.PIPE,
            text=True,
            pass_fds=[keep_open],
            start_new_session=True,
        )

    def tell(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def dismiss(self) -> None:
        """Let it clean up what is left, and wait for that."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()


class Service:
    """A process of the demo, in a session of its own so that Ctrl-C in the terminal reaches the demo alone."""

    def __init__(self, name: str, command: list[str], *, log: Path, watcher: Watcher) -> None:
        self.name = name
        self.command = command
        self.log = log
        self.watcher = watcher
        self.process: subprocess.Popen | None = None
        self.started_at = self.start_again_at = 0.0
        self.pause = 1

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".old"))
        with open(self.log, "a") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=embedded.CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.watcher.tell(f"+{self.process.pid}")
        self.started_at = time.monotonic()

    def check(self, say: Callable[[str], None]) -> None:
        """Notice an end and start the process again: at once after a good run, ever later when it keeps ending."""
        now = time.monotonic()
        if self.process and self.process.poll() is not None:
            self._clear_away()
            if now - self.started_at > STEADY_SECONDS:
                self.pause = 1
            self.start_again_at = now + self.pause
            say(f"{self.name} ended ({self._reason()}). It starts again in {self.pause} s; its log: {self.log}")
            self.pause = min(self.pause * 2, LONGEST_PAUSE)
            self.process = None
        if not self.process and now >= self.start_again_at:
            self.start()

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask_to_end(self) -> None:
        if self.process:
            watcher.signal_all({self.process.pid}, signal.SIGTERM)

    def end(self) -> None:
        """End the process and those it started, and wait for that."""
        if self.process:
            self.ask_to_end()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(watcher.PATIENCE)
            self._clear_away()
            self.process = None

    def _clear_away(self) -> None:
        # Processes it had started itself would keep the port.
        group = self.process.pid
        watcher.signal_all({group}, signal.SIGKILL)
        self.process.wait()
        self.watcher.tell(f"-{group}")

    def _reason(self) -> str:
        code = self.process.returncode
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def web_command(port: int, *, workers: int = 2) -> list[str]:
    """The web server on a loopback port, as in production; it ends without waiting for pages."""
    return [sys.executable, "-m", "granian", "--interface", "asginl", "--host", "127.0.0.1", "--port", str(port),
            "--workers", str(workers), "--respawn-failed-workers", "--workers-kill-timeout", "5", "--no-ws",
            "missionsite.asgi:application"]  # fmt: skip


def worker_command() -> list[str]:
    """The background worker."""
    return [sys.executable, "manage.py", "worker"]

"""Keeps worker processes running: a process that dies or stops sending heartbeats is replaced."""

import logging
import os
import secrets
import selectors
import signal
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connections

from missionsite.common.worker import process

logger = logging.getLogger(__name__)

MAX_PAUSE = 30.0  # seconds between two attempts to start a worker


@dataclass
class _Slot:
    """A worker process that is replaced when it ends."""

    number: int
    pid: int | None = None
    tag: str = ""
    heartbeat: int = -1
    last_heartbeat: float = 0.0
    # Seconds to wait before the next start, and its time.
    pause: float = 0.0
    start_at: float = 0.0
    replaces: str | None = field(default=None)


class Supervisor:
    """Runs `processes` workers until SIGTERM or SIGINT, then lets them finish their running jobs."""

    def __init__(self, *, processes: int, concurrency: int, stale_after: timedelta) -> None:
        self.concurrency = concurrency
        self.stale_after = stale_after
        self.slots = [_Slot(number) for number in range(processes)]
        self.stopping = False
        self.selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Return when every worker has ended after a signal to stop."""
        # The write end is open only in the supervisor, so its death in any form closes the pipe for every worker.
        self.alive_read, self.alive_write = os.pipe()
        wake_read, wake_write = os.pipe()
        for end in (wake_read, wake_write):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.own_ends = [self.alive_write, wake_read, wake_write]
        self.selector.register(wake_read, selectors.EVENT_READ, None)
        while not (self.stopping and all(slot.pid is None for slot in self.slots)):
            now = time.monotonic()
            for slot in self.slots:
                if slot.pid is None and not self.stopping and now >= slot.start_at:
                    self._start(slot)
            for key, _ in self.selector.select(timeout=self._seconds_until_next(now)):
                received = os.read(key.fd, 4096)
                if key.data is not None and received:
                    key.data.last_heartbeat, key.data.pause = time.monotonic(), 0.0
                elif key.data is not None:
                    self._close_pipe(key.data)
            self._reap()
            self._kill_silent()

    def _stop(self, *_: Any) -> None:
        self.stopping = True
        for slot in self.slots:
            if slot.pid is not None:
                os.kill(slot.pid, signal.SIGTERM)

    def _seconds_until_next(self, now: float) -> float:
        """Seconds until the next start or the next missing heartbeat."""
        due = [
            slot.start_at if slot.pid is None else slot.last_heartbeat + self.stale_after.total_seconds()
            for slot in self.slots
            if not (slot.pid is None and self.stopping)
        ]
        return max(min(due, default=now) - now, 0.05)

    def _start(self, slot: _Slot) -> None:
        connections.close_all()
        heartbeat_read, heartbeat_write = os.pipe()
        os.set_blocking(heartbeat_write, False)
        slot.tag, replaces = f"missionsite-worker-{secrets.token_hex(6)}", slot.replaces
        slot.last_heartbeat = time.monotonic()
        pid = os.fork()
        if pid == 0:
            self._become_worker(slot.tag, replaces, heartbeat_write, heartbeat_read)
        os.close(heartbeat_write)
        slot.pid, slot.heartbeat, slot.replaces = pid, heartbeat_read, None
        self.selector.register(heartbeat_read, selectors.EVENT_READ, slot)

    def _become_worker(self, tag: str, replaces: str | None, heartbeat_write: int, heartbeat_read: int) -> None:
        """In the forked process: close the supervisor's resources, run the worker, and exit without returning."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.selector.close()
            others = [slot.heartbeat for slot in self.slots if slot.heartbeat >= 0]
            for end in (*self.own_ends, heartbeat_read, *others):
                os.close(end)
            code = process.run(
                tag=tag,
                concurrency=self.concurrency,
                stale_after=self.stale_after,
                pipes=process.Pipes(heartbeat=heartbeat_write, supervisor=self.alive_read),
                replaces=replaces,
            )
        except BaseException:
            logger.exception("The worker could not run")
        finally:
            logging.shutdown()
            os._exit(code)

    def _close_pipe(self, slot: _Slot) -> None:
        if slot.heartbeat >= 0:
            self.selector.unregister(slot.heartbeat)
            os.close(slot.heartbeat)
            slot.heartbeat = -1

    def _reap(self) -> None:
        for slot in self.slots:
            if slot.pid is None:
                continue
            pid, status = os.waitpid(slot.pid, os.WNOHANG)
            if pid == 0:
                continue
            code = os.waitstatus_to_exitcode(status)
            self._close_pipe(slot)
            slot.pid = None
            if not self.stopping:
                slot.pause = min(max(slot.pause * 2, 0.5), MAX_PAUSE)
                slot.start_at = time.monotonic() + slot.pause
                # Certainly dead, so its successor need not wait until the heartbeat is stale.
                slot.replaces = slot.tag
                if code != process.NO_DATABASE:
                    logger.error("Worker %s ended (%s); starting a replacement", slot.tag, code)

    def _kill_silent(self) -> None:
        for slot in self.slots:
            silence = time.monotonic() - slot.last_heartbeat
            # A worker that finishes its jobs still sends heartbeats; one that hangs while stopping does not.
            if slot.pid is not None and silence > self.stale_after.total_seconds():
                logger.error("Worker %s sent no heartbeat for %.0f s; killing it", slot.tag, silence)
                os.kill(slot.pid, signal.SIGKILL)
                slot.last_heartbeat = time.monotonic()

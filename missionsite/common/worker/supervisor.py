"""Keeps worker processes alive: one that dies, or whose beat stops, is replaced."""

import logging
import os
import secrets
import selectors
import signal
import time
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import connections

from missionsite.common.worker import process

logger = logging.getLogger(__name__)

LONGEST_PAUSE = 30.0  # seconds between two tries at starting a worker


@dataclass
class _Place:
    """One worker and those that came before it in the same place."""

    number: int
    pid: int | None = None
    tag: str = ""
    beat: int = -1
    last_beat: float = 0.0
    # Seconds to wait before the next start, and when that is.
    pause: float = 0.0
    start_at: float = 0.0
    replaces: str | None = field(default=None)


class Supervisor:
    """Runs `processes` workers until SIGTERM or SIGINT, then lets them finish what is under way."""

    def __init__(self, *, processes: int, concurrency: int, stale_after: timedelta) -> None:
        self.concurrency = concurrency
        self.stale_after = stale_after
        self.places = [_Place(number) for number in range(processes)]
        self.stopping = False
        self.selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Return when every worker has ended after a signal to stop."""
        # Open in the supervisor alone: the day it dies, however, every worker reads the end of it.
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
        while not (self.stopping and all(place.pid is None for place in self.places)):
            now = time.monotonic()
            for place in self.places:
                if place.pid is None and not self.stopping and now >= place.start_at:
                    self._start(place)
            for key, _ in self.selector.select(timeout=self._until_next(now)):
                heard = os.read(key.fd, 4096)
                if key.data is not None and heard:
                    key.data.last_beat, key.data.pause = time.monotonic(), 0.0
                elif key.data is not None:
                    self._forget_wire(key.data)
            self._reap()
            self._end_silent()

    def _stop(self, *_) -> None:
        self.stopping = True
        for place in self.places:
            if place.pid is not None:
                os.kill(place.pid, signal.SIGTERM)

    def _until_next(self, now: float) -> float:
        """Seconds until something is due by the clock."""
        due = [
            place.start_at if place.pid is None else place.last_beat + self.stale_after.total_seconds()
            for place in self.places
            if not (place.pid is None and self.stopping)
        ]
        return max(min(due, default=now) - now, 0.05)

    def _start(self, place: _Place) -> None:
        connections.close_all()
        beat_read, beat_write = os.pipe()
        os.set_blocking(beat_write, False)
        place.tag, replaces = f"missionsite-worker-{secrets.token_hex(6)}", place.replaces
        place.last_beat = time.monotonic()
        pid = os.fork()
        if pid == 0:
            self._become_worker(place.tag, replaces, beat_write, beat_read)
        os.close(beat_write)
        place.pid, place.beat, place.replaces = pid, beat_read, None
        self.selector.register(beat_read, selectors.EVENT_READ, place)

    def _become_worker(self, tag: str, replaces: str | None, beat_write: int, beat_read: int) -> None:
        """In the forked process: drop what is the supervisor's, work, and end without returning."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            self.selector.close()
            for end in (*self.own_ends, beat_read, *(place.beat for place in self.places if place.beat >= 0)):
                os.close(end)
            code = process.run(
                tag=tag,
                concurrency=self.concurrency,
                stale_after=self.stale_after,
                wires=process.Wires(beat=beat_write, supervisor=self.alive_read),
                replaces=replaces,
            )
        except BaseException:
            logger.exception("The worker could not run")
        finally:
            logging.shutdown()
            os._exit(code)

    def _forget_wire(self, place: _Place) -> None:
        if place.beat >= 0:
            self.selector.unregister(place.beat)
            os.close(place.beat)
            place.beat = -1

    def _reap(self) -> None:
        for place in self.places:
            if place.pid is None:
                continue
            pid, status = os.waitpid(place.pid, os.WNOHANG)
            if pid == 0:
                continue
            code = os.waitstatus_to_exitcode(status)
            self._forget_wire(place)
            place.pid = None
            if not self.stopping:
                place.pause = min(max(place.pause * 2, 0.5), LONGEST_PAUSE)
                place.start_at = time.monotonic() + place.pause
                # Gone for certain: its successor need not wait for the heartbeat to age.
                place.replaces = place.tag
                if code != process.NO_DATABASE:
                    logger.error("Worker %s ended (%s); another takes its place", place.tag, code)

    def _end_silent(self) -> None:
        for place in self.places:
            silence = time.monotonic() - place.last_beat
            # A worker that finishes its jobs goes on to beat; one that has stopped does not, and may hang there.
            if place.pid is not None and silence > self.stale_after.total_seconds():
                logger.error("Worker %s has not beaten for %.0f s; it is ended", place.tag, silence)
                os.kill(place.pid, signal.SIGKILL)
                place.last_beat = time.monotonic()

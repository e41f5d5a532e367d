"""The time one message may take, and the end of its connection when that is over."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Deadline:
    """Cuts the connection of a message that takes too long.

    A library's time limit is for one wait: a server that sends a byte now and then could hold a sender for ever. The
    look-up of a name is not cut. One thread watches, from the first message to `close`.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._changed = threading.Condition()
        self._ends_at: float | None = None
        self._wire: socket.socket | None = None
        self._is_over = False
        self._is_idle = False
        self._is_closed = False
        self._thread: threading.Thread | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """The time of one message runs inside."""
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="deadline of a message", daemon=True)
                self._thread.start()
            self._ends_at, self._is_over = time.monotonic() + self.seconds, False
            # A thread that waits for the end of an earlier message wakes in time for this one.
            if self._is_idle:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._ends_at = None

    def watch(self, wire: socket.socket) -> socket.socket:
        """Have this connection cut in time, instead of the one before; returns it."""
        with self._changed:
            self._forget()
            # A handle of its own: TLS takes the first one over, and is cut through this one in its handshake already.
            self._wire = wire.dup()
            if self._is_over:
                self._cut()
        return wire

    @property
    def is_over(self) -> bool:
        """Whether the time of the last message was over before the message was."""
        return self._is_over

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify()
            self._forget()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        with self._changed:
            while not self._is_closed:
                left = None if self._ends_at is None else self._ends_at - time.monotonic()
                if left is not None and left <= 0:
                    self._is_over, self._ends_at, left = True, None, None
                    self._cut()
                self._is_idle = left is None
                self._changed.wait(left)

    def _cut(self) -> None:
        if self._wire is not None:
            # Gone already.
            with suppress(OSError):
                self._wire.shutdown(socket.SHUT_RDWR)

    def _forget(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None

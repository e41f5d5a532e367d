"""Time limit of one message: closes its connection when the time is over."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Deadline:
    """Shuts down the connection of a message that takes too long.

    A library's time-out limits a single read: a server that sends a byte now and then could block a sender forever. DNS
    look-ups are not limited. One thread runs from the first message to `close`.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._changed = threading.Condition()
        self._ends_at: float | None = None
        self._connection: socket.socket | None = None
        self._is_over = False
        self._is_idle = False
        self._is_closed = False
        self._thread: threading.Thread | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Limit the time of the block."""
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="deadline of a message", daemon=True)
                self._thread.start()
            self._ends_at, self._is_over = time.monotonic() + self.seconds, False
            # A thread that waits for an earlier deadline wakes up in time for this one.
            if self._is_idle:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._ends_at = None

    def watch(self, connection: socket.socket) -> socket.socket:
        """Watch this connection instead of the previous one; return it."""
        with self._changed:
            self._forget()
            # A duplicate, because TLS takes over the original; shutting down the duplicate also ends a TLS handshake.
            self._connection = connection.dup()
            if self._is_over:
                self._cut()
        return connection

    @property
    def is_over(self) -> bool:
        """Whether the last block exceeded its time."""
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
        if self._connection is not None:
            # The peer may have closed it already.
            with suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

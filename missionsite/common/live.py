"""Live pages: PostgreSQL notifications are sent to the browser as server-sent events.

All open streams of a process share one thread and one database connection, which listen while any stream is open. Under
the site's ASGI server an open stream uses no thread of its own; under a WSGI server it uses that of its request.
"""

import asyncio
import contextlib
import json
import logging
import os
import queue
import selectors
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import Any, cast

import psycopg
from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, StreamingHttpResponse
from django.utils.translation import gettext_lazy as _
from psycopg import sql

from missionsite.common.connections import direct_params

logger = logging.getLogger(__name__)

# Seconds: between two comments on an idle stream, until a stream ends, until the browser reconnects.
HEARTBEAT = 15
LONGEST_LIFE = 300
RECONNECT_AFTER = 2
# Seconds a page waits before it tries again when too many streams are open.
RETRY_AFTER = 30
# Seconds between two attempts to connect to the database, doubled from the first to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
# Events queued for a slow browser; beyond that it gets one `resync` event instead.
LONGEST_QUEUE = 1000
# Most bytes of a channel name; LISTEN truncates longer ones. Source: PostgreSQL manual, 4.1.1, NAMEDATALEN - 1.
LONGEST_CHANNEL = 63
# The application_name of the connection in pg_stat_activity.
APPLICATION_NAME = "missionsite live"
# The channel that closes the live pages of a member whose access ended: {"member": id}.
ACCESS_ENDED = "access_ended"
# Not an event: wakes the thread that waits for one when the stream is closed.
_CLOSED = ""

PLAIN = "text/plain; charset=utf-8"

Accepts = Callable[[str, dict], bool]
Run = Callable[..., Awaitable[Any]]


def stream(
    request: HttpRequest, *, channels: Collection[str], accepts: Accepts | None = None
) -> StreamingHttpResponse | HttpResponse:
    """A response that streams the notifications on these channels until it is closed, for at most five minutes.

    Events: `ready` when all channels are listened to, so that the page then loads its data; `change` with the JSON
    object of a notification; `resync` when notifications may have been missed, so that the page loads its data again.
    A payload that is not a JSON object is logged and not sent.

    accepts: decides whether a notification is sent, in the thread of the request; it may use the database.
    When LIVE_STREAMS streams are open in this process, returns 503 with Retry-After; the page then polls instead. For
    an administrator who views the site as another member, returns 403.
    """
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    if getattr(request, "view_as", None):
        # It would go on outside of the read-only transaction, and for longer than the view.
        return HttpResponse(_("No live pages while viewing as another member.\n"), status=403, content_type=PLAIN)
    for channel in channels:
        if not 0 < len(channel.encode()) <= LONGEST_CHANNEL or "\x00" in channel:
            raise ValueError(f"{channel!r} is not a valid channel name.")
    user = getattr(request, "user", None)
    opened = _listener.open(frozenset(channels), accepts, member=str(getattr(user, "pk", None) or ""))
    if opened is None:
        return HttpResponse(
            _("Too many live pages are open. This page polls for changes instead.\n"),
            status=503,
            headers={"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store"},
            content_type=PLAIN,
        )
    response = StreamingHttpResponse(
        opened,
        content_type="text/event-stream",
        # Stops proxies such as nginx from buffering events.
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )
    # For the ASGI server, which sends the pieces without a thread.
    cast(Any, response).asynchronous_pieces = opened.pieces
    return response


def frame(event: str, data: dict) -> bytes:
    """One server-sent event."""
    return f"event: {event}\ndata: {json.dumps(data)}\n\n".encode()


class Stream:
    """The body of one streaming response. It counts against LIVE_STREAMS until it is closed."""

    def __init__(
        self, listener: "Listener", channels: frozenset[str], accepts: Accepts | None, member: str = ""
    ) -> None:
        self.channels = channels
        self.member = member
        # Set by the listener once it listens to every channel.
        self.is_ready = False
        self._listener, self._accepts = listener, accepts
        self._queue: queue.Queue[tuple[str, str, dict]] = queue.Queue(LONGEST_QUEUE)
        self._ends_at = time.monotonic() + LONGEST_LIFE
        self._started = False
        # Called after an event is queued.
        self._wake: Callable[[], object] = lambda: None

    def send(self, event: str, channel: str = "", payload: dict | None = None) -> None:
        """Queue an event; never waits."""
        try:
            self._queue.put_nowait((event, channel, payload or {}))
        except queue.Full:
            with contextlib.suppress(queue.Empty):
                while True:
                    self._queue.get_nowait()
            self._queue.put_nowait(("resync", "", {}))
        self._wake()

    def __iter__(self) -> "Stream":
        return self

    def __next__(self) -> bytes:
        if not self._started:
            self._started = True
            # The request needed the database to authenticate; the stream does not need it for minutes.
            _close_connections()
            return f"retry: {RECONNECT_AFTER * 1000}\n\n".encode()
        quiet_until = time.monotonic() + HEARTBEAT
        while (now := time.monotonic()) < self._ends_at:
            if now >= quiet_until:
                return b": still here\n\n"
            try:
                event, channel, payload = self._queue.get(timeout=min(quiet_until, self._ends_at) - now)
            except queue.Empty:
                continue
            if event == _CLOSED:
                break
            if event != "change" or self._is_accepted(channel, payload):
                return frame(event, payload)
        self.close()
        raise StopIteration

    async def pieces(self, run: Run) -> AsyncIterator[bytes]:
        """The same pieces without a thread that waits for them; used instead of the iterator, not beside it.

        run: runs a function in a thread that may use the database.
        """
        loop, arrived = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            # The loop of a server that ends is closed.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(arrived.set)

        self._wake = wake
        yield f"retry: {RECONNECT_AFTER * 1000}\n\n".encode()
        quiet_until = time.monotonic() + HEARTBEAT
        while (now := time.monotonic()) < self._ends_at:
            if now >= quiet_until:
                yield b": still here\n\n"
                quiet_until = time.monotonic() + HEARTBEAT
                continue
            # Before the queue is read: an event that arrives in between sets it again.
            arrived.clear()
            try:
                event, channel, payload = self._queue.get_nowait()
            except queue.Empty:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(arrived.wait(), min(quiet_until, self._ends_at) - now)
                continue
            if event == _CLOSED:
                break
            if event == "change" and self._accepts and not await run(self._is_accepted, channel, payload):
                continue
            yield frame(event, payload)
            quiet_until = time.monotonic() + HEARTBEAT
        self.close()

    def _is_accepted(self, channel: str, payload: dict) -> bool:
        if self._accepts is None:
            return True
        try:
            return self._accepts(channel, payload)
        finally:
            _close_connections()

    def close(self) -> None:
        """Remove the stream from the listener and wake its waiting thread. Closing again changes nothing."""
        self._ends_at = 0
        self._listener.remove(self)
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait((_CLOSED, "", {}))
        self._wake()


def _close_connections() -> None:
    """Close this thread's database connections, except those inside a transaction."""
    for each in connections.all(initialized_only=True):
        if not each.in_atomic_block:
            each.close()


class Listener:
    """The open streams of this process, and the thread that listens for them while any is open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._streams: set[Stream] = set()
        self._thread: threading.Thread | None = None
        # Writing a byte wakes the thread.
        self._wake: socket.socket | None = None

    def open(self, channels: frozenset[str], accepts: Accepts | None, *, member: str = "") -> Stream | None:
        """A new stream; None when LIVE_STREAMS streams are open."""
        with self._lock:
            if len(self._streams) >= settings.LIVE_STREAMS:
                return None
            opened = Stream(self, channels, accepts, member)
            self._streams.add(opened)
            if self._thread is None:
                self._wake, woken = socket.socketpair()
                self._wake.setblocking(False)
                self._thread = threading.Thread(target=self._run, args=[woken], name="live", daemon=True)
                self._thread.start()
            self._wake_up()
            return opened

    def remove(self, stream: Stream) -> None:
        """Remove a stream; the thread ends after the last one."""
        with self._lock:
            if stream in self._streams:
                self._streams.remove(stream)
                self._wake_up()

    def _wake_up(self) -> None:
        # A full pipe wakes the thread as well.
        if self._wake:
            with contextlib.suppress(BlockingIOError):
                self._wake.send(b".")

    def _end_if_unused(self) -> bool:
        """Whether no stream is left. If so, the listener forgets its thread, which must end."""
        with self._lock:
            if self._streams:
                return False
            self._thread = None
            if self._wake:
                self._wake.close()
            return True

    def _run(self, woken: socket.socket) -> None:
        pause = FIRST_PAUSE
        with woken:
            while not self._end_if_unused():
                try:
                    with _connect() as connection, selectors.DefaultSelector() as events:
                        pause = FIRST_PAUSE
                        events.register(connection.fileno(), selectors.EVENT_READ)
                        events.register(woken, selectors.EVENT_READ)
                        self._listen(connection, woken, events)
                except Exception as error:
                    is_fault = not isinstance(error, psycopg.Error | OSError)
                    logger.warning("Live events stopped; connecting again. %s", error, exc_info=is_fault)
                    time.sleep(pause)
                    pause = min(pause * 2, LONGEST_PAUSE)

    def _listen(self, connection: psycopg.Connection, woken: socket.socket, events: selectors.BaseSelector) -> None:
        """Dispatch notifications until no stream is left. Raises psycopg.Error when the connection is lost."""
        listened: frozenset[str] = frozenset()
        connection.add_notify_handler(lambda notify: self._dispatch(notify.channel, notify.payload))
        with self._lock:
            missed = {each for each in self._streams if each.is_ready}
        while True:
            with self._lock:
                streams = list(self._streams)
            if not streams:
                return
            wanted = frozenset({ACCESS_ENDED}).union(*(each.channels for each in streams))
            for channel in wanted - listened:
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            for channel in listened - wanted:
                connection.execute(sql.SQL("UNLISTEN {}").format(sql.Identifier(channel)))
            listened = wanted
            for each in streams:
                if not each.is_ready:
                    each.is_ready = True
                    each.send("ready")
                elif each in missed:
                    each.send("resync")
            missed = set()
            if any(key.fileobj is woken for key, _ in events.select()):
                woken.recv(4096)
            connection.pgconn.consume_input()
            while notified := connection.pgconn.notifies():
                self._dispatch(notified.relname.decode(), notified.extra.decode())

    def _dispatch(self, channel: str, text: str) -> None:
        try:
            payload = json.loads(text)
        except ValueError:
            payload = None
        if not isinstance(payload, dict):
            logger.warning("Live events: a payload on %s is not a JSON object", channel)
            return
        if channel == ACCESS_ENDED:
            with self._lock:
                ended = [each for each in self._streams if each.member and each.member == payload.get("member")]
            for each in ended:
                each.close()
            return
        with self._lock:
            streams = [each for each in self._streams if each.is_ready and channel in each.channels]
        for each in streams:
            each.send("change", channel, payload)


def _connect() -> psycopg.Connection:
    """A separate connection as the site's role, with keepalives that detect a lost server."""
    watch = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "connect_timeout": 10}
    return psycopg.connect(**(direct_params() | watch | {"autocommit": True, "application_name": APPLICATION_NAME}))


def _reset_after_fork() -> None:
    """In a forked child: start over, since the parent keeps the thread and streams and may have held the lock."""
    global _listener
    _listener = Listener()


_listener = Listener()
os.register_at_fork(after_in_child=_reset_after_fork)

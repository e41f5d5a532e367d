"""Live pages: what PostgreSQL notifies goes to the browser as server-sent events.

All open streams of a process share one thread and one database connection, which listen for as long as a stream is
open. Source: PostgreSQL manual, NOTIFY; HTML standard, 9.2 Server-sent events.
"""

import contextlib
import json
import logging
import os
import queue
import selectors
import socket
import threading
import time
from collections.abc import Callable, Collection

import psycopg
from django.conf import settings
from django.db import connections
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, StreamingHttpResponse
from psycopg import sql

logger = logging.getLogger(__name__)

# Seconds: between two signs of life on a quiet stream, until a stream ends, until the browser connects again.
HEARTBEAT = 15
LONGEST_LIFE = 300
RECONNECT_AFTER = 2
# Seconds a page that found no place waits before it asks again.
RETRY_AFTER = 30
# Seconds between two tries to reach the database: doubled from the first to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
# Frames that wait for a slow browser; with more it is told to load everything anew.
LONGEST_QUEUE = 1000
# Bytes of a channel's name. Source: PostgreSQL manual, 4.1.1: NAMEDATALEN - 1; LISTEN would cut a longer one.
LONGEST_CHANNEL = 63
# By this name operators find the connection in pg_stat_activity.
APPLICATION = "missionsite live"
# No event: a thread that waits for one sees that the stream was closed meanwhile.
_CLOSED = ""

Accepts = Callable[[str, dict], bool]


def stream(
    request: HttpRequest, *, channels: Collection[str], accepts: Accepts | None = None
) -> StreamingHttpResponse | HttpResponse:
    """The response that sends what is notified on these channels until it is closed, five minutes at most.

    Events: `ready` once nothing can be missed any more, so that the page loads its data then; `change` with the JSON
    object of a notification; `resync` after a time in which something may have been missed, so that the page loads its
    data again. A payload that is no JSON object is logged and not sent.

    accepts: decides whether a notification is sent, in the thread of the request; it may use the database.
    With LIVE_STREAMS streams open in this process it is a 503 with Retry-After: the page asks for its data instead.
    """
    if request.method != "GET":
        return HttpResponseNotAllowed(["GET"])
    for channel in channels:
        if not 0 < len(channel.encode()) <= LONGEST_CHANNEL or "\x00" in channel:
            raise ValueError(f"{channel!r} cannot be a channel of PostgreSQL.")
    opened = _listener.open(frozenset(channels), accepts)
    if opened is None:
        return HttpResponse(
            "Too many live pages are open. This one asks for news from time to time instead.\n",
            status=503,
            headers={"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store"},
            content_type="text/plain; charset=utf-8",
        )
    return StreamingHttpResponse(
        opened,
        content_type="text/event-stream",
        # A proxy such as nginx would collect the events otherwise.
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


def frame(event: str, data: dict) -> bytes:
    """One server-sent event."""
    return f"event: {event}\ndata: {json.dumps(data)}\n\n".encode()


class Stream:
    """The body of one response; its place is free again when it is closed, by whoever closes it."""

    def __init__(self, listener: "Listener", channels: frozenset[str], accepts: Accepts | None) -> None:
        self.channels = channels
        # Set by the listener: whether every channel has been listened to at least once.
        self.is_ready = False
        self._listener, self._accepts = listener, accepts
        self._waiting: queue.Queue[tuple[str, str, dict]] = queue.Queue(LONGEST_QUEUE)
        self._ends_at = time.monotonic() + LONGEST_LIFE
        self._begun = False

    def tell(self, event: str, channel: str = "", payload: dict | None = None) -> None:
        """Queue an event; never waits."""
        try:
            self._waiting.put_nowait((event, channel, payload or {}))
        except queue.Full:
            with contextlib.suppress(queue.Empty):
                while True:
                    self._waiting.get_nowait()
            self._waiting.put_nowait(("resync", "", {}))

    def __iter__(self) -> "Stream":
        return self

    def __next__(self) -> bytes:
        if not self._begun:
            self._begun = True
            # The request needed the database to find out who asks; the stream does not, for minutes.
            _leave_database()
            return f"retry: {RECONNECT_AFTER * 1000}\n\n".encode()
        quiet_until = time.monotonic() + HEARTBEAT
        while (now := time.monotonic()) < self._ends_at:
            if now >= quiet_until:
                return b": still here\n\n"
            try:
                event, channel, payload = self._waiting.get(timeout=min(quiet_until, self._ends_at) - now)
            except queue.Empty:
                continue
            if event == _CLOSED:
                break
            if event != "change" or self._wants(channel, payload):
                return frame(event, payload)
        self.close()
        raise StopIteration

    def _wants(self, channel: str, payload: dict) -> bool:
        if self._accepts is None:
            return True
        try:
            return self._accepts(channel, payload)
        finally:
            _leave_database()

    def close(self) -> None:
        """Give the place back, and end what waits for an event; closing again changes nothing."""
        self._ends_at = 0
        self._listener.leave(self)
        with contextlib.suppress(queue.Full):
            self._waiting.put_nowait((_CLOSED, "", {}))


def _leave_database() -> None:
    """Close the connections of this thread, but for one in the middle of a transaction."""
    for each in connections.all(initialized_only=True):
        if not each.in_atomic_block:
            each.close()


class Listener:
    """The open streams of this process, and the thread that listens for them while there are any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._streams: set[Stream] = set()
        self._thread: threading.Thread | None = None
        # A byte here wakes the thread up.
        self._wake: socket.socket | None = None

    def open(self, channels: frozenset[str], accepts: Accepts | None) -> Stream | None:
        """A new stream; None where there are as many as may be."""
        with self._lock:
            if len(self._streams) >= settings.LIVE_STREAMS:
                return None
            opened = Stream(self, channels, accepts)
            self._streams.add(opened)
            if self._thread is None:
                self._wake, woken = socket.socketpair()
                self._wake.setblocking(False)
                self._thread = threading.Thread(target=self._run, args=[woken], name="live", daemon=True)
                self._thread.start()
            self._wake_up()
            return opened

    def leave(self, stream: Stream) -> None:
        """Take a stream out; the last one ends the thread."""
        with self._lock:
            if stream in self._streams:
                self._streams.remove(stream)
                self._wake_up()

    def _wake_up(self) -> None:
        # A full pipe wakes as well as one more byte would.
        if self._wake:
            with contextlib.suppress(BlockingIOError):
                self._wake.send(b".")

    def _is_over(self) -> bool:
        """Whether no stream is left; the thread is then no longer this listener's."""
        with self._lock:
            if self._streams:
                return False
            self._thread = None
            self._wake.close()
            return True

    def _run(self, woken: socket.socket) -> None:
        pause = FIRST_PAUSE
        with woken:
            while not self._is_over():
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
        """Pass notifications on until no stream is left. Raises psycopg.Error when the connection is lost."""
        listened: frozenset[str] = frozenset()
        connection.add_notify_handler(lambda notify: self._pass_on(notify.channel, notify.payload))
        with self._lock:
            missed = {each for each in self._streams if each.is_ready}
        while True:
            with self._lock:
                streams = list(self._streams)
            if not streams:
                return
            wanted = frozenset().union(*(each.channels for each in streams))
            for channel in wanted - listened:
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            for channel in listened - wanted:
                connection.execute(sql.SQL("UNLISTEN {}").format(sql.Identifier(channel)))
            listened = wanted
            for each in streams:
                if not each.is_ready:
                    each.is_ready = True
                    each.tell("ready")
                elif each in missed:
                    each.tell("resync")
            missed = set()
            if any(key.fileobj is woken for key, _ in events.select()):
                woken.recv(4096)
            connection.pgconn.consume_input()
            while notified := connection.pgconn.notifies():
                self._pass_on(notified.relname.decode(), notified.extra.decode())

    def _pass_on(self, channel: str, text: str) -> None:
        try:
            payload = json.loads(text)
        except ValueError:
            payload = None
        if not isinstance(payload, dict):
            logger.warning("Live events: a payload on %s is no JSON object", channel)
            return
        with self._lock:
            streams = [each for each in self._streams if each.is_ready and channel in each.channels]
        for each in streams:
            each.tell("change", channel, payload)


def _connect() -> psycopg.Connection:
    """A connection of its own as the site's role, which notices a server that is gone."""
    options = connections["default"].get_connection_params()
    options.pop("pool", None)
    watch = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "connect_timeout": 10}
    return psycopg.connect(**(options | watch | {"autocommit": True, "application_name": APPLICATION}))


def _begin_anew() -> None:
    """In a forked child: the thread and the streams stayed with the parent, and a lock may have been held."""
    global _listener
    _listener = Listener()


_listener = Listener()
os.register_at_fork(after_in_child=_begin_anew)

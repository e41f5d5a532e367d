"""Reads that may be a few seconds old go to a streaming replica, DATABASE_REPLICA_URL: exports, plots, searches.

A read goes to the primary instead
- after a change in the same session, for as long as the replica may be behind,
- in a transaction that has written something,
- while the replica is away, or more than DATABASE_REPLICA_LAG behind.
A read that fails on the replica is repeated on the primary.

How far the replica is behind is measured by positions in the write-ahead log, not by clocks: the position of the
primary is noted now and then, and the replica is as old as the newest noted position that it has replayed. A replica
that has lost its primary is thus behind even while nothing is written. Source: PostgreSQL manual, 9.28.3 and 9.28.4.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction
from django.http import HttpRequest, HttpResponse

from missionsite.common import metrics
from missionsite.common.errors import is_unavailable

logger = logging.getLogger(__name__)

REPLICA = "replica"
# Seconds for which a measured lag is used, and for which a replica that failed is not asked again.
CHECK_SECONDS = 1.0
AWAY_SECONDS = 10.0
# In a session: the time of its last change, in seconds since 1970.
CHANGED_AT = "changed_at"
# A commit is in the log of the primary at most this many seconds later, also with synchronous_commit = off.
# Source: PostgreSQL manual, 28.4: three times wal_writer_delay.
WRITTEN_WITHIN = 1.0
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

T = TypeVar("T")


class Lag:
    """How far the replica is behind the primary. Positions: bytes of the write-ahead log."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Time and position of the primary, ascending.
        self._noted: deque[tuple[float, int]] = deque()
        # When it was measured, or is being measured by another thread, and the time whose state it then had.
        self._measured_at = float("-inf")
        self._as_of: float | None = None

    def seconds(self, positions: Callable[[], tuple[int, int] | None], now: float) -> float | None:
        """The most seconds the replica is behind; None if that is not known.

        positions: returns those of the primary and, read after it, of the replica; None if either is away.
        """
        with self._lock:
            is_due = now >= self._measured_at + CHECK_SECONDS
            if is_due:
                # Other threads do not wait for this one: the replica may take seconds to respond.
                self._measured_at = now
        if is_due:
            found = positions()
            with self._lock:
                if found is None:
                    self._measured_at, self._as_of = now + AWAY_SECONDS, None
                else:
                    self._as_of = self._note(*found, now)
        with self._lock:
            return None if self._as_of is None else now - self._as_of

    def _note(self, primary: int, replica: int, now: float) -> float | None:
        """Note the position of the primary; return the time of the newest one that the replica has replayed."""
        self._noted.append((now, primary))
        replayed = [at for at, position in self._noted if position <= replica]
        oldest = replayed[-1] if replayed else now - settings.DATABASE_REPLICA_LAG
        while self._noted[0][0] < oldest:
            self._noted.popleft()
        return replayed[-1] if replayed else None

    def is_away(self, now: float) -> None:
        """Note that the replica failed."""
        with self._lock:
            self._measured_at, self._as_of = now + AWAY_SECONDS, None


_lag = Lag()


def sticky_seconds() -> float:
    """How long after a change a session reads from the primary: as long as a replica in use may be behind."""
    return settings.DATABASE_REPLICA_LAG + CHECK_SECONDS + WRITTEN_WITHIN


def read(request: HttpRequest | None, function: Callable[[], T]) -> T:
    """Return the result of a function that only reads, from the replica where that is allowed, else from the primary.

    The function may run twice. Querysets have to be evaluated inside of it.
    """
    if REPLICA not in connections.settings or connections[DEFAULT_DB_ALIAS].alias == REPLICA:
        return function()
    if _may_be_old(request) and (carried := _carried()) is not None and _is_fresh():
        try:
            with _on_replica(carried):
                result = function()
        except DatabaseError as error:
            if not is_unavailable(error):
                raise
            logger.warning("Read again from the primary, since the replica failed: %s", error)
            _lag.is_away(time.monotonic())
        else:
            metrics.READS.labels("replica").inc()
            return result
    metrics.READS.labels("primary").inc()
    return function()


def seconds_behind() -> float | None:
    """The most seconds that the replica is behind; None if it is away."""
    return _lag.seconds(_positions, time.monotonic())


def _may_be_old(request: HttpRequest | None) -> bool:
    """Whether the request reads, and its session has changed nothing lately. Programs with a token have no session."""
    if request is None or request.method not in SAFE_METHODS or getattr(request, "changed_by", None):
        return False
    session: Any = getattr(request, "session", None)
    return session is not None and session.get(CHANGED_AT, 0) + sticky_seconds() < time.time()


def _carried() -> dict[str, str] | None:
    """The settings of the open transaction that row security depends on; None if it has written something."""
    primary = connections[DEFAULT_DB_ALIAS]
    if not primary.in_atomic_block:
        return {}
    with primary.cursor() as cursor:
        cursor.execute(
            """
            SELECT pg_current_xact_id_if_assigned() IS NOT NULL,
                   current_setting('role'), coalesce(current_setting('app.member_id', true), '')
            """
        )
        has_written, role, member = cursor.fetchone()
    # The role last: it may not be allowed to set what comes after it.
    return None if has_written else {"app.member_id": member, "role": role}


def _is_fresh() -> bool:
    behind = seconds_behind()
    return behind is not None and behind <= settings.DATABASE_REPLICA_LAG


def _positions() -> tuple[int, int] | None:
    """The positions of the primary and the replica; None if either is not what it should be."""
    found = []
    for alias, in_recovery, function in (
        (DEFAULT_DB_ALIAS, False, "pg_current_wal_lsn()"),
        (REPLICA, True, "pg_last_wal_replay_lsn()"),
    ):
        try:
            with connections[alias].cursor() as cursor:
                # Without the CASE, the function would fail on the other kind of server, and the transaction with it.
                cursor.execute(
                    f"SELECT CASE WHEN pg_is_in_recovery() = %s THEN {function} - '0/0'::pg_lsn END",
                    [in_recovery],
                )
                (position,) = cursor.fetchone()
        except DatabaseError as error:
            if alias == DEFAULT_DB_ALIAS:
                raise
            logger.warning("The replica does not respond: %s", error)
            position = None
        finally:
            if alias == REPLICA:
                _give_back()
        if position is None:
            return None
        found.append(int(position))
    return found[0], found[1]


@contextmanager
def _on_replica(carried: dict[str, str]) -> Iterator[None]:
    """Let this thread's queries go to the replica, in one transaction with these settings."""
    primary = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = connections[REPLICA]
    try:
        with transaction.atomic():
            if carried:
                with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
                    cursor.execute(
                        f"SELECT {', '.join(['set_config(%s, %s, true)'] * len(carried))}",
                        [text for pair in carried.items() for text in pair],
                    )
            yield
    finally:
        connections[DEFAULT_DB_ALIAS] = primary
        _give_back()


def _give_back() -> None:
    """Return the connection to its pool; without a pool, keep it as long as the primary's."""
    replica = connections[REPLICA]
    if replica.in_atomic_block:
        return
    if replica.settings_dict["OPTIONS"].get("pool"):
        replica.close()
    else:
        replica.close_if_unusable_or_obsolete()


def wait_until_replayed(primary: psycopg.Connection, replica: psycopg.Connection, seconds: float) -> bool:
    """Whether the replica replays, within this time, what the primary has written by now."""
    position = primary.execute("SELECT pg_current_wal_lsn()").fetchone()
    ends = time.monotonic() + seconds
    while True:
        found = replica.execute("SELECT pg_last_wal_replay_lsn() >= %s", position).fetchone()
        if found and found[0]:
            return True
        if time.monotonic() > ends:
            return False
        time.sleep(0.05)


class ReplicaMiddleware:
    """Note in the session that a request changed something, so that the next ones see it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if REPLICA not in connections.settings:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        user: Any = getattr(request, "user", None)
        changed = request.method not in SAFE_METHODS or getattr(request, "changed_by", None)
        # The API knows tokens only; without a session there is nothing to follow.
        if changed and not request.path_info.startswith("/api/") and user is not None and user.is_authenticated:
            request.session[CHANGED_AT] = time.time()
        return response

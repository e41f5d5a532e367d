"""Threads with separate database connections that start at the same time, for tests of race conditions."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
from django.conf import settings
from django.db import connection, connections

# How often a race is run: once in a build, 200 times with RACE_ROUNDS=200.
ROUNDS = int(os.environ.get("RACE_ROUNDS", "1"))
# A negative control may need a few rounds until someone loses; it ends with the first.
CONTROL_ROUNDS = max(ROUNDS, 5)
# Seconds to wait for another thread or process; only a guard against waiting for good.
PATIENCE = 120


class Crowd:
    """Threads, each with its own database connection, reused from round to round."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._pool = ThreadPoolExecutor(size)

    def run(self, function: Callable[[int], object], *, timeout: float = 60) -> list:
        """Call function(0) … function(size - 1) at the same time. Returns the results in order, exceptions included."""
        start = threading.Barrier(self.size)

        def one(number: int):
            start.wait(timeout)
            try:
                return function(number)
            except Exception as error:
                return error

        return list(self._pool.map(one, range(self.size), timeout=timeout * 4))

    def close(self) -> None:
        """Close the connections and end the threads."""
        self.run(lambda _number: connection.close())
        self._pool.shutdown()


@contextmanager
def crowd(size: int) -> Iterator[Crowd]:
    people = Crowd(size)
    try:
        yield people
    finally:
        people.close()


@contextmanager
def without(drop: str, restore: str) -> Iterator[None]:
    """Drop a guard of the database in the block, as the owner, for a negative control."""
    execute_as_owner(drop)
    try:
        yield
    finally:
        execute_as_owner(restore)


def execute_as_owner(sql: str, *, dbname: str | None = None) -> None:
    """Run a script as the owner of the schema on a separate connection. dbname: the test database by default."""
    with owner_connection(dbname) as session:
        session.autocommit = True
        session.execute(sql)


def owner_connection(dbname: str | None = None) -> psycopg.Connection:
    """A separate connection as the owner of the schema. dbname: the test database by default."""
    owner = settings.DATABASE_OWNER
    return psycopg.connect(
        host=owner["HOST"],
        port=owner["PORT"],
        user=owner["USER"],
        password=owner["PASSWORD"],
        dbname=dbname or connections["default"].settings_dict["NAME"],
    )

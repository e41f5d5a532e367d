"""Real concurrency for the tests of races: threads with connections of their own that start together."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from django.db import connection, connections


class Crowd:
    """A number of threads, each with its own database connection, kept from round to round."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._pool = ThreadPoolExecutor(size)

    def run(self, act: Callable[[int], object], *, timeout: float = 60) -> list:
        """Call act(0) … act(size - 1) at once; the results in that order, an exception as a result."""
        start = threading.Barrier(self.size)

        def one(number: int):
            start.wait(timeout)
            try:
                return act(number)
            except Exception as error:
                return error

        return list(self._pool.map(one, range(self.size), timeout=timeout * 4))

    def close(self) -> None:
        """Close every thread's connection and end the threads."""
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
    """Take a guard of the database away, as its owner, for a negative control; it is back afterwards."""
    execute_as_owner(drop)
    try:
        yield
    finally:
        execute_as_owner(restore)


def execute_as_owner(sql: str, *, dbname: str | None = None) -> None:
    """Run one script as the owner of the schema, on a connection of its own; dbname: another than that of the tests."""
    import psycopg
    from django.conf import settings

    owner = settings.DATABASE_OWNER
    with psycopg.connect(
        host=owner["HOST"],
        port=owner["PORT"],
        user=owner["USER"],
        password=owner["PASSWORD"],
        dbname=dbname or connections["default"].settings_dict["NAME"],
        autocommit=True,
    ) as session:
        session.execute(sql)

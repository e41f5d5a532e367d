"""Raw SQL for the tests of what the database keeps by itself, run as the site's own role."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import psycopg.sql
import pytest
from django.db import DatabaseError, connection, transaction


def rows(sql: str, parameters=None) -> list[tuple]:
    """The rows a statement gives; an empty list where it gives none."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


def row(sql: str, parameters=None) -> tuple:
    """The one row a statement gives."""
    (only,) = rows(sql, parameters)
    return only


def commit() -> None:
    """Check now what is checked at commit; what follows counts as the next transaction's."""
    rows("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


@contextmanager
def rejected_by(constraint: str) -> Iterator[None]:
    """What is done inside is rejected by this rule, at once or at commit; nothing of it stays."""
    with pytest.raises(DatabaseError) as rejected, transaction.atomic():  # noqa: PT012
        yield
        commit()
    assert rejected.value.__cause__.diag.constraint_name == constraint, rejected.value


def own_connection() -> psycopg.Connection:
    """Another connection to the test database, as the site's role; every statement is committed at once."""
    site = connection.settings_dict
    return psycopg.connect(
        host=site["HOST"],
        port=site["PORT"],
        user=site["USER"],
        password=site["PASSWORD"],
        dbname=site["NAME"],
        autocommit=True,
    )


@contextmanager
def listening(*channels: str) -> Iterator[psycopg.Connection]:
    """A connection of its own that listens on these channels."""
    with own_connection() as listener:
        for channel in channels:
            listener.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
        yield listener


def heard(listener: psycopg.Connection, number: int) -> list[tuple[str, dict]]:
    """The next notifications as (channel, payload); fewer than `number` where ten seconds bring no more."""
    return [(notice.channel, json.loads(notice.payload)) for notice in listener.notifies(timeout=10, stop_after=number)]

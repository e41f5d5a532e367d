"""Raw SQL as the site's role, for tests of constraints and triggers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import psycopg.sql
import pytest
from django.db import DatabaseError, connection, transaction

from tests.support.concurrency import owner_connection


def rows(sql: str, parameters=None) -> list[tuple]:
    """The rows of a statement; an empty list if it returns none."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


def row(sql: str, parameters=None) -> tuple:
    """The only row of a statement."""
    (only,) = rows(sql, parameters)
    return only


def allow_delete(*tables: str) -> None:
    """Let the site's role delete rows of tables in which the product never deletes, until the end of the test."""
    rows(f"SELECT baseline.allow_delete({', '.join(['%s'] * len(tables))})", list(tables))


@contextmanager
def kept_times() -> Iterator[None]:
    """Let the site's role write events with earlier times within the block, as the owner of the tables may."""
    rows("SELECT baseline.keep_times(true)")
    yield
    rows("SELECT baseline.keep_times(false)")


def commit() -> None:
    """Check deferred constraints now, as a commit does."""
    rows("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


@contextmanager
def rejected_by(constraint: str) -> Iterator[None]:
    """Expect that this constraint rejects the block, at once or at commit, and roll back."""
    with pytest.raises(DatabaseError) as rejected, transaction.atomic():  # noqa: PT012
        yield
        commit()
    assert rejected.value.__cause__.diag.constraint_name == constraint, rejected.value


def assert_rejects_alone(constraint: str, script: str, *, prepare: str) -> None:
    """Check that a constraint rejects a script where other rules would come first, and that nothing else does.

    prepare: what the owner of the tables does before, such as dropping those rules. Nothing is kept; neither may need
    rows of the test's own transaction.
    """
    (table,) = row("SELECT conrelid::regclass::text FROM pg_constraint WHERE conname = %s", [constraint])
    assert _rejection_of_owner(f"{prepare};", script) == constraint
    # The negative control.
    assert _rejection_of_owner(f"{prepare}; ALTER TABLE {table} DROP CONSTRAINT {constraint};", script) is None


def _rejection_of_owner(prepare: str, script: str) -> str | None:
    """The constraint that rejects a script of the owner; None if it succeeds. Everything is rolled back."""
    with owner_connection() as session:
        session.execute("SET lock_timeout = '20s'")
        session.execute(prepare)
        try:
            session.execute(f"{script}; SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg.errors.IntegrityError as error:
            return error.diag.constraint_name
        finally:
            session.rollback()
    return None


@contextmanager
def shared_rows(blocker) -> Iterator[None]:
    """Keep the rows written in the block for several tests, each of which rolls back to them; for wider fixtures.

    The block is a transaction around those tests, so none of them may commit. blocker: pytest-django's.
    """
    around = transaction.atomic()
    # As the transaction of a TestCase: services that must not be part of another transaction may run within.
    around._from_testcase = True
    with blocker.unblock():
        around.__enter__()
    try:
        yield
    finally:
        with blocker.unblock():
            transaction.set_rollback(True)
            around.__exit__(None, None, None)


def own_connection() -> psycopg.Connection:
    """A separate autocommit connection to the test database as the site's role."""
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
    """A separate connection that listens on these channels."""
    with own_connection() as listener:
        for channel in channels:
            listener.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
        yield listener


def heard(listener: psycopg.Connection, number: int) -> list[tuple[str, dict]]:
    """The next notifications as (channel, payload); fewer than `number` where ten seconds bring no more."""
    return [(notice.channel, json.loads(notice.payload)) for notice in listener.notifies(timeout=60, stop_after=number)]


@contextmanager
def triggers_off(session: psycopg.Connection, table: str) -> Iterator[None]:
    """Disable all triggers of a table as its owner; afterwards each has the mode it had."""
    states = session.execute(
        "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [table]
    ).fetchall()
    alter = psycopg.sql.SQL("ALTER TABLE {} ").format(psycopg.sql.Identifier(table))
    session.execute(alter + psycopg.sql.SQL("DISABLE TRIGGER USER"))
    yield
    verbs = {"O": "ENABLE TRIGGER", "A": "ENABLE ALWAYS TRIGGER", "R": "ENABLE REPLICA TRIGGER", "D": "DISABLE TRIGGER"}
    for name, state in states:
        session.execute(
            alter + psycopg.sql.SQL(verbs[state]) + psycopg.sql.SQL(" {}").format(psycopg.sql.Identifier(name))
        )

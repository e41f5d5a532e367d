"""Raw SQL for the tests of what the database keeps by itself, run as the site's own role."""

from collections.abc import Iterator
from contextlib import contextmanager

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
def refused_by(constraint: str) -> Iterator[None]:
    """What is done inside is refused by this rule, at once or at commit; nothing of it stays."""
    with pytest.raises(DatabaseError) as refused, transaction.atomic():  # noqa: PT012
        yield
        commit()
    assert refused.value.__cause__.diag.constraint_name == constraint, refused.value

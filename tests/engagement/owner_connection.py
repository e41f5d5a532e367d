"""A database connection as the owner of the tables, for statements that the site's role cannot run."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.conf import settings
from django.db import connections


@contextmanager
def owner() -> Iterator[psycopg.Connection]:
    """Open a transaction of the owner; roll it back at the end unless the test commits it."""
    account = settings.DATABASE_OWNER
    with psycopg.connect(
        host=account["HOST"],
        port=account["PORT"],
        user=account["USER"],
        password=account["PASSWORD"],
        dbname=connections["default"].settings_dict["NAME"],
    ) as session:
        yield session
        session.rollback()

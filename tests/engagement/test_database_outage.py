"""Senders resume after the database was unavailable."""

import psycopg
import pytest
from django.db import connection

from tests.engagement.sender_processes import database_arguments, run_senders

pytestmark = pytest.mark.django_db(transaction=True)

BACK_WITHIN = 30  # seconds


def test_senders_resume_after_database_outage(tmp_path):
    """For two seconds no one gets in, and who was in is thrown out; a stopped server is in bin/prove-engagement."""
    places = database_arguments()
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    # A database cannot be closed to connections from a connection to it.
    with psycopg.connect(places["database"], dbname="postgres", autocommit=True) as owner:

        def stop() -> None:
            # Connect before connections are rejected.
            with connection.cursor() as cursor:
                owner.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
                cursor.execute(
                    """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                       WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"""
                )

        def start() -> None:
            owner.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")

        with run_senders(**places, log=tmp_path / "senders.log", senders=2) as senders:
            try:
                took = senders.measure_outage(stop=stop, start=start, seconds=2)
            finally:
                start()
    assert took < BACK_WITHIN

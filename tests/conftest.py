"""The frame of every test: a real PostgreSQL, tables made by the owner, tests run as the site's own role."""

import pytest

from tests.support import sample

# Folders whose files take longest: begun first, so that no worker is left with one of them while the others are done.
LONGEST = ("tests/site/", "tests/fallback/", "tests/groups/")


def pytest_configure(config):
    """Fix the turn before any worker is started: they inherit it. Hash passwords fast: half a second each adds up."""
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    sample.turn()
    PBKDF2PasswordHasher.iterations = 1_000


def pytest_collection_modifyitems(items):
    """The longest first; last what opens a browser: its loop goes on in the thread, where nothing waits for another."""
    browsing = {item.path for item in items if "playwright" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: (item.path in browsing, not item.nodeid.startswith(LONGEST)))


def pytest_report_header(config) -> str:
    asked = "everything" if sample.ALL else "today's share; everything with MISSIONSITE_ASK_ALL=1"
    return f"largest tests ask: {asked} (MISSIONSITE_TURN={sample.turn()})"


@pytest.fixture
def client():
    """A browser, which submits forms of the back office with a form key."""
    from tests.support.admin import OfficeClient

    return OfficeClient()


@pytest.fixture(scope="session")
def django_db_setup(
    request, django_test_environment, django_db_blocker, django_db_keepdb, django_db_modify_db_settings
):
    """Create and migrate the test database as the owner; the tests then connect as the site does."""
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    from missionsite.common.roles import as_owner

    # A request of the live server runs in a thread of its own; a connection kept there would outlive the tests.
    connection.settings_dict["CONN_MAX_AGE"] = 0
    with django_db_blocker.unblock(), as_owner():
        config = setup_databases(verbosity=0, interactive=False, keepdb=django_db_keepdb)
        with connection.cursor() as cursor:
            # Tests with real commits are cleaned up by TRUNCATE, which these reject; they have tests of their own.
            for table in ("events", "engagement_state_transitions", "deck_status_changes"):
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_no_truncate")
    yield
    if not django_db_keepdb:
        with django_db_blocker.unblock(), as_owner():
            wait_until_alone()
            teardown_databases(config, verbosity=0)


def wait_until_alone(*, seconds: int = 30) -> None:
    """Wait until threads and processes the tests started have left the database; it cannot be dropped before."""
    import gc

    from django.db import connection

    gc.collect()
    with connection.cursor() as cursor:
        for _tenth in range(seconds * 10):
            cursor.execute(
                """SELECT count(*), pg_sleep(0.1) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid() GROUP BY ()"""
            )
            if cursor.fetchone()[0] == 0:
                return
            cursor.execute("SELECT pg_stat_clear_snapshot()")

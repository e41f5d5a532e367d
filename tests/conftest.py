"""The frame of every test: a real PostgreSQL, tables made by the owner, tests run as the site's own role."""

import pytest


@pytest.fixture(scope="session")
def django_db_setup(
    request, django_test_environment, django_db_blocker, django_db_keepdb, django_db_modify_db_settings
):
    """Create and migrate the test database as the owner; the tests then connect as the site does."""
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    from missionsite.common.roles import as_owner

    with django_db_blocker.unblock(), as_owner():
        config = setup_databases(verbosity=0, interactive=False, keepdb=django_db_keepdb)
        with connection.cursor() as cursor:
            # Tests with real commits are cleaned up by TRUNCATE, which this trigger refuses; it has a test of its own.
            cursor.execute("ALTER TABLE events DISABLE TRIGGER events_no_truncate")
    yield
    if not django_db_keepdb:
        with django_db_blocker.unblock(), as_owner():
            teardown_databases(config, verbosity=0)

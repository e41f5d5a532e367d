"""`manage.py migrate` on a database of another version."""

import pytest
from django.core.management import CommandError, call_command

from tests.support.concurrency import execute_as_owner

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def older_database():
    execute_as_owner(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('common', '0001_database_roles', now())"
    )
    yield
    execute_as_owner("DELETE FROM django_migrations WHERE name = '0001_database_roles'")


def test_migrate_rejects_database_before_the_first_release(older_database):
    with pytest.raises(CommandError, match=r"common\.0001_database_roles.*bin/demo --reset.*Nothing was changed"):
        call_command("migrate", verbosity=0)


def test_migrate_accepts_database_of_this_version():
    call_command("migrate", verbosity=0)

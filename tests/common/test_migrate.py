"""`manage.py migrate` on a database of another version."""

import pytest
from django.core.management import CommandError, call_command

from tests.support.concurrency import execute_as_owner

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def older_database():
    execute_as_owner(
        "INSERT INTO django_migrations (app, name, applied) VALUES ('groups', '0012_one_line_and_indexes', now())"
    )
    yield
    execute_as_owner("DELETE FROM django_migrations WHERE name = '0012_one_line_and_indexes'")


def test_migrate_rejects_database_before_the_first_release(older_database):
    with pytest.raises(CommandError, match=r"groups\.0012_one_line_and_indexes.*bin/demo --reset.*Nothing was changed"):
        call_command("migrate", verbosity=0)


def test_migrate_accepts_database_of_this_version():
    call_command("migrate", verbosity=0)

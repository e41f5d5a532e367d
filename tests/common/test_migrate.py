"""`manage.py migrate` on a database of another version."""

from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command

from missionsite.common.audit.sources import missing_triggers, remove_row_sources
from tests.migrating import databases_of
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


def test_failed_migrate_makes_audit_triggers_again(monkeypatch):
    def fail(self, *args, **options):
        remove_row_sources(plan=[(SimpleNamespace(app_label="fallback"), False)])
        assert missing_triggers()
        raise CommandError("A migration failed.")

    monkeypatch.setattr("django.core.management.commands.migrate.Command.handle", fail)
    with pytest.raises(CommandError, match="failed"):
        call_command("migrate", verbosity=0)
    assert missing_triggers() == []


@pytest.mark.long
def test_migrate_names_rows_that_violate_new_constraint(request, django_db_blocker):
    """The message has the table, the rule and a statement that finds the rows; corrected rows are migrated."""
    database = databases_of(request.config, django_db_blocker).copy_of_tests("violating")
    database.migrate("engagement", "0005")
    database.sql(
        "INSERT INTO message_templates (key, locale, subject, body) VALUES ('odd', 'en', 'Hi', 'Hi {{ password }}')"
    )
    with pytest.raises(CommandError) as rejected:
        database.migrate("engagement", "0006")
    message = str(rejected.value)
    assert message.startswith(
        "Rows of the table message_templates violate the constraint message_templates_parameters_known."
        ' Its rule: "A text can contain only these parameters: name, subject, text, tier, unsubscribe_url, week."'
    )
    statement = message.partition("Find them with: ")[2].partition(";")[0]
    assert [found[1] for found in database.sql(statement)] == ["odd"]
    database.sql("UPDATE message_templates SET body = 'Hi' WHERE key = 'odd'")
    database.migrate("engagement")

import gc
from typing import Any, cast

from django.apps import apps
from django.core.management.base import CommandError
from django.core.management.commands import migrate as django_migrate
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections
from django.db.migrations.loader import MigrationLoader
from django.db.models import CheckConstraint

from missionsite.common.audit.sources import install_sources
from missionsite.common.connections import connect_directly
from missionsite.common.errors import constraint_of, from_database
from missionsite.common.migrating import Executor
from missionsite.common.roles import as_owner

# Django's command has no other way to choose the executor.
cast(Any, django_migrate).MigrationExecutor = Executor


class Command(django_migrate.Command):
    """Django's migrate, connected as the owner of the schema. It rejects a database it cannot upgrade."""

    def handle(self, *args: Any, **options: Any) -> None:
        connect_directly()
        with as_owner():
            database = options.get("database") or DEFAULT_DB_ALIAS
            check_applied_migrations(database)
            # Django makes model classes again and again, and the collector would go through all of them each time.
            gc.disable()
            try:
                self.migrate(database, *args, **options)
            except IntegrityError as error:
                raise CommandError(message_for_rows(error, database)) from error
            finally:
                gc.enable()

    def migrate(self, using: str, *args: Any, **options: Any) -> None:
        """Run Django's migrate. Triggers of the audit that were dropped before it are made again if it fails."""
        try:
            super().handle(*args, **options)
        except Exception:
            install_sources(using=using)
            raise


def message_for_rows(error: IntegrityError, database: str = DEFAULT_DB_ALIAS) -> str:
    """Return a message for rows that violate a constraint of a migration, with the statement that finds them."""
    name = constraint_of(error)
    diag: Any = getattr(error.__cause__, "diag", None)
    table = getattr(diag, "table_name", None)
    rule = from_database(error)
    parts = [f"Rows of the table {table} violate the constraint {name}."]
    if rule is not None:
        parts.append(f'Its rule: "{rule.message}"')
    if condition := condition_of(name, database):
        parts.append(f"Find them with: SELECT * FROM {table} WHERE NOT ({condition});")  # noqa: S608
    elif getattr(diag, "message_detail", None):
        parts.append(str(diag.message_detail))
    parts.append(
        "Correct them with the version that wrote them and run `manage.py migrate` again. The migrations before this"
        " one were applied, this one was not."
    )
    return " ".join(parts)


def condition_of(name: str, database: str = DEFAULT_DB_ALIAS) -> str:
    """Return the SQL condition of a CHECK of a model; empty for other constraints."""
    for model in apps.get_models():
        for rule in model._meta.constraints:
            if rule.name == name and isinstance(rule, CheckConstraint):
                with connections[database].schema_editor(collect_sql=True) as editor:
                    return cast(Any, rule)._get_check_sql(model, editor)
    return ""


def check_applied_migrations(database: str = DEFAULT_DB_ALIAS) -> None:
    """Raise CommandError for a database with migrations that this version does not have."""
    loader = MigrationLoader(connections[database])
    own = {"common", "missionsite", "groups", "fallback", "engagement", "missiondeck"}
    unknown = sorted(
        f"{app}.{name}" for app, name in set(loader.applied_migrations) - set(loader.disk_migrations) if app in own
    )
    if unknown:
        raise CommandError(
            f"This database has migrations that this version does not know: {', '.join(unknown)}. It was made by a"
            " version before 0.1.0, which cannot be upgraded, or by a newer version. For the demo, run"
            " `bin/demo --reset`: it makes a new database. Otherwise install the version that made this database, or"
            " use an empty one. Nothing was changed."
        )

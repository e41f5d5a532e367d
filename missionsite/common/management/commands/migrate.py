import gc
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as MigrateCommand
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.loader import MigrationLoader

from missionsite.common.connections import connect_directly
from missionsite.common.roles import as_owner


class Command(MigrateCommand):
    """Django's migrate, connected as the owner of the schema. It rejects a database it cannot upgrade."""

    def handle(self, *args: Any, **options: Any) -> None:
        connect_directly()
        with as_owner():
            check_applied_migrations(options.get("database") or DEFAULT_DB_ALIAS)
            # Django makes model classes again and again, and the collector would go through all of them each time.
            gc.disable()
            try:
                super().handle(*args, **options)
            finally:
                gc.enable()


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

from django.core.management.commands.migrate import Command as MigrateCommand

from missionsite.common.roles import as_owner


class Command(MigrateCommand):
    """Django's migrate, connected as the owner of the schema."""

    def handle(self, *args, **options) -> None:
        with as_owner():
            super().handle(*args, **options)

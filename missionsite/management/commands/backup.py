from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from missionsite.common.backup import BackupError, back_up, prune


class Command(BaseCommand):
    help = "Write a backup of the database and the documents into a folder. Needs DATABASE_OWNER_URL."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--keep", type=int, help="delete all but this many of the newest backups there")

    def handle(self, *, folder: Path, keep: int | None, **options: Any) -> None:
        if keep is not None and keep < 1:
            raise CommandError("--keep must be 1 or more.")
        try:
            path = back_up(folder)
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(path))
        if keep is not None:
            for old in prune(folder, keep=keep):
                self.stdout.write(f"Deleted {old}.")

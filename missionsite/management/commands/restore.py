from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from missionsite.common.backup import BackupError, restore


class Command(BaseCommand):
    help = (
        "Restore a backup into an empty database, and its documents; then erase the people erased since. The site and"
        " its workers must not run. Needs DATABASE_OWNER_URL."
    )
    # There are no tables to check.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("backup", type=Path)
        parser.add_argument(
            "--erasures-of",
            type=Path,
            action="append",
            default=[],
            help="a newer backup; its erasures are repeated too",
        )

    def handle(self, *, backup: Path, erasures_of: list[Path], **options: Any) -> None:
        try:
            differences = restore(backup)
        except (BackupError, OSError) as error:
            raise CommandError(str(error)) from error
        for difference in differences:
            self.stderr.write(difference)
        # Also after differences: the data is there, and it must not hold erased people.
        call_command("erase_again", of=[backup, *erasures_of], stdout=self.stdout)
        if differences:
            raise CommandError(
                f"The restored database differs from the backup in {len(differences)} points, see above."
            )
        self.stdout.write(f"{backup} is restored, and equal to what was backed up. Next: manage.py migrate")

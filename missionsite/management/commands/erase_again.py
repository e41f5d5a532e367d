from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from groups.models import Member
from missionsite.common.backup import BackupError, erasures_of
from missionsite.common.erasures import recorded_erasures
from missionsite.erasures import erase_again


class Command(BaseCommand):
    help = "Erase again the people whose erasure is recorded among the documents, after an older state was restored."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--of", type=Path, action="append", default=[], help="a backup whose list is used as well")

    def handle(self, *, of: list[Path], **options: Any) -> None:
        entries = set(recorded_erasures())
        try:
            for backup in of:
                entries |= set(erasures_of(backup))
        except BackupError as error:
            raise CommandError(str(error)) from error
        erased = erase_again(actor=Member.objects.system(), entries=entries)
        self.stdout.write(f"{len(entries)} erasures are recorded; {len(erased)} of these people are erased again.")

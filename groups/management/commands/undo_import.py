from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from groups.models import Member
from groups.services.import_undo import past_imports, undo_import
from missionsite.common.errors import DomainError


class Command(BaseCommand):
    help = "Undo an import of members or memberships. Without an argument, list the latest imports."

    def add_arguments(self, parser) -> None:
        parser.add_argument("changeset", type=UUID, nargs="?", help="The ID that the list shows.")

    def handle(self, *args, **options) -> None:
        if options["changeset"] is None:
            for past in past_imports():
                undone = ", undone" if past.undone_at else ""
                self.stdout.write(
                    f"{past.changeset}  {past.at:%Y-%m-%d %H:%M}  {past.added} added, {past.updated} updated{undone}"
                    f"  {past.file}"
                )
            return
        try:
            report = undo_import(actor=Member.objects.system(), changeset=options["changeset"])
        except DomainError as rejection:
            raise CommandError(rejection.message) from rejection
        self.stdout.write(f"{report.restored} set back, {report.removed} removed, {report.kept_count} kept.")
        for name in report.kept:
            self.stdout.write(f"kept: {name}")

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from groups.models import Member
from groups.services.membership_events import replay_membership_events
from missionsite.common.errors import DomainError


class Command(BaseCommand):
    help = "Create the groups, members and memberships of exported JSON lines in a database without memberships."

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", help="A file that export_membership_events wrote.")
        parser.add_argument("--dry-run", action="store_true", help="Only check; nothing is written.")

    def handle(self, *args, **options) -> None:
        try:
            with Path(options["file"]).open(encoding="utf-8") as file, transaction.atomic():
                count = replay_membership_events(actor=Member.objects.system(), lines=file)
                if options["dry_run"]:
                    transaction.set_rollback(True)
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise CommandError(f"{options['file']} is not UTF-8.") from error
        except DomainError as rejection:
            raise CommandError(rejection.message) from rejection
        self.stdout.write(f"{count} memberships {'would be ' if options['dry_run'] else ''}created.")

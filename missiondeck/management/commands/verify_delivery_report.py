"""`manage.py verify_delivery_report FILE`: check the signature of a delivery report."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from missiondeck.services.delivery_reports import NotSigned, verify_report

# Bytes of a file that is read; a report is far smaller.
MOST = 32 * 1024 * 1024


class Command(BaseCommand):
    help = "Check that a delivery report was signed by this site and not changed since. Needs no database."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", type=Path, help="The report, as downloaded")
        parser.add_argument("--public-key", default="", help="The expected key, as printed in the report, in Base64")

    def handle(self, *, file: Path, public_key: str, **options) -> None:
        try:
            with file.open("rb") as opened:
                content = opened.read(MOST + 1)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        if len(content) > MOST:
            raise CommandError(f"{file} is too large for a delivery report.")
        try:
            key = verify_report(content, key=public_key)
        except NotSigned as error:
            raise CommandError(f"NOT VALID. {error}") from error
        self.stdout.write(f"Valid: signed with the key {key}, and not changed since.")

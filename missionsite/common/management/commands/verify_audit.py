"""Verifies the sealed audit."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from missionsite.common.audit.sealing import read_digests, verify


class Command(BaseCommand):
    help = (
        "Checks every entry of the audit, its details, and the chain of its blocks. Names the first wrong entry and "
        "exits with 1. With a published digest, a removed end of the audit is found too."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--digests",
            type=Path,
            help="A file with a published digest, or a folder of them; by default AUDIT_DIGEST_FOLDER.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        given = options["digests"]
        folder = given or (Path(settings.AUDIT_DIGEST_FOLDER) if settings.AUDIT_DIGEST_FOLDER else None)
        try:
            published = read_digests(folder) if folder and (given or folder.exists()) else []
        except (OSError, ValueError) as error:
            raise CommandError(f"The digests could not be read: {error}") from error
        report = verify(published=published)
        self.stdout.write(
            f"{report.entries} entries in {report.blocks} blocks, {report.waiting} not sealed yet; details of "
            f"{report.erased} erased; {report.deleted} deleted after 400 days; {len(published)} published digests."
        )
        if not report.is_right:
            raise CommandError("The audit is wrong:\n" + "\n".join(report.problems))
        self.stdout.write("The audit is right.")

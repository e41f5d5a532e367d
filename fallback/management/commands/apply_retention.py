"""Applies the retention periods of projects: runs, notifications, messages of access requests."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from fallback.services.retention import apply_retention
from groups.models import Member
from missionsite.common.audit.context import in_changeset


class Command(BaseCommand):
    help = (
        "Deletes fallback runs and archives notifications after 180 days, and empties the messages of access requests "
        "30 days after the decision."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Only count what is due; make no changes.")

    @in_changeset
    def handle(self, *args: Any, **options: Any) -> None:
        for kind, number in apply_retention(actor=Member.objects.system(), dry_run=options["dry_run"]):
            self.stdout.write(f"{kind}: {number}")

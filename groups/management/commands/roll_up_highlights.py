from datetime import date

from django.core.management.base import BaseCommand, CommandError

from groups.services.highlights import rebuild_highlights, roll_up_highlights
from missionsite.common.errors import DomainError


class Command(BaseCommand):
    help = "Add new participation to the daily highlights, as the worker does every minute, or rebuild them."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--rebuild", action="store_true", help="Rebuild, for instance after the points changed.")
        parser.add_argument("--from", dest="first_day", type=date.fromisoformat, help="First day of a rebuild (UTC).")
        parser.add_argument("--to", dest="last_day", type=date.fromisoformat, help="Last day of a rebuild (UTC).")

    def handle(self, *args, **options) -> None:
        days = {"first_day": options["first_day"], "last_day": options["last_day"]}
        if any(days.values()) and not options["rebuild"]:
            raise CommandError("--from and --to need --rebuild.")
        try:
            self._rebuild(days) if options["rebuild"] else self._roll_up()
        except DomainError as rejection:
            raise CommandError(rejection.message) from rejection

    def _roll_up(self) -> None:
        added = 0
        while batch := roll_up_highlights():
            added += batch
            self.stdout.write(f"{added} changes added")
        self.stdout.write("Everything is up to date.")

    def _rebuild(self, days: dict) -> None:
        changed = rebuild_highlights(**days)
        self.stdout.write(f"Rebuilt; corrected highlights: {changed}.")

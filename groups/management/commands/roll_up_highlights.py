from datetime import date

from django.core.management.base import BaseCommand, CommandError

from groups.services.highlights import rebuild_highlights, roll_up_highlights
from missionsite.common.errors import DomainError


class Command(BaseCommand):
    help = "Add new participation to the days of members, as the worker does every minute; or count days anew."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--rebuild", action="store_true", help="Count anew, for instance after points changed.")
        parser.add_argument("--from", dest="first_day", type=date.fromisoformat, help="First day of a rebuild (UTC).")
        parser.add_argument("--to", dest="last_day", type=date.fromisoformat, help="Last day of a rebuild (UTC).")

    def handle(self, *args, **options) -> None:
        days = {"first_day": options["first_day"], "last_day": options["last_day"]}
        if any(days.values()) and not options["rebuild"]:
            raise CommandError("--from and --to say which days to --rebuild.")
        try:
            self._rebuild(days) if options["rebuild"] else self._roll_up()
        except DomainError as rejection:
            raise CommandError(rejection.message) from rejection

    def _roll_up(self) -> None:
        taken = 0
        while batch := roll_up_highlights():
            taken += batch
            self.stdout.write(f"{taken} notes added")
        self.stdout.write("Nothing is left to add.")

    def _rebuild(self, days: dict) -> None:
        changed = rebuild_highlights(**days)
        self.stdout.write(f"Counted anew; days that were not as they should be: {changed}.")

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from groups.services.membership_events import export_membership_events


class Command(BaseCommand):
    help = "Write groups, members and everything that happened to memberships as JSON lines, with stable IDs."

    def add_arguments(self, parser) -> None:
        parser.add_argument("file", nargs="?", help="The file to write; standard output without it.")
        parser.add_argument("--without-names", action="store_true", help="Leave out the names and e-mails of members.")

    def handle(self, *args, **options) -> None:
        lines = export_membership_events(names=not options["without_names"])
        if options["file"] is None:
            for line in lines:
                self.stdout.write(line)
            return
        count = 0
        try:
            with Path(options["file"]).open("w", encoding="utf-8") as file:
                for line in lines:
                    count += file.write(f"{line}\n") > 0
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be written: {error.strerror}.") from error
        self.stderr.write(f"{count} lines written.")

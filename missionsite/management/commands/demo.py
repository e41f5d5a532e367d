"""Run the whole site on this machine to try it out."""

import argparse
import os
import sys

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from missionsite import embedded
from missionsite.demo import accounts
from missionsite.demo.site import DemoError, Site


class Command(BaseCommand):
    help = "Run the site on this machine: PostgreSQL, example data, one account per role, web server and worker."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--port", type=port_number, default=8000, help="where to listen; the next free one if taken"
        )
        parser.add_argument("--reset", action="store_true", help="delete the demo's database first and start over")
        parser.add_argument("--yes", action="store_true", help="with --reset: delete without asking")
        parser.add_argument("--new-passwords", action="store_true", help="give the demo accounts new passwords")

    def handle(self, *, port: int, reset: bool, yes: bool, new_passwords: bool, **options) -> None:
        if reset and not settings.EMBEDDED:
            raise CommandError(
                "DATABASE_URL is set, and --reset deletes the embedded database only: empty yours yourself."
            )
        site = Site(var=settings.VAR_DIR, is_embedded=settings.EMBEDDED, say=self.say)
        try:
            with site.alone():
                if reset:
                    self.reset(is_confirmed=yes)
                self.connect()
                with site.watched():
                    self.fill(new_passwords=new_passwords)
                    site.run(first_port=port)
        except KeyboardInterrupt:
            pass
        except (DemoError, embedded.EmbeddedError) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(
                f"The database rejected: {str(error).strip()}\n"
                + (
                    "Start over with bin/demo --reset."
                    if settings.EMBEDDED
                    else "Check DATABASE_URL and that it is up."
                )
            ) from error
        self.say("\nStopped. The data is kept; bin/demo starts again.")

    def reset(self, *, is_confirmed: bool) -> None:
        """Delete the embedded database; asks first on a terminal, and needs --yes elsewhere."""
        folder = settings.VAR_DIR / "postgres"
        if folder.exists() and not is_confirmed:
            self.confirm(f"This deletes the database in {folder}: every mission, member and account in it.")
        self.say(f"Deleting the database in {folder}: every mission, member and account in it.")
        embedded.remove(settings.VAR_DIR)
        self.begin_again([argument for argument in sys.argv if argument not in ("--reset", "--yes")])

    def confirm(self, what: str) -> None:
        """Ask whether to go on. Raises CommandError where the answer is no, or where there is no terminal to ask at."""
        if not sys.stdin.isatty():
            raise CommandError(f"{what} Nothing was deleted: add --yes to go on without being asked.")
        try:
            answer = input(f"{what} Go on? [y/N] ")
        except EOFError:
            answer = ""
        if answer.strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was deleted.")

    def connect(self) -> None:
        """Make sure the settings lead to the database that runs now."""
        database = connection.settings_dict
        if not settings.EMBEDDED:
            self.say(
                f"Using the database of DATABASE_URL ({database['NAME']} on {database['HOST'] or 'this machine'})."
            )
            return
        self.say("Starting PostgreSQL ...")
        server = embedded.start(settings.VAR_DIR)
        if int(database["PORT"]) != server.port:
            # It moved after the settings were read, as when a previous run had still been ending.
            self.begin_again(sys.argv)

    def begin_again(self, arguments: list[str]) -> None:
        self.stdout.flush()
        os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606

    def fill(self, *, new_passwords: bool) -> None:
        """Bring the schema up to date, and add what is missing of the example data and the accounts."""
        self.say("Migrating ...")
        call_command("migrate", interactive=False, verbosity=0)
        if not settings.EMBEDDED:
            call_command("collectstatic", interactive=False, verbosity=0)
        self.say("Loading the example data, where it is not there ...")
        call_command("loaddata", "seeds", verbosity=0)
        created = accounts.set_new_passwords() if new_passwords else accounts.create_missing()
        if created:
            self.say("\nAccounts to log in with. The passwords are shown this once:\n")
            for account in created:
                self.say(f"  {account.role:<20} {account.email:<36} {account.password}")
            self.say("")
        else:
            self.say(
                "The passwords of the demo accounts were shown at the first start. "
                "New ones: bin/demo --new-passwords, or .venv/bin/python manage.py changepassword EMAIL"
            )

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def port_number(text: str) -> int:
    """A port an ordinary user may listen on."""
    if text.isdecimal() and 1024 <= int(text) <= 65_535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is not a port between 1024 and 65535")

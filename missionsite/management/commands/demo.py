"""Runs the demo: the whole site on this machine."""

import argparse
import logging
import os
import sys

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from missionsite import embedded
from missionsite.demo import accounts
from missionsite.demo.site import DemoError, Site
from missionsite.figures import refresh_figures


class Command(BaseCommand):
    help = "Run the demo: PostgreSQL, example data, one account per role, web server and worker."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--port", type=port_number, default=8000, help="port to listen on, or the next free one (default 8000)"
        )
        parser.add_argument("--reset", action="store_true", help="delete the demo's database and start over")
        parser.add_argument("--yes", action="store_true", help="with --reset: delete without confirmation")
        parser.add_argument("--new-passwords", action="store_true", help="set new passwords for the demo accounts")

    def handle(self, *, port: int, reset: bool, yes: bool, new_passwords: bool, **options) -> None:
        if reset and not settings.EMBEDDED:
            raise CommandError(
                "DATABASE_URL is set, but --reset deletes only the embedded database. Empty your database yourself."
            )
        site = Site(var=settings.VAR_DIR, is_embedded=settings.EMBEDDED, log=self.log)
        try:
            with site.single_instance():
                if reset:
                    self.reset(is_confirmed=yes)
                self.connect()
                with site.supervised():
                    self.fill(new_passwords=new_passwords)
                    site.run(first_port=port)
        except KeyboardInterrupt:
            pass
        except (DemoError, embedded.EmbeddedError) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(
                f"Database error: {str(error).strip()}\n"
                + (
                    "Start over with bin/demo --reset."
                    if settings.EMBEDDED
                    else "Check DATABASE_URL and that the server is running."
                )
            ) from error
        self.log("\nStopped. The data is kept. Start again with bin/demo.")

    def reset(self, *, is_confirmed: bool) -> None:
        """Delete the embedded database after a confirmation on the terminal, or with --yes."""
        folder = settings.VAR_DIR / "postgres"
        if folder.exists() and not is_confirmed:
            self.confirm(f"This deletes the database in {folder}: every mission, member and account in it.")
        self.log(f"Deleting the database in {folder}: every mission, member and account in it.")
        embedded.remove(settings.VAR_DIR)
        self.restart([argument for argument in sys.argv if argument not in ("--reset", "--yes")])

    def confirm(self, what: str) -> None:
        """Ask for confirmation. Raises CommandError if it is denied or there is no terminal."""
        if not sys.stdin.isatty():
            raise CommandError(f"{what} Nothing was deleted: add --yes to go on without being asked.")
        try:
            answer = input(f"{what} Go on? [y/N] ")
        except EOFError:
            answer = ""
        if answer.strip().lower() not in ("y", "yes"):
            raise CommandError("Nothing was deleted.")

    def connect(self) -> None:
        """Start the embedded server and make sure that the settings have its port."""
        database = connection.settings_dict
        if not settings.EMBEDDED:
            self.log(
                f"Using the database of DATABASE_URL ({database['NAME']} on {database['HOST'] or 'this machine'})."
            )
            return
        self.log("Starting PostgreSQL ...")
        server = embedded.start(settings.VAR_DIR)
        if int(database["PORT"]) != server.port:
            # The port changed after the settings were read, for example while a previous run was still ending.
            self.restart(sys.argv)

    def restart(self, arguments: list[str]) -> None:
        self.stdout.flush()
        os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606

    def fill(self, *, new_passwords: bool) -> None:
        """Migrate, and add missing example data and accounts."""
        self.log("Migrating ...")
        call_command("migrate", interactive=False, verbosity=0)
        if not settings.EMBEDDED:
            call_command("collectstatic", interactive=False, verbosity=0)
        self.log("Loading the example data, unless it is already loaded ...")
        # The roles of the demo accounts are in the security log; its lines would stand between those printed here.
        logging.getLogger("missionsite.security").setLevel(logging.WARNING)
        call_command("loaddata", "seeds", verbosity=0)
        # The plots of the home page are filled at once, not when the hourly job runs.
        refresh_figures()
        created = accounts.set_new_passwords() if new_passwords else accounts.create_missing()
        if created:
            self.log("\nAccounts to log in with. The passwords are shown only this once:\n")
            for account in created:
                self.log(f"  {account.role:<20} {account.email:<36} {account.password}")
            self.log("")
        else:
            self.log(
                "The passwords of the demo accounts were shown at the first start. "
                "To set new ones: bin/demo --new-passwords, or .venv/bin/python manage.py changepassword EMAIL"
            )

    def log(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def port_number(text: str) -> int:
    """An argument type for unprivileged ports."""
    if text.isdecimal() and 1024 <= int(text) <= 65_535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text} is not a port between 1024 and 65535")

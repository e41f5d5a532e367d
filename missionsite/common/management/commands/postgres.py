"""Starts, stops or shows the embedded PostgreSQL server."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from missionsite import embedded


class Command(BaseCommand):
    help = "Start or stop the embedded PostgreSQL server, show its status, or print the path of its psql."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["start", "stop", "status", "psql-path"])

    def handle(self, *, action: str, **options: Any) -> None:
        try:
            if action == "psql-path":
                self.stdout.write(str(embedded.psql_path()))
            elif not settings.EMBEDDED:
                raise CommandError("DATABASE_URL is set. This command manages only the embedded server.")
            else:
                getattr(self, action)()
        except embedded.EmbeddedError as error:
            raise CommandError(str(error)) from error

    def start(self) -> None:
        server = embedded.start(settings.VAR_DIR)
        self.stdout.write(f"PostgreSQL {'started' if server.started else 'was running'} on port {server.port}.")

    def stop(self) -> None:
        self.stdout.write("PostgreSQL stopped." if embedded.stop(settings.VAR_DIR) else "PostgreSQL was not running.")

    def status(self) -> None:
        if not (postmaster := embedded.status(settings.VAR_DIR)):
            raise CommandError("PostgreSQL is not running. Start it: manage.py postgres start", returncode=3)
        self.stdout.write(
            f"PostgreSQL is {postmaster.state or 'starting'}: process {postmaster.pid}, port {postmaster.port}."
        )

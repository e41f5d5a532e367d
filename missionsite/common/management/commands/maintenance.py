from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from missionsite.common import maintenance


class Command(BaseCommand):
    help = "Begin or end maintenance on this machine: pages and API respond with 503 and say when to try again."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["on", "off", "status"])
        parser.add_argument("--minutes", type=int, default=15, help="expected duration (default %(default)s)")

    def handle(self, *, action: str, minutes: int, **options: Any) -> None:
        if action == "on":
            maintenance.start(for_=timedelta(minutes=minutes))
        elif action == "off":
            maintenance.end()
        ends_at = maintenance.until()
        self.stdout.write(f"Maintenance until {ends_at:%Y-%m-%d %H:%M} UTC." if ends_at else "No maintenance.")

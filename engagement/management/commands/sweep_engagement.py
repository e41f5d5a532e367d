from argparse import ArgumentTypeError
from datetime import datetime

from django.core.management.base import BaseCommand, CommandError, CommandParser

from engagement.services.sweeps import Progress, sweep_daily, sweep_weekly


class Command(BaseCommand):
    help = "Let the clock move members, as the worker does every hour: goodbyes, time-outs, reminders, weekly reviews."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say how many it would move, and change nothing")
        only = parser.add_mutually_exclusive_group()
        only.add_argument("--daily", action="store_true", help="goodbyes, time-outs and reminders alone")
        only.add_argument("--weekly", action="store_true", help="weekly reviews alone")
        parser.add_argument("--at", type=_instant, help="take this for now: 2026-03-02T09:00:00+00:00")
        parser.add_argument("--batch", type=int, default=5_000, help="members in a transaction (default %(default)s)")

    def handle(self, *, dry_run: bool, daily: bool, weekly: bool, at: datetime | None, batch: int, **options) -> None:
        if not 1 <= batch <= 100_000:
            raise CommandError("--batch is between 1 and 100000.")
        steps: list[Progress] = []
        asked = {"at": at, "dry_run": dry_run, "on_batch": self._say_batch, "batch": batch}
        if not weekly:
            steps += sweep_daily(**asked)
        if not daily:
            steps += sweep_weekly(**asked)
        for step in steps:
            self.stdout.write(f"{step.step}: {step.moved}" + (f", {step.queued} messages" if step.queued else ""))
        if dry_run:
            self.stdout.write("Nothing was changed.")

    def _say_batch(self, progress: Progress) -> None:
        self.stderr.write(f"  {progress.step}: {progress.moved} so far")


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.utcoffset() is None:
        raise ArgumentTypeError(f"{text} is no time with a zone, such as 2026-03-02T09:00:00+00:00")
    return at

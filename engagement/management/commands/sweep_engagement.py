from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from engagement.services.sweeps import SweepProgress, sweep_daily, sweep_weekly
from missionsite.common.audit.context import changeset


class Command(BaseCommand):
    help = "Run the sweeps, as the worker does every hour: goodbyes, time-outs, reminders and weekly reviews."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="print the number of members, change nothing")
        only = parser.add_mutually_exclusive_group()
        only.add_argument("--daily", action="store_true", help="only goodbyes, time-outs and reminders")
        only.add_argument("--weekly", action="store_true", help="only weekly reviews")
        parser.add_argument("--at", type=_instant, help="use this as the current time, e.g. 2026-03-02T09:00:00+00:00")
        parser.add_argument("--batch", type=int, default=5_000, help="members per transaction (default: %(default)s)")

    def handle(
        self, *, dry_run: bool, daily: bool, weekly: bool, at: datetime | None, batch: int, **options: Any
    ) -> None:
        if not 1 <= batch <= 100_000:
            raise CommandError("--batch must be between 1 and 100000.")
        steps: list[SweepProgress] = []
        sweep_options: dict[str, Any] = {"at": at, "dry_run": dry_run, "on_batch": self._print_batch, "batch": batch}
        with changeset(job="sweep_engagement"):
            if not weekly:
                steps += sweep_daily(**sweep_options)
            if not daily:
                steps += sweep_weekly(**sweep_options)
        for step in steps:
            self.stdout.write(f"{step.step}: {step.moved}" + (f", {step.queued} messages" if step.queued else ""))
        if dry_run:
            self.stdout.write("Nothing was changed.")

    def _print_batch(self, progress: SweepProgress) -> None:
        self.stderr.write(f"  {progress.step}: {progress.moved} so far")


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.utcoffset() is None:
        raise ArgumentTypeError(f"{text} is not a time with a UTC offset, such as 2026-03-02T09:00:00+00:00")
    return at

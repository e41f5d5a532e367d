from datetime import timedelta

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from missionsite.common.worker.health import look


class Command(BaseCommand):
    help = "Say how background work is doing; exits with 1 when no worker has a fresh heartbeat."

    def handle(self, *args, **options) -> None:
        try:
            health = look()
        except DatabaseError as error:
            raise CommandError(f"The database does not answer: {str(error).strip().splitlines()[0]}") from error
        for worker in health.workers:
            state = "beats" if worker.is_fresh else "SILENT"
            self.stdout.write(f"worker  {worker.host}:{worker.pid or '?'} {state}, {_ago(worker.silence)}")
        wait = f", the longest for {_span(health.longest_wait)}" if health.longest_wait else ""
        self.stdout.write(f"queue   {health.waiting} waiting{wait}, {health.running} running")
        self.stdout.write(f"failed  {health.failed_today} in the last day")
        for beat in health.beats:
            self.stdout.write(f"beat    {beat.name}, {_ago(timezone.now() - beat.beat_at)}")
        if not health.is_alive:
            raise CommandError("No worker has a fresh heartbeat. Start one: manage.py worker")


def _span(duration: timedelta) -> str:
    return f"{max(duration.total_seconds(), 0):.0f} s"


def _ago(duration: timedelta) -> str:
    return f"{_span(duration)} ago"

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from missionsite.common.worker.health import read_health


class Command(BaseCommand):
    help = "Show the state of background work. Exits with 1 when no worker has a recent heartbeat."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            health = read_health()
        except DatabaseError as error:
            raise CommandError(f"The database does not respond: {str(error).strip().splitlines()[0]}") from error
        for worker in health.workers:
            state = "alive" if worker.is_fresh else "SILENT"
            self.stdout.write(f"worker     {worker.host}:{worker.pid or '?'} {state}, heartbeat {_ago(worker.silence)}")
        wait = f", the longest for {_span(health.longest_wait)}" if health.longest_wait else ""
        self.stdout.write(f"queue      {health.waiting} waiting{wait}, {health.running} running")
        self.stdout.write(f"failed     {health.failed_today} in the last 24 hours")
        for heartbeat in health.heartbeats:
            self.stdout.write(f"heartbeat  {heartbeat.name}, {_ago(timezone.now() - heartbeat.reported_at)}")
        if not health.is_alive:
            raise CommandError("No worker has a recent heartbeat. Start one with: manage.py worker")


def _span(duration: timedelta) -> str:
    return f"{max(duration.total_seconds(), 0):.0f} s"


def _ago(duration: timedelta) -> str:
    return f"{_span(duration)} ago"

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from missionsite.common.collector import collect_rarely
from missionsite.common.connections import WORKER_CONCURRENCY, connect_directly
from missionsite.common.worker import STALE_AFTER
from missionsite.common.worker.supervisor import Supervisor


class Command(BaseCommand):
    help = "Run background jobs until stopped. SIGTERM or Ctrl-C lets running jobs finish first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--processes", type=int, default=1, help="number of worker processes (default 1)")
        parser.add_argument(
            "--concurrency", type=int, default=WORKER_CONCURRENCY, help="concurrent jobs per process (default 4)"
        )
        parser.add_argument(
            "--stale-after",
            type=float,
            default=STALE_AFTER.total_seconds(),
            help="seconds without a heartbeat after which a worker is replaced; use the same value on every machine"
            " (default %(default)s)",
        )

    def handle(self, *args: Any, processes: int, concurrency: int, stale_after: float, **options: Any) -> None:
        for name, value in (("--processes", processes), ("--concurrency", concurrency)):
            if not 1 <= value <= 64:
                raise CommandError(f"{name} must be between 1 and 64.")
        if not 1 <= stale_after <= 3600:
            raise CommandError("--stale-after must be between 1 and 3600 seconds.")
        connect_directly()
        # Before the processes are forked, which then share these objects.
        collect_rarely()
        Supervisor(processes=processes, concurrency=concurrency, stale_after=timedelta(seconds=stale_after)).run()

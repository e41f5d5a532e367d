import signal
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError, connection

from engagement.services.sender_pool import SenderPool
from engagement.services.sending import Tally
from engagement.transports import TRANSPORTS
from missionsite.common.errors import DomainError

# Seconds between two claims of an empty queue, and the longest pause while the database is unavailable.
IDLE = 1.0
LONGEST_PAUSE = 5.0


class Command(BaseCommand):
    help = "Send due messages until stopped with SIGTERM or Ctrl-C. Several senders can run at the same time."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--until-empty", action="store_true", help="exit when no message is due")
        parser.add_argument(
            "--transport",
            choices=sorted(TRANSPORTS),
            help="transport to use (default: ENGAGEMENT_CHANNELS or ENGAGEMENT_TRANSPORT)",
        )
        parser.add_argument("--batch", type=int, help="messages per claim (default: ENGAGEMENT_BATCH)")

    def handle(self, *, until_empty: bool, transport: str | None, batch: int | None, **options: Any) -> None:
        if batch is not None and not 1 <= batch <= 10_000:
            raise CommandError("--batch must be between 1 and 10000.")
        try:
            sender = SenderPool.open(transport=transport or "", batch=batch or settings.ENGAGEMENT_BATCH)
        except DomainError as rejection:
            raise CommandError(rejection.message) from None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sender.stop())
        total = Tally()
        try:
            self._run(sender, total, until_empty)
        finally:
            sender.close()
        self._print_totals(total)
        if until_empty and total.is_down:
            raise CommandError("The provider is down. Unsent messages stay in the queue; run this command again later.")

    def _run(self, sender: SenderPool, total: Tally, until_empty: bool) -> None:
        pause, printed = IDLE, time.monotonic()
        while not sender.stopping:
            try:
                done = sender.send_batch()
            except (DatabaseError, InterfaceError) as error:
                connection.close()
                self.stderr.write(f"The database is unavailable. Next attempt in {pause:.0f} s. {_first_line(error)}")
                self._sleep(sender, pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            pause = IDLE
            total.add(done)
            if time.monotonic() - printed > 5 and done.handled:
                self._print_totals(total)
                printed = time.monotonic()
            if not done.handled:
                if until_empty and not done.must_wait:
                    return
                self._sleep(sender, IDLE)

    @staticmethod
    def _sleep(sender: SenderPool, seconds: float) -> None:
        """Wait, or return early when the sender is stopped."""
        end = time.monotonic() + seconds
        while not sender.stopping and time.monotonic() < end:
            time.sleep(0.1)

    def _print_totals(self, total: Tally) -> None:
        self.stdout.write(
            f"{total.sent} sent, {total.retried} to retry, {total.failed} failed, {total.deferred} deferred,"
            f" {total.withdrawn} cancelled"
        )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)

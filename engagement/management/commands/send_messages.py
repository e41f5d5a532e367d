import signal
import time

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, InterfaceError, connection

from engagement.services.sending import Sender, Tally
from engagement.transports import TRANSPORTS, make_transport
from missionsite.common.errors import DomainError

# Seconds between two looks at an empty queue, and the longest pause while the database is away.
IDLE = 1.0
LONGEST_PAUSE = 5.0


class Command(BaseCommand):
    help = "Send what is due until stopped; run as many as you like. SIGTERM or Ctrl-C: after the message under way."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--until-empty", action="store_true", help="end when nothing is due any more")
        parser.add_argument("--transport", choices=sorted(TRANSPORTS), help="another than ENGAGEMENT_TRANSPORT")
        parser.add_argument("--batch", type=int, help="messages taken at once (ENGAGEMENT_BATCH)")

    def handle(self, *, until_empty: bool, transport: str | None, batch: int | None, **options) -> None:
        if batch is not None and not 1 <= batch <= 10_000:
            raise CommandError("--batch is between 1 and 10000.")
        try:
            way = make_transport(transport or "")
        except DomainError as rejection:
            raise CommandError(rejection.message) from None
        sender = Sender(way, **({"batch": batch} if batch else {}))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sender.stop())
        total = Tally()
        try:
            self._run(sender, total, until_empty)
        finally:
            way.close()
        self._say(total)
        if until_empty and total.is_down:
            raise CommandError("The provider is down; what is left stays in the queue. Run this again later.")

    def _run(self, sender: Sender, total: Tally, until_empty: bool) -> None:
        pause, said = IDLE, time.monotonic()
        while not sender.stopping:
            try:
                done = sender.send_batch()
            except (DatabaseError, InterfaceError) as error:
                connection.close()
                self.stderr.write(f"The database does not answer; trying again in {pause:.0f} s. {_first_line(error)}")
                self._sleep(sender, pause)
                pause = min(pause * 2, LONGEST_PAUSE)
                continue
            pause = IDLE
            total.add(done)
            if time.monotonic() - said > 5 and done.touched:
                self._say(total)
                said = time.monotonic()
            if not done.touched:
                if until_empty and not done.must_wait:
                    return
                self._sleep(sender, IDLE)

    @staticmethod
    def _sleep(sender: Sender, seconds: float) -> None:
        """Wait, but not longer than until told to stop."""
        end = time.monotonic() + seconds
        while not sender.stopping and time.monotonic() < end:
            time.sleep(0.1)

    def _say(self, total: Tally) -> None:
        self.stdout.write(
            f"{total.sent} sent, {total.retried} to try again, {total.failed} failed, {total.deferred} put off,"
            f" {total.withdrawn} withdrawn"
        )


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)

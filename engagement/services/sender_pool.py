"""The senders of all channels of the site, which take turns."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings

from engagement.selectors.addresses import site_channels
from engagement.services.sending import MessageSender, Tally
from engagement.transports import make_transport


@dataclass
class SenderPool:
    """One sender for each channel, or one for all messages if the site has one transport.

    Each sends a batch in turn, so that one channel that is down or slow does not keep the others from sending for long.
    """

    senders: list[MessageSender] = field(default_factory=list)
    stopping: bool = False

    @classmethod
    def open(cls, *, transport: str = "", batch: int = 0) -> "SenderPool":
        """Open the transports of the site. transport: the one to use instead on all channels.

        Raises TransportUnknown, TransportNotConfigured, ChannelUnknown.
        """
        pool = cls()
        try:
            for channel in site_channels() or [""]:
                sender = MessageSender(make_transport(transport, channel=channel), channel)
                sender.batch = batch or settings.ENGAGEMENT_BATCH
                pool.senders.append(sender)
        except Exception:
            pool.close()
            raise
        return pool

    def close(self) -> None:
        for sender in self.senders:
            sender.transport.close()

    def stop(self) -> None:
        """Stop after the current message; the rest of the batch is due again immediately."""
        self.stopping = True
        for sender in self.senders:
            sender.stop()

    def send_batch(self) -> Tally:
        """Send one batch on each channel. is_down, must_wait: of any channel."""
        total, is_down, must_wait = Tally(), False, False
        for sender in self.senders:
            if self.stopping:
                break
            done = sender.send_batch()
            total.add(done)
            is_down, must_wait = is_down or done.is_down, must_wait or done.must_wait
        total.is_down, total.must_wait = is_down, must_wait
        return total

    def drain(self, *, until: float | None = None, on_batch: Callable[[Tally], None] | None = None) -> Tally:
        """Send until no message is due on any channel that works, or `until` (monotonic seconds) is reached."""
        total = Tally()
        while not self.stopping and (until is None or time.monotonic() < until):
            done = self.send_batch()
            total.add(done)
            if on_batch and done.handled:
                on_batch(total)
            if not done.handled:
                break
        return total

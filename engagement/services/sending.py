"""Sending: a sender claims batches and hands them to a transport, until there is nothing left or it is told to stop."""

import logging
import os
import random
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from engagement.models import ANSWERS
from engagement.services import circuit, claims
from engagement.services.claims import Claimed, Failed, Sent
from engagement.services.rendering import Templates
from engagement.services.unsubscribe import unsubscribe_url
from engagement.transports import Outgoing, Rejected, Transport, Unavailable
from missionsite.common.errors import DomainError

logger = logging.getLogger(__name__)

# Seconds after which the queue is told, however few were sent; and after which reasons are looked at again.
TOLD_AFTER = 1.0
LOOKED_AFTER = 2.0
# Seconds after which a sender begins to look from the oldest message on again: one that was passed over or came late.
# More where that takes long, as it does while an open transaction keeps what was sent in the index.
FROM_THE_START_AFTER, FROM_THE_START_AT_MOST = 10.0, 60.0
# A provider that asks for more patience than this is asked again all the same.
LONGEST_WAIT = timedelta(hours=6)


@dataclass
class Tally:
    """What a sender did. is_down: the provider is. must_wait: it is catching up, and had its share of this moment."""

    sent: int = 0
    failed: int = 0
    retried: int = 0
    withdrawn: int = 0
    deferred: int = 0
    is_down: bool = False
    must_wait: bool = False

    @property
    def touched(self) -> int:
        return self.sent + self.failed + self.retried + self.withdrawn + self.deferred

    def add(self, other: "Tally") -> None:
        for name in ("sent", "failed", "retried", "withdrawn", "deferred"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.is_down, self.must_wait = other.is_down, other.must_wait


@dataclass
class Sender:
    """One of any number of senders, on any number of machines. clock: what time it is; the database's by default."""

    transport: Transport
    batch: int = field(default_factory=lambda: settings.ENGAGEMENT_BATCH)
    clock: Callable[[], datetime] = claims.database_now
    name: str = field(default_factory=lambda: f"{socket.gethostname()[:60]}-{os.getpid()}-{secrets.token_hex(3)}")

    def __post_init__(self) -> None:
        self.stopping = False
        self._after: tuple[datetime, int] | None = None
        self._from_start_at = 0.0
        self._reclaimed_at = 0.0

    def stop(self) -> None:
        """End after the message that is being sent; what is left of the batch is due again at once."""
        self.stopping = True

    def drain(self, *, on_batch: Callable[[Tally], None] | None = None, until: float | None = None) -> Tally:
        """Send until nothing is due, the transport is down, or the time (monotonic seconds) is over."""
        total = Tally()
        while not self.stopping and (until is None or time.monotonic() < until):
            done = self.send_batch()
            total.add(done)
            if on_batch and done.touched:
                on_batch(total)
            if not done.touched:
                break
        return total

    def send_batch(self) -> Tally:
        """Claim a batch and send it."""
        self._reclaim()
        at = self.clock()
        permission = circuit.ask(name=self.transport.name, at=at, most=self.batch)
        if not permission.most:
            return Tally(is_down=permission.is_open, must_wait=not permission.is_open)
        batch = self._claim(at, permission.most)
        tally = Tally(withdrawn=batch.withdrawn, deferred=batch.deferred)
        failures, error = self._send_all(batch, at, tally) if batch.messages else (0, "")
        tally.is_down = circuit.report(
            name=self.transport.name,
            at=self.clock(),
            sent=tally.sent,
            failures=failures,
            error=error,
            permission=permission,
            claimed=batch.touched,
        )
        return tally

    # --- One batch ----------------------------------------------------------------------------

    def _reclaim(self) -> None:
        """Now and then, give messages back whose sender is gone."""
        if time.monotonic() - self._reclaimed_at > settings.ENGAGEMENT_LEASE.total_seconds() / 6:
            self._reclaimed_at = time.monotonic()
            if freed := claims.reclaim_expired():
                logger.warning("%s messages of senders that are gone are due again", freed)

    def _claim(self, at: datetime, most: int) -> claims.Batch:
        """Claim behind what was claimed last: what was sent meanwhile stays in the index until it is vacuumed."""
        begun = time.monotonic()
        if begun > self._from_start_at:
            self._after = None
        behind = self._after is not None
        batch = self._claim_after(at, most)
        if behind and not batch.touched:
            behind, self._after, begun = False, None, time.monotonic()
            batch = self._claim_after(at, most)
        if not behind:
            now = time.monotonic()
            pause = max(FROM_THE_START_AFTER, 50 * (now - begun))
            self._from_start_at = now + min(pause, FROM_THE_START_AT_MOST)
        self._after = batch.last or self._after
        return batch

    def _claim_after(self, at: datetime, most: int) -> claims.Batch:
        return claims.claim(sender=self.name, at=at, most=most, lease=settings.ENGAGEMENT_LEASE, after=self._after)

    def _send_all(self, batch: claims.Batch, at: datetime, tally: Tally) -> tuple[int, str]:
        """Send a batch; returns how often the provider failed in a row at its end, and with what words.

        at: when it was claimed, from which the clock of this process goes on: none of a message is asked for.
        """
        # Nothing is begun that might not be over when the lease is.
        patience = max(settings.ENGAGEMENT_LEASE.total_seconds() - settings.ENGAGEMENT_SEND_TIMEOUT, 1)
        most_failures = settings.ENGAGEMENT_CIRCUIT_FAILURES
        begun = looked = told = time.monotonic()
        templates, sent, failed, withdrawn = Templates(), [], [], {}
        failures, error = 0, ""
        for message in batch.messages:
            now = time.monotonic()
            if len(sent) >= self.transport.marks_every or now - told > TOLD_AFTER:
                self._tell(batch, sent, failed, tally)
                sent, failed, told = [], [], now
            if self.stopping or now - begun > patience or failures >= most_failures:
                break
            if now - looked > LOOKED_AFTER:
                reasons, looked = claims.withdrawn_since(token=batch.token), now
                tally.withdrawn += claims.withdraw(token=batch.token, reasons=reasons)
                withdrawn |= reasons
            if message.id in withdrawn:
                continue
            instant = at + timedelta(seconds=now - begun)
            try:
                outgoing = _outgoing(message, templates)
            except DomainError as rejection:
                failed.append(Failed(message.id, rejection.message))
                continue
            try:
                receipt = self.transport.send(outgoing)
            except Rejected as rejection:
                failed.append(Failed(message.id, str(rejection)))
            except Unavailable as trouble:
                failures, error = failures + 1, str(trouble)
                failed.append(self._again(message, trouble, instant))
            except Exception as fault:
                logger.exception("Message %s could not be sent", message.id)
                failures, error = failures + 1, f"The transport broke: {type(fault).__name__}."
                failed.append(self._again(message, Unavailable(error, maybe_taken=True), instant))
            else:
                failures = 0
                sent.append(Sent(message.id, instant, receipt.provider_message_id))
        with transaction.atomic():
            self._tell(batch, sent, failed, tally)
            claims.finish(token=batch.token)
        return failures, error

    def _tell(self, batch: claims.Batch, sent: list[Sent], failed: list[Failed], tally: Tally) -> None:
        tally.sent += claims.mark_sent(token=batch.token, sent=sent)
        claims.mark_failed(token=batch.token, failed=failed)
        tally.failed += sum(1 for each in failed if each.again_at is None)
        tally.retried += sum(1 for each in failed if each.again_at is not None)

    @staticmethod
    def _again(message: Claimed, trouble: Unavailable, at: datetime) -> Failed:
        """When to try again: after twice as long each time, anywhere in the second half of it, so that messages that
        failed together do not come back together.
        """
        again_at = None
        if message.retry_count + 1 < settings.ENGAGEMENT_ATTEMPTS:
            pause = settings.ENGAGEMENT_RETRY_AFTER * 2 ** min(message.retry_count, 20)
            pause = min(pause, settings.ENGAGEMENT_RETRY_AT_MOST) * random.uniform(0.5, 1)  # noqa: S311
            again_at = at + max(pause, min(trouble.retry_after or timedelta(0), LONGEST_WAIT))
        return Failed(message.id, str(trouble), again_at, trouble.maybe_taken)


def _outgoing(message: Claimed, templates: Templates) -> Outgoing:
    """The message in words. Raises TemplateMissing, ParameterMissing."""
    way_out = "" if message.message_type in ANSWERS else unsubscribe_url(message.user_id)
    words = templates.words(
        key=message.message_key,
        locale=message.locale,
        params={"name": message.name, **message.message_params},
        unsubscribe_url=way_out,
    )
    return Outgoing(
        idempotency_key=message.idempotency_key,
        message_type=message.message_type,
        destination=message.destination,
        address=message.destination_jid,
        email=message.email,
        name=message.name,
        locale=words.locale,
        subject=words.subject,
        body=words.body,
        unsubscribe_url=way_out,
    )

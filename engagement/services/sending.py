"""Sends messages: a sender claims batches and passes each message to a transport until none is due."""

import logging
import os
import random
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from engagement.rules import TRANSACTIONAL_TYPES, AddressReport, Channel
from engagement.selectors.addresses import goes_by_email
from engagement.selectors.claims import database_now, find_blocked
from engagement.services import circuit, claims
from engagement.services.addresses import report_address
from engagement.services.claims import Claimed, Failed, Sent
from engagement.services.rendering import Templates
from engagement.services.unsubscribe import unsubscribe_url
from engagement.transports import MessageRejected, Outgoing, Transport, Unavailable
from groups.models import Member
from missionsite.common.errors import DomainError

logger = logging.getLogger(__name__)

# Seconds after which results are recorded, however few there are; and after which block reasons are checked again.
RECORD_AFTER = 1.0
RECHECK_AFTER = 2.0
# Seconds after which a sender claims from the oldest message again, to find messages that were skipped or queued late.
# Longer if that claim is slow, as it is while an open transaction keeps sent messages in the index.
RESTART_SCAN_AFTER, RESTART_SCAN_AT_MOST = 10.0, 60.0
# Upper limit for the Retry-After of a provider.
MAX_RETRY_AFTER = timedelta(hours=6)


@dataclass
class Tally:
    """Counts of what a sender did. is_down: the circuit is open. must_wait: the rate limit of a recovery is reached."""

    sent: int = 0
    failed: int = 0
    retried: int = 0
    withdrawn: int = 0
    deferred: int = 0
    is_down: bool = False
    must_wait: bool = False

    @property
    def handled(self) -> int:
        return self.sent + self.failed + self.retried + self.withdrawn + self.deferred

    def add(self, other: "Tally") -> None:
        for name in ("sent", "failed", "retried", "withdrawn", "deferred"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.is_down, self.must_wait = other.is_down, other.must_wait


@dataclass(frozen=True)
class Bounce:
    """The provider rejected the address of a message."""

    message: Claimed
    report: AddressReport
    detail: str
    at: datetime


@dataclass
class MessageSender:
    """One of any number of senders on any number of hosts. clock: returns the time, by default the database's.

    channel: sends the messages that go by it; empty if the site has one transport.
    """

    transport: Transport
    channel: str = ""
    batch: int = field(default_factory=lambda: settings.ENGAGEMENT_BATCH)
    clock: Callable[[], datetime] = database_now
    name: str = field(default_factory=lambda: f"{socket.gethostname()[:60]}-{os.getpid()}-{secrets.token_hex(3)}")

    def __post_init__(self) -> None:
        self.stopping = False
        self._after: tuple[str, int] | None = None
        self._from_start_at = 0.0
        self._reclaimed_at = 0.0

    @property
    def circuit(self) -> str:
        """The name of its circuit breaker."""
        return self.channel or self.transport.name

    def stop(self) -> None:
        """Stop after the current message; the rest of the batch is due again immediately."""
        self.stopping = True

    def drain(self, *, on_batch: Callable[[Tally], None] | None = None, until: float | None = None) -> Tally:
        """Send until no message is due, the transport is down, or `until` (monotonic seconds) is reached."""
        total = Tally()
        while not self.stopping and (until is None or time.monotonic() < until):
            done = self.send_batch()
            total.add(done)
            if on_batch and done.handled:
                on_batch(total)
            if not done.handled:
                break
        return total

    def send_batch(self) -> Tally:
        """Claim and send one batch."""
        self._reclaim()
        at = self.clock()
        permission = circuit.request_permission(name=self.circuit, at=at, most=self.batch)
        if not permission.most:
            return Tally(is_down=permission.is_open, must_wait=not permission.is_open)
        batch = self._claim(at, permission.most)
        tally = Tally(withdrawn=batch.withdrawn, deferred=batch.deferred)
        failures, error = self._send_all(batch, at, tally) if batch.messages else (0, "")
        tally.is_down = circuit.record_batch(
            name=self.circuit,
            at=self.clock(),
            sent=tally.sent,
            failures=failures,
            error=error,
            permission=permission,
            claimed=batch.handled,
        )
        return tally

    # --- One batch ----------------------------------------------------------------------------

    def _reclaim(self) -> None:
        """Delete expired claims, a few times per lease."""
        if time.monotonic() - self._reclaimed_at > settings.ENGAGEMENT_LEASE.total_seconds() / 6:
            self._reclaimed_at = time.monotonic()
            if freed := claims.reclaim_expired():
                logger.warning("%s messages with an expired lease are due again", freed)

    def _claim(self, at: datetime, most: int) -> claims.Batch:
        """Claim messages after the last claimed one: sent messages stay in the index until it is vacuumed."""
        started = time.monotonic()
        if started > self._from_start_at:
            self._after = None
        behind = self._after is not None
        batch = self._claim_after(at, most)
        if behind and not batch.handled:
            behind, self._after, started = False, None, time.monotonic()
            batch = self._claim_after(at, most)
        if not behind:
            now = time.monotonic()
            pause = max(RESTART_SCAN_AFTER, 50 * (now - started))
            self._from_start_at = now + min(pause, RESTART_SCAN_AT_MOST)
        self._after = batch.last or self._after
        return batch

    def _claim_after(self, at: datetime, most: int) -> claims.Batch:
        """Claim; messages of other channels are skipped until one of this channel is found or none is left."""
        after, lease = self._after, settings.ENGAGEMENT_LEASE
        while True:
            batch = claims.claim(sender=self.name, at=at, most=most, lease=lease, after=after, via=self.channel)
            if batch.handled or not batch.is_behind or self.stopping:
                return batch
            after = batch.last

    def _send_all(self, batch: claims.Batch, at: datetime, tally: Tally) -> tuple[int, str]:
        """Send a batch; return the number of consecutive provider failures at its end, and the last error.

        at: time of the claim. The time of each message is computed from it with the clock of this process.
        """
        # No message is started that could end after the lease.
        patience = max(settings.ENGAGEMENT_LEASE.total_seconds() - settings.ENGAGEMENT_SEND_TIMEOUT, 1)
        most_failures = settings.ENGAGEMENT_CIRCUIT_FAILURES
        started = checked = recorded = time.monotonic()
        templates = Templates()
        sent: list[Sent] = []
        failed: list[Failed] = []
        # Also those that go by another channel now: they are due again.
        withdrawn: dict[int, str | None] = {}
        bounced: set[UUID] = set()
        reports: list[Bounce] = []
        failures, error, done = 0, "", False
        for message in batch.messages:
            now = time.monotonic()
            if len(sent) >= self.transport.marks_every or now - recorded > RECORD_AFTER:
                self._record_results(batch, sent, failed, reports, tally)
                sent, failed, reports, recorded = [], [], [], now
            if self.stopping or now - started > patience or failures >= most_failures:
                break
            if now - checked > RECHECK_AFTER:
                reasons, checked = find_blocked(token=batch.token), now
                tally.withdrawn += claims.withdraw(token=batch.token, reasons=reasons)
                withdrawn |= reasons
            # Further messages to an address that has just bounced are due again, and cancelled by the next claim.
            if message.id in withdrawn or message.user_id in bounced:
                continue
            instant = at + timedelta(seconds=now - started)
            try:
                outgoing = _outgoing(message, templates, self.channel)
            except DomainError as rejection:
                failed.append(Failed(message.id, str(rejection)))
                continue
            try:
                receipt = self.transport.send(outgoing)
            except MessageRejected as rejection:
                # Not accepted, so that the next channel does not repeat it.
                is_next = message.has_fallback and rejection.bounce == AddressReport.HARD_BOUNCE
                failed.append(Failed(message.id, str(rejection), instant if is_next else None))
                if rejection.bounce:
                    bounced.add(message.user_id)
                    reports.append(Bounce(message, rejection.bounce, str(rejection), instant))
            except Unavailable as trouble:
                failures, error = failures + 1, str(trouble)
                failed.append(self._again(message, trouble, instant, failures if not done else 0))
                if trouble.bounce and failed[-1].again_at is None:
                    reports.append(Bounce(message, trouble.bounce, str(trouble), instant))
            except Exception as fault:
                logger.exception("Message %s could not be sent", message.id)
                failures, error = failures + 1, _("The transport broke: {fault}.").format(fault=type(fault).__name__)
                unknown = Unavailable(error, maybe_taken=True)
                failed.append(self._again(message, unknown, instant, failures if not done else 0))
            else:
                failures, done = 0, True
                sent.append(Sent(message.id, instant, receipt.provider_message_id, message.destination_jid))
        with transaction.atomic():
            self._record_results(batch, sent, failed, reports, tally)
            claims.finish(token=batch.token)
        return failures, error

    def _record_results(
        self, batch: claims.Batch, sent: list[Sent], failed: list[Failed], reports: list[Bounce], tally: Tally
    ) -> None:
        # First: a sender that dies in between tries the message again, and no other one.
        for bounce in reports:
            self._report_bounce(bounce)
        tally.sent += claims.mark_sent(token=batch.token, sent=sent, via=self.channel)
        claims.mark_failed(token=batch.token, failed=failed, via=self.channel)
        tally.failed += sum(1 for each in failed if each.again_at is None)
        tally.retried += sum(1 for each in failed if each.again_at is not None)

    def _report_bounce(self, bounce: Bounce) -> None:
        message = bounce.message
        is_email = self.channel == Channel.EMAIL if self.channel else goes_by_email()
        report_address(
            member=Member.objects.get(pk=message.user_id),
            address=message.email.lower() if is_email else message.destination_jid,
            report=bounce.report,
            detail=bounce.detail,
            at=bounce.at,
        )

    def _again(self, message: Claimed, trouble: Unavailable, at: datetime, failures: int) -> Failed:
        """Return the failed attempt with the time of the next one, if there is one.

        The pause doubles with each attempt. A random part of it spreads messages that failed together. While the
        provider is down, there is always a next attempt: few messages fail too rarely to open the circuit.
        failures: consecutive ones of this batch, if it has only such.
        """
        again_at = None
        has_attempts = message.retry_count + 1 < settings.ENGAGEMENT_ATTEMPTS
        if has_attempts or (not trouble.bounce and circuit.is_down(self.circuit, failures)):
            pause = settings.ENGAGEMENT_RETRY_AFTER * 2 ** min(message.retry_count, 20)
            pause = min(pause, settings.ENGAGEMENT_RETRY_AT_MOST) * random.uniform(0.5, 1)  # noqa: S311
            again_at = at + max(pause, min(trouble.retry_after or timedelta(0), MAX_RETRY_AFTER))
        return Failed(message.id, str(trouble), again_at, trouble.maybe_taken)


def _outgoing(message: Claimed, templates: Templates, channel: str) -> Outgoing:
    """Render a message for the transport. Raises TemplateMissing, ParameterMissing."""
    unsubscribe = "" if message.message_type in TRANSACTIONAL_TYPES else unsubscribe_url(message.user_id)
    rendered = templates.render(
        key=message.message_key,
        locale=message.locale,
        params={"name": message.name, **message.message_params},
        unsubscribe_url=unsubscribe,
    )
    return Outgoing(
        idempotency_key=message.idempotency_key,
        message_type=message.message_type,
        destination=message.destination,
        address=message.destination_jid,
        email=message.email,
        name=message.name,
        locale=rendered.locale,
        subject=rendered.subject,
        body=rendered.body,
        unsubscribe_url=unsubscribe,
        channel=channel,
    )

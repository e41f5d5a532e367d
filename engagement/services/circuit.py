"""The circuit breaker of a transport. All senders share its state through a row of engagement_transports.

After ENGAGEMENT_CIRCUIT_FAILURES consecutive failures the circuit opens: nothing is claimed, so messages do not use up
their attempts while the provider is down. After a pause one sender tries one message; if it succeeds, the circuit
closes and the transport is recovering: it sends at most twice its previous rate in any minute.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from engagement.models import EngagementTransport
from missionsite.common.sql_loader import read_sql

# The normal rate is an average over about the last hour.
MEMORY = timedelta(hours=1)
# Together twice the normal rate: the steady allowance, and the most that can accumulate.
STEADY_FACTOR, SAVED_FACTOR = 1.8, 0.2
_RECORD_RATE = read_sql("engagement/queries/record_send_rate")


@dataclass(frozen=True)
class Permission:
    """Number of messages a sender may claim now. is_probe: one message, to test an open circuit.

    is_open: the provider is down, so `most` is 0. If only `most` is 0, the rate limit of a recovery applies.
    """

    most: int
    is_probe: bool = False
    is_open: bool = False


def request_permission(*, name: str, at: datetime, most: int) -> Permission:
    """Return how many messages may be claimed, at most `most`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM engagement_transports WHERE name = %s AND opened_at IS NULL AND NOT is_recovering", [name]
        )
        if cursor.rowcount:
            return Permission(most)
    row = EngagementTransport.objects.filter(pk=name).first()
    if row is None:
        EngagementTransport.objects.bulk_create([EngagementTransport(name=name)], ignore_conflicts=True)
        row = EngagementTransport.objects.get(pk=name)
    if row.opened_at is not None:
        # The sender whose UPDATE moves retry_at makes the probe.
        waiting = EngagementTransport.objects.filter(pk=name, opened_at__isnull=False, retry_at__lte=at)
        if waiting.update(retry_at=at + settings.ENGAGEMENT_LEASE):
            return Permission(1, is_probe=True)
        return Permission(0, is_open=True)
    with transaction.atomic():
        row = EngagementTransport.objects.lock(name)
        if not row.is_recovering:
            return Permission(most)
        steady = recovery_per_minute(row)
        minutes = max((at - row.allowed_at).total_seconds(), 0) / 60
        saved = max(steady * SAVED_FACTOR / STEADY_FACTOR, 1)
        row.allowance, row.allowed_at = min(row.allowance + steady * minutes, saved), max(at, row.allowed_at)
        granted = min(most, int(row.allowance))
        row.allowance -= granted
        row.save(update_fields=["allowance", "allowed_at"])
    return Permission(granted)


def is_down(name: str, failures: int) -> bool:
    """Return whether nothing was sent in the last attempts, more than a message has. failures: not recorded yet."""
    recorded = EngagementTransport.objects.filter(pk=name).values_list("failures", flat=True).first() or 0
    return bool(failures) and recorded + failures >= settings.ENGAGEMENT_ATTEMPTS


def recovery_per_minute(row: EngagementTransport) -> float:
    """Return the steady rate of a recovering transport, in messages per minute."""
    return STEADY_FACTOR * max(row.normal_per_minute, settings.ENGAGEMENT_RECOVERY_PER_MINUTE)


def record_batch(
    *, name: str, at: datetime, sent: int, failures: int, error: str = "", permission: Permission, claimed: int
) -> bool:
    """Record the result of a batch; return whether the circuit is open now.

    failures: consecutive provider failures at the end of the batch. claimed: 0 means that the backlog is empty, which
    ends a recovery.
    """
    if sent and _record_rate(name, sent, at) and not failures:
        return False
    with transaction.atomic():
        row = EngagementTransport.objects.lock(name)
        _update_circuit(row, at, sent, failures, error, permission, claimed)
        row.save()
    return row.opened_at is not None


def _update_circuit(
    row: EngagementTransport, at: datetime, sent: int, failures: int, error: str, permission: Permission, claimed: int
) -> None:
    """Open or close the circuit, or end the recovery."""
    was_open = row.opened_at is not None
    # A batch in which nothing was tried leaves the count as it is.
    row.failures = failures if sent else row.failures + failures
    if row.failures:
        row.last_error = error[:500]
    if row.failures >= settings.ENGAGEMENT_CIRCUIT_FAILURES or (was_open and failures):
        pauses = max(row.failures - settings.ENGAGEMENT_CIRCUIT_FAILURES, 0)
        pause = settings.ENGAGEMENT_CIRCUIT_PAUSE * 2 ** min(pauses, 20)
        row.opened_at = row.opened_at or at
        row.retry_at = at + min(pause, settings.ENGAGEMENT_CIRCUIT_PAUSE_AT_MOST)
    elif was_open and sent:
        row.opened_at = row.retry_at = None
        row.is_recovering, row.allowance, row.allowed_at = True, 0, at
    elif was_open and permission.is_probe:
        # No message was due for the probe: allow the next one at once.
        row.retry_at = at
    elif row.is_recovering and not claimed:
        # The rate of the recovery does not count as the normal rate.
        row.is_recovering, row.counted_at = False, at


def _record_rate(name: str, sent: int, at: datetime) -> bool:
    """Add to the average rate; return False if the circuit is open or the transport is recovering."""
    with connection.cursor() as cursor:
        cursor.execute(
            _RECORD_RATE,
            {"name": name, "sent": sent, "at": at, "memory": MEMORY.total_seconds()},
        )
        return cursor.rowcount == 1

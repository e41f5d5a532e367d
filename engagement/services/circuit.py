"""The circuit breaker of a transport, shared by all senders through its row.

Closed: send. After ENGAGEMENT_CIRCUIT_FAILURES failures in a row it opens: nothing is claimed, so no message uses up
its tries on a provider that is down. When the pause is over, one sender tries one message; if that works the circuit
closes and the transport catches up, with at most twice what it sent before it went down in any minute.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from engagement.models import EngagementTransport

# The normal rate is that of about the last hour.
MEMORY = timedelta(hours=1)
# Twice the normal in any minute: what is given steadily, and what may have been saved up before it.
STEADY, SAVED = 1.8, 0.2


@dataclass(frozen=True)
class Permission:
    """How many messages a sender may claim now. is_probe: one, to see whether an open circuit works again.

    is_open: none, as the provider is down; without it, none means: in a moment.
    """

    most: int
    is_probe: bool = False
    is_open: bool = False


def ask(*, name: str, at: datetime, most: int) -> Permission:
    """Ask for up to `most` messages."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM engagement_transports WHERE name = %s AND opened_at IS NULL AND NOT catching_up", [name]
        )
        if cursor.rowcount:
            return Permission(most)
    row = EngagementTransport.objects.filter(pk=name).first()
    if row is None:
        EngagementTransport.objects.bulk_create([EngagementTransport(name=name)], ignore_conflicts=True)
        row = EngagementTransport.objects.get(pk=name)
    if row.opened_at is not None:
        # Whoever moves the next try away is the one who tries.
        waiting = EngagementTransport.objects.filter(pk=name, opened_at__isnull=False, retry_at__lte=at)
        if waiting.update(retry_at=at + settings.ENGAGEMENT_LEASE):
            return Permission(1, is_probe=True)
        return Permission(0, is_open=True)
    with transaction.atomic():
        row = EngagementTransport.objects.select_for_update().get(pk=name)
        if not row.catching_up:
            return Permission(most)
        steady = catching_up_per_minute(row)
        minutes = max((at - row.allowed_at).total_seconds(), 0) / 60
        saved = max(steady * SAVED / STEADY, 1)
        row.allowance, row.allowed_at = min(row.allowance + steady * minutes, saved), max(at, row.allowed_at)
        granted = min(most, int(row.allowance))
        row.allowance -= granted
        row.save(update_fields=["allowance", "allowed_at"])
    return Permission(granted)


def catching_up_per_minute(row: EngagementTransport) -> float:
    """What a transport that is back gets in a minute, beside the little it may have saved up."""
    return STEADY * max(row.normal_per_minute, settings.ENGAGEMENT_RECOVERY_PER_MINUTE)


def report(
    *, name: str, at: datetime, sent: int, failures: int, error: str = "", permission: Permission, claimed: int
) -> bool:
    """Tell what became of a batch; returns whether the circuit is open now.

    failures: of the provider, in a row at the end of the batch. claimed: none of those permitted means that nothing
    is left to catch up with.
    """
    if sent and _count(name, sent, at) and not failures:
        return False
    with transaction.atomic():
        row = EngagementTransport.objects.select_for_update().get(pk=name)
        _judge(row, at, sent, failures, error, permission, claimed)
        row.save()
    return row.opened_at is not None


def _judge(
    row: EngagementTransport, at: datetime, sent: int, failures: int, error: str, permission: Permission, claimed: int
) -> None:
    """Open or close the circuit, or end its catching up."""
    was_open = row.opened_at is not None
    row.failures = row.failures + failures if failures and not sent else failures
    if row.failures:
        row.last_error = error[:500]
    if row.failures >= settings.ENGAGEMENT_CIRCUIT_FAILURES or (was_open and failures):
        pauses = max(row.failures - settings.ENGAGEMENT_CIRCUIT_FAILURES, 0)
        pause = settings.ENGAGEMENT_CIRCUIT_PAUSE * 2 ** min(pauses, 20)
        row.opened_at = row.opened_at or at
        row.retry_at = at + min(pause, settings.ENGAGEMENT_CIRCUIT_PAUSE_AT_MOST)
    elif was_open and sent:
        row.opened_at = row.retry_at = None
        row.catching_up, row.allowance, row.allowed_at = True, 0, at
    elif was_open and permission.is_probe:
        # There was nothing to try it with; the next one to come may.
        row.retry_at = at
    elif row.catching_up and not claimed:
        # What was sent meanwhile is not what is normal.
        row.catching_up, row.counted_at = False, at


def _count(name: str, sent: int, at: datetime) -> bool:
    """Add to the rate of about the last hour; False where the circuit is open or the transport catches up.

    No one waits for the disk: should the database crash now, a batch less is remembered.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE engagement_transports SET failures = 0, counted_at = %(at)s,
                -- No further than exp reaches.
                normal_per_minute = %(sent)s * 60 / %(memory)s + normal_per_minute * exp(
                    -least(greatest(extract(epoch FROM %(at)s - counted_at), 0) / %(memory)s, 100)::float
                )
            FROM set_config('synchronous_commit', 'off', true)
            WHERE name = %(name)s AND opened_at IS NULL AND NOT catching_up
            """,
            {"name": name, "sent": sent, "at": at, "memory": MEMORY.total_seconds()},
        )
        return cursor.rowcount == 1

"""Delete, archive and empty what is kept for a limited time. Figures of the metrics stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from fallback import rules
from fallback.models import AccessRequest, GithubDelivery, MissionFallbackRun, Notification
from fallback.services.locks import lock_rows
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.retention import RetentionRule, register_rule
from missionsite.common.transactions import service

# Rows of one transaction.
BATCH = 500


class Progress(NamedTuple):
    """How many rows a job has treated so far. kind: a key of KINDS."""

    kind: str
    number: int


def old_runs(at: datetime) -> QuerySet[MissionFallbackRun]:
    """Ended runs that started too long ago. Open ones stay until their proposals are decided."""
    return MissionFallbackRun.objects.filter(
        started_at__lt=at - rules.RUNS_KEPT, status__in=rules.ENDED_RUN_STATUSES
    ).order_by("pk")


def old_notifications(at: datetime) -> QuerySet[Notification]:
    """Notifications to archive."""
    return Notification.objects.filter(created_at__lt=at - rules.NOTIFICATIONS_KEPT, archived_at=None).order_by("pk")


def old_access_messages(at: datetime) -> QuerySet[AccessRequest]:
    """Decided or expired access requests that still have their message."""
    decided = AccessRequest.objects.filter(decided_at__lt=at - rules.ACCESS_MESSAGES_KEPT)
    return decided.exclude(message="").order_by("pk")


def old_deliveries(at: datetime) -> QuerySet[GithubDelivery]:
    """Deliveries of GitHub to delete: it sends none of them again."""
    return GithubDelivery.objects.filter(received_at__lt=at - rules.GITHUB_DELIVERIES_KEPT).order_by("pk")


@service
def delete_old_runs(*, actor: Member, at: datetime) -> int:
    """Delete a batch of old runs with their proposals; missions stay. A job deletes their reports.

    The database deletes no run that is younger than 180 days, also if `at` is in the future.
    """
    lock_rows(deleting=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT delete_old_fallback_runs(%s, %s)", [at - rules.RUNS_KEPT, BATCH])
        (number,) = cursor.fetchone()
    return _recorded(actor, "runs", number)


@service
def archive_old_notifications(*, actor: Member, at: datetime) -> int:
    """Archive a batch of old notifications."""
    keys = list(old_notifications(at).values_list("pk", flat=True)[:BATCH])
    return _recorded(actor, "notifications", Notification.objects.filter(pk__in=keys).update(archived_at=at))


@service
def empty_old_access_messages(*, actor: Member, at: datetime) -> int:
    """Empty the messages of a batch of access requests."""
    lock_rows()
    keys = list(old_access_messages(at).values_list("pk", flat=True)[:BATCH])
    return _recorded(actor, "access_messages", AccessRequest.objects.filter(pk__in=keys).update(message=""))


@service
def delete_old_deliveries(*, actor: Member, at: datetime) -> int:
    """Delete a batch of old deliveries of GitHub."""
    keys = list(old_deliveries(at).values_list("pk", flat=True)[:BATCH])
    number, _rows = GithubDelivery.objects.filter(pk__in=keys).delete()
    return _recorded(actor, "github_deliveries", number)


def register_rules() -> None:
    """Register the rules of projects, in `AppConfig.ready`."""
    texts = {
        "runs": (_("Fallback runs"), rules.RUNS_KEPT, _("the start"), _("Deleted with their proposals; figures stay.")),
        "notifications": (_("Notifications"), rules.NOTIFICATIONS_KEPT, _("their creation"), _("Archived.")),
        "access_messages": (
            _("Messages of access requests"),
            rules.ACCESS_MESSAGES_KEPT,
            _("the decision"),
            _("Emptied."),
        ),
        "github_deliveries": (
            _("Deliveries of GitHub"),
            rules.GITHUB_DELIVERIES_KEPT,
            _("their receipt"),
            _("Deleted; pull requests stay."),
        ),
    }
    for name, (label, kept, counted_from, effect) in texts.items():
        due, _treat = KINDS[name]
        register_rule(
            RetentionRule(name, label, kept, counted_from, effect, _counted(due), partial(_treat_batch, name))
        )


def _counted(due: Callable[[datetime], QuerySet]) -> Callable[[datetime], int]:
    return lambda at: due(at).count()


def _treat_batch(name: str, *, actor: Member, at: datetime) -> int:
    # Read here, so that a test can replace a step.
    return KINDS[name][1](actor=actor, at=at)


KINDS: dict[str, tuple[Callable[[datetime], QuerySet], Callable[..., int]]] = {
    "runs": (old_runs, delete_old_runs),
    "notifications": (old_notifications, archive_old_notifications),
    "access_messages": (old_access_messages, empty_old_access_messages),
    "github_deliveries": (old_deliveries, delete_old_deliveries),
}


def apply_retention(*, actor: Member, at: datetime | None = None, dry_run: bool = False) -> Iterator[Progress]:
    """Treat everything that is due, in batches of one transaction each. Yields the progress after each batch.

    at: aware datetime; now by default. dry_run: only count.
    """
    at = at or timezone.now()
    for kind, (due, treat) in KINDS.items():
        if dry_run:
            yield Progress(kind, due(at).count())
            continue
        number = 0
        while batch := treat(actor=actor, at=at):
            number += batch
            yield Progress(kind, number)


def _recorded(actor: Member, kind: str, number: int) -> int:
    if number:
        audit("retention.applied", actor=actor, retained=kind, number=number)
    return number

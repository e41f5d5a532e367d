"""Retention: how long each kind of row is kept, applied in batches by schedule or by hand, and recorded.

An app registers its rules in `AppConfig.ready`. `apply_rule()` runs one in batches, each a transaction of its own, and
keeps its progress in a RetentionRun, so that a job that was killed goes on where it was.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Model
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from missionsite.common.annotations import StrOrPromise
from missionsite.common.audit.events import audit
from missionsite.common.errors import DomainError
from missionsite.common.models import RetentionRun, RetentionStatus, SecurityEvent
from missionsite.common.transactions import service

# The database deletes no younger entry: reject_audit_change().
AUDIT_KEPT = timedelta(days=400)
# Nor here: reject_security_event_change().
SECURITY_LOG_KEPT = timedelta(days=400)
# Entries of one transaction.
SECURITY_LOG_BATCH = 1_000


class RuleBeingApplied(DomainError):
    """The rule is being applied already."""

    message = _("This rule is being applied already. Wait until it ends.")
    code = "rule_being_applied"
    constraint = "retention_runs_one_at_a_time"


@dataclass(frozen=True)
class RetentionRule:
    """A kind of row that is kept for a limited time.

    kept: counted from what `counted_from` says. effect: what happens to the rows. due: the number of rows that are due
    at an instant. treat: treats a batch of them, given actor= and at=, in one transaction; returns its number.
    """

    name: str
    label: StrOrPromise
    kept: timedelta
    counted_from: StrOrPromise
    effect: StrOrPromise
    due: Callable[[datetime], int]
    treat: Callable[..., int]


_rules: dict[str, RetentionRule] = {}


def register_rule(rule: RetentionRule) -> None:
    _rules[rule.name] = rule


def all_rules() -> list[RetentionRule]:
    return list(_rules.values())


def rule_named(name: str) -> RetentionRule:
    """Raises KeyError."""
    return _rules[name]


@service
def start_run(*, actor: Model, rule: RetentionRule) -> RetentionRun:
    """Queue a job that applies a rule now. Raises RuleBeingApplied."""
    from missionsite.common.tasks import apply_retention_rule

    made = RetentionRun.objects.create(rule=rule.name, started_by_id=actor.pk, due=rule.due(timezone.now()))
    audit("retention.started", actor=actor, rule=rule.name, due=made.due)
    apply_retention_rule.defer(run=made.pk)
    return made


def apply_rules(names: Iterable[str], *, actor: Model, at: datetime | None = None) -> dict[str, int]:
    """Apply rules one after the other. Returns the numbers of treated rows, of rules with any.

    A rule that is being applied goes on with the run that is recorded, as after a killed job. at: now by default.
    """
    treated = {}
    for name in names:
        rule = rule_named(name)
        run = _open_run(rule, actor, at or timezone.now())
        if number := apply_run(run, at=at):
            treated[name] = number
    return treated


def apply_run(run: RetentionRun, *, at: datetime | None = None) -> int:
    """Apply the rule of a run until nothing is due. Returns the number of rows that it treated in all."""
    rule = rule_named(run.rule)
    RetentionRun.objects.filter(pk=run.pk).update(status=RetentionStatus.RUNNING)
    try:
        while number := rule.treat(actor=run.started_by, at=at or timezone.now()):
            RetentionRun.objects.filter(pk=run.pk).update(treated=F("treated") + number)
    except Exception:
        _end(run=run, status=RetentionStatus.FAILED)
        raise
    return _end(run=run, status=RetentionStatus.DONE).treated


def _open_run(rule: RetentionRule, actor: Model, at: datetime) -> RetentionRun:
    active = RetentionRun.objects.filter(rule=rule.name, status__in=("waiting", "running")).select_related("started_by")
    try:
        with transaction.atomic():
            return RetentionRun.objects.create(rule=rule.name, started_by_id=actor.pk, due=rule.due(at))
    except IntegrityError:
        return active.get()


@service
def _end(*, run: RetentionRun, status: RetentionStatus) -> RetentionRun:
    current = RetentionRun.objects.select_for_update(of=("self",)).select_related("started_by").get(pk=run.pk)
    current.status, current.ended_at = status, timezone.now()
    current.save(update_fields=["status", "ended_at"])
    type_ = "retention.completed" if status == RetentionStatus.DONE else "retention.failed"
    audit(type_, actor=current.started_by, rule=current.rule, due=current.due, number=current.treated)
    return current


# --- The audit --------------------------------------------------------------------------------


def old_audit_entries(at: datetime) -> int:
    """The number of sealed entries in blocks that are old enough."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(entries), 0) FROM audit_blocks WHERE deleted_at IS NULL AND newest_at < %s",
            [at - AUDIT_KEPT],
        )
        return int(cursor.fetchone()[0])


@service
def delete_old_audit(*, actor: Model, at: datetime) -> int:
    """Delete the entries of the oldest block, if it is old enough. The database records it in the audit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT delete_old_audit(%s)", [at - AUDIT_KEPT])
        return int(cursor.fetchone()[0])


# --- The security log -------------------------------------------------------------------------


def old_security_events(at: datetime) -> int:
    """The number of entries of the security log that are old enough."""
    return SecurityEvent.objects.filter(occurred_at__lt=min(at, timezone.now()) - SECURITY_LOG_KEPT).count()


@service
def delete_old_security_events(*, actor: Model, at: datetime) -> int:
    """Delete a batch of old entries of the security log; those of the audit stay as long as the audit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT delete_old_security_events(%s, %s)", [at - SECURITY_LOG_KEPT, SECURITY_LOG_BATCH])
        return int(cursor.fetchone()[0])


def register_site_rules() -> None:
    """Register the rules of the audit and of the security log."""
    register_rule(
        RetentionRule(
            name="security",
            label=_("Security log"),
            kept=SECURITY_LOG_KEPT,
            counted_from=_("the entry"),
            effect=_("Deleted. Younger entries cannot be deleted."),
            due=old_security_events,
            treat=delete_old_security_events,
        )
    )
    register_rule(
        RetentionRule(
            name="audit",
            label=_("Audit"),
            kept=AUDIT_KEPT,
            counted_from=_("the entry"),
            effect=_(
                "Deleted, a sealed block at a time; the rest can still be verified. Younger entries cannot be deleted."
            ),
            due=old_audit_entries,
            treat=delete_old_audit,
        )
    )


def latest_runs() -> dict[str, Any]:
    """Return the latest run of each rule that has one, by its name; one query."""
    runs = RetentionRun.objects.order_by("rule", "-pk").distinct("rule").select_related("started_by")
    return {run.rule: run for run in runs}

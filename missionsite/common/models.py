from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from missionsite.common.audit.events import event_label
from missionsite.common.audit.fields import AuditChangesetId
from missionsite.common.audit_models import (
    AuditActor,
    AuditBlock,
    AuditDetails,
    AuditEntry,
    AuditOutcome,
    RetentionRun,
    RetentionStatus,
)
from missionsite.common.bulk_models import BulkEdit, BulkEditRow, BulkEditStatus, RowOutcome
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check, one_line_checks
from missionsite.common.querysets import QuerySet

__all__ = [
    "ApiToken",
    "AuditActor",
    "AuditBlock",
    "AuditDetails",
    "AuditEntry",
    "AuditOutcome",
    "BulkEdit",
    "BulkEditRow",
    "BulkEditStatus",
    "Heartbeat",
    "IdempotencyKey",
    "RetentionRun",
    "RetentionStatus",
    "RoleRequirement",
    "RowOutcome",
    "SecurityEvent",
    "TokenKind",
    "WorkerProcess",
]

MAX_TOKEN_LIFETIME = timedelta(days=366)


class TokenKind(models.TextChoices):
    """Who acts with a token. What a program does is no activity of its owner."""

    PROGRAM = "program", _("A program that runs by itself: CI job, gateway, daemon")
    PERSON = "person", _("The owner, with a script or an app that they start")


class ApiTokenQuerySet(QuerySet["ApiToken"]):
    def usable(self, at: datetime | None = None) -> ApiTokenQuerySet:
        """Tokens that are neither revoked nor expired. at: aware datetime, now by default."""
        return self.filter(revoked_at__isnull=True, expires_at__gt=at or timezone.now())


class ApiToken(models.Model):
    """A key with which a program acts for its owner. Only its digest is stored."""

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name=_("owner"),
        related_name="api_tokens",
        db_index=False,
        editable=False,
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name=_("created by"),
        related_name="+",
        db_index=False,
        editable=False,
    )
    name = models.CharField(
        _("name"), max_length=100, help_text=_("What uses this token, so that you know what to revoke.")
    )
    prefix = models.CharField(_("prefix"), max_length=12, editable=False, help_text=_("How the token begins."))
    digest = models.CharField(
        _("digest"), max_length=64, editable=False, help_text=_("SHA-256 of the token, hexadecimal.")
    )
    scopes = ArrayField(models.TextField(), verbose_name=_("scopes"), help_text=_("What this token may be used for."))
    kind = models.TextField(
        _("used by"),
        choices=TokenKind,
        default=TokenKind.PROGRAM,
        db_default=TokenKind.PROGRAM,
        help_text=_("Only what the owner does with it counts as their activity."),
    )
    created_at = models.DateTimeField(_("created"), db_default=TransactionNow(), editable=False)
    expires_at = models.DateTimeField(_("expires"))
    # Written at most once a minute.
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        db_table = "api_tokens"
        db_table_comment = "Personal API tokens, stored as digests."
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            # Its index also serves the lookup of each request's token.
            UniqueConstraint(fields=["digest"], name="api_tokens_digest_unique"),
            CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="api_tokens_digest_format"),
            CheckConstraint(
                condition=~Q(name=""), name="api_tokens_name_not_empty", violation_error_message=_("Enter a name.")
            ),
            CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")),
                name="api_tokens_expires_after_creation",
                violation_error_message=_("The expiry must be after the creation."),
            ),
            CheckConstraint(
                # A day more, as the expiry may come from another clock than the creation.
                condition=Q(expires_at__lte=F("created_at") + MAX_TOKEN_LIFETIME + timedelta(days=1)),
                name="api_tokens_lifetime",
                violation_error_message=_("An API token is valid for a year at most."),
            ),
            CheckConstraint(
                condition=Q(revoked_at__gte=F("created_at")) | Q(revoked_at__isnull=True),
                name="api_tokens_revoked_after_creation",
            ),
            *one_line_checks("api_tokens", "name"),
            choices_check("api_tokens", "kind", TokenKind),
        ]
        indexes = [
            # The list, newest first: all tokens, and those of one owner; the second also serves the foreign key.
            models.Index(F("created_at").desc(), F("id").desc(), name="api_tokens_newest"),
            models.Index(F("owner"), F("created_at").desc(), F("id").desc(), name="api_tokens_of_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_usable(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()


class SecurityEvent(models.Model):
    """An entry of the security log: who logged in, failed to, was denied, and who changed rights, tokens and factors.

    The database makes the table append-only and sets `occurred_at`.
    """

    id = models.BigAutoField(primary_key=True)
    # `session.started`, `access.denied` …: noun, dot, past participle.
    type = models.TextField(_("type"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name=_("by"),
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name=_("member"),
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    address = models.GenericIPAddressField(_("address"), null=True, blank=True)
    user_agent = models.TextField(_("browser"), blank=True, default="", db_default="")
    request_id = models.TextField(_("request"), blank=True, default="", db_default="")
    payload = models.JSONField(_("details"), default=dict, db_default={}, blank=True)
    occurred_at = models.DateTimeField(_("when"), db_default=TransactionNow())
    changeset_id = models.UUIDField(_("changeset"), null=True, db_default=AuditChangesetId(), editable=False)

    class Meta:
        db_table = "security_events"
        db_table_comment = "The security log; append-only."
        verbose_name = _("security event")
        verbose_name_plural = _("security log")
        ordering = [F("occurred_at").desc(), F("id").desc()]
        constraints = [
            CheckConstraint(
                condition=Q(type__regex=r"^[a-z_]+(\.[a-z_]+)+$"),
                name="security_events_type_format",
                violation_error_message=_("An event type looks like session.started."),
            ),
        ]
        indexes = [
            # The log, newest first: all of it, and that of one member, actor, address or type.
            models.Index(F("occurred_at").desc(), F("id").desc(), name="security_events_newest"),
            models.Index(F("member"), F("occurred_at").desc(), F("id").desc(), name="security_events_of_member"),
            models.Index(F("actor"), F("occurred_at").desc(), F("id").desc(), name="security_events_by_actor"),
            models.Index(F("address"), F("occurred_at").desc(), name="security_events_of_address"),
            models.Index(F("type"), F("occurred_at").desc(), F("id").desc(), name="security_events_of_type"),
        ]

    def __str__(self) -> str:
        return event_label(self.type)


class RoleRequirement(models.Model):
    """What a role requires of its members' log-in."""

    role = models.OneToOneField(
        "auth.Group", models.CASCADE, primary_key=True, related_name="requirement", verbose_name=_("role")
    )
    second_factor = models.BooleanField(
        _("second factor required"),
        default=False,
        db_default=False,
        help_text=_("Members of this role set up a passkey or an authenticator app before they can do anything else."),
    )

    class Meta:
        db_table = "role_requirements"
        verbose_name = _("requirement of a role")
        verbose_name_plural = _("requirements of roles")

    def __str__(self) -> str:
        return str(self.role)


class WorkerProcess(models.Model):
    """A background worker. It deletes its row when it ends; the watchdog deletes the rows of lost workers.

    procrastinate stores the heartbeat; this row adds where the worker runs, and the tag that is the application_name
    of all its database connections. By it the watchdog ends them before the worker's jobs run again.
    """

    tag = models.CharField(max_length=40, primary_key=True)
    # procrastinate_workers.id; no foreign key, because any starting worker prunes stale rows there.
    worker_id = models.BigIntegerField()
    host = models.CharField(max_length=255)
    pid = models.IntegerField()
    concurrency = models.IntegerField()
    started_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        db_table = "worker_processes"
        verbose_name = _("worker")
        ordering = ["started_at", "tag"]
        constraints = [
            UniqueConstraint(fields=["worker_id"], name="worker_processes_worker_unique"),
            CheckConstraint(condition=Q(concurrency__gt=0), name="worker_processes_concurrency_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"


class Heartbeat(models.Model):
    """The last time a periodic job completed; shown by `manage.py health`."""

    name = models.CharField(max_length=100, primary_key=True)
    reported_at = models.DateTimeField(db_default=TransactionNow())
    worker = models.TextField(blank=True, default="", db_default="")

    class Meta:
        db_table = "heartbeats"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class IdempotencyKey(models.Model):
    """The response to an API request or form that may be repeated; stored in its transaction and kept for a day."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", db_index=False)
    operation = models.CharField(max_length=100)
    key = models.CharField(max_length=255, db_collation="C")
    fingerprint = models.CharField(max_length=64, help_text=_("SHA-256 of method, address and body, hexadecimal."))
    status = models.SmallIntegerField()
    headers = models.JSONField()
    body = models.TextField()
    created_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        db_table = "api_idempotency_keys"
        db_table_comment = "Responses to API requests and forms that may be repeated."
        constraints = [
            # Its index also serves the lookup of a request's key, and the foreign key.
            UniqueConstraint(fields=["owner", "operation", "key"], name="api_idempotency_keys_unique"),
            CheckConstraint(
                condition=Q(fingerprint__regex=r"^[0-9a-f]{64}$"), name="api_idempotency_keys_fingerprint_format"
            ),
            # A rejected request has no effect, so its response is not stored.
            CheckConstraint(condition=Q(status__gte=200, status__lt=400), name="api_idempotency_keys_of_success"),
        ]
        indexes = [
            # For pruning.
            models.Index(fields=["created_at"], name="api_idempotency_keys_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.key}"

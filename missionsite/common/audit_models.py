"""The tables of the sealed audit, which the database writes: see audit/sources.py and audit/sealing.py."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from missionsite.common.audit.events import event_label
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check


class AuditOutcome(models.TextChoices):
    """How an action ended."""

    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    DENIED = "denied", _("Denied")


class AuditActor(models.Model):
    """The pseudonym of a member in the audit. Erasing the member removes the link, and the pseudonym remains."""

    token = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    member = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        # The audit stands in no one's way: a row of the owner's transaction may be deleted in it.
        db_constraint=False,
        related_name="audit_actor",
        verbose_name=_("member"),
        editable=False,
    )
    erased_at = models.DateTimeField(_("erased"), null=True, editable=False)

    class Meta:
        db_table = "audit_actors"
        db_table_comment = "Pseudonyms of members in the audit."
        verbose_name = _("pseudonym")
        verbose_name_plural = _("pseudonyms")

    def __str__(self) -> str:
        return str(self.token)


class AuditEntry(models.Model):
    """An entry of the audit: no personal data, only a pseudonym and digests of the details.

    Append-only for everyone. A job seals entries in chained blocks; `manage.py verify_audit` checks them.
    """

    id = models.BigAutoField(primary_key=True)
    occurred_at = models.DateTimeField(_("when"), db_default=TransactionNow())
    # Label of the app, such as `groups`.
    app = models.TextField(_("app"))
    # The type of the event, or row.added, row.changed, row.deleted.
    action = models.TextField(_("action"))
    outcome = models.TextField(
        _("outcome"), choices=AuditOutcome, default=AuditOutcome.DONE, db_default=AuditOutcome.DONE
    )
    actor = models.ForeignKey(
        AuditActor,
        models.PROTECT,
        null=True,
        related_name="entries",
        db_constraint=False,
        db_index=False,
        db_column="actor_token",
        verbose_name=_("by"),
    )
    # `groups.member`, `fallback.project` …, and the stable ID of the object, or its key.
    object_type = models.TextField(_("kind of object"), default="", db_default="")
    object_id = models.TextField(_("object"), default="", db_default="")
    changeset_id = models.UUIDField(_("changeset"), null=True)
    origin_digest = models.BinaryField(_("digest of the origin"), max_length=32)
    content_digest = models.BinaryField(_("digest of the details"), max_length=32)
    # SHA-256 of the columns above: SQL function audit_leaf().
    leaf = models.BinaryField(_("digest"), max_length=32)

    class Meta:
        db_table = "audit_entries"
        db_table_comment = "The sealed audit; append-only."
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit")
        ordering = [F("occurred_at").desc(), F("id").desc()]
        constraints = [
            choices_check("audit_entries", "outcome", AuditOutcome),
            CheckConstraint(condition=Q(action__regex=r"^[a-z_]+(\.[a-z_]+)+$"), name="audit_entries_action_format"),
        ]
        indexes = [
            # The audit, newest first: all of it, and that of one app, action, actor or object. They are read backwards;
            # in ascending order new entries are added at the end of pages, which fills them and splits fewer.
            models.Index(fields=["occurred_at", "id"], name="audit_entries_newest"),
            models.Index(fields=["app", "occurred_at", "id"], name="audit_entries_of_app"),
            models.Index(fields=["action", "occurred_at", "id"], name="audit_entries_of_action"),
            # Changes by the system have no actor.
            models.Index(
                fields=["actor", "occurred_at", "id"],
                name="audit_entries_of_actor",
                condition=Q(actor__isnull=False),
            ),
            models.Index(fields=["object_id", "occurred_at", "id"], name="audit_entries_of_object"),
            # The other entries of the same request.
            models.Index(
                fields=["changeset_id"], name="audit_entries_of_changeset", condition=Q(changeset_id__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return event_label(self.action)


class AuditDetails(models.Model):
    """What an entry's digests are made of, which may be erased: address and browser, payload, values before and after.

    The digests are salted, so that erased details cannot be found by trying.
    """

    entry = models.OneToOneField(
        AuditEntry, models.PROTECT, primary_key=True, related_name="details", db_constraint=False, db_index=False
    )
    salt = models.UUIDField()
    # address, browser, request, url, job.
    origin = models.JSONField(_("from where"), null=True)
    # payload: what the event has; changed: {column: [before, after]}.
    content = models.JSONField(_("details"), null=True)
    # Whose personal data the content may hold.
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
        verbose_name=_("member"),
    )
    # The entry that records the erasure.
    erased_by = models.ForeignKey(
        AuditEntry, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        db_table = "audit_details"
        db_table_comment = "Details of audit entries; emptied when a person is erased."
        verbose_name = _("details of an audit entry")
        verbose_name_plural = _("details of audit entries")
        indexes = [
            # For erasing.
            models.Index(fields=["member"], name="audit_details_of_member", condition=Q(member__isnull=False)),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class AuditBlock(models.Model):
    """A sealed block of entries; its digest covers theirs and the digest of the block before it."""

    number = models.BigIntegerField(primary_key=True)
    # Emptied with the entries when these are old enough.
    ids = ArrayField(models.BigIntegerField(), null=True)
    leaves = models.BinaryField(null=True)
    entries = models.IntegerField(_("entries"))
    newest_at = models.DateTimeField(_("newest entry"))
    # SHA-256 of ids and leaves.
    content = models.BinaryField(max_length=32)
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField(_("sealed"), db_default=TransactionNow())
    deleted_at = models.DateTimeField(_("entries deleted"), null=True)

    class Meta:
        db_table = "audit_blocks"
        db_table_comment = "Sealed blocks of the audit, chained."
        verbose_name = _("block of the audit")
        verbose_name_plural = _("blocks of the audit")
        ordering = ["number"]
        constraints = [
            CheckConstraint(condition=Q(entries__gt=0), name="audit_blocks_entries_positive"),
            UniqueConstraint(fields=["previous"], name="audit_blocks_chain_unique"),
        ]

    def __str__(self) -> str:
        return str(self.number)


class RetentionStatus(models.TextChoices):
    """How far an application of a retention rule is."""

    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")


class RetentionRun(models.Model):
    """One application of a retention rule, by the schedule or by hand."""

    id = models.BigAutoField(primary_key=True)
    # The name of a registered rule.
    rule = models.TextField(_("rule"))
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, verbose_name=_("started by")
    )
    status = models.TextField(
        _("status"), choices=RetentionStatus, default=RetentionStatus.WAITING, db_default=RetentionStatus.WAITING
    )
    # Rows due when it began, and treated so far.
    due = models.BigIntegerField(_("due"), default=0, db_default=0)
    treated = models.BigIntegerField(_("treated"), default=0, db_default=0)
    created_at = models.DateTimeField(_("started"), db_default=TransactionNow())
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        db_table = "retention_runs"
        db_table_comment = "When retention rules were applied, and to how many rows."
        verbose_name = _("retention run")
        verbose_name_plural = _("retention runs")
        ordering = [F("id").desc()]
        permissions = [("apply_retention", _("Can apply retention rules"))]
        constraints = [
            choices_check("retention_runs", "status", RetentionStatus),
            CheckConstraint(condition=Q(due__gte=0, treated__gte=0), name="retention_runs_numbers_not_negative"),
            UniqueConstraint(
                fields=["rule"],
                condition=Q(status__in=["waiting", "running"]),
                name="retention_runs_one_at_a_time",
                violation_error_message=_("This rule is being applied already. Wait until it ends."),
            ),
        ]
        indexes = [models.Index(F("rule"), F("id").desc(), name="retention_runs_of_rule")]

    def __str__(self) -> str:
        return self.rule

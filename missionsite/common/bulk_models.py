"""Bulk edits: the same values for fields of many rows, or the undoing of such an edit, with a log by row."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check
from missionsite.common.querysets import QuerySet


class BulkEditStatus(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class RowOutcome(models.TextChoices):
    WAITING = "waiting", _("Not edited")
    CHANGED = "changed", _("Changed")
    UNCHANGED = "unchanged", _("Unchanged")
    REJECTED = "rejected", _("Rejected")


BULK_EDIT_ENDED = (BulkEditStatus.DONE, BulkEditStatus.FAILED, BulkEditStatus.CANCELLED)


class BulkEdit(models.Model):
    """One edit of many rows of a list: what it sets, how far it is, and what it did.

    The values are emptied when it ends: they may be about people, and the history of the rows has them.
    """

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    # The model of the rows, `groups.task`.
    model = models.TextField(_("list"), editable=False)
    fields = ArrayField(models.TextField(), verbose_name=_("fields"), editable=False)
    # By field, the values as the form sent them.
    values = models.JSONField(_("values"), default=dict, db_default={}, editable=False)
    status = models.TextField(
        _("status"),
        choices=BulkEditStatus,
        default=BulkEditStatus.QUEUED,
        db_default=BulkEditStatus.QUEUED,
        editable=False,
    )
    total = models.IntegerField(_("rows"), default=0, db_default=0, editable=False)
    changed = models.IntegerField(_("changed"), default=0, db_default=0, editable=False)
    unchanged = models.IntegerField(_("unchanged"), default=0, db_default=0, editable=False)
    rejected = models.IntegerField(_("rejected"), default=0, db_default=0, editable=False)
    cancel_requested = models.BooleanField(_("cancel requested"), default=False, db_default=False, editable=False)
    # The edit that this one takes back.
    undoes = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="undone_by",
        db_index=False,
        editable=False,
        verbose_name=_("undoes"),
    )
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        db_index=False,
        editable=False,
        verbose_name=_("started by"),
    )
    created_at = models.DateTimeField(_("started"), db_default=TransactionNow(), editable=False)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True, editable=False)

    objects = QuerySet["BulkEdit"].as_manager()

    class Meta:
        db_table = "bulk_edits"
        db_table_comment = "Edits of many rows of a list at once."
        verbose_name = _("bulk edit")
        verbose_name_plural = _("bulk edits")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            choices_check("bulk_edits", "status", BulkEditStatus),
            CheckConstraint(
                condition=Q(total__gte=0, changed__gte=0, unchanged__gte=0, rejected__gte=0),
                name="bulk_edits_numbers_not_negative",
            ),
            CheckConstraint(
                condition=Q(status__in=BULK_EDIT_ENDED, ended_at__isnull=False, values={})
                | (~Q(status__in=BULK_EDIT_ENDED) & Q(ended_at__isnull=True)),
                name="bulk_edits_ended_fits",
            ),
            UniqueConstraint(
                fields=["undoes"],
                name="bulk_edits_undone_once",
                violation_error_message=_("This edit was undone already."),
                violation_error_code="bulk_edit_undone",
            ),
        ]
        indexes = [
            # The list, newest first: all edits, and those of one member.
            models.Index(F("created_at").desc(), F("id").desc(), name="bulk_edits_newest"),
            models.Index(F("started_by"), F("created_at").desc(), F("id").desc(), name="bulk_edits_of_member"),
        ]

    def __str__(self) -> str:
        return str(_("Undo of a bulk edit") if self.undoes_id else _("Bulk edit"))

    @property
    def is_active(self) -> bool:
        return self.status not in BULK_EDIT_ENDED

    @property
    def handled(self) -> int:
        return self.changed + self.unchanged + self.rejected

    @property
    def percent(self) -> int:
        return min(100, 100 * self.handled // self.total) if self.total else 0


class BulkEditRow(models.Model):
    """What a bulk edit did with one row. Written in the transaction of the change."""

    id = models.BigAutoField(primary_key=True)
    edit = models.ForeignKey(BulkEdit, models.CASCADE, related_name="rows", db_index=False, verbose_name=_("bulk edit"))
    object_key = models.TextField(_("row"))
    outcome = models.TextField(
        _("outcome"), choices=RowOutcome, default=RowOutcome.WAITING, db_default=RowOutcome.WAITING
    )
    message = models.TextField(_("message"), default="", db_default="", blank=True)
    # The changeset of the change, by which it is found in the history of the row.
    changeset_id = models.UUIDField(_("changeset"), null=True, editable=False)

    class Meta:
        db_table = "bulk_edit_rows"
        db_table_comment = "What a bulk edit did with each row."
        verbose_name = _("row of a bulk edit")
        verbose_name_plural = _("rows of bulk edits")
        constraints = [
            choices_check("bulk_edit_rows", "outcome", RowOutcome),
            UniqueConstraint(fields=["edit", "object_key"], name="bulk_edit_rows_unique"),
        ]
        indexes = [
            # The rows that wait, and the log by outcome.
            models.Index(fields=["edit", "outcome", "id"], name="bulk_edit_rows_by_outcome"),
        ]

    def __str__(self) -> str:
        return self.object_key

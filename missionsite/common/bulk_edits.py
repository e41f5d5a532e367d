"""Bulk edits: starting one with the rows of a list, running it row by row, cancelling it, undoing it.

How a row is edited is the caller's: this module knows no forms. Each row is a transaction of its own, which also writes
what was done with it, so that a job that was killed goes on with the rows that wait.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.functions import TransactionNow
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import F, Model, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django import app

from missionsite.common.audit.context import current_changeset
from missionsite.common.audit.events import audit
from missionsite.common.errors import DomainError, is_unavailable, translate_db_errors
from missionsite.common.models import BulkEdit, BulkEditRow, BulkEditStatus, RowOutcome
from missionsite.common.transactions import service

TASK = "run_bulk_edit"
# An edit of more rows is a background job.
MOST_AT_ONCE = 500
MOST_ROWS = 100_000
# Rows between two looks at the rights of the member and at a request to cancel.
BATCH = 50
# How long the log of each row is stored.
LOG_KEPT = timedelta(days=90)
# Rows of a log that are deleted in one transaction.
LOG_BATCH = 5_000
LONGEST_MESSAGE = 500


class NoRowsToEdit(DomainError):
    message = _("No row is selected. Go back to the list and select rows.")
    code = "no_rows_to_edit"
    status = 422


class TooManyRowsToEdit(DomainError):
    message = _("At most {most} rows can be edited at once. Filter the list further.")
    code = "too_many_rows_to_edit"
    status = 422


class BulkEditEnded(DomainError):
    message = _("This edit has ended already.")
    code = "bulk_edit_ended"
    status = 409


class CannotUndo(DomainError):
    message = _("This edit changed no row whose history can be reverted.")
    code = "bulk_edit_cannot_undo"
    status = 409


@service
def start_bulk_edit(*, actor: Model, rows: QuerySet, fields: Collection[str], values: Mapping[str, Any]) -> BulkEdit:
    """Record an edit of all rows of a queryset, and queue its job if there are more than MOST_AT_ONCE.

    values: by field, its inputs as a form sent them. The caller runs an edit that is not queued: run_bulk_edit().
    Raises NoRowsToEdit, TooManyRowsToEdit.
    """
    options = rows.model._meta
    edit = BulkEdit.objects.create(
        model=options.label_lower, fields=sorted(fields), values=dict(values), started_by_id=actor.pk
    )
    keys = rows.order_by("pk").values_list(Cast("pk", TextField()))[: MOST_ROWS + 1]
    _add_rows(edit, keys)
    _queue_if_many(edit)
    audit(
        "bulk_edit.started",
        actor=actor,
        edit=str(edit.pk),
        list_name=str(options.verbose_name_plural),
        fields=edit.fields,
        rows=edit.total,
    )
    return edit


@service
def start_undo(*, actor: Model, edit: BulkEdit) -> BulkEdit:
    """Record the undoing of an edit, and queue its job if it changed more than MOST_AT_ONCE rows. Raises CannotUndo."""
    changed = edit.rows.filter(outcome=RowOutcome.CHANGED, changeset_id__isnull=False)
    if edit.is_active or edit.undoes_id or not changed.exists():
        raise CannotUndo
    undo = BulkEdit.objects.create(model=edit.model, fields=edit.fields, undoes=edit, started_by_id=actor.pk)
    _add_rows(undo, changed.order_by("id").values_list("object_key"))
    _queue_if_many(undo)
    audit("bulk_edit.undone", actor=actor, edit=str(undo.pk), fields=undo.fields, rows=undo.total)
    return undo


def _add_rows(edit: BulkEdit, keys: QuerySet) -> None:
    try:
        sql, parameters = keys.query.sql_with_params()
    except EmptyResultSet as error:
        raise NoRowsToEdit from error
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO bulk_edit_rows (edit_id, object_key) SELECT %s, chosen.key FROM ({sql}) AS chosen(key)",  # noqa: S608
            [edit.pk, *parameters],
        )
        edit.total = cursor.rowcount
    if not edit.total:
        raise NoRowsToEdit
    if edit.total > MOST_ROWS:
        raise TooManyRowsToEdit(TooManyRowsToEdit.message.format(most=MOST_ROWS))
    edit.save(update_fields=["total"])


def _queue_if_many(edit: BulkEdit) -> None:
    if edit.total > MOST_AT_ONCE:
        app.configure_task(TASK, allow_unknown=False, lock=f"{TASK}:{edit.pk}").defer(edit_id=str(edit.pk))


@service
def cancel_bulk_edit(*, actor: Model, edit: BulkEdit) -> BulkEdit:
    """Cancel an edit: at once if it is queued, else before its next rows. What it changed remains.

    Raises BulkEditEnded.
    """
    current = BulkEdit.objects.lock(edit.pk)
    if not current.is_active:
        raise BulkEditEnded
    if current.status == BulkEditStatus.RUNNING:
        current.cancel_requested = True
        current.save(update_fields=["cancel_requested"])
    else:
        _end(actor=actor, edit=current, status=BulkEditStatus.CANCELLED)
    audit("bulk_edit.cancelled", actor=actor, edit=str(edit.pk))
    return current


# Edits one row, given its key: whether it changed. Raises DomainError with the reason why it is rejected.
EditRow = Callable[[str], bool]


def run_bulk_edit(edit: BulkEdit, begin: Callable[[], EditRow]) -> BulkEditStatus:
    """Edit the rows that wait. begin: called before each batch, returns what edits a row."""
    if not BulkEdit.objects.filter(pk=edit.pk, ended_at__isnull=True).update(status=BulkEditStatus.RUNNING):
        return BulkEditStatus(edit.status)
    waiting = edit.rows.filter(outcome=RowOutcome.WAITING).order_by("id")
    try:
        while rows := list(waiting[:BATCH]):
            if BulkEdit.objects.filter(pk=edit.pk, cancel_requested=True).exists():
                return _end(actor=edit.started_by, edit=edit, status=BulkEditStatus.CANCELLED)
            edit_row = begin()
            for row in rows:
                _run_row(edit, row, edit_row)
    except Exception as error:
        # After an outage of the database, the job is tried again and goes on.
        if not is_unavailable(error):
            _end(actor=edit.started_by, edit=edit, status=BulkEditStatus.FAILED)
        raise
    return _end(actor=edit.started_by, edit=edit, status=BulkEditStatus.DONE)


def _run_row(edit: BulkEdit, row: BulkEditRow, edit_row: EditRow) -> None:
    try:
        with translate_db_errors(), transaction.atomic():
            changed = edit_row(row.object_key)
            row.outcome = RowOutcome.CHANGED if changed else RowOutcome.UNCHANGED
            row.changeset_id = current_changeset() if changed else None
            _record(edit, row)
    except DomainError as error:
        row.outcome, row.changeset_id = RowOutcome.REJECTED, None
        row.message = str(error.message)[:LONGEST_MESSAGE]
        with transaction.atomic():
            _record(edit, row)


def _record(edit: BulkEdit, row: BulkEditRow) -> None:
    row.save(update_fields=["outcome", "message", "changeset_id"])
    name = str(row.outcome)
    BulkEdit.objects.filter(pk=edit.pk).update(**{name: F(name) + 1})


@service
def _end(*, actor: Model, edit: BulkEdit, status: BulkEditStatus) -> BulkEditStatus:
    BulkEdit.objects.filter(pk=edit.pk).update(status=status, ended_at=TransactionNow(), values={})
    edit.refresh_from_db()
    audit(
        "bulk_edit.ended",
        actor=actor,
        edit=str(edit.pk),
        outcome=str(status.label),
        changed_rows=edit.changed,
        rejected=edit.rejected,
    )
    return status


# --- Retention of the logs ----------------------------------------------------------------------


def _old_rows(at: datetime) -> QuerySet[BulkEditRow]:
    return BulkEditRow.objects.filter(edit__ended_at__lt=at - LOG_KEPT)


def old_bulk_edit_rows(at: datetime) -> int:
    """The number of rows of logs that are old enough to be deleted."""
    return _old_rows(at).count()


@service
def delete_old_bulk_edit_rows(*, actor: Model, at: datetime) -> int:
    """Delete a batch of old rows of logs. Returns their number."""
    oldest = _old_rows(at).order_by("id").values("pk")[:LOG_BATCH]
    return BulkEditRow.objects.filter(pk__in=list(oldest.values_list("pk", flat=True))).delete()[0]

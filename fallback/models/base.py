"""Shared bases of this app's models."""

from collections.abc import Callable
from typing import Any

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from missionsite.common.annotations import StrOrPromise
from missionsite.common.constraints import CheckConstraint, not_blank_check
from missionsite.common.ids import UlidField
from missionsite.common.querysets import QuerySet

# The foreign key itself deletes or clears the row, for raw SQL too: OnDelete in the migrations.
BY_DATABASE = models.DO_NOTHING


class TimestampedModel(models.Model):
    """A row with a ULID and the times of its creation and last change, all set by the database."""

    id = UlidField()
    created_at = models.DateTimeField(_("created"), db_default=TransactionNow(), editable=False)
    updated_at = models.DateTimeField(_("updated"), db_default=TransactionNow(), editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        abstract = True


def name_check(table: str, field: str = "name") -> CheckConstraint:
    """The constraint that a name or title is not empty."""
    return not_blank_check(table, field, _("Enter a title.") if field == "title" else _("Enter a name."))


def range_check(field: str, limits: tuple[int, int], *, name: str, message: StrOrPromise) -> CheckConstraint:
    """The constraint that a number is within limits, both inclusive. message: with {low} and {high}."""
    low, high = limits
    return CheckConstraint(
        condition=Q(**{f"{field}__range": limits}),
        name=name,
        violation_error_message=format_lazy(message, low=f"{low:,}", high=f"{high:,}"),
        field=field,
    )


def within_project(to: str, on_delete: Callable[..., Any] = models.PROTECT, **options: Any) -> models.ForeignKey:
    """A foreign key within a project: the constraint covers both columns and is created by the migration's SQL."""
    return models.ForeignKey(to, on_delete, db_constraint=False, **options)


class NamedIndex(models.Index):
    """An index with a name of up to 63 characters, PostgreSQL's limit; Django's check allows 30."""

    max_name_length = 63

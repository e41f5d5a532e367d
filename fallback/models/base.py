"""Shared bases of this app's models."""

from django.contrib.postgres.functions import TransactionNow
from django.db import models

from missionsite.common.constraints import not_blank_check
from missionsite.common.ids import UlidField

# The foreign key itself deletes or clears the row, for raw SQL too: links_within_project.sql, fallback_links.sql.
BY_DATABASE = models.DO_NOTHING


class TimestampedModel(models.Model):
    """A row with a ULID and the times of its creation and last change, all set by the database."""

    id = UlidField()
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)
    updated_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        abstract = True


def name_check(table: str, field: str = "name") -> models.CheckConstraint:
    """The constraint that a name is not empty."""
    return not_blank_check(table, field, "Enter a name.")


def within_project(to: str, on_delete=models.PROTECT, **options) -> models.ForeignKey:
    """A foreign key within a project: the constraint covers both columns and is created by the migration's SQL."""
    return models.ForeignKey(to, on_delete, db_constraint=False, **options)


class NamedIndex(models.Index):
    """An index with a name of up to 63 characters, PostgreSQL's limit; Django's check allows 30."""

    max_name_length = 63

"""What the tables of this app have in common."""

from django.contrib.postgres.functions import TransactionNow
from django.db import models

from missionsite.common.constraints import not_blank_check
from missionsite.common.ids import UlidField

# The foreign key itself deletes or clears the row, for raw SQL too: links_within_project.sql, fallback_links.sql.
BY_DATABASE = models.DO_NOTHING


class TimestampedModel(models.Model):
    """A row with a ULID, and when it was made and last changed; all three are kept by the database."""

    id = UlidField()
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)
    updated_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        abstract = True


def name_check(table: str, field: str = "name") -> models.CheckConstraint:
    """The constraint that a row is called something."""
    return not_blank_check(table, field, "Enter a name.")


def within_project(to: str, on_delete=models.PROTECT, **options) -> models.ForeignKey:
    """A link to a row of the same project: the constraint covers both columns and is made in the migration's SQL."""
    return models.ForeignKey(to, on_delete, db_constraint=False, **options)


class NamedIndex(models.Index):
    """An index whose name is given from outside; PostgreSQL takes 63 characters, Django's own check only 30."""

    max_name_length = 63

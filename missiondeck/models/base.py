"""What the tables of this app have in common."""

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import Q

# The foreign key itself deletes, for raw SQL too: sql/rules.sql.
BY_DATABASE = models.DO_NOTHING


class Kept(models.Model):
    """A row with a UUID and the time it was made; both are the database's."""

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        abstract = True


def known(table: str, field: str, choices) -> models.CheckConstraint:
    """The constraint that a column holds one of its choices."""
    return models.CheckConstraint(condition=Q(**{f"{field}__in": choices.values}), name=f"{table}_{field}_known")


def written(table: str, field: str, sentence: str) -> models.CheckConstraint:
    """The constraint that a text has something in it."""
    return models.CheckConstraint(
        condition=~Q(**{f"{field}__regex": r"^\s*$"}),
        name=f"{table}_{field}_not_empty",
        violation_error_message=sentence,
    )

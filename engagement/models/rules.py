"""Constraints several tables of this app have."""

from django.db import models
from django.db.models import Q

# The foreign key itself deletes, for raw SQL too: machine.sql.
BY_DATABASE = models.DO_NOTHING


def known(table: str, field: str, choices) -> models.CheckConstraint:
    """The constraint that a column holds one of its choices."""
    return models.CheckConstraint(condition=Q(**{f"{field}__in": choices.values}), name=f"{table}_{field}_known")

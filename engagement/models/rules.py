"""Constraints several tables of this app have."""

from django.db import models
from django.db.models import Q


def known(table: str, field: str, choices) -> models.CheckConstraint:
    """The constraint that a column holds one of its choices."""
    return models.CheckConstraint(condition=Q(**{f"{field}__in": choices.values}), name=f"{table}_{field}_known")

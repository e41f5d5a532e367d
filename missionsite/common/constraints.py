"""Constraints many tables have."""

from django.db import models
from django.db.models import Q


def known(table: str, field: str, choices) -> models.CheckConstraint:
    """The constraint that a column holds one of its choices (or NULL, where the column may)."""
    return models.CheckConstraint(condition=Q(**{f"{field}__in": choices.values}), name=f"{table}_{field}_known")


def written(table: str, field: str, sentence: str) -> models.CheckConstraint:
    """The constraint that a text has something in it. sentence: what a form says otherwise."""
    return models.CheckConstraint(
        condition=~Q(**{f"{field}__regex": r"^\s*$"}),
        name=f"{table}_{field}_not_empty",
        violation_error_message=sentence,
    )

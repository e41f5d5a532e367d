"""Constraints that many tables share."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models import Q


def choices_check(table: str, field: str, choices) -> models.CheckConstraint:
    """A constraint that a column contains one of its choices (or NULL, if it is nullable)."""
    return models.CheckConstraint(condition=Q(**{f"{field}__in": choices.values}), name=f"{table}_{field}_known")


def not_blank_check(table: str, field: str, message: str) -> models.CheckConstraint:
    """A constraint that a text is not blank. message: the error shown in forms."""
    return models.CheckConstraint(
        condition=~Q(**{f"{field}__regex": r"^\s*$"}),
        name=f"{table}_{field}_not_empty",
        violation_error_message=message,
    )


# Line breaks, tabs and all other control characters: C0 without NUL (which PostgreSQL cannot store), DEL, C1, and
# Unicode's line and paragraph separators. Has the same meaning in PostgreSQL, Python and JSON Schema.
CONTROL_CHARACTERS = r"[\u0001-\u001f\u007f-\u009f\u2028\u2029]"
ONE_LINE_ERROR = "Enter a single line, without line breaks or other control characters."
_CONTROL_CHARACTERS = re.compile(CONTROL_CHARACTERS)


def is_one_line(text: str) -> bool:
    """Whether a text contains no line break or other control character."""
    return not _CONTROL_CHARACTERS.search(text)


def validate_one_line(text: str) -> None:
    """Raise ValidationError for a text with more than one line."""
    if not is_one_line(text):
        raise ValidationError(ONE_LINE_ERROR, code="one_line")


def replace_control_characters(text: str) -> str:
    """The text with each line break and control character replaced by a space."""
    return _CONTROL_CHARACTERS.sub(" ", text)


def one_line_checks(table: str, *fields: str) -> list[OneLineCheck]:
    """Constraints `<table>_<field>_one_line`: entered texts have a single line.

    Forms show the error at the field; the database's error is translated to NotOneLine with the field.
    """
    return [OneLineCheck(table, field) for field in fields]


class OneLineCheck(models.CheckConstraint):
    """The constraint of one_line_checks(); validated without a query."""

    def __init__(self, table: str, field: str) -> None:
        self.table, self.field = table, field
        super().__init__(
            condition=~Q(**{f"{field}__regex": CONTROL_CHARACTERS}),
            name=f"{table}_{field}_one_line",
            violation_error_message=ONE_LINE_ERROR,
        )

    def validate(self, model, instance, exclude=None, using=DEFAULT_DB_ALIAS) -> None:
        """Raise ValidationError at the field."""
        value = getattr(instance, self.field)
        if not (exclude and self.field in exclude) and isinstance(value, str) and not is_one_line(value):
            raise ValidationError({self.field: ValidationError(ONE_LINE_ERROR, code="one_line")})

    def deconstruct(self):
        """As Django's CheckConstraint: the database constraint is the same."""
        _path, arguments, options = super().deconstruct()
        return "django.db.models.CheckConstraint", arguments, options

    def clone(self) -> OneLineCheck:
        return OneLineCheck(self.table, self.field)

"""Constraints many tables have."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models import Q


def choices_check(table: str, field: str, choices) -> models.CheckConstraint:
    """The constraint that a column holds one of its choices (or NULL, where the column may)."""
    return models.CheckConstraint(condition=Q(**{f"{field}__in": choices.values}), name=f"{table}_{field}_known")


def not_blank_check(table: str, field: str, sentence: str) -> models.CheckConstraint:
    """The constraint that a text has something in it. sentence: what a form says otherwise."""
    return models.CheckConstraint(
        condition=~Q(**{f"{field}__regex": r"^\s*$"}),
        name=f"{table}_{field}_not_empty",
        violation_error_message=sentence,
    )


# Line breaks, tabs and all other control characters: C0 without NUL, which PostgreSQL stores in no text, DEL, C1, and
# Unicode's separators of lines and paragraphs. PostgreSQL, Python and JSON Schema read this alike.
CONTROL_CHARACTERS = r"[\u0001-\u001f\u007f-\u009f\u2028\u2029]"
ONE_LINE_ERROR = "Enter a single line, without line breaks or other control characters."
_CONTROL_CHARACTERS = re.compile(CONTROL_CHARACTERS)


def is_one_line(text: str) -> bool:
    """Whether a text has neither a line break nor another control character."""
    return not _CONTROL_CHARACTERS.search(text)


def validate_one_line(text: str) -> None:
    """Raise ValidationError for a text that is not of one line."""
    if not is_one_line(text):
        raise ValidationError(ONE_LINE_ERROR, code="one_line")


def replace_control_characters(text: str) -> str:
    """A text with a blank in place of each line break and control character, for a format that allows none."""
    return _CONTROL_CHARACTERS.sub(" ", text)


def one_line_checks(table: str, *fields: str) -> list[OneLineCheck]:
    """The constraints that texts people or clients type are of one line: `<table>_<field>_one_line`.

    A form shows the error at the field; raised by the database, it is NotOneLine, which names the field.
    """
    return [OneLineCheck(table, field) for field in fields]


class OneLineCheck(models.CheckConstraint):
    """The constraint of one_line_checks(); validated without asking the database."""

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
        """As Django's own: for the database it is the same."""
        _path, arguments, options = super().deconstruct()
        return "django.db.models.CheckConstraint", arguments, options

    def clone(self) -> OneLineCheck:
        return OneLineCheck(self.table, self.field)

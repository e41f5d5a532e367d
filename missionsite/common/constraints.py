"""Constraints that many tables share."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


def _without_texts(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in _TEXTS}


def _in_database(constraint: models.BaseConstraint) -> tuple[str, Any, dict[str, Any]]:
    path, arguments, options = constraint.deconstruct()
    return path, arguments, _without_texts(options)


_TEXTS = ("violation_error_message", "violation_error_code")


class _WithField(models.BaseConstraint):
    """A constraint whose error belongs to a field; migrations contain Django's class, without texts."""

    def __init__(self, *args: Any, field: str | None = None, **options: Any) -> None:
        """field: the input field that the error is about, if any."""
        super().__init__(*args, **options)
        self.field = field

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: Any = DEFAULT_DB_ALIAS) -> None:
        """Raise ValidationError at the field; without a field in the form, for the whole form."""
        try:
            super().validate(model, instance, exclude=exclude, using=using)
        except ValidationError as error:
            if self.field and not hasattr(error, "error_dict") and self.field not in (exclude or ()):
                raise ValidationError({self.field: error}) from error
            raise

    def deconstruct(self) -> Any:
        _path, arguments, options = super().deconstruct()
        kind = "CheckConstraint" if isinstance(self, models.CheckConstraint) else "UniqueConstraint"
        return f"django.db.models.{kind}", arguments, _without_texts(options)

    def __eq__(self, other: object) -> bool:
        """Whether the database would have the same constraint; texts do not matter."""
        if not isinstance(other, models.BaseConstraint):
            return NotImplemented
        return _in_database(self) == _in_database(other)

    __hash__ = models.BaseConstraint.__hash__

    def clone(self) -> Any:
        """A copy with its texts, which the class of an abstract model takes."""
        _path, arguments, options = super().deconstruct()
        return type(self)(*arguments, field=self.field, **options)


class CheckConstraint(_WithField, models.CheckConstraint):
    """Django's CheckConstraint with `field`."""


class NotFutureCheck(CheckConstraint):
    """The constraint of not_future_check(); validated without a query."""

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: Any = DEFAULT_DB_ALIAS) -> None:
        """Raise ValidationError at the field."""
        field = self.field or ""
        value = getattr(instance, field)
        if field in (exclude or ()) or not isinstance(value, datetime):
            return
        if value > timezone.now() + CLOCK_TOLERANCE:
            error = ValidationError(self.get_violation_error_message(), code=self.violation_error_code)
            raise ValidationError({field: error})


class UniqueConstraint(_WithField, models.UniqueConstraint):
    """Django's UniqueConstraint with `field`."""


def choices_check(table: str, field: str, choices: Any) -> models.CheckConstraint:
    """A constraint that a column contains one of its choices (or NULL, if it is nullable)."""
    return models.CheckConstraint(condition=Q(**{f"{field}__in": choices.values}), name=f"{table}_{field}_known")


def not_blank_check(table: str, field: str, message: str | Promise, *, code: str | None = None) -> CheckConstraint:
    """A constraint that a text is not blank. message: the error at the field. code: of the API, by default the name."""
    return CheckConstraint(
        condition=~Q(**{f"{field}__regex": r"^\s*$"}),
        name=f"{table}_{field}_not_empty",
        violation_error_message=message,
        violation_error_code=code,
        field=field,
    )


# Tolerance for clocks that differ, and for time zones.
CLOCK_TOLERANCE = timedelta(days=1)


def not_future_check(table: str, field: str, message: str | Promise, *, code: str) -> NotFutureCheck:
    """A constraint `<table>_<field>_not_in_future`: a time is not after now, with CLOCK_TOLERANCE.

    A row that satisfies it does so for ever, so a dump can always be restored.
    """
    return NotFutureCheck(
        condition=Q(**{f"{field}__lte": Now() + CLOCK_TOLERANCE}) | Q(**{f"{field}__isnull": True}),
        name=f"{table}_{field}_not_in_future",
        violation_error_message=message,
        violation_error_code=code,
        field=field,
    )


def not_before_check(table: str, field: str, earlier: str, message: str | Promise, *, code: str) -> CheckConstraint:
    """A constraint `<table>_<field>_order`: a time is not before another of the row, with CLOCK_TOLERANCE.

    The tolerance is for a time of the site beside one of the database.
    """
    return CheckConstraint(
        condition=Q(**{f"{field}__gte": F(earlier) - CLOCK_TOLERANCE}) | Q(**{f"{field}__isnull": True}),
        name=f"{table}_{field}_order",
        violation_error_message=message,
        violation_error_code=code,
        field=field,
    )


# Line breaks, tabs and all other control characters: C0 without NUL (which PostgreSQL cannot store), DEL, C1, and
# Unicode's line and paragraph separators. Has the same meaning in PostgreSQL, Python and JSON Schema.
CONTROL_CHARACTERS = r"[\u0001-\u001f\u007f-\u009f\u2028\u2029]"
ONE_LINE_ERROR = _("Enter a single line, without line breaks or other control characters.")
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


class OneLineCheck(CheckConstraint):
    """The constraint of one_line_checks(); validated without a query."""

    field: str

    def __init__(self, table: str, field: str) -> None:
        self.table = table
        super().__init__(
            condition=~Q(**{f"{field}__regex": CONTROL_CHARACTERS}),
            name=f"{table}_{field}_one_line",
            violation_error_message=ONE_LINE_ERROR,
            field=field,
        )

    def validate(self, model: Any, instance: Any, exclude: Any = None, using: Any = DEFAULT_DB_ALIAS) -> None:
        """Raise ValidationError at the field."""
        value = getattr(instance, self.field)
        if not (exclude and self.field in exclude) and isinstance(value, str) and not is_one_line(value):
            raise ValidationError({self.field: ValidationError(ONE_LINE_ERROR, code="one_line")})

    def clone(self) -> OneLineCheck:
        return OneLineCheck(self.table, self.field)

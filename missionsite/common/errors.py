"""Errors of business rules: every rule that a user can violate raises a DomainError.

A rule that a constraint of a model checks has its message there (`violation_error_message`), and the error of the
database becomes a ConstraintViolated with it. A rule that Python, a trigger or a policy checks has a subclass with
`message`; for a trigger or policy, `constraint` is the name it raises. `translate_db_errors` converts the errors.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
from django.apps import apps
from django.db import DatabaseError, DataError, InterfaceError, OperationalError
from django.db.models import BaseConstraint, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from missionsite.common.annotations import StrOrPromise

# Seconds after which a client may retry while the database is unavailable.
RETRY_AFTER = 5


class DomainError(Exception):
    """A business rule rejected the change. message: the sentence shown to the user."""

    message: StrOrPromise = _("The change was rejected.")
    code = "rejected"
    # The name that a trigger or policy of the database raises for the rule.
    constraint: str | None = None
    # The input field that the error is about, if any.
    field: str | None = None
    # HTTP status of the problem document.
    status = 409

    by_constraint: dict[str, type["DomainError"]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if name := cls.__dict__.get("constraint"):
            DomainError.by_constraint[name] = cls

    def __init__(self, message: StrOrPromise | None = None, *, field: str | None = None) -> None:
        self.message = str(message or self.message)
        if field:
            self.field = field
        super().__init__(self.message)


class NotAllowed(DomainError):
    """The user lacks a permission."""

    message = _("You do not have permission to do this.")
    code = "not_allowed"
    status = 403


class ValueRejected(DomainError):
    """A value does not fit the type of its column."""

    message = _("A value is outside the range that the database accepts.")
    code = "value_rejected"
    status = 422


class NotOneLine(DomainError):
    """A constraint of one_line_checks() was violated."""

    message = _("Enter a single line, without line breaks or other control characters.")
    code = "not_one_line"
    status = 422


class ConstraintViolated(ValueRejected):
    """A constraint of a model was violated; message, code and field are those of the constraint."""

    def __init__(self, rule: BaseConstraint, *, field: str | None = None) -> None:
        self.constraint = rule.name
        if isinstance(rule, UniqueConstraint):
            self.status = 409
        self.code = rule.violation_error_code or rule.name
        super().__init__(rule.violation_error_message, field=field or getattr(rule, "field", None))


# Messages for errors without a named constraint (SQLSTATE classes 22, 23 and 42).
# Source: PostgreSQL manual, appendix A.
_SQLSTATES = {
    "22001": _("A text is too long for its field."),
    "22003": _("A number is too large."),
    "22007": _("A date or time is not valid."),
    "22008": _("A date is out of range."),
    "22P02": _("A value has the wrong format."),
    "22P05": _("A text contains a character that cannot be stored."),
    "23502": _("A required value is missing."),
    "23503": _("A referenced entry does not exist, or this entry is still in use."),
    "23505": _("An entry with these values already exists."),
    "23514": _("These values are not allowed together."),
    "42501": _("The database does not allow this."),
}


@cache
def model_constraints() -> dict[str, BaseConstraint]:
    """Return the constraints of all models that have a message of their own, by name."""
    rules = (rule for model in apps.get_models() for rule in model._meta.constraints)
    default = BaseConstraint.default_violation_error_message
    return {
        rule.name: rule
        for rule in rules
        if rule.violation_error_message != default and not rule.name.endswith("_one_line")
    }


def violated(name: str, *, field: str | None = None) -> ConstraintViolated:
    """Return the error of a model's constraint, for a service that checks the rule before the database does.

    field: the input field, if its name is not that of the model's field.
    """
    return ConstraintViolated(model_constraints()[name], field=field)


def constraint_of(error: DatabaseError) -> str:
    """Return the name of the constraint that a database error is about; empty for none."""
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""


def from_database(error: DatabaseError) -> DomainError | None:
    """The DomainError for a constraint or data error of the database; None for other database errors."""
    diag = getattr(error.__cause__, "diag", None)
    if diag is None:
        return None
    name = diag.constraint_name or ""
    if rejection := DomainError.by_constraint.get(name):
        return rejection()
    if rule := model_constraints().get(name):
        return ConstraintViolated(rule)
    if name.endswith("_one_line"):
        # The constraints of one_line_checks(): <table>_<column>_one_line.
        return NotOneLine(field=name.removeprefix(f"{diag.table_name}_").removesuffix("_one_line"))
    if diag.sqlstate is None and isinstance(error, DataError):
        # The driver itself rejects NUL characters, which no text in the database can contain.
        return ValueRejected(_SQLSTATES["22P05"])
    if diag.sqlstate == "42501":
        return NotAllowed()
    if message := _SQLSTATES.get(diag.sqlstate or ""):
        return ValueRejected(message)
    return None


def is_unavailable(error: BaseException | None) -> bool:
    """Whether an error means that the database is unavailable or read-only, so that a retry may succeed."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, _UNAVAILABLE):
            return True
        error = error.__cause__ or error.__context__
    return False


_UNAVAILABLE = (
    OperationalError,
    InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    # A standby, or a read-only server.
    psycopg.errors.ReadOnlySqlTransaction,
)


@contextmanager
def translate_db_errors() -> Iterator[None]:
    """Raise the DomainError for a constraint error of the database.

    Use it around a transaction, not inside: after a database error the transaction cannot continue.
    """
    try:
        yield
    except DatabaseError as error:
        if rejection := from_database(error):
            raise rejection from error
        raise

"""Errors of business rules: every rule that a user can violate has a DomainError subclass.

The docstring of a subclass is its message. If a constraint, trigger or policy of the database checks the rule,
`constraint` is its name, and `translate_db_errors` raises the subclass for the database's error.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import DatabaseError, DataError, InterfaceError, OperationalError

# Seconds after which a client may retry while the database is unavailable.
RETRY_AFTER = 5


class DomainError(Exception):
    """The change was rejected."""

    code = "rejected"
    # Name of the constraint or trigger that checks the rule in the database.
    constraint: str | None = None
    # The input field that the error is about, if any.
    field: str | None = None
    # HTTP status of the problem document.
    status = 409

    by_constraint: dict[str, type["DomainError"]] = {}

    def __init_subclass__(cls, **kwargs) -> None:
        super().__init_subclass__(**kwargs)
        if name := cls.__dict__.get("constraint"):
            DomainError.by_constraint[name] = cls

    def __init__(self, message: str | None = None, *, field: str | None = None) -> None:
        self.message = message or type(self).__doc__.strip().splitlines()[0]
        if field:
            self.field = field
        super().__init__(self.message)


class NotAllowed(DomainError):
    """You do not have permission to do this."""

    code = "not_allowed"
    status = 403


class ValueRejected(DomainError):
    """A value is outside the range that the database accepts."""

    code = "value_rejected"
    status = 422


class NotOneLine(DomainError):
    """Enter a single line, without line breaks or other control characters."""

    code = "not_one_line"
    status = 422


# Messages for errors without a named constraint (SQLSTATE classes 22, 23 and 42).
# Source: PostgreSQL manual, appendix A.
_SQLSTATES = {
    "22001": "A text is too long for its field.",
    "22003": "A number is too large.",
    "22007": "A date or time is not valid.",
    "22008": "A date is out of range.",
    "22P02": "A value has the wrong format.",
    "22P05": "A text contains a character that cannot be stored.",
    "23502": "A required value is missing.",
    "23503": "A referenced entry does not exist, or this entry is still in use.",
    "23505": "An entry with these values already exists.",
    "23514": "These values are not allowed together.",
    "42501": "The database does not allow this.",
}


def from_database(error: DatabaseError) -> DomainError | None:
    """The DomainError for a constraint or data error of the database; None for other database errors."""
    diag = getattr(error.__cause__, "diag", None)
    if diag is None:
        return None
    if rejection := DomainError.by_constraint.get(diag.constraint_name or ""):
        return rejection()
    if (name := diag.constraint_name or "").endswith("_one_line"):
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

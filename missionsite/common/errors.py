"""Rejections in words: every rule a person can run into is a DomainError subclass.

The docstring of a subclass is its sentence. Where the rule is a constraint, trigger or policy of the database,
`constraint` carries its name, and `translate_db_errors` turns the database's rejection into that sentence.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import DatabaseError, DataError, InterfaceError, OperationalError

# Seconds after which a client may ask again, where the database is away.
RETRY_AFTER = 5


class DomainError(Exception):
    """The change was rejected."""

    code = "rejected"
    # Name of the constraint or trigger that says the same in the database.
    constraint: str | None = None
    # The input a person should look at, where there is one.
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
    """You do not have the right to do this."""

    code = "not_allowed"
    status = 403


class ValueRejected(DomainError):
    """A value is outside what the database accepts."""

    code = "value_rejected"
    status = 422


class NotOneLine(DomainError):
    """Enter a single line, without line breaks or other control characters."""

    code = "not_one_line"
    status = 422


# What PostgreSQL says of a value no constraint is named for (SQLSTATE classes 22 and 23).
# Source: PostgreSQL manual, appendix A.
_SQLSTATES = {
    "22001": "A text is longer than its field allows.",
    "22003": "A number is too large.",
    "22007": "A date or time is not valid.",
    "22008": "A date is out of range.",
    "22P02": "A value has the wrong form.",
    "22P05": "A text contains a character that cannot be stored.",
    "23502": "A required value is missing.",
    "23503": "Something this refers to does not exist, or is still referred to.",
    "23505": "An entry with these values exists already.",
    "23514": "The values do not fit together.",
    "42501": "The database does not allow this.",
}


def from_database(error: DatabaseError) -> DomainError | None:
    """The sentence for a rejection of the database; None where the error is no rejection but a fault."""
    diag = getattr(error.__cause__, "diag", None)
    if diag is None:
        return None
    if rejection := DomainError.by_constraint.get(diag.constraint_name or ""):
        return rejection()
    if (name := diag.constraint_name or "").endswith("_one_line"):
        # The constraints of one_line_checks(): <table>_<column>_one_line.
        return NotOneLine(field=name.removeprefix(f"{diag.table_name}_").removesuffix("_one_line"))
    if diag.sqlstate is None and isinstance(error, DataError):
        # The driver itself rejects a NUL; the database has no text with one.
        return ValueRejected(_SQLSTATES["22P05"])
    if diag.sqlstate == "42501":
        return NotAllowed()
    if sentence := _SQLSTATES.get(diag.sqlstate or ""):
        return ValueRejected(sentence)
    return None


def is_unavailable(error: BaseException | None) -> bool:
    """Whether an error comes from a database that is away or takes no changes; try again later."""
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
    # A standby, or a server that was made read-only.
    psycopg.errors.ReadOnlySqlTransaction,
)


@contextmanager
def translate_db_errors() -> Iterator[None]:
    """Raise the DomainError for a rejection of the database.

    Wrap it around a transaction, not inside one: after a rejection the transaction is over.
    """
    try:
        yield
    except DatabaseError as error:
        if rejection := from_database(error):
            raise rejection from error
        raise

"""How rows that refer to a person move when two people are merged: each app registers its own.

Every foreign key to a member or to a directory entry is registered as `Moves` or `Stays`; a test finds a forgotten one.
What an app has to do besides, such as ending one of two active memberships, is a step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from django.db.models import Model

from missionsite.common.annotations import StrOrPromise


@dataclass(frozen=True)
class Moves:
    """Rows that refer to the kept person after a merge.

    model: `app_label.ModelName`. field: the foreign key. unless: columns of a row that the kept person must not have
    already; a row with the same values stays. where: a further condition, in SQL on `t`.
    """

    model: str
    field: str
    unless: tuple[str, ...] = ()
    where: str = "true"


@dataclass(frozen=True)
class Stays:
    """Rows that keep referring to the absorbed person: facts of the past, credentials, one row per person.

    Selectors that need them resolve `merged_into`.
    """

    model: str
    field: str
    why: StrOrPromise


class MergeRun(Protocol):
    """A merge under way, as its steps see it. kept, absorbed: the accounts. merge: its record."""

    merge: Any
    kept: Any
    absorbed: Any

    def rewrite(self, model: type[Model], sets: dict[str, str], where: str, **values: Any) -> int: ...


Step = Callable[[MergeRun], None]

_references: dict[tuple[str, str], Moves | Stays] = {}
_steps: list[Step] = []


def register_references(*references: Moves | Stays, steps: tuple[Step, ...] = ()) -> None:
    """Register the references of an app, in `AppConfig.ready`. steps: run before the rows move, for two accounts."""
    for reference in references:
        _references[reference.model.lower(), reference.field] = reference
    _steps.extend(step for step in steps if step not in _steps)


def references() -> list[Moves | Stays]:
    """Return all registered references, in an order that never changes."""
    return [_references[key] for key in sorted(_references)]


def merge_steps() -> tuple[Step, ...]:
    return tuple(_steps)


_identities: list[str] = []


def register_identity(query: str) -> None:
    """Register what identifies people besides their accounts and entries, for the search of duplicates.

    query: SQL that returns the ID of the account, the reason, such as `phone`, and the key.
    """
    if query not in _identities:
        _identities.append(query)


def identity_queries() -> tuple[str, ...]:
    return tuple(_identities)

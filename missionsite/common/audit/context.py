"""The changeset of a request, job, command or import, and the context that triggers record.

A changeset is a context of pghistory: one UUID in `pgh_context_id` of every history row and in `changeset_id` of
every event that was written in it, so that the changes can be found together. The site's middleware opens one for each
request, `in_changeset` one for each job; a service outside of both opens its own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast
from uuid import UUID

import pghistory
from django.db import connection
from django.db.models import Model, TextChoices
from django.utils.translation import gettext_lazy as _

P = ParamSpec("P")
R = TypeVar("R")


class Origin(TextChoices):
    """Who caused an event."""

    SYSTEM = "system", _("System")
    USER = "user", _("Person")
    AGENT = "agent", _("Agent")
    FALLBACK = "fallback", _("Fallback")


@contextmanager
def changeset(**metadata: str) -> Iterator[UUID]:
    """Run the block in one changeset, and yield its id. Inside another changeset, the block belongs to that one.

    metadata: what pghistory stores with the changes, such as `user` (the id of the actor) or `job`. Inside another
    changeset it fills in what that one does not have.
    """
    if current := current_changeset():
        describe_changeset(**metadata)
        yield current
        return
    with pghistory.context(**metadata) as context:
        yield context.id


def describe_changeset(**metadata: str) -> None:
    """Add to the metadata of the current changeset what it does not have yet; without a changeset, do nothing."""
    if context := getattr(pghistory.runtime._tracker, "value", None):
        for name, value in metadata.items():
            if context.metadata.get(name) is None:
                context.metadata[name] = value


def in_changeset(function: Callable[P, R]) -> Callable[P, R]:
    """Run each call of a job or command in one changeset, with the names of app and function as `job`."""
    job = f"{function.__module__.partition('.')[0]}.{function.__name__}"

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with changeset(job=job):
            return function(*args, **kwargs)

    return run


def set_audit_context(actor: Model, *, origin: Origin | None = None, reason: str = "") -> None:
    """Set what the triggers of this transaction record: actor, origin, reason and changeset.

    Call it in a service: when the service ends, the values before it apply again.
    origin: by default `system` for the system member, else `user`.
    """
    _set((str(actor.pk), str(origin or origin_of(actor)), reason, str(current_changeset() or "")))


@contextmanager
def restored_audit_context() -> Iterator[None]:
    """Restore the audit context at the end of the block, which is a savepoint or a whole transaction."""
    outer = _values.get()
    before = outer or _UNSET
    token = _values.set(before)
    try:
        yield
        # A transaction of its own ends with the block, and its settings with it; an error rolls them back.
        if _values.get() != before and connection.savepoint_ids:
            _set(before)
    finally:
        _values.reset(token)


_SETTINGS = ("app.actor_id", "app.event_origin", "app.reason", "pghistory.context_id")
_UNSET = ("",) * len(_SETTINGS)
# The values that apply in the current service; None outside of services.
_values: ContextVar[tuple[str, ...] | None] = ContextVar("audit_context", default=None)


def _set(values: tuple[str, ...]) -> None:
    calls = ", ".join(f"set_config('{name}', %s, true)" for name in _SETTINGS)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {calls}", list(values))
    # The id of the context is one of them.
    cast(Any, connection).history_context = None
    if _values.get() is not None:
        _values.set(values)


def origin_of(actor: Model) -> Origin:
    """Return the origin of what an actor does: `system` for the system member, else `user`."""
    return Origin.SYSTEM if getattr(actor, "is_system", False) else Origin.USER


def current_changeset() -> UUID | None:
    """Return the id of the current changeset, if there is one."""
    context = getattr(pghistory.runtime._tracker, "value", None)
    return context.id if context else None

"""The changeset of a request, job, command or import, and the context that triggers record.

A changeset is a context of pghistory: one UUID in `pgh_context_id` of every history row and in `changeset_id` of
every event that was written in it, so that the changes can be found together. The site's middleware opens one for each
request, `in_changeset` one for each job; a service outside of both opens its own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar
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

    metadata: what pghistory stores with the changes, such as `user` (the id of the actor) or `job`.
    """
    if current := _current():
        yield current
        return
    with pghistory.context(**metadata) as context:
        yield context.id


def in_changeset(function: Callable[P, R]) -> Callable[P, R]:
    """Run each call of a job or command in one changeset, with the function's name as `job`."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with changeset(job=function.__name__):
            return function(*args, **kwargs)

    return run


def set_audit_context(actor: Model, *, origin: Origin | None = None, reason: str = "") -> None:
    """Set what the triggers of this transaction record: actor, origin, reason and changeset.

    origin: by default `system` for the system member, else `user`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('app.actor_id', %s, true), set_config('app.event_origin', %s, true),"
            " set_config('app.reason', %s, true), set_config('pghistory.context_id', %s, true)",
            [str(actor.pk), str(origin or origin_of(actor)), reason, str(_current() or "")],
        )


def origin_of(actor: Model) -> Origin:
    """Return the origin of what an actor does: `system` for the system member, else `user`."""
    return Origin.SYSTEM if getattr(actor, "is_system", False) else Origin.USER


def _current() -> UUID | None:
    context = getattr(pghistory.runtime._tracker, "value", None)
    return context.id if context else None

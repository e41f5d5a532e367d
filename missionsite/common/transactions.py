"""The decorator of services: one transaction, and database errors raised as DomainErrors."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from django.db import transaction
from django.db.models import Model

from missionsite.common.activity import note_change
from missionsite.common.audit.context import changeset, restored_audit_context
from missionsite.common.errors import translate_db_errors

P = ParamSpec("P")
R = TypeVar("R")


def service(function: Callable[P, R]) -> Callable[P, R]:
    """Run a write in one transaction (a savepoint inside another) and raise database errors as DomainErrors.

    Outside of a request or job, each call is a changeset of its own, by the service's `actor`. In a request of the
    actor, it is their activity.
    """

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        actor = kwargs.get("actor")
        metadata = {"user": str(actor.pk)} if isinstance(actor, Model) else {}
        with translate_db_errors(), changeset(**metadata), transaction.atomic(), restored_audit_context():
            result = function(*args, **kwargs)
        if isinstance(actor, Model):
            note_change(actor)
        return result

    cast(Any, run).is_service = True
    return run

"""The decorator of services: one transaction, and database errors raised as DomainErrors."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import transaction

from missionsite.common.errors import translate_db_errors

P = ParamSpec("P")
R = TypeVar("R")


def service(function: Callable[P, R]) -> Callable[P, R]:
    """Run a write in one transaction (a savepoint inside another) and raise database errors as DomainErrors."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with translate_db_errors(), transaction.atomic():
            return function(*args, **kwargs)

    return run

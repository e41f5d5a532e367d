"""The frame of every service: one transaction, refusals in words."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import transaction

from missionsite.common.errors import in_words

P = ParamSpec("P")
R = TypeVar("R")


def service(function: Callable[P, R]) -> Callable[P, R]:
    """Run a write in one transaction (a savepoint inside another); database refusals become DomainErrors."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with in_words(), transaction.atomic():
            return function(*args, **kwargs)

    return run

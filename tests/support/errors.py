"""Expected errors of constraints."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from missionsite.common.errors import ConstraintViolated


@contextmanager
def violates(constraint: str, *, match: str = "") -> Iterator[pytest.ExceptionInfo[ConstraintViolated]]:
    """Expect that the block raises the error of a model's constraint. match: as in pytest.raises."""
    with pytest.raises(ConstraintViolated, match=match or None) as caught:
        yield caught
    assert caught.value.constraint == constraint

"""Scopes of API tokens. Each app registers its scopes in its `scopes.py`."""

import re
from functools import cache

from django.utils.module_loading import autodiscover_modules

from missionsite.common.annotations import StrOrPromise

_scopes: dict[str, StrOrPromise] = {}
_FORM = re.compile(r"[a-z_]+:[a-z_]+")


def register_scope(name: str, description: StrOrPromise) -> str:
    """Register a scope and return its name.

    name: plural noun, colon, verb, as in `missions:read`. description: what it allows, as a short sentence.
    """
    if not _FORM.fullmatch(name):
        raise ValueError(f"A scope has the format missions:read; got {name!r}.")
    if _scopes.setdefault(name, description) != description:
        raise ValueError(f"The scope {name} is registered twice.")
    return name


@cache
def _discover() -> None:
    autodiscover_modules("scopes")


def all_scopes() -> dict[str, str]:
    """All scopes of all apps: {name: description}."""
    _discover()
    return {name: str(description) for name, description in sorted(_scopes.items())}

"""What API tokens can be limited to; each app registers its scopes in its own `scopes.py`."""

import re
from functools import cache

from django.utils.module_loading import autodiscover_modules

_scopes: dict[str, str] = {}
_FORM = re.compile(r"[a-z_]+:[a-z_]+")


def register_scope(name: str, words: str) -> str:
    """Make a scope known and return its name.

    name: `missions:read`: plural noun, colon, verb. words: what a person allows by it, a short sentence.
    """
    if not _FORM.fullmatch(name):
        raise ValueError(f"A scope looks like missions:read, not {name!r}.")
    if _scopes.setdefault(name, words) != words:
        raise ValueError(f"The scope {name} is registered twice.")
    return name


@cache
def _discover() -> None:
    autodiscover_modules("scopes")


def all_scopes() -> dict[str, str]:
    """Every scope of every app, by name, with its words."""
    _discover()
    return dict(sorted(_scopes.items()))

"""Where people are named in free text: searched before a person is erased, which does not change what others wrote.

Each app registers its texts in `AppConfig.ready`. A search of one kind of text ends after a few finds or a short time.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import OperationalError, connection, transaction
from django.db.models import Model, Q

from missionsite.common.annotations import StrOrPromise

# Links shown for one kind of text.
MOST_LINKS = 5
# Of each kind, in milliseconds.
LONGEST_SEARCH = 2_000
# Shorter names are in too many words.
SHORTEST_NAME = 3


@dataclass(frozen=True)
class FreeText:
    """The texts of a model in which people may be named.

    model: its label, such as `groups.Task`. noun: the plural, such as "tasks". link: the address of the page that shows
    an object. permission: who may see the page. related: the foreign keys that `link` and the name of an object need.
    """

    model: str
    noun: StrOrPromise
    fields: Sequence[str]
    link: Callable[[Any], str]
    permission: str
    related: Sequence[str] = ()


@dataclass(frozen=True)
class Mentions:
    """What was found in one kind of text. has_more: there are more than the links. is_complete: the time was enough."""

    noun: StrOrPromise
    links: list[tuple[str, str]] = field(default_factory=list)
    has_more: bool = False
    is_complete: bool = True


_texts: list[FreeText] = []


def register_free_texts(*texts: FreeText) -> None:
    """Register texts of an app, in `AppConfig.ready`."""
    _texts.extend(texts)


def registered_free_texts() -> tuple[FreeText, ...]:
    return tuple(_texts)


def find_mentions(names: Iterable[str], *, may: Callable[[str], bool]) -> list[Mentions]:
    """Return where one of the names stands as a whole word, in the texts whose pages the caller may see.

    may: whether the caller has a permission. Kinds of text without a find are left out, unless the time was not enough.
    """
    pattern = _pattern(names)
    if not pattern:
        return []
    found = [_find(text, pattern) for text in _texts if may(text.permission)]
    return [each for each in found if each.links or not each.is_complete]


def _find(text: FreeText, pattern: str) -> Mentions:
    model = apps.get_model(text.model)
    named = Q()
    for name in text.fields:
        named |= Q(**{f"{name}__iregex": pattern})
    rows = model._default_manager.filter(named).select_related(*text.related).order_by("-pk")
    try:
        with transaction.atomic():
            usual = _set_timeout(str(LONGEST_SEARCH))
            objects: list[Model] = list(rows[: MOST_LINKS + 1])
            _set_timeout(usual)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != "57014":
            raise
        return Mentions(text.noun, is_complete=False)
    links = [(str(each), text.link(each)) for each in objects[:MOST_LINKS]]
    return Mentions(text.noun, links, has_more=len(objects) > MOST_LINKS)


def _set_timeout(value: str) -> str:
    """Set the time limit of statements in this transaction, and return the one before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout')")
        before = str(cursor.fetchone()[0])
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [value])
    return before


def _pattern(names: Iterable[str]) -> str:
    """Return a regular expression of PostgreSQL for the names as whole words; empty without one."""
    known = {name.strip().lstrip("@") for name in names if name}
    parts = [_word(name) for name in sorted(known, key=len, reverse=True) if len(name) >= SHORTEST_NAME]
    return "|".join(parts)


def _word(name: str) -> str:
    start, end = r"\m" if name[0].isalnum() else "", r"\M" if name[-1].isalnum() else ""
    return start + re.sub(r"[^\w\s]", r"\\\g<0>", name) + end

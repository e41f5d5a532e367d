"""Indexed search by stable ID, prefix of a text or prefix of a word without regard to accents."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.db.models.functions import Lower

from missionsite.common.search_words import SearchWords, words_query

# Most results of one search; with more, the page asks for a more specific term.
FOUND_AT_MOST = 1_000
LONGEST = 255
_STABLE_ID = re.compile(r"FE-([A-Z])-?(\d{0,14})", re.IGNORECASE)
_NUMBER = re.compile(r"#?(\d{1,14})")


@dataclass(frozen=True)
class Found:
    """The primary keys a search found; `more` is true when it stopped at its limit."""

    ids: list
    more: bool = False


@dataclass(frozen=True)
class Search:
    """The columns to search.

    stable_id: the unique column of stable IDs. kinds: the letters its IDs have (FE-P-…). prefixes: columns with an
    index on lower(column) text_pattern_ops. words: one or two columns with one GIN index on their SearchWords.
    """

    stable_id: str
    kinds: str
    prefixes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def exact(self, term: str) -> str | None:
        """The stable ID in its standard form if the text is one (FE-P-00042, fe-p-42), else None."""
        match = _STABLE_ID.fullmatch(term.strip())
        if not match or not match[2]:
            return None
        return f"FE-{match[1].upper()}-{match[2].lstrip('0').zfill(5)}"

    def find(self, queryset: QuerySet, term: str) -> Found:
        """The row with this stable ID, else the rows that begin with the text, in one query."""
        term = term.strip()[:LONGEST]
        rows = queryset.order_by().select_related(None)
        if exact := self.exact(term):
            return Found(list(rows.filter(**{self.stable_id: exact}).values_list("pk", flat=True)[:2]))
        branches = [branch.values("pk")[: FOUND_AT_MOST + 1] for branch in self._branches(rows, term)]
        if not branches:
            return Found([])
        first, *others = branches
        union = first.union(*others).order_by() if others else first
        ids = list(union.values_list("pk", flat=True))
        return Found(ids[:FOUND_AT_MOST], len(ids) > FOUND_AT_MOST)

    def _branches(self, rows: QuerySet, term: str) -> list[QuerySet]:
        branches = []
        lowered = term.lower()
        if match := _NUMBER.fullmatch(term):
            ids = [f"FE-{kind}-{match[1].lstrip('0').zfill(5)}" for kind in self.kinds]
            branches.append(rows.filter(**{f"{self.stable_id}__in": ids}))
        for column in self.prefixes:
            branches.append(rows.alias(_low=Lower(column)).filter(_low__startswith=lowered))
        if self.words and (query := words_query(term)):
            branches.append(rows.alias(_words=SearchWords(*self.words)).filter(_words=query))
        return branches


Finder = Callable[[QuerySet, str], Found]

"""Open missions whose title is like a given one, so that the same work is not added twice."""

from __future__ import annotations

import re

from django.contrib.postgres.search import SearchQuery, SearchRank
from django.db.models import F, QuerySet

from fallback.models import Mission
from fallback.models.choices import List
from missionsite.common.search_words import SearchWords, search_text

# Words that are shorter say little.
SHORTEST_WORD = 3
# Words of a title that are compared, titles that are compared, and the most that are returned.
MOST_WORDS, COMPARED, SHOWN = 20, 50, 5
# The share of common words among all words of both titles.
LEAST_SHARE = 0.3


def words_of(title: str) -> set[str]:
    """The words of a title that are compared, without case and accents."""
    words = re.findall(r"\w+", search_text(title))
    return {word for word in words if len(word) >= SHORTEST_WORD}


def similar_missions(missions: QuerySet[Mission], title: str) -> list[Mission]:
    """The missions among these that are not done and share enough words with a title, most similar first."""
    words = sorted(words_of(title))[:MOST_WORDS]
    if not words:
        return []
    query = SearchQuery(" | ".join(f"'{word}'" for word in words), config="simple", search_type="raw")
    vector = SearchWords(F("title"))
    candidates = (
        missions.exclude(list=List.DONE)
        .annotate(words=vector, rank=SearchRank(vector, query))
        .filter(words=query)
        .order_by("-rank", "-created_at", "-id")[:COMPARED]
    )
    wanted = set(words)
    shares = [(_share(wanted, words_of(each.title)), each) for each in candidates]
    found = [(share, each) for share, each in shares if share >= LEAST_SHARE]
    return [each for _share_of, each in sorted(found, key=lambda pair: -pair[0])[:SHOWN]]


def _share(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 0.0

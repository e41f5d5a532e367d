"""Search by the beginnings of words, without regard to case, accents and the order of words.

The function search_words of the database makes the words of a text; an index on it answers the search.
"""

import re
import unicodedata

from django.contrib.postgres.search import SearchQuery, SearchVectorField
from django.db.models import Func, TextField

# Letters that do not decompose, and the ones people type for them; the same as in search_words.sql.
_TYPED_AS = str.maketrans(
    {"\u0131": "i", "ł": "l", "đ": "d", "ø": "o", "ð": "d", "ς": "σ", "ħ": "h", "ŧ": "t"}  # noqa: RUF001
    | {"ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"}
)
_MARKS = re.compile("[\u0300-\u036f]")


class SearchWords(Func):
    """The words of one or two columns, for an index and for the search that uses it."""

    function = "search_words"
    output_field = SearchVectorField()


class NameSortKey(Func):
    """The key of a name by which people sort: for an index and for the lists that use it."""

    function = "name_sort_key"
    output_field = TextField()


def search_text(text: str) -> str:
    """Return a text as search_words changes it before it is divided into words."""
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", plain).lower().translate(_TYPED_AS)


def words_query(term: str) -> SearchQuery | None:
    """A query for rows that contain every word as a prefix. None when all words are shorter than two characters."""
    words = re.findall(r"\w+", search_text(term))
    if not words or max(map(len, words)) < 2:
        return None
    return SearchQuery(" & ".join(f"'{word}':*" for word in words), config="simple", search_type="raw")

"""Reply phrases: the language they are written in, and the services that change them."""

import re
import unicodedata
from collections.abc import Iterable, Mapping

from engagement.errors import PhraseInvalid, WordListInUse
from engagement.models import ReplyPhrase
from engagement.rules import Reading
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.changes import apply_changes, check_fields
from missionsite.common.transactions import service

# A longer text is no request; an automatic reply is recognised by its beginning.
MAX_READ_CHARACTERS = 400
# Most words that "..." stands for.
GAP_WORDS = 4

FIELDS = ("reading", "language", "phrase", "match", "word_list", "is_enabled")
_TOKEN = re.compile(r"\.\.\.|…|\{([^{}()]*)\}|\(([^()]*)\)|([(){}])|([^(){}.…]+|\.)")


def plain(text: str) -> str:
    """Normalise a text for matching: lower case letters and digits, no accents, no punctuation, single blanks.

    Keycap and full-width digits become digits.
    """
    decomposed = unicodedata.normalize("NFKD", text[:MAX_READ_CHARACTERS])
    letters = "".join(each for each in decomposed if unicodedata.category(each) not in ("Mn", "Me", "Cf")).casefold()
    # Apostrophes are removed: "don't" becomes "dont". A sign before a digit is kept as a word: "-1" is no reply.
    letters = re.sub(r"(?<=[^\W\d_])['\u2019\u2018`\u00b4](?=[^\W\d_])", "", letters)
    letters = re.sub(r"(?<!\w)([-+\u2212])(?=\d)", r" minus", letters)
    words = re.sub(r"[^\w]+|_", " ", letters).split()
    # "stop stop stop" is one stop, but "1 1" is not 1.
    return " ".join(word for index, word in enumerate(words) if not index or word != words[index - 1] or word.isdigit())


def is_sign(phrase: str) -> bool:
    """Return whether a phrase is a sign such as 🛑."""
    return not any(each.isalnum() or (each.isascii() and not each.isspace()) for each in phrase)


def word_patterns(words: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the pattern of each word list. words: (name of the list, word)."""
    lists: dict[str, list[str]] = {}
    for name, word in words:
        if normal := plain(word):
            lists.setdefault(name, []).append(f"{re.escape(normal)} ")
    # Longest first, so that "any more" is not read as "any".
    return {name: f"(?:{'|'.join(sorted(set(found), key=len, reverse=True))})" for name, found in lists.items()}


def pattern_of(phrase: str, lists: Mapping[str, str]) -> str:
    """Return the pattern of a phrase for a text in which every word is followed by a blank.

    Raises PhraseInvalid for parentheses without a pair, an unknown list, and a phrase that the empty text matches.
    """
    pattern, must_match = _pattern(phrase, lists)
    if not must_match:
        raise PhraseInvalid("empty")
    return pattern


def _pattern(phrase: str, lists: Mapping[str, str]) -> tuple[str, bool]:
    parts: list[str] = []
    must_match = False
    for token in _TOKEN.finditer(phrase):
        name, optional, stray, words = token.groups()
        if stray:
            raise PhraseInvalid("unpaired")
        if name is not None:
            if name.strip() not in lists:
                raise PhraseInvalid("list", name.strip())
            parts.append(lists[name.strip()])
            must_match = True
        elif optional is not None:
            inner, has_words = _pattern(_inner(phrase, token), lists)
            if not has_words:
                raise PhraseInvalid("empty")
            parts.append(f"(?:{inner})?")
        elif words is not None:
            if normal := plain(words):
                parts.append(f"{re.escape(normal)} ")
                must_match = True
        else:
            parts.append(rf"(?:\w+ ){{0,{GAP_WORDS}}}")
    return "".join(parts), must_match


def _inner(phrase: str, token: re.Match[str]) -> str:
    return phrase[token.start() + 1 : token.end() - 1]


# --- Changing phrases -----------------------------------------------------------------------------


@service
def add_phrase(*, actor: Member, reading: str, language: str, phrase: str, **more: str) -> ReplyPhrase:
    """Add a phrase. more: match, word_list. Raises PhraseInvalid."""
    check_fields(more, "match", "word_list", "is_enabled")
    _check(reading, phrase)
    added = ReplyPhrase.objects.create(reading=reading, language=language, phrase=phrase, **more)
    audit("phrase.created", actor=actor, phrase=phrase, reading=reading, language=language)
    return added


@service
def change_phrase(*, actor: Member, row: ReplyPhrase, **changes: str | bool) -> ReplyPhrase:
    """Change a phrase, or take it out of use. Raises PhraseInvalid, WordListInUse."""
    check_fields(changes, *FIELDS)
    current = ReplyPhrase.objects.lock(row.pk)
    before = current.phrase
    if changed := apply_changes(current, changes):
        _check(current.reading, current.phrase)
        _check_lists()
        audit("phrase.changed", actor=actor, phrase=before, reading=current.reading, changed=changed)
    return current


def _check(reading: str, phrase: str) -> None:
    if is_sign(phrase):
        return
    if reading == Reading.WORD:
        if not plain(phrase) or set(phrase) & set("(){}"):
            raise PhraseInvalid("word")
        return
    pattern_of(phrase, word_patterns(_words()))


def _check_lists() -> None:
    """Raise WordListInUse if a phrase in use names a list without a word."""
    lists = word_patterns(_words())
    for using in ReplyPhrase.objects.filter(is_enabled=True, phrase__contains="{"):
        for name in re.findall(r"\{([^{}]*)\}", using.phrase):
            if name.strip() not in lists:
                raise WordListInUse(name=name.strip(), phrase=using.phrase)


def _words() -> Iterable[tuple[str, str]]:
    return ReplyPhrase.objects.filter(reading=Reading.WORD, is_enabled=True).values_list("word_list", "phrase")

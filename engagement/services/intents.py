"""Reads the text of a member: a request to stop, another request, a reply to the goodbye, or an automatic reply.

The phrases are rows of reply_phrases. Except for automatic replies, the whole text must match, so a sentence that
contains a keyword is no request: "I can't stop watching" does not opt out. Automatic replies with a header: RFC 3834,
see is_auto_submitted().
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from django.db import connection

from engagement.errors import PhraseInvalid
from engagement.models import ReplyPhrase
from engagement.rules import GOODBYE_REPLIES, Match, Reading
from engagement.services.phrases import MAX_READ_CHARACTERS, is_sign, pattern_of, plain, word_patterns
from engagement.services.quotes import unquoted

# Return values of classify_text().
OPTED_OUT = Reading.OPTED_OUT.value
OPTED_IN = Reading.OPTED_IN.value
TO_GROUP = Reading.TO_GROUP.value
TO_INDIVIDUAL = Reading.TO_INDIVIDUAL.value
ANSWER_1, ANSWER_2, ANSWER_3 = ANSWERS = tuple(reply.value for reply in GOODBYE_REPLIES)
AUTO_REPLY = Reading.AUTO_REPLY.value
UNCLEAR = Reading.UNCLEAR.value
COURTESY = Reading.COURTESY.value
USER_MESSAGE = "user_message"
REQUESTS = (OPTED_OUT, OPTED_IN, TO_GROUP, TO_INDIVIDUAL)
INTENTS = (*REQUESTS, *ANSWERS, AUTO_REPLY, UNCLEAR, COURTESY, USER_MESSAGE)

_NUMBERS = {ANSWER_1: Reading.NUMBER_1, ANSWER_2: Reading.NUMBER_2, ANSWER_3: Reading.NUMBER_3}
# An automatic reply may begin with the subject it replies to.
_SUBJECT = r"(?:(?:re|fw|fwd|enc|subject|assunto|asunto) )*"
# Ends of clauses: "1 - I got lost, help me", "not interested, please stop".
_CLAUSES = re.compile(r"[.,;:!()\n\u2014\u2013\u2026¡]+|(?<=\s)-+(?=\s)|[^\w\s'\"?¿`\u2019\u2018\u00b4+-]+")


class Reader:
    """Reads texts by a set of phrases. Phrases that cannot be read are left out."""

    def __init__(self, phrases: Iterable[ReplyPhrase]) -> None:
        rows = list(phrases)
        lists = word_patterns((row.word_list, row.phrase) for row in rows if row.reading == Reading.WORD)
        found: dict[tuple[str, str], list[str]] = {}
        self._signs: dict[str, str] = {}
        for row in rows:
            if row.reading == Reading.WORD:
                continue
            if is_sign(row.phrase):
                self._signs |= dict.fromkeys(row.phrase.strip(), row.reading)
                continue
            try:
                found.setdefault((row.reading, row.match), []).append(pattern_of(row.phrase, lists))
            except PhraseInvalid:
                continue
        whole = {reading: _any_of(found.get((reading, Match.WHOLE), ())) for reading in Reading.values}
        self._requests = {reading: re.compile(whole[reading]) for reading in REQUESTS}
        self._answers = {reading: re.compile(whole[reading]) for reading in ANSWERS}
        before = f"(?:{whole[Reading.BEFORE_NUMBER]})?"
        choosing = f"(?:{whole[Reading.CHOOSING]})?"
        # "2", "número 2", "a 2", "2 - ocupado". After a verb only a digit counts: "quero uma" is no reply.
        self._numbered = {
            answer: re.compile(f"(?:{before}{whole[number]}|{choosing}{before}{number.value[-1]} )(?:{whole[answer]})?")
            for answer, number in _NUMBERS.items()
        }
        self._unclear = re.compile(whole[Reading.UNCLEAR])
        ends = f"(?:{whole[Reading.COURTESY]}|{whole[Reading.GREETING]})"
        self._first, self._last = re.compile(f"^{ends}"), re.compile(f"(?:^|(?<= )){ends}$")
        self._polite = re.compile(f"(?:{whole[Reading.COURTESY]})+")
        self._automatic = re.compile(
            f"^{_SUBJECT}{_any_of(found.get((Reading.AUTO_REPLY, Match.START), ()))}"
            rf"|(?:^|(?<= )){_any_of(found.get((Reading.AUTO_REPLY, Match.ANYWHERE), ()))}"
        )

    def read(self, text: str) -> str:
        """Return the intent of a text, one of INTENTS.

        Does not check whether the member was sent a goodbye; the caller does.
        """
        text = (unquoted(text) or text)[:MAX_READ_CHARACTERS]
        if not any(each.isalnum() for each in text):
            return next((self._signs[each] for each in text if each in self._signs), COURTESY)
        words = f"{plain(text)} "
        is_question = "?" in text or "¿" in text
        intents = self._intents(words)
        if not intents:
            clauses = [f"{plain(clause)} " for clause in _CLAUSES.split(text) if plain(clause)]
            intents = self._intents_of_clauses(clauses) if len(clauses) > 1 else set()
        if self._automatic.search(words) and OPTED_OUT not in intents:
            return AUTO_REPLY
        if len(intents) > 1:
            return UNCLEAR
        intent = next(iter(intents), USER_MESSAGE)
        if is_question and intent in ANSWERS:
            # "2?" is not clear; "tudo certo?" asks how things are.
            return UNCLEAR if any(each.isdigit() for each in words) else USER_MESSAGE
        return intent

    def _intents(self, words: str) -> set[str]:
        """Return what the whole text means: no intent for an ordinary message, several for a contradiction."""
        for candidate in dict.fromkeys((words, self._without_courtesies(words))):
            for intent, pattern in (*self._requests.items(), *self._answers.items(), *self._numbered.items()):
                if pattern.fullmatch(candidate):
                    return {intent}
            if self._unclear.fullmatch(candidate) or _is_number(candidate):
                return {UNCLEAR}
        if self._polite.fullmatch(words):
            return {COURTESY}
        return set()

    def _intents_of_clauses(self, clauses: Sequence[str]) -> set[str]:
        """Return the intents of the clauses; none if a clause has none."""
        intents: set[str] = set()
        for clause in clauses:
            found = self._intents(clause)
            if not found and self._without_courtesies(clause):
                return set()
            intents |= found
        if len(intents) > 1:
            # "No, stop": a request is clear without what is polite or unclear beside it.
            intents -= {COURTESY, UNCLEAR}
        return intents

    def _without_courtesies(self, words: str) -> str:
        """Return the text without courtesies and greetings at its start and end."""
        while (shorter := self._last.sub("", self._first.sub("", words))) != words:
            words = shorter
        return words


def classify_text(text: str) -> str:
    """Return the intent of a text, one of INTENTS, by the phrases that are in use now."""
    return current_reader().read(text)


def current_reader() -> Reader:
    """Return the reader of the phrases in use. It is made again when a row has changed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), sum(hashtextextended(p::text, 0)) FROM reply_phrases p WHERE is_enabled")
        return _reader(cursor.fetchone())


@lru_cache(maxsize=1)
def _reader(version: tuple[int, int]) -> Reader:
    return Reader(ReplyPhrase.objects.filter(is_enabled=True))


def is_auto_submitted(value: bool | str | None) -> bool:
    """Return whether the value of the header Auto-Submitted means an automatic message (RFC 3834: all but "no")."""
    if isinstance(value, str):
        return value.partition(";")[0].strip().lower() not in ("", "no", "false", "0")
    return bool(value)


def _any_of(patterns: Sequence[str]) -> str:
    """Return the pattern of one of these; of none, a pattern that nothing matches."""
    return f"(?:{'|'.join(dict.fromkeys(patterns))})" if patterns else r"(?!)"


def _is_number(words: str) -> bool:
    return words.replace(" ", "").isdigit()

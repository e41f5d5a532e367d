"""Warnings about parts of a report that were not understood."""

from itertools import islice

from missiondeck.reports.values import short

MOST = 50

# Texts for one and for several occurrences. {n}: the number. {first}: the first occurrence.
_TEXTS = {
    "text cut": (
        "One text of a test is longer than {limit} characters and was cut.",
        "{n} texts of tests are longer than {limit} characters and were cut.",
    ),
    "output left out": (
        "The texts of this report exceed {texts_limit}: the output of one test was removed.",
        "The texts of this report exceed {texts_limit}: the output of {n} tests was removed.",
    ),
    "error left out": (
        "The texts of this report exceed {texts_limit}: the error or traceback of one test was removed.",
        "The texts of this report exceed {texts_limit}: the error or traceback of {n} tests was removed.",
    ),
    "name cut": (
        "One name is too long and was cut: {first}.",
        "{n} names are too long and were cut; the first is {first}.",
    ),
    "no name": (
        "One test has no name: {first}.",
        "{n} tests have no name; the first is {first}.",
    ),
    "time unreadable": (
        "One duration is invalid and was ignored: {first}.",
        "{n} durations are invalid and were ignored; the first is {first}.",
    ),
    "time ambiguous": (
        "One duration is ambiguous; its comma was read as a thousands separator: {first}.",
        "{n} durations are ambiguous; their comma was read as a thousands separator; the first is {first}.",
    ),
    "count unreadable": (
        "One total of a suite is not a number and was ignored: {first}.",
        "{n} totals of suites are not numbers and were ignored; the first is {first}.",
    ),
    "cleaned": (
        "One text has terminal colours or control characters; they were removed or replaced by \ufffd.",
        "{n} texts have terminal colours or control characters; they were removed or replaced by \ufffd.",
    ),
    "not xml": (
        "The report has terminal colours or characters that XML forbids; they were removed or replaced by \ufffd.",
        "{n} files have terminal colours or characters that XML forbids; they were removed or replaced by \ufffd.",
    ),
    "wrong bytes": (
        "The report has bytes that are invalid in its encoding; they were replaced by \ufffd. Save it in UTF-8.",
        "{n} files have bytes that are invalid in their encoding; they were replaced by \ufffd. Save them in UTF-8.",
    ),
    "no verdict": (
        "One test states neither passed nor failed and counts as skipped: {first}.",
        "{n} tests state neither passed nor failed and count as skipped; the first is {first}.",
    ),
    "sounds bad": (
        "One unknown element is named like a failure and counts as an error: {first}.",
        "{n} unknown elements are named like failures and count as errors; the first is {first}.",
    ),
    "value not understood": (
        "One value has an unexpected format and was ignored: {first}.",
        "{n} values have an unexpected format and were ignored; the first is {first}.",
    ),
}


class Warnings:
    """Collects warnings in bounded memory: repeated ones are counted, with the first example."""

    def __init__(self, **figures: str) -> None:
        self._figures = figures
        self._counted: dict[str, list] = {}
        self._unknown: dict[tuple[str, str], int] = {}
        self._sentences: list[str] = []
        self._dropped = 0

    def count(self, kind: str, first: str = "") -> None:
        if entry := self._counted.get(kind):
            entry[0] += 1
        else:
            self._counted[kind] = [1, first]

    def unknown(self, what: str, name: str) -> None:
        """what: "element" or "key". The caller must limit the number of different names."""
        self._unknown[what, name] = self._unknown.get((what, name), 0) + 1

    def add(self, sentence: str) -> None:
        if len(self._sentences) < MOST:
            self._sentences.append(sentence)
        else:
            self._dropped += 1

    def sentences(self) -> list[str]:
        """At most fifty sentences; if there are more, the last one states their number."""
        sentences = []
        for kind, (number, first) in self._counted.items():
            one, many = _TEXTS[kind]
            sentences.append((one if number == 1 else many).format(n=f"{number:,}", first=first, **self._figures))
        for (what, name), number in islice(self._unknown.items(), MOST):
            quoted = f"<{short(name)}>" if what == "element" else f"“{short(name)}”"
            sentences.append(
                f"The {what} {quoted} is unknown and was ignored."
                if number == 1
                else f"The {what} {quoted} is unknown and was ignored {number:,} times."
            )
        sentences += self._sentences
        more = len(self._counted) + len(self._unknown) + len(self._sentences) + self._dropped - MOST
        if more <= 0:
            return sentences
        return [*sentences[: MOST - 1], f"{more + 1:,} more warnings are not listed."]

"""Warnings about parts of a report that were not understood."""

from itertools import islice

from django.utils.translation import ngettext, ngettext_lazy

from missiondeck.reports.values import short

MOST = 50

# Texts for one and for several occurrences. n: the number. first: the first occurrence.
_TEXTS = {
    "text cut": ngettext_lazy(
        "One text of a test is longer than %(limit)s characters and was cut.",
        "%(n)s texts of tests are longer than %(limit)s characters and were cut.",
        "n",
    ),
    "output left out": ngettext_lazy(
        "The texts of this report exceed %(texts_limit)s: the output of one test was removed.",
        "The texts of this report exceed %(texts_limit)s: the output of %(n)s tests was removed.",
        "n",
    ),
    "error left out": ngettext_lazy(
        "The texts of this report exceed %(texts_limit)s: the error or traceback of one test was removed.",
        "The texts of this report exceed %(texts_limit)s: the error or traceback of %(n)s tests was removed.",
        "n",
    ),
    "name cut": ngettext_lazy(
        "One name is too long and was cut: %(first)s.",
        "%(n)s names are too long and were cut; the first is %(first)s.",
        "n",
    ),
    "no name": ngettext_lazy(
        "One test has no name: %(first)s.",
        "%(n)s tests have no name; the first is %(first)s.",
        "n",
    ),
    "time unreadable": ngettext_lazy(
        "One duration is invalid and was ignored: %(first)s.",
        "%(n)s durations are invalid and were ignored; the first is %(first)s.",
        "n",
    ),
    "time ambiguous": ngettext_lazy(
        "One duration is ambiguous; its comma was read as a thousands separator: %(first)s.",
        "%(n)s durations are ambiguous; their comma was read as a thousands separator; the first is %(first)s.",
        "n",
    ),
    "count unreadable": ngettext_lazy(
        "One total of a suite is not a number and was ignored: %(first)s.",
        "%(n)s totals of suites are not numbers and were ignored; the first is %(first)s.",
        "n",
    ),
    "cleaned": ngettext_lazy(
        "One text has terminal colours or control characters; they were removed or replaced by \ufffd.",
        "%(n)s texts have terminal colours or control characters; they were removed or replaced by \ufffd.",
        "n",
    ),
    "not xml": ngettext_lazy(
        "The report has terminal colours or characters that XML forbids; they were removed or replaced by \ufffd.",
        "%(n)s files have terminal colours or characters that XML forbids; they were removed or replaced by \ufffd.",
        "n",
    ),
    "wrong bytes": ngettext_lazy(
        "The report has bytes that are invalid in its encoding; they were replaced by \ufffd. Save it in UTF-8.",
        "%(n)s files have bytes that are invalid in their encoding; they were replaced by \ufffd. Save them in UTF-8.",
        "n",
    ),
    "no verdict": ngettext_lazy(
        "One test states neither passed nor failed and counts as skipped: %(first)s.",
        "%(n)s tests state neither passed nor failed and count as skipped; the first is %(first)s.",
        "n",
    ),
    "sounds bad": ngettext_lazy(
        "One unknown element is named like a failure and counts as an error: %(first)s.",
        "%(n)s unknown elements are named like failures and count as errors; the first is %(first)s.",
        "n",
    ),
    "value not understood": ngettext_lazy(
        "One value has an unexpected format and was ignored: %(first)s.",
        "%(n)s values have an unexpected format and were ignored; the first is %(first)s.",
        "n",
    ),
}
_UNKNOWN = {
    "element": ngettext_lazy(
        "The element <%(name)s> is unknown and was ignored.",
        "The element <%(name)s> is unknown and was ignored %(n)s times.",
        "n",
    ),
    "key": ngettext_lazy(
        "The key “%(name)s” is unknown and was ignored.",
        "The key “%(name)s” is unknown and was ignored %(n)s times.",
        "n",
    ),
}


class _Count(int):
    """A number that is written with thousands separators."""

    def __str__(self) -> str:
        return f"{int(self):,}"


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
            sentences.append(_TEXTS[kind] % {"n": _Count(number), "first": first, **self._figures})
        for (what, name), number in islice(self._unknown.items(), MOST):
            sentences.append(_UNKNOWN[what] % {"n": _Count(number), "name": short(name)})
        sentences += self._sentences
        more = len(self._counted) + len(self._unknown) + len(self._sentences) + self._dropped - MOST
        if more <= 0:
            return sentences
        rest = ngettext("%(n)s more warning is not listed.", "%(n)s more warnings are not listed.", more + 1)
        return [*sentences[: MOST - 1], rest % {"n": _Count(more + 1)}]

"""What people are told of a report that was read, but not all of it understood."""

from itertools import islice

from missiondeck.reports.values import short

MOST = 50

# What is counted and told once: one and many. {n} is the number, {first} the first of them.
_TEXTS = {
    "text cut": (
        "One text of a test is longer than {limit} characters and is cut at its end.",
        "{n} texts of tests are longer than {limit} characters and are cut at their end.",
    ),
    "output left out": (
        "The texts of this report are more than {texts_limit}: the output of one test is left out.",
        "The texts of this report are more than {texts_limit}: the output of {n} tests is left out.",
    ),
    "error left out": (
        "The texts of this report are more than {texts_limit}: the error or traceback of one test is left out.",
        "The texts of this report are more than {texts_limit}: the error or traceback of {n} tests is left out.",
    ),
    "name cut": (
        "One name is too long and is cut: {first}.",
        "{n} names are too long and are cut; the first is {first}.",
    ),
    "no name": (
        "One test has no name: {first}.",
        "{n} tests have no name; the first is {first}.",
    ),
    "time unreadable": (
        "One time cannot be read and is left out: {first}.",
        "{n} times cannot be read and are left out; the first is {first}.",
    ),
    "time ambiguous": (
        "One time can be read in two ways; its comma is taken to group thousands: {first}.",
        "{n} times can be read in two ways; their comma is taken to group thousands; the first is {first}.",
    ),
    "count unreadable": (
        "One total that a suite states is no number and is passed over: {first}.",
        "{n} totals that suites state are no numbers and are passed over; the first is {first}.",
    ),
    "cleaned": (
        "One text has colours of a terminal or control characters; they are left out or shown as \ufffd.",
        "{n} texts have colours of a terminal or control characters; they are left out or shown as \ufffd.",
    ),
    "not xml": (
        "The report has colours of a terminal or characters that XML does not allow; they are left out or shown as"
        " \ufffd.",
        "{n} files have colours of a terminal or characters that XML does not allow; they are left out or shown as"
        " \ufffd.",
    ),
    "wrong bytes": (
        "The report has bytes that are not in its encoding; they are shown as \ufffd. Save it in UTF-8.",
        "{n} files have bytes that are not in their encoding; they are shown as \ufffd. Save them in UTF-8.",
    ),
    "no verdict": (
        "One test says neither that it passed nor that it failed, and counts as skipped: {first}.",
        "{n} tests say neither that they passed nor that they failed, and count as skipped; the first is {first}.",
    ),
    "sounds bad": (
        "One element is not known, but is called as if something failed, and counts as an error: {first}.",
        "{n} elements are not known, but are called as if something failed, and count as errors; the first is {first}.",
    ),
    "value not understood": (
        "One value is not of the form expected and is left out: {first}.",
        "{n} values are not of the form expected and are left out; the first is {first}.",
    ),
}


class Warnings:
    """Gathers them in bounded memory: what happens often is counted, with the first example."""

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
        """what: "element" or "key". Whoever calls bounds the number of different names."""
        self._unknown[what, name] = self._unknown.get((what, name), 0) + 1

    def add(self, sentence: str) -> None:
        if len(self._sentences) < MOST:
            self._sentences.append(sentence)
        else:
            self._dropped += 1

    def sentences(self) -> list[str]:
        """At most fifty; where there are more, the last one says how many."""
        sentences = []
        for kind, (number, first) in self._counted.items():
            one, many = _TEXTS[kind]
            sentences.append((one if number == 1 else many).format(n=f"{number:,}", first=first, **self._figures))
        for (what, name), number in islice(self._unknown.items(), MOST):
            quoted = f"<{short(name)}>" if what == "element" else f"“{short(name)}”"
            sentences.append(
                f"The {what} {quoted} is not known and was passed over."
                if number == 1
                else f"The {what} {quoted} is not known and was passed over, {number:,} times."
            )
        sentences += self._sentences
        more = len(self._counted) + len(self._unknown) + len(self._sentences) + self._dropped - MOST
        if more <= 0:
            return sentences
        return [*sentences[: MOST - 1], f"{more + 1:,} more warnings are not listed."]

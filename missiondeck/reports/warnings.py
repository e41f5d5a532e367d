"""Warnings about parts of a report that were not understood."""

from itertools import islice

from missiondeck.reports.messages import Message, message
from missiondeck.reports.values import short

MOST = 50
# Different names that are counted.
NAMES = 1_000


class Warnings:
    """Collects warnings in bounded memory: repeated ones are counted, with the first example."""

    def __init__(self, **figures: str | Message) -> None:
        self._figures = figures
        self._counted: dict[str, tuple[int, str | Message]] = {}
        self._unknown: dict[tuple[str, str], int] = {}
        self._others: list[Message] = []
        self._dropped = 0

    def count(self, code: str, first: str | Message = "") -> None:
        """Count a warning. first: its example, kept of the first one."""
        number, example = self._counted.get(code, (0, first))
        self._counted[code] = number + 1, example

    def unknown(self, what: str, name: str) -> None:
        """Count an unknown name. what: "element" or "key"."""
        if (what, name) in self._unknown or len(self._unknown) < NAMES:
            self._unknown[what, name] = self._unknown.get((what, name), 0) + 1
        else:
            self._dropped += 1

    def add(self, code: str, /, **values: object) -> None:
        """Add a warning that is not counted."""
        if len(self._others) < MOST:
            self._others.append(message(code, **values))
        else:
            self._dropped += 1

    def messages(self) -> list[Message]:
        """At most fifty messages; if there are more, the last one states their number."""
        messages = [
            message(code, n=number, first=first, **self._figures) for code, (number, first) in self._counted.items()
        ]
        messages += [
            message(f"unknown_{what}", n=number, name=short(name))
            for (what, name), number in islice(self._unknown.items(), MOST)
        ]
        messages += self._others
        more = len(self._counted) + len(self._unknown) + len(self._others) + self._dropped - MOST
        if more <= 0:
            return messages
        return [*messages[: MOST - 1], message("not_listed", n=more + 1)]

"""Single values of a report: durations, counts and texts."""

import hashlib
import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeGuard

from django.utils.translation import gettext_noop

# About thirty years.
_MOST_SECONDS = 1e9
_LONGEST_TIME = 40
_PLAIN = re.compile(r"(\d{1,20}\.?\d{0,20}|\.\d{1,20})(e[+-]?\d{1,3})?", re.ASCII | re.IGNORECASE)
_GROUPED = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?", re.ASCII)
_GROUPED_BY_DOTS = re.compile(r"\d{1,3}(\.\d{3})+,\d+", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,6}):)?(\d{1,4}):(\d{1,2}(?:\.\d*)?)", re.ASCII)
_UNITS = {
    "h": 3600, "hour": 3600, "hours": 3600,
    "m": 60, "min": 60, "mins": 60, "minute": 60, "minutes": 60,
    "s": 1, "sec": 1, "secs": 1, "second": 1, "seconds": 1,
    "ms": 1e-3, "msec": 1e-3, "millis": 1e-3, "milliseconds": 1e-3,
    "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9,
}  # fmt: skip
_WITH_UNIT = re.compile(r"(\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})\s*([a-zµμ]+)\s*", re.ASCII | re.IGNORECASE)
# A sequence that colours or moves in a terminal, or names a window or a link. Without the rare parameters that are
# markup in XML. Source: ECMA-48, 5.4 and 8.3.89. pytest writes the escape character as #x1B.
COLOUR = re.compile(
    "\x1b\\[[0-9;:?]{0,32}[A-Za-z]|\x1b\\][^\x00-\x1f<>&\"']{0,500}(?:\x07|\x1b\\\\)|\x1b[()][0-9A-B]|#x1B\\[[0-9;]{0,32}m"
)
# Control characters except tabs and line ends, and characters that PostgreSQL cannot store. Source: PostgreSQL manual,
# 8.14 JSON types, and RFC 3629, 3.
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")

NAME = 1_000
_PIECE = 65_536


class Unreadable(ValueError):
    """The value cannot be read."""


def seconds(text: str) -> tuple[float | None, bool]:
    """The seconds of a `time` attribute (None if empty), and whether the value is ambiguous.

    1.5, 1e-3, 1,234.5 and 1.234,5 (the last separator is the decimal one), 0,5, 0.5s, 12 ms, 1m2.5s, 1:02:03.5.
    A comma before exactly three digits groups thousands, as in Surefire (1,234), but could be a decimal separator.
    Raises Unreadable for anything else: negative, not a number, infinite.
    """
    text = text.strip()
    if not text:
        return None, False
    if len(text) > _LONGEST_TIME:
        raise Unreadable
    return _seconds(text)


# Many tests of a report have the same duration.
@lru_cache(4096)
def _seconds(text: str) -> tuple[float, bool]:
    ambiguous = False
    if _PLAIN.fullmatch(text):
        value = float(text)
    elif _GROUPED.fullmatch(text) and not text.startswith("0"):
        ambiguous = text.count(",") == 1 and "." not in text
        value = float(text.replace(",", ""))
    elif _GROUPED_BY_DOTS.fullmatch(text):
        value = float(text.replace(".", "").replace(",", "."))
    elif _PLAIN.fullmatch(text.replace(",", ".")):
        value = float(text.replace(",", "."))
    elif clock := _CLOCK.fullmatch(text):
        hours, minutes, rest = clock.groups()
        value = int(hours or 0) * 3600 + int(minutes) * 60 + float(rest)
    else:
        value = _with_units(text)
    if not 0 <= value <= _MOST_SECONDS:
        raise Unreadable
    return round(value, 9), ambiguous


def _with_units(text: str) -> float:
    value, end = 0.0, 0
    while part := _WITH_UNIT.match(text, end):
        if (factor := _UNITS.get(part[2].lower())) is None:
            raise Unreadable
        value, end = value + float(part[1]) * factor, part.end()
    if end == 0 or end != len(text):
        raise Unreadable
    return value


def count(text: str | None) -> int | None:
    """The number in an attribute; None if missing or empty.

    Raises Unreadable unless it is a whole number of at most twelve digits.
    """
    text = (text or "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise Unreadable
    return int(text)


def is_number(value: object) -> TypeGuard[float]:
    """Whether a JSON value is a finite number; true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def clean(text: str) -> str:
    """The text without colour sequences, with U+FFFD for each other control character."""
    if is_clean(text):
        return text
    if "\x1b" in text:
        text = COLOUR.sub("", text)
    return _NOT_TEXT.sub("\ufffd", text)


def is_clean(text: str) -> bool:
    """Whether the text needs no cleaning."""
    return not _NOT_TEXT.search(text)


def size_of(text: str) -> int:
    """The number of UTF-8 bytes of a clean text."""
    return len(text) if text.isascii() else len(text.encode())


def short(text: str, limit: int = 80) -> str:
    """Shorten a text to one line for a message."""
    text = " ".join(clean(text[: limit * 4]).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def name(text: str) -> str:
    """A name that can be stored. A long one ends with a digest, so that different names stay different."""
    text = clean(text).strip()
    if len(text) <= NAME:
        return text
    return f"{text[: NAME - 20]}… [{hashlib.sha256(text.encode()).hexdigest()[:16]}]"


class Text:
    """Collects a text up to a number of characters, and counts the others. is_clean: it never needs cleaning."""

    __slots__ = ("_is_clean", "_is_source_clean", "_limit", "_parts", "_remaining", "beyond")

    def __init__(self, limit: int, *, is_clean: bool = False) -> None:
        self._limit = self._remaining = limit
        self._parts: list[str] = []
        self._is_clean = self._is_source_clean = is_clean
        self.beyond = 0

    def add(self, text: str) -> None:
        self._is_clean = self._is_source_clean
        if len(text) <= self._remaining:
            self._parts.append(text)
            self._remaining -= len(text)
            return
        if self._remaining:
            self._parts.append(text[: self._remaining])
        self.beyond += len(text) - self._remaining
        self._remaining = 0

    def add_block(self, text: str, *, between: str = "\n") -> None:
        """Add a text, after a separator if there is text before it."""
        if text:
            if self._parts:
                self.add(between)
            self.add(text)

    def add_text(self, other: "Text") -> None:
        """Add another collected text after a blank line."""
        self.add_block(other.raw(), between="\n\n")
        self.beyond += other.beyond

    def copy_to(self, add: Callable[[str], None]) -> None:
        """Pass the text on, with as many characters as it had."""
        add(self.raw())
        for start in range(0, self.beyond, _PIECE):
            add(" " * min(_PIECE, self.beyond - start))

    def raw(self) -> str:
        text = "".join(self._parts)
        return text if self._is_clean else clean(text)

    def clean(self) -> bool:
        """Clean the text. Returns whether it was clean."""
        if self._is_clean:
            return True
        text = "".join(self._parts)
        was_clean = is_clean(text)
        self._parts = [text if was_clean else clean(text)]
        self._is_clean = True
        return was_clean

    def __bool__(self) -> bool:
        return bool(self._parts)

    def value(self) -> str:
        """The text without blank lines around it, with a note if it was cut; within the limit."""
        parts = self._parts
        text = parts[0] if len(parts) == 1 and self._is_clean else self.raw()
        if self.beyond:
            note = gettext_noop("… (cut here: %(count)s more characters)")
            kept = max(0, self._limit - len(note) - 10)
            text = (text[:kept] + note % {"count": f"{self.beyond + len(text) - kept:,}"})[: self._limit]
        text = text.rstrip()
        if text[:1] > " ":
            return text
        # Keeps the indentation of the first line that is not blank.
        start = len(text) - len(text.lstrip())
        return text[text.rfind("\n", 0, start) + 1 :]

"""Reads a JSON document value by value, in bounded memory.

A caller walks through the outer objects and lists with `members` and `items`, and reads one value at a time; only that
value is in memory. The parser of the standard library decodes the values, because it accepts control characters in
texts, reports repeated keys, and is written in C.
"""

import codecs
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from missiondeck.reports import values
from missiondeck.reports.report import MIB, ReportRejected
from missiondeck.reports.stream import PIECE, Source, format_size
from missiondeck.reports.values import short

# Characters of one value, such as a test, a file of tests or the logs.
VALUE = 16 * MIB
# Objects and lists of one value, and its values, take far more memory than their characters.
CONTAINERS = 500_000
VALUES = 2_500_000
# Keys of an object that is read key by key.
KEYS = 10_000
AGAIN = _("Correct it and upload it again.")
_BLANK = re.compile(r"[ \t\n\r]*+")
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
# A longer text than the parser looks at before it reports an error that is no open string.
_AHEAD = 32


class JsonStream:
    """A document that is read once, from its start to its end.

    head: the bytes that were already read. has_wrong_bytes: whether bytes were invalid in the encoding so far.
    Each method raises ReportRejected, with line and column, if the JSON is not well-formed or a value is too large.
    """

    def __init__(self, head: bytes, source: Source) -> None:
        self.has_wrong_bytes = False
        self._source = source
        encoding = json.detect_encoding(head)
        self._is_utf8 = encoding.startswith("utf-8")
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._scan = json.JSONDecoder(
            # Control characters in texts are invalid JSON, but the report is accepted.
            strict=False,
            object_pairs_hook=_reject_duplicate_keys,
            parse_constant=_no_number,
            parse_int=_integer,
            parse_float=_decimal,
        ).raw_decode
        self._text = ""
        # Where the next value starts; the line and column of the first character of the text.
        self._at = 0
        self._line = self._column = 1
        self._is_at_end = False
        self._add(head)
        self._text = self._text.removeprefix("\ufeff")

    # --- Walking --------------------------------------------------------------------------------

    def peek(self) -> str:
        """The next character that is not blank; "" at the end."""
        while True:
            self._at = _BLANK.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more(PIECE):
                return ""

    def value(self) -> Any:
        """Read the next value completely."""
        self.peek()
        while True:
            if len(self._text) - self._at > MIB:
                self._check_number_of_values()
            try:
                found, end = self._scan(self._text, self._at)
            except json.JSONDecodeError as error:
                is_open = error.pos > len(self._text) - _AHEAD or error.msg.startswith("Unterminated")
                if not (is_open and self._more(len(self._text) - self._at)):
                    self._reject(error.msg, error.pos)
                continue
            except RecursionError as error:
                raise ReportRejected(gettext("The JSON is nested too deeply. This is not a test report.")) from error
            # A number may continue.
            if end < len(self._text) or not self._more(PIECE):
                self._at = end
                return found

    def items(self) -> Iterator[None]:
        """Read a list: yield before each of its values, which the caller reads."""
        self._take("[")
        if self.peek() == "]":
            self._at += 1
            return
        while True:
            yield
            if self._take(",", "]") == "]":
                return

    def members(self) -> Iterator[str]:
        """Read an object: yield each key before its value, which the caller reads."""
        self._take("{")
        found: set[str] = set()
        if self.peek() == "}":
            self._at += 1
            return
        while True:
            if self.peek() != '"':
                self._reject(gettext("a key in double quotes is missing"))
            key = self.value()
            if key in found:
                _reject_key(key)
            found.add(key)
            if len(found) > KEYS:
                _reject_number_of_values()
            self._take(":")
            yield key
            if self._take(",", "}") == "}":
                return

    def skip(self) -> None:
        """Read the next value and drop it; the values of a list or object one by one."""
        match self.peek():
            case "[":
                for _item in self.items():
                    self.value()
            case "{":
                for _name in self.members():
                    self.value()
            case _:
                self.value()

    def end(self) -> None:
        """Check that nothing follows."""
        if self.peek():
            self._reject(gettext("Extra data"))

    def _take(self, *expected: str) -> str:
        found = self.peek()
        if found not in expected or not found:
            self._reject(f"Expecting '{expected[0]}' delimiter")
        self._at += 1
        return found

    # --- Text ---------------------------------------------------------------------------------

    def _more(self, size: int) -> bool:
        """Read more text, about `size` characters; returns False at the end."""
        if self._is_at_end:
            return False
        if len(self._text) - self._at > VALUE:
            raise ReportRejected(
                gettext(
                    "A value in line %(line)s of the report is larger than %(limit)s. Split the report, or upload JUnit"
                    " XML instead."
                )
                % {"line": self._position(self._at)[0], "limit": format_size(VALUE)}
            )
        self._line, self._column = self._position(self._at)
        self._text = self._text[self._at :]
        self._at = 0
        pieces, wanted = [], max(PIECE, size)
        while wanted > 0 and (data := self._source.read(PIECE)):
            pieces.append(data)
            wanted -= len(data)
        self._add(b"".join(pieces))
        return True

    def _add(self, data: bytes) -> None:
        self._is_at_end = not data
        text = self._decoder.decode(data, final=self._is_at_end)
        # Replacement characters of the decoder, not of the file.
        if "\ufffd" in text and text.count("\ufffd") > data.count(b"\xef\xbf\xbd") * self._is_utf8:
            self.has_wrong_bytes = True
        self._text += text

    def _position(self, at: int) -> tuple[int, int]:
        """The line and column of a character of the text."""
        before = self._text.rfind("\n", 0, at)
        if before < 0:
            return self._line, self._column + at
        return self._line + self._text.count("\n", 0, at), at - before

    def _check_number_of_values(self) -> None:
        bare = _STRING.sub("", self._text[self._at :])
        if bare.count("{") + bare.count("[") > CONTAINERS or bare.count(",") > VALUES:
            _reject_number_of_values()

    def _reject(self, message: str, at: int | None = None) -> NoReturn:
        line, column = self._position(self._at if at is None else at)
        raise ReportRejected(
            gettext("The report is not well-formed JSON, in line %(lineno)s, column %(colno)s: %(msg)s. %(advice)s")
            % {"lineno": line, "colno": column, "msg": message, "advice": AGAIN}
        )


# --- Single values ----------------------------------------------------------------------------


def _reject_number_of_values() -> NoReturn:
    raise ReportRejected(gettext("The report has too many objects and values. Upload JUnit XML instead."))


def _reject_key(key: str) -> NoReturn:
    raise ReportRejected(
        gettext("An object of the report has the key “%(double)s” twice. %(advice)s")
        % {"double": short(key), "advice": AGAIN}
    )


def _reject_duplicate_keys(pairs: list[tuple[str, object]]) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(key for key, _value in pairs)
        _reject_key(next(key for key, count in counts.items() if count > 1))
    return found


def _no_number(text: str) -> NoReturn:
    raise ReportRejected(
        gettext("The report has %(text)s instead of a number, which is not valid JSON. %(advice)s")
        % {"text": text, "advice": AGAIN}
    )


def _integer(text: str) -> int:
    if len(text) > 18:
        raise ReportRejected(
            gettext("The report has a number of %(count)s digits: %(text)s. %(advice)s")
            % {"count": f"{len(text):,}", "text": short(text, 20), "advice": AGAIN}
        )
    return int(text)


def _decimal(text: str) -> float:
    value = float(text)
    if not values.is_number(value):
        raise ReportRejected(
            gettext("The report has a number that is too large: %(text)s. %(advice)s")
            % {"text": short(text, 20), "advice": AGAIN}
        )
    return value

"""The output of a tool: its encoding, terminal colours and progress bars.

Stored logs keep the colours as sequences of their own: ESC [ numbers m. Everything that shows or searches logs removes
or renders them.
"""

import codecs
import re
from collections.abc import Iterator

from missiondeck.reports.values import COLOUR, clean

# The states of a line before the last one, as of a progress bar.
_OVERWRITTEN = re.compile(r"^[^\n]*\r(?=[^\r\n])", re.MULTILINE)
_SAMPLE = 2_000
# A sequence that sets colours. Source: ECMA-48, 8.3.117 SGR.
_SGR = re.compile("\x1b\\[([0-9;:]{0,32})m")
_OTHER = re.compile("\x1b(?!\\[[0-9;:]{0,32}m)")
# The same in stored logs; a sequence at the border of two pages may be incomplete.
_STORED = re.compile("\x1b(?:\\[([0-9;]*)m|\\[[0-9;]*\\Z)?")
_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
# Stands for ESC while other control characters are replaced; it is no character of a text.
_KEPT = "\ue000"


def decode_logs(data: bytes) -> str:
    """Decode the output of a tool.

    The encoding is UTF-16 by its mark or by its zero bytes (`>` in Windows PowerShell), else UTF-8. Sequences that set
    colours are kept, others removed, other control characters and invalid bytes replaced. Of a line that was
    overwritten, the last state is kept.
    """
    text = data.decode(encoding_of(data), errors="replace").removeprefix("\ufeff")
    text = text.replace("\r\n", "\n")
    if "\x1b" in text:
        # Before lines are compared: a progress bar also clears its line by a sequence.
        text = COLOUR.sub(lambda found: found[0] if found[0].endswith("m") and found[0][0] == "\x1b" else "", text)
    if "\r" in text:
        # Without line feeds, these are the line ends of old programs.
        text = _OVERWRITTEN.sub("", text).replace("\r", "") if "\n" in text else text.replace("\r", "\n")
    if "\x1b" not in text:
        return clean(text)
    text = _OTHER.sub("\ufffd", text).replace(_KEPT, "\ufffd")
    return clean(_SGR.sub(_KEPT + r"[\1m", text)).replace(_KEPT, "\x1b")


def encoding_of(data: bytes) -> str:
    """The encoding of a text: UTF-16 by its mark or by its zero bytes, else UTF-8."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    sample = data[:_SAMPLE]
    half = len(sample) // 2
    if half >= 4:
        # Most text is ASCII, of which every second byte is zero.
        if sample[1::2].count(0) > half * 0.6 and sample[::2].count(0) < half * 0.1:
            return "utf-16-le"
        if sample[::2].count(0) > half * 0.6 and sample[1::2].count(0) < half * 0.1:
            return "utf-16-be"
    return "utf-8"


def without_colours(text: str) -> str:
    """A stored text without its colours."""
    return _STORED.sub("", text) if "\x1b" in text else text


class Styles:
    """The style of a text at a place of stored logs, which continues over lines."""

    def __init__(self) -> None:
        self._colour = ""
        self._is_bold = False

    def parts(self, line: str) -> Iterator[tuple[str, str]]:
        """The parts of a line: the names of their style, separated by blanks, and their texts."""
        begin = 0
        for found in _STORED.finditer(line):
            if found.start() > begin:
                yield self._names, line[begin : found.start()]
            begin = found.end()
            if found[1] is not None:
                self._set([int(number[:4] or 0) for number in found[1].split(";")])
        if begin < len(line):
            yield self._names, line[begin:]

    @property
    def _names(self) -> str:
        return " ".join(filter(None, (self._colour, "bold" if self._is_bold else "")))

    def _set(self, numbers: list[int]) -> None:
        while numbers:
            number = numbers.pop(0)
            if number == 0:
                self._colour, self._is_bold = "", False
            elif number in (1, 22):
                self._is_bold = number == 1
            elif 30 <= number <= 37:
                self._colour = _NAMES[number - 30]
            elif 90 <= number <= 97:
                self._colour = "grey" if number == 90 else _NAMES[number - 90]
            elif number == 39:
                self._colour = ""
            elif number in (38, 48):
                # One of 256 colours, or three numbers. Only the first 16 have names.
                values = [numbers.pop(0) for _ in range(min(len(numbers), {5: 2, 2: 4}.get((numbers or [0])[0], 1)))]
                if number == 38:
                    is_named = len(values) == 2 and values[0] == 5 and values[1] < 16
                    self._colour = ("grey" if values[1] == 8 else _NAMES[values[1] % 8]) if is_named else ""

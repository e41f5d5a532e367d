"""Decodes the output of a tool: encodings, terminal colours and progress bars."""

import codecs
import re

from missiondeck.reports.values import clean

# The states of a line before the last one, as of a progress bar.
_OVERWRITTEN = re.compile(r"^[^\n]*\r(?=[^\r\n])", re.MULTILINE)
_SAMPLE = 2_000


def decode_logs(data: bytes) -> str:
    """Decode the output of a tool.

    The encoding is UTF-16 by its mark or by its zero bytes (`>` in Windows PowerShell), else UTF-8. Colour sequences
    are removed, other control characters and invalid bytes replaced. Of a line that was overwritten, the last state is
    kept.
    """
    text = data.decode(encoding_of(data), errors="replace").removeprefix("\ufeff")
    text = text.replace("\r\n", "\n")
    if "\r" in text:
        # Without line feeds, these are the line ends of old programs.
        text = _OVERWRITTEN.sub("", text).replace("\r", "") if "\n" in text else text.replace("\r", "\n")
    return clean(text)


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

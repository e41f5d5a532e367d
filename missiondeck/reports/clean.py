"""Removes from XML what a parser rejects: control characters and bytes in another encoding.

Terminal colour sequences are removed. Any other character that XML does not allow becomes U+FFFD ("?" if the encoding
has no such character), also when it is written as a reference (&#27;).
"""

import codecs
import re
from collections.abc import Callable

from missiondeck.reports.values import COLOUR

# XML 1.0, 2.2 Char allows no control characters except tab, line feed and carriage return, and no surrogates, U+FFFE
# and U+FFFF. Control characters from U+007F are allowed but discouraged.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
# For single-byte encodings, most of which have letters from 0x80.
_NOT_XML_BYTES = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe]")
_REFERENCE = re.compile(r"&#(?:x0*([0-9A-Fa-f]{1,20})|0*([0-9]{1,20}));")
# A reference or colour sequence that may continue in the next chunk, and the longest of them.
_BEGUN = re.compile(r"(?:&[#x0-9A-Fa-f]*|\x1b[^<>&]{0,64})\Z")
_LONGEST = 1_000
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_CONTROL_CHARACTERS = bytes({*range(32), 127} - {*b"\t\n\r"})
_UTF8 = ("utf-8", "utf8")
_ASCII = ("us-ascii", "ascii")


class Cleaner:
    """Cleans a file in chunks. head: the start of the file."""

    def __init__(self, head: bytes) -> None:
        # Number of invalid bytes and characters; a colour sequence counts once.
        self.replaced = 0
        self.has_wrong_bytes = False
        self._rest = ""
        codec = _codec_of(head)
        # Whether the text has no control characters after cleaning. In other encodings, some stay: only the parser
        # knows which bytes they are.
        self.is_unicode = codec.startswith("utf")
        self._mark, self._not_xml = ("\ufffd", _NOT_XML) if self.is_unicode else ("?", _NOT_XML_BYTES)
        self._decoder = codecs.getincrementaldecoder(codec)(errors="replace")
        self._encode: Callable[[str], bytes] = lambda text: text.encode(codec, "replace")
        self._is_utf8 = codec == "utf-8"
        self._is_bytewise = not codec.startswith("utf-16")
        # Whether a character continues in the next chunk.
        self._pending = False

    def clean(self, data: bytes, *, final: bool = False) -> bytes:
        """Clean the next bytes; the end may be held back for the next call. final: there are no more bytes."""
        if data.isascii() and not self._rest and not self._pending and self._is_plain(data):
            return data
        text = self._decoder.decode(data, final)
        self._pending = bool(self._decoder.getstate()[0])
        # Replacement characters of the decoder, not of the file.
        if "\ufffd" in text and (wrong := text.count("\ufffd") - data.count(b"\xef\xbf\xbd") * self._is_utf8) > 0:
            self.replaced += wrong
            self.has_wrong_bytes = True
        text = self._rest + text
        self._rest = ""
        if not final and (begun := _BEGUN.search(text, max(0, len(text) - _LONGEST))):
            self._rest = text[begun.start() :]
            text = text[: begun.start()]
        if "&#" in text:
            text = _REFERENCE.sub(self._resolve_reference, text)
        if "\x1b" in text or "#x1B[" in text:
            text, found = COLOUR.subn("", text)
            self.replaced += found
        if self._not_xml.search(text):
            text, found = self._not_xml.subn(self._mark, text)
            self.replaced += found
        return self._encode(text)

    def _is_plain(self, data: bytes) -> bool:
        """Whether ASCII bytes need no cleaning, as most bytes of most reports."""
        if not self._is_bytewise or (b"#" in data and (b"&#" in data or b"#x1B[" in data)):
            return False
        end = data[-_LONGEST:]
        if (begun := end.rfind(b"&")) >= 0 and b";" not in end[begun:]:
            # A reference that continues in the next chunk.
            return False
        return len(data.translate(None, _CONTROL_CHARACTERS)) == len(data)

    @staticmethod
    def _resolve_reference(found: re.Match) -> str:
        """Replace a reference to a character that XML does not allow."""
        number = int(found[1], 16) if found[1] else int(found[2])
        if number == 0x1B:
            # The start of a colour sequence.
            return "\x1b"
        return "\ufffe" if number > 0x10FFFF or _NOT_XML.match(chr(number)) else found[0]


def _codec_of(head: bytes) -> str:
    """The codec of a file: UTF-8 or UTF-16; for other encodings Latin-1, which keeps every byte."""
    if head.startswith((codecs.BOM_UTF16_LE, b"<\0")):
        return "utf-16-le"
    if head.startswith((codecs.BOM_UTF16_BE, b"\0<")):
        return "utf-16-be"
    declared = _DECLARED.match(head[:1024])
    name = declared[1].decode().lower() if declared else "utf-8"
    if name in _UTF8:
        return "utf-8"
    return "ascii" if name in _ASCII else "latin-1"

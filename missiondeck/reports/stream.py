"""The bytes of a report: read once and in pieces, hashed and counted on the way."""

import codecs
import hashlib
from collections.abc import Callable
from typing import BinaryIO

from missiondeck.reports.report import MIB, ReportRejected

PIECE = 64 * 1024
BLANK = b" \t\r\n"
_PACKED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


class Source:
    """A file that is read once.

    limit: bytes; one more and ReportRejected is raised, without reading on. before: bytes that files before it took
    of the limit. progress: told the bytes read so far, those before included.
    """

    def __init__(
        self, file: BinaryIO, *, limit: int, before: int = 0, progress: Callable[[int], None] | None = None
    ) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._progress = progress
        self._before = before
        # What a rejection names.
        self._most = limit
        self.limit = limit - before
        self.count = 0

    def lower(self, limit: int) -> None:
        """Take at most so many bytes of this file."""
        if limit < self.limit:
            self.limit = self._most = limit

    def read(self, size: int = PIECE) -> bytes:
        """The next bytes, at most `size`; none at the end of the file."""
        data = self._file.read(max(1, min(size, self.limit + 1 - self.count)))
        self._hash.update(data)
        self.count += len(data)
        if self.count > self.limit:
            what = "The report is" if self.limit == self._most else "The reports are together"
            raise ReportRejected(
                f"{what} larger than {format_size(self._most)}."
                " Split it, or have the tool leave out what the tests print."
            )
        if self._progress and data:
            self._progress(self._before + self.count)
        return data

    @property
    def digest(self) -> str:
        """SHA-256 of what has been read so far, in hexadecimal digits."""
        return self._hash.hexdigest()


def format_size(size: int) -> str:
    """A number of bytes for people."""
    return f"{size / MIB:,.0f} MiB" if size >= MIB else f"{size:,} bytes"


def read_start(source: Source) -> tuple[bytes, int]:
    """The first piece of the file that is not blank, from its first character on, and the lines before it.

    Raises ReportRejected for a file that is empty.
    """
    lines = 0
    while data := source.read():
        # The blank of UTF-16 is left to the parser.
        rest = data.removeprefix(codecs.BOM_UTF8).lstrip(BLANK)
        lines += data.count(b"\n") - rest.count(b"\n")
        if rest:
            return rest, lines
    raise ReportRejected("The file is empty. Upload the report the tool has written.")


def detect_format(head: bytes) -> str:
    """Whether a file that begins like this is "xml" or "json".

    Raises ReportRejected for anything else; the name of a file says nothing about it.
    """
    for magic, name in _PACKED.items():
        if head.startswith(magic):
            raise ReportRejected(f"The file is packed with {name}. Unpack it and upload the report that is inside.")
    if head.startswith(_UTF32):
        raise ReportRejected("The file is in UTF-32. Save the report in UTF-8.")
    start = head[:4096].removeprefix(codecs.BOM_UTF16_LE).removeprefix(codecs.BOM_UTF16_BE).replace(b"\0", b"")
    match start.lstrip(BLANK)[:1]:
        case b"<":
            return "xml"
        case b"{" | b"[":
            return "json"
    raise ReportRejected(
        "The file is neither XML nor JSON. Upload a test report in JUnit XML, or the JSON form of a run."
    )

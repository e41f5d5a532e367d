"""The bytes of a report: read once in chunks, hashed and counted."""

import codecs
import hashlib
from collections.abc import Callable
from typing import Protocol

from django.utils.translation import gettext

from missiondeck.reports.messages import size_message, text_of
from missiondeck.reports.report import ReportRejected

PIECE = 64 * 1024
BLANK = b" \t\r\n"
PACKED = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


class BinaryFile(Protocol):
    """A file of bytes: opened, or uploaded with a form."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, at most `size`; empty at the end of the file."""

    def seek(self, offset: int, /) -> object:
        """Continue at this byte."""


class Source:
    """A file that is read once, in chunks.

    limit: bytes; ReportRejected is raised for more, without reading further. before: bytes of the limit used by earlier
    files. progress: called with the number of bytes read so far, including earlier files.
    """

    def __init__(
        self, file: BinaryFile, *, limit: int, before: int = 0, progress: Callable[[int], None] | None = None
    ) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._progress = progress
        self._before = before
        # The limit in the error message.
        self._most = limit
        self.limit = limit - before
        self.count = 0

    def lower_limit(self, limit: int) -> None:
        """Lower the limit of this file."""
        if limit < self.limit:
            self.limit = self._most = limit

    def read(self, size: int = PIECE) -> bytes:
        """Return the next bytes, at most `size`; empty at the end of the file."""
        data = self._file.read(max(1, min(size, self.limit + 1 - self.count)))
        self._hash.update(data)
        self.count += len(data)
        if self.count > self.limit:
            text = gettext(
                "The report is larger than %(limit)s. Split it, or exclude the output of tests from the report."
            )
            if self.limit != self._most:
                text = gettext(
                    "The report files together are larger than %(limit)s."
                    " Split them, or exclude the output of tests from the report."
                )
            raise ReportRejected(text % {"limit": format_size(self._most)})
        if self._progress and data:
            self._progress(self._before + self.count)
        return data

    @property
    def digest(self) -> str:
        """The SHA-256 digest of the bytes read so far, in hexadecimal digits."""
        return self._hash.hexdigest()


def format_size(size: int) -> str:
    """Format a number of bytes: "100 MiB"."""
    return text_of(size_message(size))


def read_start(source: Source) -> tuple[bytes, int]:
    """Return the first chunk that is not blank, without leading blanks, and the number of lines before it.

    Raises ReportRejected for an empty file.
    """
    lines = 0
    while data := source.read():
        # Leading blanks in UTF-16 are handled by the parser.
        rest = data.removeprefix(codecs.BOM_UTF8).lstrip(BLANK)
        lines += data.count(b"\n") - rest.count(b"\n")
        if rest:
            return rest, lines
    raise ReportRejected(gettext("The file is empty. Upload the report that the tool wrote."))


def detect_format(head: bytes) -> str:
    """Detect the format of a file from its start: "xml" or "json".

    Raises ReportRejected for anything else. The file name is not used.
    """
    for magic, name in PACKED.items():
        if head.startswith(magic):
            raise ReportRejected(
                gettext("The file is compressed with %(name)s. Decompress it and upload the report inside.")
                % {"name": name}
            )
    if head.startswith(_UTF32):
        raise ReportRejected(gettext("The file is in UTF-32. Save the report in UTF-8."))
    start = head[:4096].removeprefix(codecs.BOM_UTF16_LE).removeprefix(codecs.BOM_UTF16_BE).replace(b"\0", b"")
    match start.lstrip(BLANK)[:1]:
        case b"<":
            return "xml"
        case b"{" | b"[":
            return "json"
    raise ReportRejected(gettext("The file is neither XML nor JSON nor TAP. Upload a test report, such as JUnit XML."))

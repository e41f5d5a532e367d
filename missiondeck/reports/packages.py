"""Zip archives of report files. Entries are read as streams; their paths are only shown, never used."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext

from missiondeck.reports.lines import detect_lines
from missiondeck.reports.report import MIB, ReportRejected
from missiondeck.reports.stream import PACKED, BinaryFile, detect_format
from missiondeck.reports.values import short

MAX_FILES = 1_000
# Bytes of the directory at the end of an archive, which is read as a whole.
DIRECTORY_BYTES = MIB
# Unpacked bytes per byte of the archive, for archives above a size that does no harm.
RATIO = 200
HARMLESS_BYTES = 4 * MIB

_START = (b"PK\x03\x04", b"PK\x05\x06")
_END, _ZIP64_LOCATOR = b"PK\x05\x06", b"PK\x06\x07"
_END_BYTES = 22
_COMMENT_BYTES = 65_535
_HEAD = 16 * 1024
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


class _Entry:
    """A file of an archive, opened when it is read."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        self._archive = archive
        self._info = info
        self._file: Any = None
        self.name = info.filename

    def read(self, size: int, /) -> bytes:
        try:
            if self._file is None:
                self._file = self._archive.open(self._info)
            return self._file.read(size)
        except _BROKEN as error:
            raise _broken(self.name) from error

    def seek(self, offset: int, /) -> object:
        """Continue at the start, the only supported offset."""
        self._file = None
        return offset


def unpack(files: Sequence[BinaryFile], *, limit: int) -> tuple[list[BinaryFile], list[str]]:
    """Replace each zip archive by its files; returns the files, and the names of those that are no reports.

    limit: of all unpacked bytes of an archive. Raises ReportRejected.
    """
    found: list[BinaryFile] = []
    others: list[str] = []
    for file in files:
        if _is_zip(file):
            _unpack(file, found, others, limit)
        else:
            found.append(file)
    if len(found) > MAX_FILES:
        raise ReportRejected(
            gettext("More than %(count)s report files cannot be imported as one run.") % {"count": f"{MAX_FILES:,}"}
        )
    return found, others


def _is_zip(file: Any) -> bool:
    """Whether a file that can be read twice is a zip archive."""
    if not (hasattr(file, "seekable") and file.seekable()):
        return False
    start = file.tell()
    head = file.read(4)
    file.seek(start)
    return head.startswith(_START)


def _unpack(file: Any, found: list[BinaryFile], others: list[str], limit: int) -> None:
    size = _check_directory(file)
    try:
        archive = zipfile.ZipFile(file)
    except _BROKEN as error:
        raise _broken(_name_of(file)) from error
    entries = [info for info in archive.infolist() if not _is_ignored(info)]
    unpacked = sum(info.file_size for info in entries)
    if len(entries) > MAX_FILES or unpacked > limit or unpacked > max(RATIO * size, HARMLESS_BYTES):
        raise ReportRejected(
            gettext(
                "The zip archive is too large: at most %(count)s files and %(size)s MiB, unpacked, can be imported."
            )
            % {"count": f"{MAX_FILES:,}", "size": f"{limit // MIB:,}"}
        )
    before = len(found)
    for info in entries:
        if info.flag_bits & 1:
            raise ReportRejected(gettext("The zip archive has a password. Upload it without one."))
        entry = _Entry(archive, info)
        if _is_report(entry.read(_HEAD)):
            entry.seek(0)
            found.append(entry)
        else:
            others.append(info.filename)
    if len(found) == before:
        raise ReportRejected(gettext("The zip archive contains no test report."))


def _check_directory(file: Any) -> int:
    """Check the size of the directory before it is read. Returns the size of the archive."""
    size = file.seek(0, 2)
    if size is None:
        size = file.tell()
    file.seek(max(0, size - _END_BYTES - _COMMENT_BYTES - 20))
    tail = file.read(_END_BYTES + _COMMENT_BYTES + 20)
    file.seek(0)
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + _END_BYTES:
        raise _broken(_name_of(file))
    directory = int.from_bytes(tail[at + 12 : at + 16], "little")
    if directory > DIRECTORY_BYTES or tail[max(0, at - 20) : at].startswith(_ZIP64_LOCATOR):
        raise ReportRejected(
            gettext("More than %(count)s report files cannot be imported as one run.") % {"count": f"{MAX_FILES:,}"}
        )
    return size


def _is_ignored(info: zipfile.ZipInfo) -> bool:
    """Whether an entry is a folder, or was added by an operating system."""
    name = info.filename.rpartition("/")[2]
    return info.is_dir() or info.filename.startswith("__MACOSX/") or name.startswith(".") or not name


def _is_report(head: bytes) -> bool:
    """Whether a file has a format of reports. Empty and compressed files count: they are rejected later."""
    if not head.strip() or head.startswith(tuple(PACKED)) or detect_lines(head):
        return True
    try:
        detect_format(head.removeprefix(b"\xef\xbb\xbf").lstrip())
    except ReportRejected:
        return False
    return True


def _name_of(file: Any) -> str:
    name = getattr(file, "name", "")
    return name if isinstance(name, str) else ""


def _broken(name: str) -> ReportRejected:
    return ReportRejected(
        gettext("The zip archive cannot be read (%(name)s). Create it again, without a password.")
        % {"name": short(name) or "zip"}
    )

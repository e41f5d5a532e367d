"""The document store: files that the site writes, in the storage "documents" of Django's STORAGES.

A name is a relative path with `/`, the same for every backend. A write replaces the whole document: after a crash it
has either the old or the new content. Symbolic links below the root are never followed.
"""

import contextlib
import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext_lazy as _

from missionsite.common.errors import DomainError

# Most characters of one part of a name and of the whole name; most parts.
LONGEST_PART = 120
LONGEST_NAME = 400
DEEPEST = 10
# Default limit of `read` in bytes.
LARGEST = 5_000_000

# Neither begins nor ends with a dot: no `.` or `..`, no hidden file, no temporary file of the store.
_PART = re.compile(rf"(?!\.)[A-Za-z0-9._-]{{1,{LONGEST_PART}}}(?<!\.)")
_TEMPORARY = ".part-"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class BadDocumentName(DomainError):
    message = _("This is not a valid document name.")
    code = "bad_document_name"
    status = 422


class NoSuchDocument(DomainError):
    message = _("There is no document with this name.")
    code = "no_such_document"
    status = 404


class DocumentTooLarge(DomainError):
    message = _("This document is too large to be read.")
    code = "document_too_large"
    status = 422


def write(name: str, content: bytes) -> None:
    """Write a document, replacing any with this name. Raises BadDocumentName."""
    check_name(name)
    saved = _store().save(name, ContentFile(content))
    if saved != name:
        _store().delete(saved)
        raise ImproperlyConfigured("The storage of documents does not overwrite files. For S3, set file_overwrite.")


def read(name: str, *, at_most: int = LARGEST) -> bytes:
    """The content of a document. Raises BadDocumentName, NoSuchDocument, and DocumentTooLarge above `at_most` bytes."""
    check_name(name)
    try:
        with _store().open(name) as document:
            # Some storages fetch the whole document to read a part of it.
            content = None if document.size > at_most else document.read(at_most + 1)
    except FileNotFoundError:
        raise NoSuchDocument from None
    if content is None or len(content) > at_most:
        raise DocumentTooLarge(_("This document is larger than {at_most} bytes.").format(at_most=at_most))
    return content


def exists(name: str) -> bool:
    """Whether there is a document with this name. Raises BadDocumentName."""
    check_name(name)
    return _store().exists(name)


def delete(name: str) -> None:
    """Delete a document if it exists. Raises BadDocumentName."""
    check_name(name)
    _store().delete(name)


def modified_at(name: str) -> datetime:
    """The time of a document's last write (aware). Raises BadDocumentName, NoSuchDocument."""
    check_name(name)
    store = _store()
    # S3 raises an error of its own for a missing document.
    if not isinstance(store, LocalDocuments) and not store.exists(name):
        raise NoSuchDocument
    try:
        return store.get_modified_time(name)
    except FileNotFoundError:
        raise NoSuchDocument from None


def names(folder: str = "") -> Iterator[str]:
    """The full names of all documents in a folder and its subfolders, sorted. Empty if there is no such folder.

    Raises BadDocumentName.
    """
    if folder != "":
        check_name(folder)
    store, remaining = _store(), [folder]
    while remaining:
        inside = remaining.pop()
        try:
            folders, files = store.listdir(inside)
        except FileNotFoundError:
            continue
        prefix = f"{inside}/" if inside else ""
        yield from (prefix + each for each in sorted(files) if _PART.fullmatch(each))
        remaining += [prefix + each for each in sorted(folders, reverse=True) if _PART.fullmatch(each)]


def tidy(older_than: timedelta) -> int:
    """Delete temporary files that a crash left behind. Returns their number, 0 for a backend without them.

    older_than: longer than the longest write, otherwise running writes fail.
    """
    store = _store()
    return store.tidy(older_than) if isinstance(store, LocalDocuments) else 0


def check_name(name: str) -> None:
    """Raise BadDocumentName unless this is a valid document name. Does not access the storage."""
    if not isinstance(name, str) or len(name) > LONGEST_NAME:
        raise BadDocumentName(
            _("A document name has at most {longest_name} characters.").format(longest_name=LONGEST_NAME)
        )
    parts = name.split("/")
    if len(parts) > DEEPEST:
        raise BadDocumentName(_("A document name has at most {deepest} parts.").format(deepest=DEEPEST))
    if not all(_PART.fullmatch(part) for part in parts):
        raise BadDocumentName(
            _(
                "Each part of a document name has at most {longest_part} letters A-Z, digits, dots, hyphens"
                " and underscores, and neither begins nor ends with a dot."
            ).format(longest_part=LONGEST_PART)
        )


def _store() -> Storage:
    return storages["documents"]


@deconstructible
class LocalDocuments(Storage):
    """Documents in a local folder.

    Each part of a name is opened relative to its parent folder without following links, so that nothing can be replaced
    between check and use. Source: openat(2), "Rationale for openat()".
    """

    def __init__(self, location: str | Path) -> None:
        self.location = Path(location)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def exists(self, name: str) -> bool:
        try:
            self._stat(name)
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        return self._stat(name).st_size

    def get_modified_time(self, name: str) -> datetime:
        return datetime.fromtimestamp(self._stat(name).st_mtime, UTC)

    def delete(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError), self._folder_of(name) as (folder, last):
            _stat_document(last, folder=folder)
            os.unlink(last, dir_fd=folder)
            os.fsync(folder)

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        folders, files = [], []
        with self._open_folder(path.split("/") if path else []) as folder, os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif entry.is_file(follow_symlinks=False):
                    files.append(entry.name)
        return folders, files

    def tidy(self, older_than: timedelta) -> int:
        """Delete temporary files that were last written before that. Returns their number."""
        before, removed = time.time() - older_than.total_seconds(), 0
        if not self.location.is_dir():
            return 0
        for _path, _folders, files, folder in os.fwalk(self.location.resolve(), follow_symlinks=False):
            for each in files:
                with contextlib.suppress(FileNotFoundError):
                    if each.startswith(_TEMPORARY) and os.lstat(each, dir_fd=folder).st_mtime < before:
                        os.unlink(each, dir_fd=folder)
                        removed += 1
        return removed

    def _open(self, name: str, mode: str = "rb") -> File:
        if mode != "rb":
            raise ValueError("A document can only be opened for reading; use save() to replace it.")
        with self._folder_of(name) as (folder, last):
            _stat_document(last, folder=folder)
            with _reject_links():
                # Non-blocking: it could be replaced by a pipe after the check.
                opened = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        return File(os.fdopen(opened, "rb"), name)

    def _save(self, name: str, content: File) -> str:
        temporary = f"{_TEMPORARY}{secrets.token_hex(12)}"
        with self._folder_of(name, make=True) as (folder, last):
            with contextlib.suppress(FileNotFoundError):
                _stat_document(last, folder=folder)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            try:
                with os.fdopen(os.open(temporary, flags, 0o640, dir_fd=folder), "wb") as file:
                    for chunk in content.chunks():
                        file.write(chunk)
                    file.flush()
                    os.fsync(file.fileno())
                # Replaces a link created meanwhile, not its target.
                os.replace(temporary, last, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=folder)
                raise
            # The new directory entry is durable only after an fsync of the folder.
            os.fsync(folder)
        return name

    def _stat(self, name: str) -> os.stat_result:
        with self._folder_of(name) as (folder, last):
            return _stat_document(last, folder=folder)

    @contextlib.contextmanager
    def _folder_of(self, name: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """The open folder of a document, and the last part of its name."""
        check_name(name)
        *parts, last = name.split("/")
        with self._open_folder(parts, make=make) as folder:
            yield folder, last

    @contextlib.contextmanager
    def _open_folder(self, parts: list[str], *, make: bool = False) -> Iterator[int]:
        """An open folder below the root. make: create missing folders instead of raising FileNotFoundError."""
        if make:
            self.location.mkdir(mode=0o750, parents=True, exist_ok=True)
        # The root itself may be a link: the operator chooses its place.
        folder = os.open(self.location, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in parts:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(part, 0o750, dir_fd=folder)
                    # Also if another writer created it, which may have crashed before its fsync.
                    os.fsync(folder)
                with _reject_links():
                    inner = os.open(part, _FOLDER, dir_fd=folder)
                os.close(folder)
                folder = inner
            yield folder
        finally:
            os.close(folder)


@contextlib.contextmanager
def _reject_links() -> Iterator[None]:
    """Raise BadDocumentName for a link, or for a file in place of a folder."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise BadDocumentName(_("A part of this name is a link or not a folder.")) from error
        raise


def _stat_document(last: str, *, folder: int) -> os.stat_result:
    """The stat result of a document. Raises FileNotFoundError, and BadDocumentName for anything but a regular file."""
    found = os.lstat(last, dir_fd=folder)
    if not stat.S_ISREG(found.st_mode):
        raise BadDocumentName(_("The file at this name is not a document."))
    return found

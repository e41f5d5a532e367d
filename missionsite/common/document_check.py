"""Whether documents can be written, in words for operators."""

import os
import tempfile

from django.core.files.storage import storages

from missionsite.common.documents import LocalDocuments

# Bytes below which the disk counts as full: more than the largest test report with its output.
LEAST_FREE = 200_000_000


def problem() -> str:
    """What prevents documents from being written; empty if nothing does.

    Writes a temporary file; of a storage other than a folder it only asks whether a document exists.
    """
    store = storages["documents"]
    if not isinstance(store, LocalDocuments):
        try:
            store.exists("probe")
        except Exception as error:
            return f"the storage does not respond: {error}"
        return ""
    try:
        store.location.mkdir(mode=0o750, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=store.location) as file:
            file.write(b"x" * 4096)
            file.flush()
            free = os.fstatvfs(file.fileno())
    except OSError as error:
        return f"{store.location} cannot be written: {error.strerror}"
    left = free.f_bavail * free.f_frsize
    return f"{store.location} has only {left // 1_000_000} MB left" if left < LEAST_FREE else ""

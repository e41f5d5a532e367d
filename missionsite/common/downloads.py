"""Generated files for download, complete or not at all.

A file sent while it is generated looks complete when the database connection is lost halfway, because granian ends a
chunked response properly in any case. So the file is generated first, in memory or on disk, and sent with its length.
An error during generation gives an error page; an interrupted transfer is shorter than its Content-Length, which every
client notices. Source: RFC 9112, 8.
"""

from collections.abc import Callable, Iterable
from tempfile import SpooledTemporaryFile
from typing import IO, cast

from django.http import FileResponse, HttpRequest, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from missionsite.common import replica
from missionsite.common.accounts.identity import prompt_for_identity
from missionsite.common.audit.security import record_security_event
from missionsite.common.request_context import current_request

# Bytes kept in memory; larger files are written to disk.
IN_MEMORY = 1024 * 1024


def prompt_for_export(request: HttpRequest, back: str) -> HttpResponseRedirect | None:
    """Return the redirect to the page that asks for a proof of identity before an export; None after a recent one.

    back: the address of the list, which is shown afterwards with the filters of the request.
    """
    query = request.GET.urlencode()
    then = f"{back}?{query}" if query else back
    return prompt_for_identity(
        request, then=then, hint=_("After this, the list is shown again: choose the export there.")
    )


class Download(FileResponse):
    """A file response with a Content-Length, sent in blocks."""

    block_size = 64 * 1024


def download(pieces: Callable[[], Iterable[str]], *, name: str, content_type: str) -> Download:
    """A response with all pieces as one UTF-8 file. pieces: see `download_file`. Raises what the iterable raises."""
    return download_file(lambda: _written(pieces()), name=name, content_type=content_type)


def _written(pieces: Iterable[str]) -> IO[bytes]:
    file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the response closes it
    try:
        for piece in pieces:
            file.write(piece.encode())
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return cast(IO[bytes], file)


def download_file(make: Callable[[], IO[bytes]], *, name: str, content_type: str) -> Download:
    """A response with a file from its beginning, which it closes.

    make: generates the file. It only reads, may use the replica, and is called again if that fails.
    """
    request = current_request()
    response = Download(replica.read(request, make), as_attachment=True, filename=name, content_type=content_type)
    user = getattr(request, "user", None)
    record_security_event("data.exported", actor=user if getattr(user, "pk", None) else None, file=name)
    # Specific to this member and moment.
    response["Cache-Control"] = "no-store"
    return response

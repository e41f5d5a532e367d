"""Files that are made for a download: whole or not at all.

A file that is sent while it is made ends like a whole one when the database goes away in the middle: granian ends a
chunked response properly whatever happened. So it is made first, in memory or on disk, and sent with its length: what
breaks while it is made is an error page, and what breaks while it is sent is too short for its Content-Length, which
every client notices. Source: RFC 9112, 8.
"""

from collections.abc import Iterable
from tempfile import SpooledTemporaryFile

from django.http import FileResponse

# Bytes kept in memory; a larger file goes to disk.
IN_MEMORY = 1024 * 1024


class Download(FileResponse):
    """A file with its length, sent in pieces."""

    block_size = 64 * 1024


def download(pieces: Iterable[str], *, name: str, content_type: str) -> Download:
    """The response that sends all pieces, as UTF-8, under this name. Raises what making a piece raises."""
    file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - the response closes it
    try:
        for piece in pieces:
            file.write(piece.encode())
        file.seek(0)
        response = Download(file, as_attachment=True, filename=name, content_type=content_type)
    except BaseException:
        file.close()
        raise
    # Made for who asked, from what was there at that moment.
    response["Cache-Control"] = "no-store"
    return response

"""Runs the site under an ASGI server: a few threads run requests, and slow clients do not occupy them.

The site is synchronous. More threads than the processor can use make every request slower, so a process runs only a
few requests at a time (WEB_THREADS). The body is read before the request gets a thread, and must keep arriving; live
pages wait without a thread. Sources: ASGI 3.0, HTTP connection scope; PEP 3333.
"""

import asyncio
import contextlib
import http
import io
import json
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import unquote_to_bytes

from django.core.handlers.wsgi import WSGIRequest
from django.utils.translation import gettext as _

from missionsite.common.error_pages import error_page

logger = logging.getLogger(__name__)

# Seconds for a body to arrive, plus one second for each this many bytes received.
BODY_SECONDS = 15
BYTES_A_SECOND = 5_000
# Bytes of a body kept in memory; larger ones are written to disk, at most LARGE_BODIES at a time.
IN_MEMORY = 256 * 1024
LARGE_BODIES = 8
# Threads that read downloads.
DOWNLOAD_THREADS = 4

Receive = Callable[[], Awaitable[dict]]
Send = Callable[[dict], Awaitable[None]]


class Rejected(Exception):
    """The request is rejected with this status."""

    def __init__(self, status: http.HTTPStatus, detail: str) -> None:
        self.status, self.detail = status, detail
        super().__init__(detail)


class Disconnected(Exception):
    """The client disconnected before its request was complete."""


@dataclass
class Answer:
    """The response of the application. body: all bytes, or an iterator if it streams."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: object
    streams: bool


class ThreadedSite:
    """An ASGI application that runs a WSGI application in threads.

    threads: concurrent requests. largest: most bytes of a body. probes: addresses that have a thread of their own.
    """

    def __init__(self, application: Any, *, threads: int, largest: int, probes: Collection[str] = ()) -> None:
        self.application = application
        self.probes = frozenset(probes)
        self.largest = largest
        self._requests = ThreadPoolExecutor(threads, "request")
        # A thread of their own, so that addresses of monitoring respond while all others work.
        self._probes = ThreadPoolExecutor(1, "probe")
        self._streams = ThreadPoolExecutor(DOWNLOAD_THREADS, "download")
        self._large = asyncio.Semaphore(LARGE_BODIES)

    async def __call__(self, scope: dict, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']} is not supported; run granian with --interface asginl --no-ws.")
        with SpooledTemporaryFile(IN_MEMORY) as body:
            async with contextlib.AsyncExitStack() as resources:
                try:
                    await self._read_body(scope, receive, body, resources)
                except Rejected as rejected:
                    await _reject(scope, send, rejected)
                except Disconnected:
                    pass
                else:
                    await self._answer(environ_of(scope, body), receive, send)

    async def _answer(self, environ: dict, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        threads = self._probes if environ["PATH_INFO"] in self.probes else self._requests
        answer = await loop.run_in_executor(threads, self._run, environ)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        if answer.streams:
            await self._stream(answer.body, receive, send)
        else:
            await send({"type": "http.response.body", "body": answer.body})

    async def _read_body(
        self, scope: dict, receive: Receive, body: io.IOBase, resources: contextlib.AsyncExitStack
    ) -> None:
        """Read the body into the file. Raises Rejected, Disconnected.

        resources: holds a slot for large bodies until the request is answered.
        """
        headers = dict(scope["headers"])
        if b"content-length" not in headers and b"transfer-encoding" not in headers:
            return
        too_large = Rejected(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _("The request is too large."))
        if headers.get(b"content-length", b"").isdigit() and int(headers[b"content-length"]) > self.largest:
            raise too_large
        clock = asyncio.get_running_loop().time
        deadline = clock() + BODY_SECONDS
        received, is_large = 0, False
        while True:
            arriving = asyncio.ensure_future(_next(receive))
            done, _waiting = await asyncio.wait({arriving}, timeout=deadline - clock())
            if not done:
                arriving.cancel()
                raise Rejected(http.HTTPStatus.REQUEST_TIMEOUT, _("The body of the request did not arrive in time."))
            message = arriving.result()
            if message["type"] == "http.disconnect":
                raise Disconnected
            piece = message.get("body", b"")
            received += len(piece)
            deadline += len(piece) / BYTES_A_SECOND
            if received > self.largest:
                raise too_large
            if received > IN_MEMORY and not is_large:
                is_large = True
                waited_since = clock()
                await resources.enter_async_context(self._large)
                # The wait for a slot does not count against the sender.
                deadline += clock() - waited_since
            body.write(piece)
            if not message.get("more_body"):
                body.seek(0)
                return

    def _run(self, environ: dict) -> Answer:
        """Call the application in a request thread. The answer is complete unless it streams."""
        status_code, raw_headers = 500, []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            nonlocal status_code, raw_headers
            status_code = int(status.split(" ", 1)[0])
            raw_headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]

        response = self.application(environ, start_response)
        if getattr(response, "streaming", False):
            return Answer(status_code, raw_headers, body=response, streams=True)
        try:
            return Answer(status_code, raw_headers, body=b"".join(response), streams=False)
        finally:
            if hasattr(response, "close"):
                response.close()

    async def _stream(self, response: Any, receive: Receive, send: Send) -> None:
        """Send the response in pieces until it ends or the client disconnects.

        A live page waits for each piece without a thread, a download in one; none waits while the client receives it.
        """
        loop = asyncio.get_running_loop()
        events: AsyncIterator[bytes] | None = None
        if asynchronous := getattr(response, "asynchronous_pieces", None):
            events = asynchronous(partial(loop.run_in_executor, self._requests))
        pieces = iter(response)
        disconnected: asyncio.Future[Any] = asyncio.ensure_future(_until_disconnected(receive))
        waiting: asyncio.Future[Any] | None = None
        try:
            while True:
                if events is not None:
                    waiting = asyncio.ensure_future(anext(events, None))
                else:
                    waiting = loop.run_in_executor(self._streams, next, pieces, None)
                await asyncio.wait({waiting, disconnected}, return_when=asyncio.FIRST_COMPLETED)
                if disconnected.done() or (piece := waiting.result()) is None:
                    break
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except Exception:
            # With a Content-Length the server closes the connection, so the client notices the missing bytes.
            logger.exception("A response was interrupted")
            raise
        finally:
            disconnected.cancel()
            # In a request thread, since it may use the database.
            await loop.run_in_executor(self._requests, response.close)
            # The close has woken it.
            if waiting is not None:
                await asyncio.wait({waiting})


async def _next(receive: Receive) -> dict:
    return await receive()


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def environ_of(scope: dict, body: io.IOBase) -> dict:
    """The environ of PEP 3333. Headers with an underscore are left out, as they would look like those with a hyphen."""
    length = body.seek(0, io.SEEK_END)
    body.seek(0)
    host, port = scope.get("server") or ("localhost", 80)
    raw_path = scope.get("raw_path") or scope["path"].encode()
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", ""),
        "PATH_INFO": unquote_to_bytes(raw_path.partition(b"?")[0]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 0),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if scope.get("client"):
        environ["REMOTE_ADDR"] = scope["client"][0]
    for name, value in scope["headers"]:
        if b"_" in name:
            continue
        key = name.decode("latin-1").upper().replace("-", "_")
        if key != "CONTENT_TYPE":
            key = f"HTTP_{key}"
        joint = "; " if key == "HTTP_COOKIE" else ","
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]}{joint}{text}" if key in environ else text
    environ.pop("HTTP_CONTENT_LENGTH", None)
    environ["CONTENT_LENGTH"] = str(length) if length else ""
    return environ


async def _reject(scope: dict, send: Send, rejected: Rejected) -> None:
    """Send an error response and close the connection without reading the rest of the request."""
    status = rejected.status
    if scope["path"].startswith("/api/"):
        code = status.phrase.lower().replace(" ", "_")
        document: dict[str, Any] = {"type": f"urn:missionsite:{code}", "title": status.phrase, "status": status.value}
        document |= {"detail": rejected.detail, "instance": scope["path"], "code": code, "request_id": "", "errors": []}
        body, content_type = json.dumps(document).encode(), b"application/problem+json"
    else:
        page = error_page(WSGIRequest(environ_of(scope, io.BytesIO())), status)
        body, content_type = page.content, b"text/html; charset=utf-8"
    headers = [(b"content-type", content_type), (b"cache-control", b"no-store"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})

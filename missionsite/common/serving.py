"""The site behind an ASGI server: a few threads run requests, and no one who is slow takes one of them.

The site is synchronous. More threads than a processor can use make every request slower, so a process runs a few
requests at a time (WEB_THREADS). A body is read before its request gets a thread, and must keep arriving; a live page
waits in a thread of its own kind. Sources: ASGI 3.0, HTTP connection scope; PEP 3333.
"""

import asyncio
import contextlib
import http
import io
import json
import logging
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from urllib.parse import unquote_to_bytes

logger = logging.getLogger(__name__)

# A body has so many seconds, and one more for every so many bytes that have arrived.
BODY_SECONDS = 15
BYTES_A_SECOND = 5_000
# Bytes of a body kept in memory; a larger one goes to disk, so many of them at a time.
IN_MEMORY = 256 * 1024
LARGE_BODIES = 8
# Threads that send downloads, beside those of the live pages.
DOWNLOAD_THREADS = 4

Receive = Callable[[], Awaitable[dict]]
Send = Callable[[dict], Awaitable[None]]


class Rejected(Exception):
    """The body is not taken; carries the status of the answer."""

    def __init__(self, status: http.HTTPStatus, detail: str) -> None:
        self.status, self.detail = status, detail
        super().__init__(detail)


class Disconnected(Exception):
    """The client went away before its request was complete."""


@dataclass
class Answer:
    """What the application returned. body: the whole of it, or what is iterated when it streams."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: object
    streams: bool


class ThreadedSite:
    """An ASGI application that runs a WSGI one.

    threads: requests run at a time. streams: live pages that may be open. largest: bytes of a body.
    """

    def __init__(self, application, *, threads: int, streams: int, largest: int) -> None:
        self.application = application
        self.largest = largest
        self._requests = ThreadPoolExecutor(threads, "request")
        self._streams = ThreadPoolExecutor(streams + DOWNLOAD_THREADS, "stream")
        self._large = asyncio.Semaphore(LARGE_BODIES)

    async def __call__(self, scope: dict, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"This site has no {scope['type']}; run granian with --interface asginl --no-ws.")
        with SpooledTemporaryFile(IN_MEMORY) as body:
            async with contextlib.AsyncExitStack() as room:
                try:
                    await self._read_body(scope, receive, body, room)
                except Rejected as rejected:
                    await _reject(scope, send, rejected)
                except Disconnected:
                    pass
                else:
                    await self._answer(environ_of(scope, body), receive, send)

    async def _answer(self, environ: dict, receive: Receive, send: Send) -> None:
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._requests, self._run, environ)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        if answer.streams:
            await self._stream(answer.body, receive, send)
        else:
            await send({"type": "http.response.body", "body": answer.body})

    async def _read_body(self, scope: dict, receive: Receive, body: io.IOBase, room: contextlib.AsyncExitStack) -> None:
        """Fill the file with the body. Raises Rejected, Disconnected.

        room: keeps one of the places for large bodies until the request is answered.
        """
        headers = dict(scope["headers"])
        if b"content-length" not in headers and b"transfer-encoding" not in headers:
            return
        too_large = Rejected(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request is too large.")
        if headers.get(b"content-length", b"").isdigit() and int(headers[b"content-length"]) > self.largest:
            raise too_large
        clock = asyncio.get_running_loop().time
        deadline = clock() + BODY_SECONDS
        received, is_large = 0, False
        while True:
            arriving = asyncio.ensure_future(_next(receive))
            done, _ = await asyncio.wait({arriving}, timeout=deadline - clock())
            if not done:
                arriving.cancel()
                raise Rejected(http.HTTPStatus.REQUEST_TIMEOUT, "The body of the request did not arrive in time.")
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
                await room.enter_async_context(self._large)
                # The site was not ready for more, which is not the sender's fault.
                deadline += clock() - waited_since
            body.write(piece)
            if not message.get("more_body"):
                body.seek(0)
                return

    def _run(self, environ: dict) -> Answer:
        """Call the application in a thread of requests; the answer is complete unless it streams."""
        started: list = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info=None) -> None:
            started[:] = [
                int(status.split(" ", 1)[0]),
                [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            ]

        response = self.application(environ, start_response)
        if getattr(response, "streaming", False):
            return Answer(*started, body=response, streams=True)
        try:
            return Answer(*started, body=b"".join(response), streams=False)
        finally:
            if hasattr(response, "close"):
                response.close()

    async def _stream(self, response, receive: Receive, send: Send) -> None:
        """Send piece by piece until the response ends or the client goes away.

        A piece is waited for in a thread of streams; while the client takes its time no thread waits.
        """
        loop = asyncio.get_running_loop()
        pieces = iter(response)
        gone = asyncio.ensure_future(_until_gone(receive))
        waiting = None
        try:
            while True:
                waiting = loop.run_in_executor(self._streams, next, pieces, None)
                await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED)
                if gone.done() or (piece := waiting.result()) is None:
                    break
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except Exception:
            # With a Content-Length the server cuts the connection, and the client sees that something is missing.
            logger.exception("A response broke off")
            raise
        finally:
            gone.cancel()
            # In a thread of requests: those of streams may all be waiting for what only a close ends.
            await loop.run_in_executor(self._requests, response.close)
            if waiting is not None:
                await asyncio.wait({waiting})


async def _next(receive: Receive) -> dict:
    return await receive()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def environ_of(scope: dict, body: io.IOBase) -> dict:
    """The environ of PEP 3333. A header with an underscore is left out: it would pass for one with a hyphen."""
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
    """Answer and close the connection, of whose request the rest is not read."""
    status = rejected.status
    if scope["path"].startswith("/api/"):
        code = status.phrase.lower().replace(" ", "_")
        document = {"type": f"urn:missionsite:{code}", "title": status.phrase, "status": status.value}
        document |= {"detail": rejected.detail, "instance": scope["path"], "code": code, "request_id": "", "errors": []}
        body, content_type = json.dumps(document).encode(), b"application/problem+json"
    else:
        body, content_type = f"{rejected.detail}\n".encode(), b"text/plain; charset=utf-8"
    headers = [(b"content-type", content_type), (b"cache-control", b"no-store"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})

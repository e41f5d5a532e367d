"""A gateway on this machine that takes messages over HTTP, well or badly, over real connections.

    with gateway() as server:
        server.on(answers(503, Retry_After="30"), hangs_up)

A script is a list of answers, each given once; then every message is taken.
"""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[["Call"], None]


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int


class Call(BaseHTTPRequestHandler):
    """One request of the site."""

    protocol_version = "HTTP/1.1"
    server: "GatewayServer"

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1
        self.number = self.server.connections

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append(Request(self.path, dict(self.headers), body, self.number))
        answer = self.server.script.pop(0) if self.server.script else taken
        # A client that has had enough hangs up; that is its right.
        try:
            answer(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def say(self, body, *, status: int = 200, **headers: str) -> None:
        """Answer with JSON, or with bytes as they are. headers: X_Name for X-Name."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args) -> None:
        """Nothing: a test reads `requests`."""


class GatewayServer(ThreadingHTTPServer):
    """Listens at `url`; remembers what it was sent in `requests`."""

    daemon_threads = False
    block_on_close = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Call)
        self.url = f"http://127.0.0.1:{self.server_port}/messages?key=1"
        self.requests: list[Request] = []
        self.connections = 0
        self.script: list[Answer] = []
        self.stopping = threading.Event()
        # Set when a connection was ended by this side.
        self.ended = threading.Event()
        self._open: set[socket.socket] = set()

    def on(self, *answers: Answer) -> None:
        self.script.extend(answers)

    def process_request(self, request, client_address) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request) -> None:
        self._open.discard(request)
        super().shutdown_request(request)
        self.ended.set()

    def handle_error(self, request, client_address) -> None:
        """Nothing: a reset connection is part of the play."""

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


@contextmanager
def gateway() -> Iterator[GatewayServer]:
    """A running gateway that takes everything."""
    server = GatewayServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


# --- Answers --------------------------------------------------------------------------------------


def taken(call: Call) -> None:
    call.say({"id": f"gw-{len(call.server.requests)}"})


def answers(status: int, body=b"", **headers: str) -> Answer:
    return lambda call: call.say(body, status=status, **headers)


def hangs_up(call: Call) -> None:
    """Breaks the connection off."""
    call.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    call.close_connection = True
    call.connection.close()


def says_nothing(call: Call) -> None:
    """Takes the request and never answers."""
    with suppress(OSError):
        call.connection.recv(1)
    call.close_connection = True


def drips(start: bytes) -> Answer:
    """Begins an answer and sends a byte now and then, for ever."""

    def say(call: Call) -> None:
        call.close_connection = True
        call.wfile.write(start)
        while not call.server.stopping.wait(0.05):
            call.wfile.write(b" ")

    return say


def endless(call: Call) -> None:
    """A body without an end, after the status of a message that was taken."""
    call.close_connection = True
    call.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not call.server.stopping.is_set():
        call.wfile.write(b"10000\r\n" + b" " * 65536 + b"\r\n")


def half(call: Call) -> None:
    """Promises more bytes than it sends."""
    call.close_connection = True
    call.wfile.write(b'HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"id": "x')


def raw(text: bytes) -> Answer:
    """Sends bytes as they are, and hangs up."""

    def say(call: Call) -> None:
        call.close_connection = True
        call.wfile.write(text)

    return say

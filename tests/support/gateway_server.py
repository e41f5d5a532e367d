"""A local HTTP gateway for messages that can be scripted to fail, over real connections.

    with gateway() as server:
        server.on(answers(503, Retry_After="30"), hangs_up)

A script is a list of answers, each used once; afterwards every message is accepted.
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
        # The client may close the connection early.
        try:
            answer(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def respond(self, body, *, status: int = 200, **headers: str) -> None:
        """Respond with JSON, or with bytes unchanged. headers: X_Name for X-Name."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args) -> None:
        """Log nothing: tests read `requests`."""


class GatewayServer(ThreadingHTTPServer):
    """Listens at `url` and records `requests`."""

    daemon_threads = False
    block_on_close = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Call)
        self.url = f"http://127.0.0.1:{self.server_port}/messages?key=1"
        self.requests: list[Request] = []
        self.connections = 0
        self.script: list[Answer] = []
        self.stopping = threading.Event()
        # Set when this server has closed a connection.
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
        """Ignore reset connections."""

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


@contextmanager
def gateway() -> Iterator[GatewayServer]:
    """A running gateway that accepts every message."""
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
    call.respond({"id": f"gw-{len(call.server.requests)}"})


def answers(status: int, body=b"", **headers: str) -> Answer:
    return lambda call: call.respond(body, status=status, **headers)


def hangs_up(call: Call) -> None:
    """Resets the connection."""
    call.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    call.close_connection = True
    call.connection.close()


def never_responds(call: Call) -> None:
    """Accepts the request and never responds."""
    with suppress(OSError):
        call.connection.recv(1)
    call.close_connection = True


def drips(start: bytes) -> Answer:
    """Starts a response and sends a byte from time to time, without end."""

    def respond(call: Call) -> None:
        call.close_connection = True
        call.wfile.write(start)
        while not call.server.stopping.wait(0.05):
            call.wfile.write(b" ")

    return respond


def endless(call: Call) -> None:
    """An endless body after the status of an accepted message."""
    call.close_connection = True
    call.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not call.server.stopping.is_set():
        call.wfile.write(b"10000\r\n" + b" " * 65536 + b"\r\n")


def half(call: Call) -> None:
    """Sends fewer bytes than its Content-Length."""
    call.close_connection = True
    call.wfile.write(b'HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"id": "x')


def raw(text: bytes) -> Answer:
    """Sends bytes as they are, and hangs up."""

    def respond(call: Call) -> None:
        call.close_connection = True
        call.wfile.write(text)

    return respond

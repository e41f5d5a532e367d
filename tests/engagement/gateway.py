"""A gateway process that supports idempotency keys and kills senders.

`python -m tests.engagement.gateway` prints its port. POST /messages accepts a message; POST /kill sets the sender pool,
the number of kills and their rate; GET /report returns the counts. A sender is killed with SIGKILL at one of three
stages: before its message is accepted, before the response, and after the response.
"""

import json
import os
import random
import signal
import sys
import threading
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

STAGES = ("before", "taken", "answered")


class Gateway:
    """Counts requests and kills. accepted: how often each key was accepted as a new message, at most once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.accepted: Counter[str] = Counter()
        self.requests = 0
        self.killed: Counter[str] = Counter()
        self.pool = self.kills = 0
        self.one_in = 1
        self.chance = random.Random(5)

    def next_kill(self) -> str:
        """Return at which stage to kill the sender of this message; empty for no kill."""
        with self.lock:
            if self.killed.total() >= self.kills or self.chance.randrange(self.one_in):
                return ""
            stage = STAGES[self.killed.total() % len(STAGES)]
            self.killed[stage] += 1
            return stage

    def take(self, key: str) -> None:
        with self.lock:
            self.requests += 1
            if key not in self.accepted:
                self.accepted[key] += 1

    def report(self) -> dict:
        with self.lock:
            return {"accepted": dict(self.accepted), "requests": self.requests, "killed": dict(self.killed)}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gateway: Gateway

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        content = self.rfile.read(length)
        if len(content) < length:
            # The sender was killed while it wrote the request.
            self.close_connection = True
            return
        if self.path == "/kill":
            body = json.loads(content)
            self.gateway.pool, self.gateway.kills, self.gateway.one_in = (
                body["pool"],
                body["kills"],
                body["one_in"],
            )
            self._answer({})
            return
        stage = self.gateway.next_kill()
        sender = sender_behind(self.client_address[1], self.gateway.pool) if stage else 0
        if stage == "before":
            kill(sender)
            self.close_connection = True
            return
        self.gateway.take(self.headers["Idempotency-Key"])
        if stage == "taken":
            kill(sender)
            self.close_connection = True
            return
        self._answer({"id": self.headers["Idempotency-Key"]})
        if stage == "answered":
            kill(sender)

    def do_GET(self) -> None:
        self._answer(self.gateway.report())

    def _answer(self, values: dict) -> None:
        content = json.dumps(values).encode()
        with suppress(OSError):
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, *_) -> None:
        pass

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()


def children_of(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def sender_behind(port: int, pool: int) -> int:
    """Return the sender process that has the other end of a connection; 0 if it has exited."""
    inode = next(
        (
            fields[9]
            for fields in map(str.split, Path("/proc/net/tcp").read_text().splitlines()[1:])
            if int(fields[1].rpartition(":")[2], 16) == port
        ),
        None,
    )
    for child in children_of(pool):
        with suppress(OSError):
            for each in Path(f"/proc/{child}/fd").iterdir():
                with suppress(OSError):
                    if os.readlink(each) == f"socket:[{inode}]":
                        return child
    return 0


def kill(pid: int) -> None:
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def main() -> None:
    Handler.gateway = Gateway()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)  # noqa: T201
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever()


if __name__ == "__main__":
    main()

"""A server on this machine that speaks as GitHub's REST API does, well or badly, over real connections.

    with github() as server:
        server.person("OctoCat", stars=[150, 50], bio="hello")
        server.on("/users/octocat", failing(502), failing(502), server.answer("/users/octocat"))

A script is a list of answers to a path: each is given once, the last one for ever. An answer is a function of a `Call`.
"""

import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

Answer = Callable[["Call"], None]


@dataclass
class Request:
    """What a client asked, and when. query: the last value of each name. at: seconds since the epoch."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    at: float


class Call(BaseHTTPRequestHandler):
    """One request of a client and the means to answer it."""

    protocol_version = "HTTP/1.1"
    server: "GitHubServer"

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(address.query).items()}
        self.request_line = Request(address.path, query, dict(self.headers), time.time())
        answer = self.server.next_answer(self.request_line)
        # A client that has had enough hangs up; that is its right.
        try:
            answer(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def respond(self, body, *, status: int = 200, **headers: str) -> None:
        """Answer with JSON, or with bytes as they are. headers: X_Name for X-Name."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def pause(self, seconds: float) -> None:
        """Let time pass; stops the answer when the server stops or the client has hung up."""
        if self.server.stopping.wait(seconds):
            raise BrokenPipeError

    def until_the_client_leaves(self) -> None:
        with suppress(OSError):
            self.connection.recv(1)
        self.server.left_waiting.set()
        self.close_connection = True

    def log_message(self, *_args) -> None:
        """Nothing: a test reads `requests`."""


class GitHubServer(ThreadingHTTPServer):
    """Listens at `url`; remembers what it was asked in `requests`."""

    # A stop waits for every answer that is under way.
    daemon_threads = False
    block_on_close = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Call)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        # Set when a client hangs up on an answer that never came.
        self.left_waiting = threading.Event()
        self._scripts: dict[str, list[Answer]] = {}
        self._searches: dict[str, Answer] = {}
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()

    # --- Answers ---

    def on(self, path: str, *answers: Answer) -> None:
        """Script a path; a path with a query is meant before one without."""
        self._scripts[path] = list(answers)

    def answer(self, path: str) -> Answer:
        """What a path answers now, to be put into a longer script."""
        return self._scripts[path][0]

    def person(
        self,
        login: str = "octocat",
        *,
        stars: list[int] | None = None,
        public_repos: int | None = None,
        followers: int = 0,
        commits: int = 0,
        issues: int = 0,
        pull_requests: int = 0,
        **fields,
    ) -> dict:
        """Script all answers about a user. Returns the user's document. stars: of each repository."""
        stars = stars or []
        user = {
            "login": login,
            "id": 583231,
            "type": "User",
            "url": f"{self.url}/users/{login}",
            "html_url": f"https://github.com/{login}",
            "name": "Mona Lisa",
            "email": "mona@example.org",
            "bio": None,
            "company": None,
            "blog": "",
            "location": None,
            "public_repos": len(stars) if public_repos is None else public_repos,
            "followers": followers,
            "created_at": "2011-01-25T18:44:36Z",
        } | fields
        # GitHub finds an account whatever the case of its name.
        for name in {login, login.lower()}:
            self.on(f"/users/{name}", reply(user))
            self.on(f"/users/{name}/repos", self.repositories(stars))
        for kind, word, total in (
            ("commits", "", commits),
            ("issues", "is:issue", issues),
            ("issues", "is:pull-request", pull_requests),
        ):
            self._searches[f"{kind} {word} {login}"] = reply(found(total))
        self.on("/search/commits", self._search)
        self.on("/search/issues", self._search)
        return user

    def repositories(self, stars: list[int]) -> Answer:
        """Repositories a page, with GitHub's links between the pages."""

        def respond(call: Call) -> None:
            asked = call.request_line
            size, page = int(asked.query.get("per_page", 30)), int(asked.query.get("page", 1))
            first = (page - 1) * size
            rows = [
                {"id": 1000 + number, "name": f"repo-{number}", "stargazers_count": stars[number], "fork": False}
                for number in range(first, min(first + size, len(stars)))
            ]
            last = max(-(-len(stars) // size), 1)
            here = f"{self.url}{asked.path}?per_page={size}&type=owner"
            links = [f'<{here}&page={page - 1}>; rel="prev"'] if page > 1 else []
            if page < last:
                links += [f'<{here}&page={page + 1}>; rel="next"', f'<{here}&page={last}>; rel="last"']
            call.respond(rows, **({"Link": ", ".join(links)} if links else {}))

        return respond

    def search(self, kind: str, word: str, login: str, answer: Answer) -> None:
        """Script one search: kind `commits` with word "", or `issues` with `is:issue` or `is:pull-request`."""
        self._searches[f"{kind} {word} {login}"] = answer

    def _search(self, call: Call) -> None:
        kind = call.request_line.path.removeprefix("/search/")
        words = call.request_line.query["q"].split()
        login = next(word.removeprefix("author:") for word in words if word.startswith("author:"))
        of_kind = next((word for word in words if word.startswith("is:")), "")
        if kind == "issues" and not of_kind:
            return unprocessable("Query must include 'is:issue' or 'is:pull-request'")(call)
        return self._searches[f"{kind} {of_kind} {login}"](call)

    # --- What it was asked ---

    def counts(self) -> Counter:
        """How often each path was asked for."""
        return Counter(request.path for request in self.requests)

    def next_answer(self, request: Request) -> Answer:
        query = "&".join(f"{name}={value}" for name, value in sorted(request.query.items()))
        with self._lock:
            self.requests.append(request)
            script = self._scripts.get(f"{request.path}?{query}") or self._scripts.get(request.path)
            if script is None:
                return not_found
            return script.pop(0) if len(script) > 1 else script[0]

    # --- Its connections ---

    def process_request(self, request, client_address) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

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
def github() -> Iterator[GitHubServer]:
    """A running server that knows no one yet."""
    server = GitHubServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


# --- Answers of a server that works ------------------------------------------------------------


def reply(body, status: int = 200, **headers: str) -> Answer:
    return lambda call: call.respond(body, status=status, **headers)


def found(total: int, *, is_whole: bool = True) -> dict:
    """The body of a search result."""
    return {"total_count": total, "incomplete_results": not is_whole, "items": []}


def not_found(call: Call) -> None:
    call.respond({"message": "Not Found", "status": "404"}, status=404)


def unauthorized(call: Call) -> None:
    call.respond({"message": "Bad credentials", "status": "401"}, status=401)


def unprocessable(message: str) -> Answer:
    errors = [{"message": message, "resource": "Search", "field": "q", "code": "invalid"}]
    return reply({"message": "Validation Failed", "errors": errors, "status": "422"}, 422)


def moved(to: str, status: int = 301) -> Answer:
    return reply({"message": "Moved Permanently", "url": to}, status, Location=to)


def rate_limited(resets_at: datetime, status: int = 403) -> Answer:
    """The hourly limit is used up."""
    headers = {"X_RateLimit_Limit": "60", "X_RateLimit_Remaining": "0"}
    headers["X_RateLimit_Reset"] = str(int(resets_at.timestamp()))
    return reply({"message": "API rate limit exceeded for 192.0.2.1."}, status, **headers)


def secondary_limit(retry_after: int | datetime | None, status: int = 403) -> Answer:
    """A secondary rate limit. retry_after: seconds, an instant, or None without the header."""
    headers = {"X_RateLimit_Remaining": "4000"}
    if retry_after is not None:
        is_instant = isinstance(retry_after, datetime)
        headers["Retry_After"] = format_datetime(retry_after, usegmt=True) if is_instant else str(retry_after)
    return reply({"message": "You have exceeded a secondary rate limit."}, status, **headers)


# --- Answers of a failing server --------------------------------------------------------------


def failing(status: int = 500) -> Answer:
    return reply({"message": "Server Error"}, status)


def silent(call: Call) -> None:
    """Accepts the request and never responds."""
    call.until_the_client_leaves()


def resetting(call: Call) -> None:
    """Resets the connection."""
    call.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    call.close_connection = True
    call.connection.close()


def half(body, missing: int = 10) -> Answer:
    """Sends fewer bytes than its Content-Length."""

    def respond(call: Call) -> None:
        text = json.dumps(body).encode()
        call.send_response(200)
        call.send_header("Content-Length", str(len(text)))
        call.end_headers()
        call.wfile.write(text[:-missing])
        call.close_connection = True

    return respond


def dripping(part: str, every: float = 0.05) -> Answer:
    """Sends a byte from time to time, without end. part: "status", "headers" or "body"."""

    def respond(call: Call) -> None:
        call.close_connection = True
        start = {
            "status": b"HTTP/1.1 200 ",
            "headers": b"HTTP/1.1 200 OK\r\nX-Slow: ",
            "body": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        }
        call.wfile.write(start[part])
        while True:
            call.wfile.write(b" ")
            call.pause(every)

    return respond


def endless(chunk: bytes = b" " * 65536) -> Answer:
    """An endless body."""

    def respond(call: Call) -> None:
        call.close_connection = True
        call.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not call.server.stopping.is_set():
            call.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))

    return respond


def raw(text: bytes) -> Answer:
    """Sends bytes unchanged and closes the connection."""

    def respond(call: Call) -> None:
        call.close_connection = True
        call.wfile.write(text)

    return respond

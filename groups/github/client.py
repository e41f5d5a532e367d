"""An HTTP client for GitHub: one host, a few retries, limited response sizes, and a total timeout."""

from __future__ import annotations

import json
import logging
import re
import secrets
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import urljoin

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProtocolError, ReadTimeoutError
from urllib3.util import parse_url

from groups.github.errors import GitHubBusy, GitHubError, GitHubRejected, GitHubUnavailable, GitHubUserUnknown

# The library's log lines contain addresses, and with them account names.
logging.getLogger("urllib3").setLevel(logging.ERROR)

MAX_BODY = 2_000_000  # bytes; a page of a hundred repositories has about 600,000
_NEXT_PAGE = re.compile(r'<([^<>]+)>\s*;[^<]*?\brel="?next\b')
_MAX_REDIRECTS = 3
_READ_TIMEOUT = 10.0  # seconds without a byte from the server
_ATTEMPTS = 3  # of one request
_FIRST_PAUSE = 0.5  # seconds before the second try; each further one is twice as long
# GitHub documents one minute if it names no time, and has no limit longer than an hour.
_WAIT_UNSTATED = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(days=1)


class _ConnectionLost(GitHubUnavailable):
    """The connection to GitHub broke."""


@dataclass(frozen=True)
class Response:
    """A response. address: after redirects. data: the parsed JSON."""

    address: str
    status: int
    headers: Any
    data: Any


class GitHubClient:
    """The connections of one call, to one host, with a deadline at which all of them are closed."""

    def __init__(self, *, max_body: int = MAX_BODY) -> None:
        """max_body: bytes of the longest response that is read."""
        from django.conf import settings

        try:
            root = parse_url(settings.GITHUB_API_URL.rstrip("/"))
        except ValueError:
            root = None
        if not root or not root.host or root.scheme not in ("http", "https"):
            raise GitHubUnavailable("The setting GITHUB_API_URL is not a web address.")
        token = settings.GITHUB_TOKEN.strip()
        if not re.fullmatch(r"[!-~]*", token):
            raise GitHubRejected("The setting GITHUB_TOKEN is not a token.")
        self._root = root.url
        self._max_body = max_body
        self._headers = {
            "Accept": "application/vnd.github+json",
            # GitHub requires a User-Agent.
            "User-Agent": "missionsite",
            "X-GitHub-Api-Version": "2022-11-28",
        } | ({"Authorization": f"Bearer {token}"} if token else {})
        self._deadline = _Deadline(settings.GITHUB_TIMEOUT)
        kind = HTTPSConnectionPool if root.scheme == "https" else HTTPConnectionPool
        self._pool = kind(root.host, root.port, retries=False)
        self._pool.ConnectionCls = _closed_at(self._deadline, kind.ConnectionCls)

    def close(self) -> None:
        self._pool.close()
        self._deadline.close()

    def address(self, location: str, *, linked_from: str) -> str:
        """Resolve a link or redirect. Raises GitHubUnavailable for another host, which must not receive the token."""
        with suppress(ValueError):
            there = urljoin(linked_from, location)
            if location and self._pool.is_same_host(there):
                return there
        raise GitHubUnavailable("GitHub redirects to another host, which the site does not follow.")

    def next_page(self, answer: Response) -> str:
        """The address of the page after a response; empty after the last one. Raises GitHubUnavailable."""
        following = _NEXT_PAGE.search(answer.headers.get("Link", ""))
        return self.address(following[1], linked_from=answer.address) if following else ""

    def get(self, there: str, *, accept: tuple[int, ...] = (200,)) -> Response:
        """Request a path below the API's root, or an address of `address`. Raises for a status that is not accepted."""
        if there.startswith("/"):
            there = self._root + there
        for _hop in range(_MAX_REDIRECTS + 1):
            status, headers, body = self._try(there)
            if status not in (301, 302, 307, 308):
                break
            there = self.address(headers.get("Location", ""), linked_from=there)
        if status in accept:
            return Response(there, status, headers, _parse(body))
        if status in (403, 429):
            raise _limit(status, headers, body)
        if status == 401:
            raise GitHubRejected
        if status in (404, 410):
            raise GitHubUserUnknown
        raise GitHubUnavailable(f"GitHub returned an unexpected response (status {status}).")

    def _try(self, there: str) -> tuple[int, Any, bytes]:
        """Send a request; retry after a lost connection or a server error."""
        failure: GitHubError = GitHubUnavailable()
        for number in range(_ATTEMPTS):
            if number:
                # Random, so that clients do not retry all at once.
                self._deadline.wait(_FIRST_PAUSE * 2 ** (number - 1) * secrets.SystemRandom().uniform(0.5, 1.5))
            try:
                status, headers, body = self._ask(there)
            except _ConnectionLost as error:
                failure = error
                continue
            if status < 500:
                return status, headers, body
            failure = GitHubUnavailable(f"GitHub returned an error (status {status}).")
        raise failure

    def _ask(self, there: str) -> tuple[int, Any, bytes]:
        """Return status, headers and body of one request."""
        timeout = min(self._deadline.seconds_left(), _READ_TIMEOUT)
        response = None
        # `from None`: the library's message contains the address, and with it the account.
        try:
            response = self._pool.urlopen(
                "GET",
                parse_url(there).request_uri,
                headers=self._headers,
                timeout=Timeout(connect=timeout, read=timeout),
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            body = response.read(self._max_body + 1)
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            self._deadline.check()
            if isinstance(error, (ProtocolError, NewConnectionError, ConnectionError)):
                raise _ConnectionLost from None
            if isinstance(error, (ReadTimeoutError, ConnectTimeoutError)):
                raise GitHubUnavailable("GitHub does not answer.") from None
            raise GitHubUnavailable from None
        finally:
            # A fully read response has returned its connection to the pool; any other is closed with it.
            if response is not None:
                response.close()
        self._deadline.check()
        if len(body) > self._max_body:
            raise GitHubUnavailable("GitHub's answer is too long.")
        return response.status, response.headers, body


def _parse(body: bytes) -> Any:
    def reject(_name: str):
        raise ValueError("not a JSON number")

    try:
        return json.loads(body, parse_constant=reject)
    except (ValueError, RecursionError):
        raise GitHubUnavailable("GitHub's answer cannot be read.") from None


def _limit(status: int, headers: Any, body: bytes) -> GitHubError:
    """Return the error of a 403 or 429: a rate limit with its end, or a rejection."""
    now = datetime.now(UTC)
    waits = []
    after = headers.get("Retry-After", "").strip()
    if after.isdecimal():
        waits.append(now + timedelta(seconds=int(after[:9])))
    elif after:
        with suppress(ValueError, OverflowError):
            waits.append(parsedate_to_datetime(after).astimezone(UTC))
    reset = headers.get("X-RateLimit-Reset", "").strip()
    if headers.get("X-RateLimit-Remaining", "").strip() == "0":
        waits.append(datetime.fromtimestamp(int(reset[:11]), UTC) if reset.isdecimal() else now)
    until = max(waits, default=None)
    if until and until > now:
        return GitHubBusy(min(until, now + _LONGEST_WAIT))
    # A secondary limit may have no time, or one that is already over by this machine's clock.
    if until or status == 429 or re.search(rb"rate limit|abuse", body, re.IGNORECASE):
        return GitHubBusy(now + _WAIT_UNSTATED, is_stated=False)
    return GitHubRejected(f"GitHub denies the request (status {status}).")


# --- The deadline ------------------------------------------------------------------------------


class _Deadline:
    """Closes every connection of a call when its total time is up.

    The library's timeout applies to one read: a server that sends single bytes slowly could keep the call open forever.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends_at = time.monotonic() + seconds
        self._over = threading.Event()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def watch(self, connection: socket.socket) -> socket.socket:
        """Register a connection to be closed at the deadline; returns it."""
        # A duplicate: TLS takes over the original, and this one can interrupt even the handshake.
        self._sockets.append(connection.dup())
        if self._over.is_set():
            self._cut()
        return connection

    def seconds_left(self) -> float:
        """Return the seconds left. Raises GitHubUnavailable if there are none."""
        self.check()
        return max(self._ends_at - time.monotonic(), 0.001)

    def wait(self, seconds: float) -> None:
        """Wait. Raises GitHubUnavailable if the deadline comes first."""
        self._over.wait(seconds)
        self.check()

    def check(self) -> None:
        """Raise GitHubUnavailable after the deadline."""
        if self._over.is_set() or time.monotonic() >= self._ends_at:
            raise GitHubUnavailable(f"GitHub did not finish within {self._seconds:g} seconds.") from None

    def close(self) -> None:
        self._timer.cancel()
        self._timer.join()
        for each in self._sockets:
            each.close()

    def _cut(self) -> None:
        self._over.set()
        for each in list(self._sockets):
            # Already closed.
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def _closed_at(deadline: _Deadline, kind: type) -> type:
    """Return a connection class whose sockets the deadline closes."""

    class Connection(kind):
        def _new_conn(self) -> socket.socket:
            return deadline.watch(super()._new_conn())

    return Connection

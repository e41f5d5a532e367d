"""The line to GitHub: one host, a few tries, bounded answers, and a deadline that nothing outlasts."""

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

# The library's lines quote addresses, and with them the names of people.
logging.getLogger("urllib3").setLevel(logging.ERROR)

MAX_BODY = 2_000_000  # bytes; a page of a hundred repositories has about 600,000
_MAX_REDIRECTS = 3
_SILENCE = 10.0  # seconds without a byte from the other side
_TRIES = 3  # of one request
_FIRST_PAUSE = 0.5  # seconds before the second try; each further one is twice as long
# GitHub asks for a minute where it names no time of its own, and has no limit that lasts longer than an hour.
_WAIT_UNSTATED = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(days=1)


class _ConnectionLost(GitHubUnavailable):
    """The connection to GitHub broke."""


@dataclass(frozen=True)
class Response:
    """address: where it came from in the end. data: the JSON of it."""

    address: str
    status: int
    headers: Any
    data: Any


class GitHubClient:
    """The connections of one call, to one host only, and the instant at which all of them are cut."""

    def __init__(self) -> None:
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
        self._headers = {
            "Accept": "application/vnd.github+json",
            # GitHub answers no one without a name.
            "User-Agent": "missionsite",
            "X-GitHub-Api-Version": "2022-11-28",
        } | ({"Authorization": f"Bearer {token}"} if token else {})
        self._deadline = _Deadline(settings.GITHUB_TIMEOUT)
        kind = HTTPSConnectionPool if root.scheme == "https" else HTTPConnectionPool
        self._pool = kind(root.host, root.port, retries=False)
        self._pool.ConnectionCls = _cut_at(self._deadline, kind.ConnectionCls)

    def close(self) -> None:
        self._pool.close()
        self._deadline.close()

    def address(self, location: str, *, linked_from: str) -> str:
        """Where a link or a redirect leads; the token and the name of a person go to no other host."""
        with suppress(ValueError):
            there = urljoin(linked_from, location)
            if location and self._pool.is_same_host(there):
                return there
        raise GitHubUnavailable("GitHub redirects to another host, which the site does not follow.")

    def get(self, there: str, *, accept: tuple[int, ...] = (200,)) -> Response:
        """Ask for a path below the API's root, or for an address of `address`; other answers than accepted raise."""
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
        """Ask once, and again after a broken connection or an error of the server."""
        for number in range(_TRIES):
            if number:
                # Not all at once: others were interrupted too.
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
        """Status, headers and body of one request."""
        patience = min(self._deadline.left(), _SILENCE)
        response = None
        # `from None`: the library's own words name the address, and with it the account.
        try:
            response = self._pool.urlopen(
                "GET",
                parse_url(there).request_uri,
                headers=self._headers,
                timeout=Timeout(connect=patience, read=patience),
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            body = response.read(MAX_BODY + 1)
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            self._deadline.check()
            if isinstance(error, (ProtocolError, NewConnectionError, ConnectionError)):
                raise _ConnectionLost from None
            if isinstance(error, (ReadTimeoutError, ConnectTimeoutError)):
                raise GitHubUnavailable("GitHub does not answer.") from None
            raise GitHubUnavailable from None
        finally:
            # One that was read to its end has given its connection back; any other takes its connection with it.
            if response is not None:
                response.close()
        self._deadline.check()
        if len(body) > MAX_BODY:
            raise GitHubUnavailable("GitHub's answer is too long.")
        return response.status, response.headers, body


def _parse(body: bytes) -> Any:
    def reject(_name: str):
        raise ValueError("no number of JSON")

    try:
        return json.loads(body, parse_constant=reject)
    except (ValueError, RecursionError):
        raise GitHubUnavailable("GitHub's answer cannot be read.") from None


def _limit(status: int, headers: Any, body: bytes) -> GitHubError:
    """What a 403 or 429 means: wait until then, or not allowed at all."""
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
    # A secondary limit may come without a time; so does a time that has passed by this machine's clock.
    if until or status == 429 or re.search(rb"rate limit|abuse", body, re.IGNORECASE):
        return GitHubBusy(now + _WAIT_UNSTATED, is_stated=False)
    return GitHubRejected(f"GitHub denies the request (status {status}).")


# --- The deadline ------------------------------------------------------------------------------


class _Deadline:
    """Cuts every connection of a call when its time is up.

    A library's time limit is for one wait: a server that sends a byte now and then could hold the call for ever.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends_at = time.monotonic() + seconds
        self._over = threading.Event()
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def watch(self, wire: socket.socket) -> socket.socket:
        """Have a connection cut in time; returns it."""
        # A handle of its own: TLS takes the first one over, and is cut through this one in its handshake already.
        self._sockets.append(wire.dup())
        if self._over.is_set():
            self._cut()
        return wire

    def left(self) -> float:
        """Seconds until then; raises GitHubUnavailable where there are none."""
        self.check()
        return max(self._ends_at - time.monotonic(), 0.001)

    def wait(self, seconds: float) -> None:
        """Let some time pass; raises GitHubUnavailable where it is up before."""
        self._over.wait(seconds)
        self.check()

    def check(self) -> None:
        """Raise GitHubUnavailable when the time is up."""
        if self._over.is_set() or time.monotonic() >= self._ends_at:
            raise GitHubUnavailable(f"GitHub did not finish within {self._seconds:g} seconds.") from None

    def close(self) -> None:
        self._timer.cancel()
        self._timer.join()
        for wire in self._sockets:
            wire.close()

    def _cut(self) -> None:
        self._over.set()
        for wire in list(self._sockets):
            # Gone already.
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)


def _cut_at(deadline: _Deadline, kind: type) -> type:
    """Connections of a kind that a deadline can cut in whatever they are doing."""

    class Connection(kind):
        def _new_conn(self) -> socket.socket:
            return deadline.watch(super()._new_conn())

    return Connection

"""Requests to addresses that users entered: public addresses only, a time limit for all of it, and a limited body.

Names are resolved here and the connection is made to the address that was checked, so that a name that resolves to
another address the second time (DNS rebinding) changes nothing. Each redirect is checked in the same way. Proxies from
the environment are not used.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from urllib.parse import urljoin

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.exceptions import HTTPError
from urllib3.util import Url, parse_url

from missionsite.common.addresses import Address

SECONDS = 5.0
MAX_BYTES = 64 * 1024
MAX_REDIRECTS = 3
# Ranges that the standard library counts as public, but that can stand for an IPv4 address that is not.
# Sources: RFC 6052 (NAT64), RFC 3056 (6to4), RFC 4380 (Teredo).
_TRANSLATED = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "2002::/16", "2001::/32")))


class OutboundError(Exception):
    """The request failed; the message is a sentence without the address."""


class NotPublic(OutboundError):
    """The address does not belong to the public internet."""


@dataclass(frozen=True)
class Answer:
    """A response. url: after redirects. body: at most the requested number of bytes; is_cut: there was more."""

    url: str
    status: int
    headers: dict[str, str]
    body: bytes
    is_cut: bool

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if any(address in network for network in _TRANSLATED):
            return False
    return address.is_global and not address.is_multicast


def request(
    url: str,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    schemes: tuple[str, ...] = ("https",),
    redirects: int = 0,
    is_trusted: bool = False,
    seconds: float = SECONDS,
    max_bytes: int = MAX_BYTES,
) -> Answer:
    """Send a request and return the response, whatever its status.

    is_trusted: the address is a setting of the site, and may be in its own network. redirects: how many are followed;
    they are for GET only, and headers are sent to the first address only. Raises NotPublic, OutboundError.
    """
    limit = _Limit(seconds, is_trusted=is_trusted)
    try:
        for _hop in range(redirects + 1):
            answer = _send(_parse(url, schemes), url, method, body, headers or {}, limit, max_bytes)
            location = answer.headers.get("location", "")
            if answer.status not in (301, 302, 303, 307, 308) or not location or not redirects:
                return answer
            url, headers = urljoin(url, location), {}
        raise OutboundError("There are too many redirects.")
    finally:
        limit.close()


def _parse(url: str, schemes: tuple[str, ...]) -> Url:
    try:
        found = parse_url(url)
    except (HTTPError, ValueError):
        found = None
    if found is None or not found.host or found.scheme not in schemes:
        raise OutboundError(f"The URL must start with {schemes[0]}://.")
    if found.auth:
        raise OutboundError("The URL must not contain a user name or password.")
    return found


def _send(
    there: Url, url: str, method: str, body: bytes | None, headers: dict[str, str], limit: _Limit, max_bytes: int
) -> Answer:
    kind = HTTPSConnectionPool if there.scheme == "https" else HTTPConnectionPool
    pool = kind(str(there.host), there.port, maxsize=1, retries=False)
    pool.ConnectionCls = _connection_class(pool.ConnectionCls, limit)
    response = None
    # `from None`: the original message contains the address.
    try:
        left = limit.seconds_left()
        response = pool.urlopen(
            method,
            there.request_uri,
            body=body,
            headers={"User-Agent": "missionsite", "Accept-Encoding": "identity"} | headers,
            timeout=Timeout(connect=left, read=left),
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        received = response.read(max_bytes + 1)
        limit.check()
    except OutboundError:
        raise
    except (HTTPError, HTTPException, OSError, ValueError) as error:
        limit.check()
        # urllib3 wraps errors of the connection class.
        cause = getattr(error, "reason", None) or error.__cause__ or error.__context__
        if isinstance(cause, OutboundError):
            raise cause from None
        raise OutboundError("The connection failed.") from None
    finally:
        if response is not None:
            response.close()
        pool.close()
    found = {name.lower(): value for name, value in response.headers.items()}
    return Answer(url, response.status, found, received[:max_bytes], len(received) > max_bytes)


def _connection_class(kind: type, limit: _Limit) -> type:
    """A connection that is made to an address that was checked."""

    class Connection(kind):
        def _new_conn(self) -> socket.socket:
            for address in _public_addresses(self.host, limit):
                with suppress(OSError):
                    found = socket.create_connection((address, self.port), timeout=limit.seconds_left())
                    return limit.watch(found)
            raise OutboundError("The connection failed.")

    return Connection


def _public_addresses(host: str, limit: _Limit) -> list[str]:
    """The addresses of a host. Raises NotPublic if any of them is not public."""
    found = sorted({ipaddress.ip_address(each.partition("%")[0]) for each in resolve(host.strip("[]"), limit)}, key=str)
    if not found:
        raise OutboundError("The name of the host is unknown.")
    if not limit.is_trusted and not all(is_public(address) for address in found):
        raise NotPublic("The address is not public.")
    return [str(address) for address in found]


def resolve(host: str, limit: _Limit) -> list[str]:
    """Look a name up; the resolver has no time limit of its own, so it runs in a thread."""
    results: queue.SimpleQueue[list[str]] = queue.SimpleQueue()

    def look_up() -> None:
        found: list[str] = []
        with suppress(OSError, UnicodeError):
            found = [str(each[4][0]) for each in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
        results.put(found)

    threading.Thread(target=look_up, name="name look-up", daemon=True).start()
    try:
        return results.get(timeout=limit.seconds_left())
    except queue.Empty:
        raise OutboundError("The name of the host could not be looked up in time.") from None


class _Limit:
    """Shuts the connections of a request down when its total time is over: a read of a library has a limit of its own
    for each piece, so a slow server could keep it open.
    """

    def __init__(self, seconds: float, *, is_trusted: bool = False) -> None:
        self.is_trusted = is_trusted
        self._seconds = seconds
        self._ends_at = time.monotonic() + seconds
        self._sockets: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._timer.start()

    def watch(self, connection: socket.socket) -> socket.socket:
        # A duplicate: TLS takes over the original, and this one interrupts even the handshake.
        self._sockets.append(connection.dup())
        return connection

    def seconds_left(self) -> float:
        """Raises OutboundError if there are none."""
        self.check()
        return max(self._ends_at - time.monotonic(), 0.001)

    def check(self) -> None:
        if time.monotonic() >= self._ends_at:
            raise OutboundError(f"There was no complete response within {self._seconds:g} seconds.") from None

    def close(self) -> None:
        self._timer.cancel()
        for each in self._sockets:
            each.close()

    def _cut(self) -> None:
        for each in list(self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

"""Messages to a gateway over HTTP: signed, with a key by which the gateway knows one that comes again."""

import json
import logging
import re
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.utils import timezone
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ReadTimeoutError
from urllib3.util import Url, parse_url

from engagement.errors import TransportUnset
from engagement.transports.base import Outgoing, Receipt, Rejected, Unavailable
from engagement.transports.deadline import Deadline
from engagement.transports.words import said
from missionsite.common.api import signatures

# The library's lines quote the gateway's address, which may have a key in it.
logging.getLogger("urllib3").setLevel(logging.ERROR)

# Bytes of an answer that are read.
MAX_ANSWER = 64 * 1024
# The gateway has had this key before.
_KNOWN = 409
# The answers of a gateway that may take the message later. 401 is about the secret, not about the message.
_LATER = (401, 408, 425, 429)


class WebhookTransport:
    """One connection to the gateway, kept open. Redirects are not followed: the secret is for this address alone."""

    name = "webhook"
    marks_every = 20

    def __init__(self) -> None:
        """Raises TransportUnset."""
        address = _address()
        self._secret = settings.ENGAGEMENT_WEBHOOK_SECRET
        if not self._secret:
            raise TransportUnset("Set ENGAGEMENT_WEBHOOK_SECRET: what messages to the gateway are signed with.")
        self._path = address.request_uri
        self._deadline = Deadline(settings.ENGAGEMENT_SEND_TIMEOUT)
        # Whether the last message left whole.
        self._is_out = False
        kind = HTTPSConnectionPool if address.scheme == "https" else HTTPConnectionPool
        self._pool = kind(address.host, address.port, maxsize=1, retries=False)
        self._pool.ConnectionCls = self._line(kind.ConnectionCls)

    def send(self, message: Outgoing) -> Receipt:
        if not message.address:
            raise Rejected(f"This member has no address for {message.destination} messages.")
        with self._deadline.running():
            status, headers, body = self._ask(message)
        if 200 <= status < 300 or status == _KNOWN:
            return Receipt(_id_in(body))
        if status in _LATER or status >= 500:
            raise Unavailable(_words(status, body, message), retry_after=_retry_after(headers))
        if status < 400:
            raise Unavailable(f"The gateway answers with {status}; redirects are not followed.")
        raise Rejected(_words(status, body, message))

    def close(self) -> None:
        self._pool.close()
        self._deadline.close()

    def _ask(self, message: Outgoing) -> tuple[int, Any, bytes]:
        """Status, headers and the beginning of the body of the answer. Raises Unavailable."""
        content = json.dumps(asdict(message)).encode()
        self._is_out = False
        response = None
        # `from None`: the library's own words name the address.
        try:
            response = self._pool.urlopen(
                "POST",
                self._path,
                body=content,
                headers={
                    "Content-Type": "application/json",
                    "User-Agent": "missionsite",
                    "Idempotency-Key": quote(message.idempotency_key, safe=":/?#[]@!$&'()*+,;="),
                    signatures.HEADER: signatures.sign(content, self._secret),
                },
                timeout=Timeout(connect=self._deadline.seconds, read=self._deadline.seconds),
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            if self._deadline.is_over:
                # What was cut off in its headers reads as if it had ended there.
                raise TimeoutError
            return response.status, response.headers, self._beginning(response)
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            is_late = self._deadline.is_over or isinstance(error, (ReadTimeoutError, ConnectTimeoutError))
            words = "The gateway does not answer." if is_late else "The connection to the gateway broke."
            raise Unavailable(words, maybe_taken=self._is_out) from None
        finally:
            # One that was read to its end has given its connection back; any other takes its connection with it.
            if response is not None:
                response.close()

    @staticmethod
    def _beginning(response) -> bytes:
        """What can be had of the body: the status has said what became of the message."""
        try:
            body = response.read(MAX_ANSWER + 1)
        except (HTTPError, HTTPException, OSError, ValueError):
            return b""
        return body if len(body) <= MAX_ANSWER else b""

    def _line(self, kind: type) -> type:
        """Connections of a kind that the deadline can cut, and that tell when a message has left."""
        transport = self

        class Connection(kind):
            def _new_conn(self):
                return transport._deadline.watch(super()._new_conn())

            def getresponse(self):
                transport._is_out = True
                return super().getresponse()

        return Connection


def _address() -> Url:
    """The gateway's address. Raises TransportUnset."""
    text = settings.ENGAGEMENT_WEBHOOK_URL
    if not text:
        raise TransportUnset("Set ENGAGEMENT_WEBHOOK_URL: the address of the gateway.")
    try:
        address = parse_url(text)
    except (HTTPError, ValueError):
        address = None
    if not address or not address.host or address.scheme not in ("http", "https"):
        raise TransportUnset("ENGAGEMENT_WEBHOOK_URL is no web address; it begins with https://.")
    if address.auth:
        raise TransportUnset("ENGAGEMENT_WEBHOOK_URL has a name or password in it; the signature takes their place.")
    return address


# --- What the gateway says ------------------------------------------------------------------------


def _json(body: bytes) -> dict:
    with suppress(ValueError, RecursionError):
        if isinstance(found := json.loads(body), dict):
            return found
    return {}


def _id_in(body: bytes) -> str:
    """What the gateway calls the message; empty where it does not say."""
    found = _json(body).get("id", "")
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    return found if isinstance(found, str) and len(found) <= 255 and found.isprintable() else ""


def _words(status: int, body: bytes, message: Outgoing) -> str:
    told = _json(body)
    text = next((told[name] for name in ("detail", "error", "message") if isinstance(told.get(name), str)), "")
    if not text and not body.lstrip().startswith((b"<", b"{")):
        text = body
    words = said(text, message.address, message.email)
    return f"The gateway answers {status}: {words}" if words else f"The gateway answers with status {status}."


def _retry_after(headers: Any) -> timedelta | None:
    """How long the gateway asks to wait, said in seconds or as a date; None where it does not say."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]+", text):
        return timedelta(seconds=int(text[:9]))
    with suppress(ValueError, OverflowError, TypeError):
        until = parsedate_to_datetime(text)
        if until.tzinfo is None:
            until = timezone.make_aware(until)
        return max(until - timezone.now(), timedelta(0))
    return None

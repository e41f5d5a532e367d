"""Sends messages to a gateway over HTTP, signed and with an idempotency key."""

import json
import logging
import re
import socket
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, ReadTimeoutError
from urllib3.util import Url, parse_url

from engagement.errors import TransportNotConfigured
from engagement.rules import AddressReport
from engagement.transports.base import MessageRejected, Outgoing, Receipt, Unavailable
from engagement.transports.deadline import Deadline
from engagement.transports.sanitize import sanitize_text
from missionsite.common.api import signatures

# Log lines of urllib3 contain the gateway's address, which may contain a key.
logging.getLogger("urllib3").setLevel(logging.ERROR)

# Bytes of a response that are read.
MAX_ANSWER = 64 * 1024
# The gateway has already received this idempotency key.
_KNOWN = 409
# The chat does not exist any more.
_GONE = 410
# Codes after which the message is tried again. 401 rejects the signature, not the message.
_LATER = (401, 408, 425, 429)


class WebhookTransport:
    """Keeps one connection to the gateway open. Redirects are not followed: the secret is for this address only."""

    name = "webhook"
    marks_every = 20

    def __init__(self, channel: str = "") -> None:
        """Read the settings; channel: of its own gateway, if it has one. Raises TransportNotConfigured."""
        url, secret = settings.ENGAGEMENT_GATEWAYS.get(channel, ("", ""))
        prefix = f"ENGAGEMENT_{channel.upper()}" if url else "ENGAGEMENT_WEBHOOK"
        address = _gateway_url(url or settings.ENGAGEMENT_WEBHOOK_URL, prefix + "_URL")
        self._secret = secret if url else settings.ENGAGEMENT_WEBHOOK_SECRET
        if not self._secret:
            raise TransportNotConfigured(
                _("Set {setting}: the secret that signs messages to the gateway.").format(setting=prefix + "_SECRET")
            )
        self._path = address.request_uri
        self._deadline = Deadline(settings.ENGAGEMENT_SEND_TIMEOUT)
        # Whether the last request was sent completely.
        self._is_out = False
        kind = HTTPSConnectionPool if address.scheme == "https" else HTTPConnectionPool
        self._pool = kind(str(address.host), address.port, maxsize=1, retries=False)
        self._pool.ConnectionCls = self._connection_class(kind.ConnectionCls)

    def send(self, message: Outgoing) -> Receipt:
        if not message.address:
            raise MessageRejected(f"This member has no address for {message.destination} messages.")
        with self._deadline.running():
            status, headers, body = self._request(message)
        if 200 <= status < 300 or status == _KNOWN:
            return Receipt(_id_in(body))
        if status in _LATER or status >= 500:
            raise Unavailable(_error_text(status, body, message), retry_after=_retry_after(headers))
        if status < 400:
            raise Unavailable(f"The gateway responded with {status}; redirects are not followed.")
        bounce = AddressReport.HARD_BOUNCE if status == _GONE else None
        raise MessageRejected(_error_text(status, body, message), bounce=bounce)

    def close(self) -> None:
        self._pool.close()
        self._deadline.close()

    def _request(self, message: Outgoing) -> tuple[int, Any, bytes]:
        """Send the request; return status, headers and the start of the body. Raises Unavailable."""
        content = json.dumps(asdict(message)).encode()
        self._is_out = False
        response = None
        # `from None`: the original exception contains the address.
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
                # Headers that were cut off look complete.
                raise TimeoutError
            return response.status, response.headers, self._beginning(response)
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            is_late = self._deadline.is_over or isinstance(error, (ReadTimeoutError, ConnectTimeoutError))
            text = _("The gateway did not respond in time.") if is_late else _("The connection to the gateway failed.")
            raise Unavailable(text, maybe_taken=self._is_out) from None
        finally:
            # A response that was read completely has released its connection; otherwise this closes it.
            if response is not None:
                response.close()

    @staticmethod
    def _beginning(response: BaseHTTPResponse) -> bytes:
        """Return the body, or nothing if it is too long or fails: the status alone decides about the message."""
        try:
            body = response.read(MAX_ANSWER + 1)
        except (HTTPError, HTTPException, OSError, ValueError):
            return b""
        return body if len(body) <= MAX_ANSWER else b""

    def _connection_class(self, kind: type) -> type:
        """Return a connection class that the deadline can close and that sets `_is_out` after the request."""
        transport = self

        class Connection(kind):
            def _new_conn(self) -> socket.socket:
                return transport._deadline.watch(super()._new_conn())

            def getresponse(self) -> BaseHTTPResponse:
                transport._is_out = True
                return super().getresponse()

        return Connection


def _gateway_url(text: str, setting: str) -> Url:
    """Return the gateway's address from a setting. Raises TransportNotConfigured."""
    if not text:
        raise TransportNotConfigured(_("Set {setting}: the address of the gateway.").format(setting=setting))
    try:
        address = parse_url(text)
    except (HTTPError, ValueError):
        address = None
    if not address or not address.host or address.scheme not in ("http", "https"):
        raise TransportNotConfigured(
            _("{setting} must be a URL that starts with https:// or http://.").format(setting=setting)
        )
    if address.auth:
        raise TransportNotConfigured(
            _("{setting} must not contain a user name or password; requests are signed instead.").format(
                setting=setting
            )
        )
    return address


# --- Responses of the gateway ---------------------------------------------------------------------


def _json(body: bytes) -> dict:
    with suppress(ValueError, RecursionError):
        if isinstance(found := json.loads(body), dict):
            return found
    return {}


def _id_in(body: bytes) -> str:
    """Return the gateway's ID of the message, or an empty string."""
    found = _json(body).get("id", "")
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    return found if isinstance(found, str) and len(found) <= 255 and found.isprintable() else ""


def _error_text(status: int, body: bytes, message: Outgoing) -> str:
    fields = _json(body)
    text = next((fields[name] for name in ("detail", "error", "message") if isinstance(fields.get(name), str)), "")
    if not text and not body.lstrip().startswith((b"<", b"{")):
        text = body
    text = sanitize_text(text, message.address, message.email)
    if not text:
        return _("The gateway responded with status {status}.").format(status=status)
    return _("The gateway responded {status}: {text}").format(status=status, text=text)


def _retry_after(headers: Any) -> timedelta | None:
    """Return the pause requested by Retry-After, in seconds or as a date; None if there is none."""
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]+", text):
        return timedelta(seconds=int(text[:9]))
    with suppress(ValueError, OverflowError, TypeError):
        until = parsedate_to_datetime(text)
        if until.tzinfo is None:
            until = timezone.make_aware(until)
        return max(until - timezone.now(), timedelta(0))
    return None

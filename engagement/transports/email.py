"""Sends messages as e-mail over the mail server of EMAIL_URL, or by the API of a provider."""

import json
import re
import smtplib
import socket
from collections.abc import Sequence
from contextlib import suppress
from email.errors import MessageError
from email.utils import parseaddr
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends import smtp
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from engagement.rules import METADATA_KEY, UNSUBSCRIBE_SUBJECT
from engagement.transports.base import MessageRejected, Outgoing, Receipt, Unavailable
from engagement.transports.deadline import Deadline
from engagement.transports.html import html_part
from engagement.transports.provider import is_provider_backend, provider_backend, send_by_provider
from engagement.transports.replies import report_of_reply
from engagement.transports.sanitize import sanitize_text

# The reply to MAIL FROM that rejects the message and not the site: message too large.
_TOO_LARGE = 552
_SHUTTING_DOWN = 421


class EmailTransport:
    """Keeps one connection to the server open; after a failure the next message opens a new one.

    SMTP has no idempotency keys: each message is marked as sent immediately, and a repeated one has the same
    Message-ID, which many mailboxes show once.
    """

    name = "email"
    marks_every = 1

    def __init__(self) -> None:
        """Read the settings. Raises TransportNotConfigured."""
        self._deadline = Deadline(settings.ENGAGEMENT_SEND_TIMEOUT)
        self._backend = provider_backend() if is_provider_backend() else _backend(self._deadline)

    def send(self, message: Outgoing) -> Receipt:
        mail = _mail(message)
        if is_provider_backend():
            return Receipt(send_by_provider(self._backend, mail))
        with self._deadline.running():
            try:
                self._deliver(mail)
            except smtplib.SMTPRecipientsRefused as error:
                raise self._rejection(*next(iter(error.recipients.values())), to_address=True) from None
            except smtplib.SMTPSenderRefused as error:
                # Other codes reject the site as a sender, not this message.
                kind = MessageRejected if error.smtp_code == _TOO_LARGE else Unavailable
                raise kind(_error_text(error.smtp_code, error.smtp_error)) from None
            except smtplib.SMTPDataError as error:
                raise self._rejection(error.smtp_code, error.smtp_error) from None
            except smtplib.SMTPResponseException as error:
                raise self._broken(_error_text(error.smtp_code, error.smtp_error)) from None
            except smtplib.SMTPNotSupportedError as error:
                raise self._broken(
                    f"The mail server does not support a configured option: {sanitize_text(str(error))}"
                ) from None
            except (smtplib.SMTPException, OSError) as error:
                is_late = self._deadline.is_over or "timed out" in str(error)
                text = (
                    _("The mail server did not respond in time.")
                    if is_late
                    else _("The connection to the mail server failed.")
                )
                raise self._broken(text) from None
            except (ValueError, MessageError):
                # Django rejects the value of a header.
                raise MessageRejected("The message cannot be converted to an e-mail.") from None
        return Receipt(mail.extra_headers["Message-ID"])

    def close(self) -> None:
        with self._deadline.running(), suppress(smtplib.SMTPException, OSError):
            self._backend.close()
        self._deadline.close()

    def _deliver(self, mail: EmailMessage) -> None:
        is_new = self._backend.open()
        try:
            self._backend.send_messages([mail])
        except (smtplib.SMTPException, OSError) as error:
            if is_new or not _is_closed_by_server(error) or self._maybe_taken() or self._deadline.is_over:
                raise
            # The server closed an idle connection, or reached its limit of messages per connection.
            self._drop()
            self._backend.open()
            self._backend.send_messages([mail])

    def _rejection(self, code: int, reply: bytes | str, *, to_address: bool = False) -> MessageRejected | Unavailable:
        """Return the error for a server's reply to this message, or to its address."""
        text = _error_text(code, reply)
        reply = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
        bounce = report_of_reply(code, reply, to_address=to_address)
        if 500 <= code < 600:
            return MessageRejected(text, bounce=bounce)
        # Any code but 4xx is not valid SMTP: the connection cannot be trusted any more.
        return Unavailable(text, bounce=bounce) if 400 <= code < 500 else self._broken(text)

    def _broken(self, text: str) -> Unavailable:
        """Close the connection and return the error."""
        trouble = Unavailable(text, maybe_taken=self._maybe_taken())
        self._drop()
        return trouble

    def _maybe_taken(self) -> bool:
        return getattr(self._backend, "is_past_data", True)

    def _drop(self) -> None:
        if isinstance(self._backend, _Smtp):
            self._backend.drop()
        else:
            with suppress(smtplib.SMTPException, OSError):
                self._backend.close()


# --- The message ----------------------------------------------------------------------------------


def _mail(message: Outgoing) -> EmailMessage:
    """Convert a message to an e-mail. Raises MessageRejected."""
    if not message.email:
        raise MessageRejected("This member has no e-mail address.")
    try:
        validate_email(message.email)
        message.email.rpartition("@")[0].encode("ascii")
    except (ValidationError, UnicodeEncodeError):
        raise MessageRejected("This member's e-mail address is not valid.") from None
    headers = {
        "Message-ID": _message_id(message.idempotency_key),
        # RFC 3834: prevents automatic replies.
        "Auto-Submitted": "auto-generated",
        "Content-Language": _line(message.locale),
    }
    if message.unsubscribe_url:
        if not re.fullmatch(r"[!-;=?-~]+", message.unsubscribe_url):
            raise MessageRejected("The unsubscribe URL is not valid.")
        # RFC 8058.
        links = [message.unsubscribe_url, *_mailto(message.unsubscribe_url)]
        headers["List-Unsubscribe"] = ", ".join(f"<{link}>" for link in links)
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    metadata = {METADATA_KEY: message.idempotency_key}
    if settings.ENGAGEMENT_MAIL_EVENTS_SECRETS and not is_provider_backend():
        # Amazon SES returns it with its events, as those sent by its API.
        headers["X-Metadata"] = json.dumps(metadata)
    mail = EmailMultiAlternatives(
        subject=_line(message.subject),
        body=message.body,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[message.email],
        reply_to=[settings.ENGAGEMENT_REPLY_TO] if settings.ENGAGEMENT_REPLY_TO else None,
        headers=headers,
        alternatives=[(html_part(message), "text/html")],
    )
    # Providers return it with their events; SMTP ignores it.
    mail.metadata = metadata  # type: ignore[attr-defined]
    return mail


def _mailto(unsubscribe_url: str) -> list[str]:
    """Return the mailto link that opts the member out: the token of the URL stands in its subject (RFC 2369)."""
    token = unsubscribe_url.rstrip("/").rpartition("/")[2]
    address = parseaddr(settings.ENGAGEMENT_REPLY_TO)[1]
    return [f"mailto:{quote(address, safe='@+')}?subject={quote(f'{UNSUBSCRIBE_SUBJECT} {token}')}"] if address else []


def _message_id(key: str) -> str:
    """Return the Message-ID of an idempotency key, so that mailboxes recognise a repeated message."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    if not re.fullmatch(r"[A-Za-z0-9.-]+", domain):
        domain = "localhost"
    return f"<{sha256(key.encode()).hexdigest()[:40]}@{domain}>"


def _line(text: str) -> str:
    """Return a text as one line: a line break would start another header."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


# --- The server -----------------------------------------------------------------------------------


def _is_closed_by_server(error: Exception) -> bool:
    """Return whether the server closed the connection, with or without code 421."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return any(code == _SHUTTING_DOWN for code, _text in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code == _SHUTTING_DOWN
    return isinstance(error, OSError)


def _error_text(code: int, text: bytes | str) -> str:
    return _("The mail server replied {code}: {text}").format(code=code, text=sanitize_text(text))


def _backend(deadline: Deadline) -> BaseEmailBackend:
    """Return the mail backend of the settings; for SMTP, one with a deadline and a DATA flag."""
    seconds = settings.ENGAGEMENT_SEND_TIMEOUT
    backend = get_connection(timeout=seconds)
    return _Smtp(deadline, timeout=seconds) if type(backend) is smtp.EmailBackend else backend


class _Smtp(smtp.EmailBackend):
    """Django's SMTP backend with a connection that a deadline can close."""

    connection: smtplib.SMTP | None
    _partial_connection: smtplib.SMTP | None

    def __init__(self, deadline: Deadline, **options: Any) -> None:
        super().__init__(**options)
        self._deadline = deadline
        # Whether the server has replied 354 to DATA: from then on it may have accepted the message.
        self.is_past_data = False

    @property
    def connection_class(self) -> type:
        backend = self

        class WatchedSMTP(smtplib.SMTP):
            def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
                # The stubs omit it.
                connection = super()._get_socket(host, port, timeout)  # type: ignore[misc]
                return backend._deadline.watch(connection)

            def getreply(self) -> tuple[int, bytes]:
                code, text = super().getreply()
                # 354 is the reply to DATA only.
                backend.is_past_data = backend.is_past_data or code == 354
                return code, text

        if not self.use_ssl:
            return WatchedSMTP
        # SMTP_SSL._get_socket wraps the socket of WatchedSMTP._get_socket in TLS.
        return type("WatchedSMTPSSL", (smtplib.SMTP_SSL, WatchedSMTP), {})

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        self.is_past_data = False
        return super().send_messages(email_messages)

    def drop(self) -> None:
        """Close the connection without QUIT, which a server that does not respond would not answer."""
        for smtp_connection in (self.connection, self._partial_connection):
            if smtp_connection is not None:
                with suppress(OSError):
                    smtp_connection.close()
        self.connection = self._partial_connection = None

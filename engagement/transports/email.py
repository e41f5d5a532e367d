"""Messages as e-mail, over the mail server of EMAIL_URL."""

import re
import smtplib
import socket
from contextlib import suppress
from email.errors import MessageError
from email.utils import parseaddr
from hashlib import sha256

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends import smtp
from django.core.validators import validate_email

from engagement.transports.base import Outgoing, Receipt, Rejected, Unavailable
from engagement.transports.deadline import Deadline
from engagement.transports.words import said

# Answers to MAIL FROM that are about the message and not about the site: it is too large.
_TOO_LARGE = 552
_SHUTTING_DOWN = 421


class EmailTransport:
    """One connection to the server, kept open; after a failure the next message opens another.

    A mail server knows no keys: each message is marked as it is sent, and one that goes out twice has the same
    Message-ID, which many mailboxes show once.
    """

    name = "email"
    marks_every = 1

    def __init__(self) -> None:
        self._deadline = Deadline(settings.ENGAGEMENT_SEND_TIMEOUT)
        self._backend = _backend(self._deadline)

    def send(self, message: Outgoing) -> Receipt:
        mail = _mail(message)
        with self._deadline.running():
            try:
                self._deliver(mail)
            except smtplib.SMTPRecipientsRefused as error:
                raise self._rejection(*next(iter(error.recipients.values()))) from None
            except smtplib.SMTPSenderRefused as error:
                # About what this site may send, not about this message.
                kind = Rejected if error.smtp_code == _TOO_LARGE else Unavailable
                raise kind(_words(error.smtp_code, error.smtp_error)) from None
            except smtplib.SMTPDataError as error:
                raise self._rejection(error.smtp_code, error.smtp_error) from None
            except smtplib.SMTPResponseException as error:
                raise self._broken(_words(error.smtp_code, error.smtp_error)) from None
            except smtplib.SMTPNotSupportedError as error:
                raise self._broken(f"The mail server cannot do what it is set up for: {said(str(error))}") from None
            except (smtplib.SMTPException, OSError) as error:
                is_late = self._deadline.is_over or "timed out" in str(error)
                words = "The mail server does not answer." if is_late else "The connection to the mail server broke."
                raise self._broken(words) from None
            except (ValueError, MessageError):
                # What Django does not put into a header.
                raise Rejected("The message cannot be written as an e-mail.") from None
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
            if is_new or not _is_goodbye(error) or self._maybe_taken() or self._deadline.is_over:
                raise
            # The server ended a connection that was idle, or had carried enough.
            self._drop()
            self._backend.open()
            self._backend.send_messages([mail])

    def _rejection(self, code: int, text: bytes | str) -> Rejected | Unavailable:
        """What an answer to this message means."""
        words = _words(code, text)
        if 500 <= code < 600:
            return Rejected(words)
        # Anything but 4xx is no answer of a mail server; who knows what is next on this connection.
        return Unavailable(words) if 400 <= code < 500 else self._broken(words)

    def _broken(self, words: str) -> Unavailable:
        """The failure of a connection, which is given up."""
        trouble = Unavailable(words, maybe_taken=self._maybe_taken())
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
    """The message as an e-mail. Raises Rejected."""
    if not message.email:
        raise Rejected("This member has no e-mail address.")
    try:
        validate_email(message.email)
        message.email.rpartition("@")[0].encode("ascii")
    except (ValidationError, UnicodeEncodeError):
        raise Rejected("This member's e-mail address is none a mail server takes.") from None
    headers = {
        "Message-ID": _message_id(message.idempotency_key),
        # RFC 3834: nobody's holiday note answers it.
        "Auto-Submitted": "auto-generated",
        "Content-Language": _line(message.locale),
    }
    if message.unsubscribe_url:
        if not re.fullmatch(r"[!-;=?-~]+", message.unsubscribe_url):
            raise Rejected("The address to unsubscribe at is none.")
        # RFC 8058.
        headers["List-Unsubscribe"] = f"<{message.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return EmailMessage(
        subject=_line(message.subject),
        body=message.body,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[message.email],
        headers=headers,
    )


def _message_id(key: str) -> str:
    """The same for the same key: what shows a mailbox that a message came twice."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    if not re.fullmatch(r"[A-Za-z0-9.-]+", domain):
        domain = "localhost"
    return f"<{sha256(key.encode()).hexdigest()[:40]}@{domain}>"


def _line(text: str) -> str:
    """A text as one line: what follows a line end would be another header."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


# --- The server -----------------------------------------------------------------------------------


def _is_goodbye(error: Exception) -> bool:
    """Whether the server ended the connection, with or without a word."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return any(code == _SHUTTING_DOWN for code, _text in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code == _SHUTTING_DOWN
    return isinstance(error, OSError)


def _words(code: int, text: bytes | str) -> str:
    return f"The mail server says {code}: {said(text)}"


def _backend(deadline: Deadline):
    """The backend of the settings; over SMTP one that can be cut, and knows how far it came."""
    seconds = settings.ENGAGEMENT_SEND_TIMEOUT
    backend = get_connection(timeout=seconds)
    return _Smtp(deadline, timeout=seconds) if type(backend) is smtp.EmailBackend else backend


class _Smtp(smtp.EmailBackend):
    """SMTP as Django speaks it, with a connection that a deadline cuts."""

    def __init__(self, deadline: Deadline, **options) -> None:
        super().__init__(**options)
        self._deadline = deadline
        # Whether the server has asked for the text of the last message: from then on it may have it.
        self.is_past_data = False

    @property
    def connection_class(self) -> type:
        backend = self

        class Line(smtplib.SMTP):
            def _get_socket(self, host, port, timeout) -> socket.socket:
                return backend._deadline.watch(super()._get_socket(host, port, timeout))

            def getreply(self):
                code, text = super().getreply()
                # "Send the text" is said to nothing but DATA.
                backend.is_past_data = backend.is_past_data or code == 354
                return code, text

        if not self.use_ssl:
            return Line
        # Its own _get_socket wraps what the one of Line returns in TLS.
        return type("SslLine", (smtplib.SMTP_SSL, Line), {})

    def send_messages(self, email_messages) -> int:
        self.is_past_data = False
        return super().send_messages(email_messages)

    def drop(self) -> None:
        """Let go of the connection without a word: a server that does not answer would not answer to QUIT."""
        for line in (self.connection, self._partial_connection):
            if line is not None:
                with suppress(OSError):
                    line.close()
        self.connection = self._partial_connection = None

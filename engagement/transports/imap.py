"""Reads a mailbox by IMAP (RFC 9051) without changing it: no message is marked, moved or deleted."""

import imaplib
import re
import ssl
from contextlib import suppress
from datetime import date
from types import TracebackType
from urllib.parse import unquote, urlsplit

from engagement.errors import MailboxNotConfigured, MailboxUnavailable
from engagement.transports.sanitize import sanitize_text

# Bytes of a message that are read: the text precedes the attachments.
LARGEST = 1_048_576
SECONDS = 20
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class MailboxReader:
    """One connection to a folder, opened read-only. Every method raises MailboxUnavailable."""

    def __init__(self, url: str, context: ssl.SSLContext | None = None) -> None:
        """Read the address, which is imaps://user:password@server:port/folder, or imap:// with STARTTLS.

        Raises MailboxNotConfigured.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise MailboxNotConfigured from None
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if parts.scheme not in ("imaps", "imap") or not (parts.hostname and user and password):
            raise MailboxNotConfigured
        folder = unquote(parts.path.strip("/")) or "INBOX"
        if not folder.isascii() or not folder.isprintable() or '"' in folder or "\\" in folder:
            raise MailboxNotConfigured
        self.name = f"{user}@{parts.hostname}/{folder}"[:255]
        self.uid_validity = self.uid_next = 0
        self._folder, self._host, self._user, self._password = folder, parts.hostname, user, password
        self._uses_tls = parts.scheme == "imaps"
        self._port = port or (993 if self._uses_tls else 143)
        self._context = context
        self._connection: imaplib.IMAP4 | None = None

    def __enter__(self) -> "MailboxReader":
        context = self._context or ssl.create_default_context()
        try:
            if self._uses_tls:
                self._connection = imaplib.IMAP4_SSL(self._host, self._port, ssl_context=context, timeout=SECONDS)
            else:
                self._connection = imaplib.IMAP4(self._host, self._port, timeout=SECONDS)
                # The password is never sent in clear text.
                self._connection.starttls(context)
            self._connection.login(self._user, self._password)
            self._run("EXAMINE", self._connection.select(f'"{self._folder}"', readonly=True))
            self.uid_validity = self._number("UIDVALIDITY")
            self.uid_next = self._number("UIDNEXT")
        except (imaplib.IMAP4.error, OSError, UnicodeError) as error:
            self.close()
            raise self._unavailable(error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            with suppress(imaplib.IMAP4.error, OSError):
                self._connection.logout()
            self._connection = None

    def uids_after(self, uid: int) -> list[int]:
        """Return the UIDs above this one, ascending.

        The range "7:*" contains the last message even if its UID is below 7, so the answer is filtered.
        """
        return [each for each in self._search(f"UID {uid + 1}:*") if each > uid]

    def uids_since(self, day: date) -> list[int]:
        """Return the UIDs of the messages that arrived on this day or later, ascending."""
        # Without the locale of the process, which strftime would use.
        return self._search(f"SINCE {day.day}-{_MONTHS[day.month - 1]}-{day.year}")

    def fetch(self, uid: int) -> bytes | None:
        """Return the first bytes of a message; None if it was deleted."""
        for part in self._command("FETCH", str(uid), f"(BODY.PEEK[]<0.{LARGEST}>)"):
            if isinstance(part, tuple) and len(part) > 1 and isinstance(part[1], bytes):
                return part[1]
        return None

    def _search(self, criteria: str) -> list[int]:
        found = b" ".join(each for each in self._command("SEARCH", criteria) if isinstance(each, bytes))
        return sorted({int(each) for each in found.split() if each.isdigit()})

    def _command(self, name: str, *values: str) -> list:
        assert self._connection is not None
        try:
            return self._run(name, self._connection.uid(name, *values))
        except (imaplib.IMAP4.error, OSError) as error:
            raise self._unavailable(error) from None

    @staticmethod
    def _run(name: str, answer: tuple[str, list]) -> list:
        status, data = answer
        if status != "OK":
            text = data[0].decode("utf-8", "replace") if data and isinstance(data[0], bytes) else ""
            raise imaplib.IMAP4.error(f"{name}: {text}")
        return data

    def _number(self, code: str) -> int:
        assert self._connection is not None
        _name, values = self._connection.response(code)
        found = re.search(rb"\d+", next((each for each in values or () if each), b""))
        return int(found[0]) if found else 0

    def _unavailable(self, error: Exception) -> MailboxUnavailable:
        detail = error.args[0] if error.args and isinstance(error.args[0], bytes) else str(error)
        return MailboxUnavailable(sanitize_text(detail or type(error).__name__, self._password, self._user))

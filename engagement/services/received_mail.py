"""Reads an e-mail: who wrote it, what they wrote, and whether a program did. Writes nothing."""

import re
from dataclasses import dataclass, field
from email.message import Message
from hashlib import sha256

from engagement.rules import UNSUBSCRIBE_SUBJECT, AddressReport
from engagement.services.intents import AUTO_REPLY, OPTED_OUT, classify_text, is_auto_submitted
from engagement.services.mail_parts import addresses_of, decode_text, header_of, subparts_of, text_of
from engagement.services.quotes import unquoted
from engagement.transports.replies import report_of_reply

LONGEST_ID = 255
_TOKEN = re.compile(rf"\b{UNSUBSCRIBE_SUBJECT} +([A-Za-z0-9_-]+:[A-Za-z0-9_-]+:[A-Za-z0-9_-]+)", re.IGNORECASE)
# Headers with the Message-IDs that a message replies to.
_REPLIED_TO = ("in-reply-to", "references")
_ID = re.compile(r"<[^<>\s]{1,250}>")
_REPLY_PREFIX = re.compile(r"^(?:(?:re|res|fw|fwd|enc|rv|aw)\s*:\s*)+", re.IGNORECASE)

# Headers of programs that answer, besides Auto-Submitted (RFC 3834). None: any value.
_AUTOMATIC: tuple[tuple[str, str | None], ...] = (
    ("X-Autoreply", None),
    ("X-Autorespond", None),
    ("X-Autoresponder", None),
    ("X-Mail-Autoreply", None),
    ("X-Auto-Reply-From", None),
    ("X-FC-MachineGenerated", None),
    ("X-POST-MessageClass", "autoresponder"),
    ("Delivered-To", "autoresponder"),
    ("Precedence", "bulk|junk|list|auto_reply"),
    ("X-Precedence", "bulk|junk|list|auto_reply"),
    ("List-Id", None),
    ("X-Failed-Recipients", None),
)
_PROGRAMS = re.compile(r"^(?:mailer-daemon|postmaster|no-?reply|nao-?responda|do-?not-?reply)@")


@dataclass(frozen=True)
class MailReport:
    """What a mail server (RFC 3464) or a mailbox (RFC 5965) reports about a message.

    message_id: the Message-ID of the message. report: about the address, None if only the delivery failed.
    """

    message_id: str
    report: AddressReport | None
    detail: str = ""


@dataclass(frozen=True)
class ReceivedMail:
    """An e-mail as the site reads it.

    sender: address of the From header in lower case; empty if there is not exactly one. text: without quotes,
    signature and attachments. references: the Message-IDs that it replies to. token: of the member who unsubscribes by
    a mailto link. is_rejected: the server that received it found that the sender is forged (DMARC). is_spam: the server
    that received it marked it.
    """

    message_id: str
    sender: str
    name: str
    subject: str
    text: str
    references: tuple[str, ...] = ()
    token: str = ""
    is_automatic: bool = False
    is_rejected: bool = False
    is_spam: bool = False
    reports: tuple[MailReport, ...] = field(default=())


def read_mail(message: Message) -> ReceivedMail:
    """Read an e-mail. A malformed one is read as far as possible."""
    senders = addresses_of(message, "From")
    name, sender = senders[0] if len(senders) == 1 else ("", "")
    subject = header_of(message, "Subject")
    found = _TOKEN.search(subject)
    return ReceivedMail(
        message_id=_message_id(message),
        sender=sender,
        name=name,
        subject=subject,
        text=_text(message, subject, name),
        references=tuple(_ID.findall(" ".join(header_of(message, name) for name in _REPLIED_TO)))[:20],
        token=found[1] if found else "",
        is_automatic=_is_automatic(message, sender, subject),
        is_rejected=_is_forged(message),
        is_spam=header_of(message, "X-Spam-Flag").lower() == "yes" or bool(getattr(message, "spam_detected", False)),
        reports=tuple(_reports(message)),
    )


def _message_id(message: Message) -> str:
    """Return the Message-ID; for a message without one, or a longer one, a digest."""
    own = header_of(message, "Message-ID")
    if own and len(own) <= LONGEST_ID and own.isprintable():
        return own
    parts = [own, *(header_of(message, name) for name in ("From", "Date", "Subject")), text_of(message)]
    return f"<{sha256(chr(10).join(parts).encode('utf-8', 'replace')).hexdigest()[:40]}@digest>"


def _text(message: Message, subject: str, name: str) -> str:
    """Return what the sender wrote: the body, or the subject if it is a request or there is no body."""
    text = unquoted(text_of(message), name=name)
    is_reply = bool(_REPLY_PREFIX.match(subject)) or bool(header_of(message, "In-Reply-To"))
    if subject and not is_reply and (not text or classify_text(subject) == OPTED_OUT):
        return subject
    return text


def _is_automatic(message: Message, sender: str, subject: str) -> bool:
    if is_auto_submitted(header_of(message, "Auto-Submitted")):
        return True
    if header_of(message, "Return-Path") == "<>" or _PROGRAMS.match(sender):
        return True
    for name, values in _AUTOMATIC:
        value = header_of(message, name)
        if value and (values is None or re.fullmatch(f".*(?:{values}).*", value, re.IGNORECASE)):
            return True
    return message.get_content_type() == "multipart/report" or classify_text(subject) == AUTO_REPLY


def _is_forged(message: Message) -> bool:
    """Return whether the first result of authentication, that of the receiving server, says that DMARC failed."""
    return bool(re.search(r"\bdmarc\s*=\s*fail\b", header_of(message, "Authentication-Results"), re.IGNORECASE))


# --- Reports --------------------------------------------------------------------------------------


def _reports(message: Message) -> list[MailReport]:
    if message.get_content_type() != "multipart/report":
        return []
    parts = [part for part in message.walk() if part is not message]
    message_id = _original_id(parts)
    if not message_id:
        return []
    for part in parts:
        if part.get_content_type() == "message/feedback-report":
            return [MailReport(message_id, AddressReport.COMPLAINT)]
    found = []
    for part in parts:
        if part.get_content_type() == "message/delivery-status":
            for block in subparts_of(part):
                action, status = header_of(block, "Action").lower(), header_of(block, "Status")
                if action == "failed":
                    detail = header_of(block, "Diagnostic-Code").removeprefix("smtp;").strip()
                    reply = detail if re.search(r"\d\.\d+\.\d+", detail) else f"{status} {detail}"
                    code = 450 if status.startswith("4") else 550
                    found.append(MailReport(message_id, report_of_reply(code, reply, to_address=True), detail))
    return found


def _original_id(parts: list[Message]) -> str:
    """Return the Message-ID of the message that a report is about: of the returned message, or of its headers."""
    for part in parts:
        if part.get_content_type() == "message/rfc822" and (returned := subparts_of(part)):
            return header_of(returned[0], "Message-ID")
        if part.get_content_type() in ("text/rfc822-headers", "message/rfc822-headers", "message/rfc822"):
            payload = part.get_payload(decode=True)
            text = decode_text(payload if isinstance(payload, bytes) else b"", "")
            if found := re.search(r"^message-id:\s*(<[^<>\s]+>)", text, re.IGNORECASE | re.MULTILINE):
                return found[1]
    return ""

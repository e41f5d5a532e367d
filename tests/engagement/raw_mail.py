"""Raw e-mails for tests."""

from base64 import b64encode
from email import message_from_bytes
from email.message import Message

ADDRESS = "ana@example.org"


def raw(body: bytes | str = "2", *, headers: str = "", kind: str = "text/plain; charset=utf-8", **named: str) -> bytes:
    """Return an e-mail of Ana. named: headers, with _ for -; an empty value leaves one out."""
    values = {
        "From": f"Ana Souza <{ADDRESS}>",
        "To": "replies@example.org",
        "Subject": "Re: Até logo",
        "Message-ID": "<reply-1@mail.example.org>",
        "Content-Type": kind,
    } | {name.replace("_", "-"): value for name, value in named.items()}
    head = "".join(f"{name}: {value}\n" for name, value in values.items() if value)
    body = body.encode() if isinstance(body, str) else body
    return (head + headers).encode("utf-8", "surrogateescape") + b"\n" + body


def mail(*args, **kwargs) -> Message:
    return message_from_bytes(raw(*args, **kwargs))


def multipart(*parts: str, kind: str = "mixed", **named: str) -> Message:
    body = "".join(f"--limit\n{part}\n" for part in parts) + "--limit--\n"
    return mail(body, kind=f'multipart/{kind}; boundary="limit"', **named)


PHOTO = 'Content-Type: image/jpeg; name="2.jpg"\nContent-Transfer-Encoding: base64\n\n' + b64encode(b"x" * 90).decode()


def bounce(
    message_id: str, *, action: str = "failed", status: str = "5.1.1", text: str = "550 5.1.1 unknown"
) -> Message:
    """Return a report of a mail server (RFC 3464)."""
    return multipart(
        "Content-Type: text/plain\n\nYour message could not be delivered.",
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\n"
        f"Final-Recipient: rfc822; {ADDRESS}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {text}\n",
        f"Content-Type: message/rfc822\n\nMessage-ID: {message_id}\nSubject: Hi\n\nHi",
        kind="report; report-type=delivery-status",
        From="Mail Delivery System <MAILER-DAEMON@mx.example.org>",
        Return_Path="<>",
        Subject="Undelivered Mail Returned to Sender",
    )

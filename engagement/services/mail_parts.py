"""Reads the parts of an e-mail that matter for a reply, in all encodings, without ever failing on a malformed one."""

import codecs
import re
from contextlib import suppress
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses
from html.parser import HTMLParser

# A text longer than this is no reply.
LONGEST_PART = 200_000
# Charsets that programs name although the text has the characters of a larger one.
_LARGER = {"iso8859-1": "cp1252", "ascii": "utf-8", "gb2312": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949"}


def header_of(message: Message, name: str) -> str:
    """Return a header, decoded and as one line; empty if there is none."""
    return _decoded(next(iter(_raw_headers(message, name)), ""))


def addresses_of(message: Message, *names: str) -> list[tuple[str, str]]:
    """Return the (name, address) pairs of headers, the addresses in lower case."""
    found = []
    for name in names:
        for shown, address in getaddresses(_raw_headers(message, name)):
            if "@" in address:
                found.append((_decoded(shown), address.strip().lower()))
    return found


def _raw_headers(message: Message, name: str) -> list[str]:
    """Return the values of a header as they were received: the package fails on some, and replaces 8-bit characters."""
    wanted = name.lower()
    return [" ".join(str(value).split()) for each, value in message.raw_items() if each.lower() == wanted]


def text_of(message: Message) -> str:
    """Return the text that the sender wrote and quoted: the plain part, or the HTML part as text."""
    parts = [part for part in _body_parts(message) if part.get_content_type() == "text/plain"]
    text = "\n".join(_content(part) for part in parts)
    if text.strip():
        return text
    for part in _body_parts(message):
        if part.get_content_type() == "text/html":
            return text_of_html(_content(part))
    return text


def _body_parts(message: Message) -> list[Message]:
    """Return the parts that are no attachments. A forwarded message is one."""
    if message.get_content_maintype() == "message" or _is_attachment(message):
        return []
    if not message.is_multipart():
        return [message]
    return [found for part in subparts_of(message) for found in _body_parts(part)]


def subparts_of(message: Message) -> list[Message]:
    """Return the parts of a message; none of one that only claims to have some."""
    payload = message.get_payload()
    return [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []


def _is_attachment(part: Message) -> bool:
    disposition = str(part.get("Content-Disposition") or "").strip().lower()
    return disposition.startswith("attachment") or bool(part.get_filename())


def _content(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    return decode_text(payload[:LONGEST_PART], str(part.get_content_charset("") or ""))


def decode_text(payload: bytes, charset: str) -> str:
    """Decode a text by the charset that its sender names, or by the one that it fits."""
    named = charset.strip().strip("\"'").lower()
    with suppress(LookupError):
        name = codecs.lookup(named).name if named else "utf-8"
        for candidate in (_LARGER.get(name, name), "utf-8"):
            with suppress(UnicodeError, LookupError):
                return payload.decode(candidate).replace("\x00", "")
    with suppress(UnicodeError):
        return payload.decode("utf-8").replace("\x00", "")
    return payload.decode("cp1252", "replace").replace("\x00", "")


def _decoded(value: str) -> str:
    """Decode the encoded words of a header. Raw 8-bit characters are read as UTF-8 or Windows-1252."""
    if not value.isascii():
        value = decode_text(value.encode("utf-8", "surrogateescape"), "")
    if "=?" in value:
        with suppress(MessageError, ValueError):
            parts = decode_header(value)
            value = "".join(
                part if isinstance(part, str) else decode_text(part, charset or "") for part, charset in parts
            )
    return " ".join(value.split())


# --- HTML -----------------------------------------------------------------------------------------

_BLOCKS = frozenset(
    (
        *("address", "article", "div", "dd", "dl", "dt", "fieldset", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ol"),
        *("p", "pre", "section", "table", "tr", "ul"),
    )
)
_HIDDEN = frozenset(("head", "script", "style", "template", "title"))
# Everything below these elements of Outlook is the quoted message.
_OUTLOOK_IDS = frozenset(("appendonsend", "divrplyfwdmsg", "mail-editor-reference-message-container"))
_OUTLOOK_QUOTE = "\n________________________________\n"
# Signatures and headers of quotes, by class.
_IGNORED_CLASSES = re.compile(r"\b(?:gmail_signature|moz-signature|gmail_attr|moz-cite-prefix)\b")
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)


class _TextParser(HTMLParser):
    """Converts HTML to text. The lines of a quote begin with ">"."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._open: list[tuple[str, bool, bool]] = []
        self._quoted = self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if values.get("id", "").lower().removeprefix("x_") in _OUTLOOK_IDS:
            self.parts.append(_OUTLOOK_QUOTE)
        if tag == "br":
            self._break()
        if tag in _VOID:
            return
        is_quote = tag == "blockquote"
        is_hidden = tag in _HIDDEN or bool(_IGNORED_CLASSES.search(values.get("class", "")))
        if is_quote or tag in _BLOCKS:
            self._break(only_if_needed=True)
        self._open.append((tag, is_quote, is_hidden))
        self._quoted += is_quote
        self._hidden += is_hidden
        if is_quote:
            self._break()

    def handle_endtag(self, tag: str) -> None:
        if all(tag != name for name, _quote, _hidden in self._open):
            return
        while self._open:
            name, is_quote, is_hidden = self._open.pop()
            self._quoted -= is_quote
            self._hidden -= is_hidden
            if is_quote or name in _BLOCKS:
                self._break(only_if_needed=not is_quote)
            if name == tag:
                return

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        text = re.sub(r"\s+", " ", data)
        if self._at_start_of_line():
            text = text.lstrip()
        self.parts.append(text)

    def _at_start_of_line(self) -> bool:
        last = next((part for part in reversed(self.parts) if part), "\n")
        return last.endswith(("\n", "> "))

    def _break(self, *, only_if_needed: bool = False) -> None:
        if not (only_if_needed and self._at_start_of_line()) or (self.parts and self.parts[-1] == "> "):
            self.parts.append("\n")
        if self._quoted:
            self.parts.append("> ")


def text_of_html(html: str) -> str:
    """Return the text of an HTML part; the lines of quotes begin with ">"."""
    parser = _TextParser()
    parser.feed(html)
    parser.close()
    return "".join(parser.parts)

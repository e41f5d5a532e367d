"""What a provider says, made fit to be kept and shown."""

import re

LONGEST = 200
_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")


def said(text: str | bytes, *secret: str) -> str:
    """A provider's own words on one short line; e-mail addresses and the secret parts are cut out of them."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    for part in filter(None, secret):
        text = text.replace(part, "…")
    text = "".join(each if each.isprintable() else " " for each in _ADDRESS.sub("…", text[:2_000]))
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"

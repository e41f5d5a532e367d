"""Sanitises error texts of providers before they are stored and shown."""

import re

LONGEST = 200
_ADDRESS = re.compile(r"[^\s<>\"'(),;:]+@[^\s<>\"'(),;:]+")


def sanitize_text(text: str | bytes, *secret: str) -> str:
    """Return a provider's text as one short line, without e-mail addresses and the secret parts."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    for part in filter(None, secret):
        text = text.replace(part, "…")
    text = "".join(each if each.isprintable() else " " for each in _ADDRESS.sub("…", text[:2_000]))
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"

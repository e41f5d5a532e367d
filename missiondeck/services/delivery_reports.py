"""The delivery report of a client mission: one HTML file, signed with Ed25519, and checked without the database.

The last line of the file is a comment with the key and the signature of all bytes before it. Source: RFC 8032.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone, translation

from missiondeck.models import (
    FOR_READING,
    Category,
    ClientLink,
    ClientSignature,
    DeckMission,
    DeckStatus,
    EvidenceKind,
    EvidenceState,
)
from missiondeck.selectors.clients import facts_of, format_spent, signatures_of

_SIGNED = "\n<!--delivery-report:ed25519:key=%s:signature=%s-->\n"
_LINE = re.compile(rb"\n<!--delivery-report:ed25519:key=([A-Za-z0-9+/=]{44}):signature=([A-Za-z0-9+/=]{88})-->\n?\Z")


class NotSigned(Exception):
    """The file has no valid signature of this site; the message says why."""


def delivery_report(*, mission: DeckMission, hides: ClientLink | None = None) -> str:
    """The report of a mission as signed HTML. hides: the link of a client with fields to leave out."""
    facts = facts_of(mission, hides)
    signatures = list(signatures_of(mission))
    with translation.override("en"):
        html = _render(facts, signatures)
    return sign_report(html)


def _render(facts: dict, signatures: list[ClientSignature]) -> str:
    return render_to_string(
        "missiondeck/delivery_report.html",
        {
            "facts": facts
            | {name: _at(facts.get(name)) for name in ("completed_at", "deadline")}
            | {"run": run | {"at": _at(run["at"])} if (run := facts.get("run")) else None},
            "budget": format_spent(facts["budget"]) if "budget" in facts else "",
            "status": DeckStatus(facts["status"]).label,
            "groups": [
                (category.label, [_item(item) for item in facts["items"] if item["category"] == category])
                for category in Category
            ],
            "signatures": [
                {
                    "name": each.name,
                    "email": each.email,
                    "at": f"{each.created_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
                    "digest": _digest(each.facts),
                }
                for each in signatures
            ],
            "made_at": f"{timezone.now().astimezone(UTC):%Y-%m-%d %H:%M} UTC",
            "key": public_key(),
            "digest": _digest(facts),
        },
    )


def _item(item: dict) -> dict:
    evidence = [
        {"kind": EvidenceKind(each["kind"]).label, "value": each["value"], "by": each["by"],
         "state": EvidenceState(each["state"]).label if each["kind"] not in FOR_READING else ""}
        for each in item.get("evidence", ())
    ]  # fmt: skip
    return item | {"evidence": evidence, "done_at": _at(item["done_at"])}


def _at(text: str | None) -> str:
    """An instant of the facts, to the minute."""
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M UTC") if text else ""


def _digest(facts: dict) -> str:
    """The SHA-256 digest of what a client signed, to compare with the facts of a report."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def sign_report(html: str) -> str:
    """Add the line with the key and the signature."""
    signature = base64.b64encode(_private_key(settings.SECRET_KEY).sign(html.encode())).decode()
    return html + _SIGNED % (public_key(), signature)


def public_key(secret: str | None = None) -> str:
    """The public key of this site in Base64, made from SECRET_KEY."""
    key = _private_key(secret or settings.SECRET_KEY).public_key()
    return base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def verify_report(content: bytes, *, key: str = "") -> str:
    """Check the signature of a report; returns the public key. key: the expected one, by default those of this site.

    Raises NotSigned. The keys of SECRET_KEY_FALLBACKS are accepted, so that reports stay valid after a rotation.
    """
    found = _LINE.search(content)
    if found is None:
        raise NotSigned("The file has no signature at its end: it is no delivery report, or it is not complete.")
    stated = found[1].decode()
    known = {key} if key else {public_key(each) for each in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)}
    if stated not in known:
        raise NotSigned("The file is signed with another key than expected.")
    try:
        verifier = Ed25519PublicKey.from_public_bytes(base64.b64decode(stated, validate=True))
        verifier.verify(base64.b64decode(found[2], validate=True), content[: found.start()])
    except (InvalidSignature, ValueError, binascii.Error):
        raise NotSigned("The file was changed after it was signed.") from None
    return stated


def _private_key(secret: str) -> Ed25519PrivateKey:
    """The signing key: a digest of the site's secret for this purpose only."""
    seed = hashlib.sha256(b"missiondeck.delivery_report\0" + secret.encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(seed)

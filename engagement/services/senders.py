"""Handles a message of a sender whose address is known, not who they are: finds the member, or stores it for staff."""

import base64
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.utils import timezone

from engagement.models import MemberAddress
from engagement.rules import VERIFIABLE, UnassignedReason
from engagement.selectors.members import claims_of
from engagement.services.addresses import verify_address
from engagement.services.inbound import handle_inbound
from engagement.services.intents import AUTO_REPLY, OPTED_OUT, classify_text, is_auto_submitted
from engagement.services.unassigned import keep_message
from groups.models import Member
from missionsite.common.transactions import service

# Effects besides those of handle_inbound.
IGNORED, KEPT, VERIFIED = "ignored", "kept", "address_verified"
_CODE = re.compile(r"\b([0-9]{1,9})-([a-z2-7]{8})\b", re.IGNORECASE)


@dataclass(frozen=True)
class Received:
    """Effect of a message, and the state of the member afterwards; None without a member."""

    effect: str
    state: str | None


@service
def receive_text(
    *,
    platform: str,
    sender: str,
    text: str,
    message_id: str,
    at: datetime | None = None,
    auto_submitted: bool | str | None = None,
    name: str = "",
    is_proven: bool = False,
    keeps_strangers: bool = False,
) -> Received:
    """Handle a message by the address of its sender.

    From a verified address, or with is_proven, it has its effect. From an unverified one it can only opt out, or verify
    the address by the code of the member; any other message waits for staff, as one from an address of several members.
    keeps_strangers: whether staff also get messages of unknown senders.
    """
    at = at or timezone.now()
    claims = claims_of(platform=platform, sender=sender)
    if claims and (row := _confirmed(claims, text, at)):
        verify_address(actor=row.user, row=row, at=at)
        handled = handle_inbound(actor=row.user, text=text, platform=platform, message_id=message_id, at=at)
        return Received(VERIFIED, handled.state)
    members = {each.user_id: each.user for each in claims}
    is_trusted = is_proven or any(each.verified_at for each in claims)
    is_automatic = is_auto_submitted(auto_submitted)
    intent = AUTO_REPLY if is_automatic else classify_text(text)
    if len(members) == 1 and (is_trusted or intent in (OPTED_OUT, AUTO_REPLY)):
        [member] = members.values()
        handled = handle_inbound(
            actor=member, text=text, platform=platform, message_id=message_id, at=at, auto_submitted=auto_submitted
        )
        return Received(handled.effect, handled.state)
    if intent == AUTO_REPLY or (not claims and not keeps_strangers):
        return Received(IGNORED, None)
    reason = UnassignedReason.UNKNOWN
    if claims:
        reason = UnassignedReason.UNVERIFIED if len(members) == 1 else UnassignedReason.SEVERAL
    keep_message(platform=platform, message_id=message_id, sender=sender, name=name, text=text, reason=reason, at=at)
    return Received(KEPT, None)


# --- The code -------------------------------------------------------------------------------------


def code_of(member: Member, *, on: date | None = None) -> str:
    """Return the code that a member sends from a chat to verify its address; it works for one or two days."""
    on = on or timezone.now().astimezone(UTC).date()
    digest = hmac.new(settings.SECRET_KEY.encode(), f"engagement.address:{member.pk}:{on}".encode(), sha256).digest()
    return f"{int(member.member_id.rpartition('-')[2])}-{base64.b32encode(digest)[:8].decode().lower()}"


def _confirmed(claims: list[MemberAddress], text: str, at: datetime) -> MemberAddress | None:
    """Return the unverified address whose member's code a text contains."""
    found = _CODE.search(text)
    if found is None:
        return None
    today = at.astimezone(UTC).date()
    for row in claims:
        codes = [code_of(row.user, on=today - timedelta(days=days)) for days in (0, 1)]
        if row.verified_at is None and row.channel in VERIFIABLE and found[0].lower() in codes:
            return row
    return None

"""Members by the address of a sender, and their lifecycle state."""

import re

from django.db.models import Q

from engagement.models import MemberAddress, UserEngagementState
from engagement.rules import Channel, State
from groups.models import Member

# A number, alone or as the first part of a WhatsApp address such as 5511999990000@c.us.
_PHONE = re.compile(r"[+]?([0-9]{8,15})(@.*)?")


def claims_of(*, platform: str, sender: str) -> list[MemberAddress]:
    """Return the addresses of members that a sender's address matches: of one member if it is verified.

    platform: the channel it was received on, such as whatsapp, telegram or email.
    """
    wanted = Q(channel=Channel.CHAT, address=sender)
    phone = _PHONE.fullmatch(sender)
    if phone and (phone[2] or platform == Channel.WHATSAPP):
        wanted |= Q(channel=Channel.WHATSAPP, address=phone[1])
    if platform == Channel.EMAIL:
        wanted = Q(channel=Channel.EMAIL, address=sender.lower())
    elif re.fullmatch(r"[0-9]{1,20}", sender) and platform != Channel.WHATSAPP:
        wanted |= Q(channel=Channel.TELEGRAM, address=sender)
    elif platform == Channel.TELEGRAM:
        wanted |= Q(channel=Channel.TELEGRAM_NAME, address=sender.removeprefix("@").lower())
    found = list(MemberAddress.objects.filter(wanted).select_related("user").order_by("pk")[:20])
    return [each for each in found if each.verified_at] or found


def state_of(member: Member) -> str:
    """Return the state of a member; a member without a row is active."""
    row = UserEngagementState.objects.filter(user=member).values_list("state", flat=True).first()
    return row or State.ACTIVE

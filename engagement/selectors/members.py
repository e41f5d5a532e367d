"""Members by address, and their lifecycle state."""

from engagement.errors import SenderUnknown
from engagement.models import UserEngagementState, UserProfile
from engagement.rules import State
from groups.models import Member


def find_sender(*, address: str) -> Member:
    """Return the member with this individual address. Raises SenderUnknown."""
    profile = UserProfile.objects.select_related("user").filter(individual_jid=address).exclude(individual_jid="")
    if (found := profile.first()) is None:
        raise SenderUnknown
    return found.user


def members_with_email(address: str) -> list[Member]:
    """Return the members with this e-mail address, which is unique without regard to case."""
    return list(Member.objects.filter(email__iexact=address)[:2]) if address else []


def state_of(member: Member) -> str:
    """Return the state of a member; a member without a row is active."""
    row = UserEngagementState.objects.filter(user=member).values_list("state", flat=True).first()
    return row or State.ACTIVE

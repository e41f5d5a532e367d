"""E-mail addresses of members: an address counts once its owner has confirmed it."""

from typing import Any

from allauth.account.models import EmailAddress


def add_unconfirmed_address(member: Any) -> None:
    """Note that a member gave an address without a proof; until it is confirmed, it makes them no assignee."""
    EmailAddress.objects.filter(user=member).delete()
    EmailAddress.objects.create(user=member, email=member.email, primary=True, verified=False)


def ensure_address(member: Any) -> None:
    """Add the address of an account that staff created, who vouch for it; registered ones have one already."""
    if not EmailAddress.objects.filter(user=member).exists():
        EmailAddress.objects.create(user=member, email=member.email, primary=True, verified=True)


def is_address_unconfirmed(member: Any) -> bool:
    """Return whether a member still has to confirm their address."""
    return EmailAddress.objects.filter(user=member, email__iexact=member.email, verified=False).exists()

"""The addresses that messages go to, and which of them are suppressed."""

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Lower

from engagement.models import BouncedAddress, EngagementMessage
from engagement.rules import Destination


def goes_by_email() -> bool:
    """Return whether messages are sent to e-mail addresses; otherwise to the addresses of chats."""
    return settings.ENGAGEMENT_TRANSPORT == "email"


def is_suppressed(*, person: str = "", chat: OuterRef | None = None) -> Exists:
    """Return an expression: whether the address that a message would go to is suppressed.

    person: lookup prefix from the rows of the query to the member. chat: the address of a message's chat, by default
    that of the member's preferred chat.
    """
    rows = BouncedAddress.objects.filter(user=OuterRef(f"{person}pk"), suppressed_at__isnull=False)
    if goes_by_email():
        return Exists(rows.filter(address=Lower(F("user__email"))))
    if chat is not None:
        return Exists(rows.filter(address=chat))
    profile = "user__engagement_profile__"
    is_group = Q(**{f"{profile}preferred_destination": Destination.GROUP})
    return Exists(
        rows.filter(
            (is_group & Q(address=F(f"{profile}group_jid"))) | (~is_group & Q(address=F(f"{profile}individual_jid")))
        )
    )


def address_of_message(message: EngagementMessage) -> str:
    """Return the address that a message is sent to, as bounced addresses are stored; empty if unknown."""
    return message.user.email.lower() if goes_by_email() else message.destination_jid

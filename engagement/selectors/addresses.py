"""The addresses that messages go to: which channel reaches a member, and which addresses are suppressed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import BooleanField, Exists, Expression, F, Func, OuterRef, Q, Value
from django.db.models.functions import Lower

from engagement.models import BouncedAddress, EngagementMessage
from engagement.rules import Channel, Destination


def site_channels() -> list[str] | None:
    """Return the channels of the site in its order; None if one transport sends all messages."""
    return list(settings.ENGAGEMENT_CHANNELS) or None


def goes_by_email() -> bool:
    """Return whether the one transport of the site sends to e-mail addresses, not to the addresses of chats."""
    return settings.ENGAGEMENT_TRANSPORT == "email" and not settings.ENGAGEMENT_CHANNELS


def is_suppressed(*, person: str = "", chat: OuterRef | None = None) -> Exists | Value:
    """Return an expression: whether the address that a message would go to is suppressed. With channels, none counts.

    person: lookup prefix from the rows of the query to the member. chat: the address of a message's chat, by default
    that of the member's preferred chat.
    """
    if site_channels():
        return Value(False, BooleanField())
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


def is_unreachable(*, person: str, destination: Expression | F, chat: Expression | F, tried: Expression) -> Expression:
    """Return an expression: whether no channel of the site reaches a member; parameters of the SQL function.

    person: lookup prefix to the member, or the name of the column with their ID.
    """
    if not (channels := site_channels()):
        return Value(False, BooleanField())
    member = F(person) if person.endswith("_id") else F(f"{person}pk")
    return Func(
        *(member, destination, chat, tried, Value(channels)),
        function="has_message_route",
        template="NOT %(function)s(%(expressions)s::text[])",
        output_field=BooleanField(),
    )


def route_of(message: EngagementMessage) -> tuple[str, str] | None:
    """Return the channel and the address that a message would be sent to now; None if no channel reaches the member."""
    tried = message.channel if message.attempted_at else ""
    return route_to(message.user_id, message.destination, message.destination_jid, tried)


def route_to(
    member_id: UUID, destination: str = Destination.INDIVIDUAL, chat: str = "", tried: str = ""
) -> tuple[str, str] | None:
    """Return the first channel and address that works for a member; parameters of the SQL function message_routes."""
    values: list[Any] = [member_id, destination, chat, tried, site_channels() or []]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT channel, address FROM message_routes(%s, %s, %s, %s, %s::text[]) ORDER BY place LIMIT 1", values
        )
        return cursor.fetchone()


def address_of_message(message: EngagementMessage) -> str:
    """Return the address that a message is sent to, as bounced addresses are stored; empty if unknown."""
    is_email = message.channel == Channel.EMAIL if message.channel else goes_by_email()
    return message.user.email.lower() if is_email else message.destination_jid

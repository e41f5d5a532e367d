"""Ways of sending, chosen by ENGAGEMENT_TRANSPORT. Nothing is connected before the first message."""

from collections.abc import Callable

from django.conf import settings

from engagement.errors import TransportUnknown
from engagement.transports.base import Outgoing, Receipt, Rejected, Transport, Unavailable
from engagement.transports.console import ConsoleTransport
from engagement.transports.email import EmailTransport
from engagement.transports.file import FileTransport
from engagement.transports.webhook import WebhookTransport

TRANSPORTS: dict[str, Callable[[], Transport]] = {
    each.name: each for each in (ConsoleTransport, FileTransport, EmailTransport, WebhookTransport)
}

__all__ = ["TRANSPORTS", "Outgoing", "Receipt", "Rejected", "Transport", "Unavailable", "make_transport"]


def make_transport(name: str = "") -> Transport:
    """The transport of the settings, or another by name. Raises TransportUnknown, TransportUnset."""
    name = name or settings.ENGAGEMENT_TRANSPORT
    if name not in TRANSPORTS:
        raise TransportUnknown(f"There is no way of sending called {name}. There are: {', '.join(sorted(TRANSPORTS))}.")
    return TRANSPORTS[name]()

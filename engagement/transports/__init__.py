"""Transports, chosen by ENGAGEMENT_TRANSPORT. A transport connects with its first message."""

from collections.abc import Callable

from django.conf import settings
from django.utils.translation import gettext as _

from engagement.errors import TransportUnknown
from engagement.transports.base import MessageRejected, Outgoing, Receipt, Transport, Unavailable
from engagement.transports.console import ConsoleTransport
from engagement.transports.email import EmailTransport
from engagement.transports.file import FileTransport
from engagement.transports.webhook import WebhookTransport

TRANSPORTS: dict[str, Callable[[], Transport]] = {
    each.name: each for each in (ConsoleTransport, FileTransport, EmailTransport, WebhookTransport)
}

__all__ = ["TRANSPORTS", "MessageRejected", "Outgoing", "Receipt", "Transport", "Unavailable", "make_transport"]


def make_transport(name: str = "") -> Transport:
    """Return the transport with this name, by default that of the settings.

    Raises TransportUnknown, TransportNotConfigured.
    """
    name = name or settings.ENGAGEMENT_TRANSPORT
    if name not in TRANSPORTS:
        raise TransportUnknown(
            _("The transport {name} does not exist. Choose one of: {names}.").format(
                name=name, names=", ".join(sorted(TRANSPORTS))
            )
        )
    return TRANSPORTS[name]()

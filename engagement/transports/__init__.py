"""Transports, chosen by ENGAGEMENT_TRANSPORT or ENGAGEMENT_CHANNELS. A transport connects with its first message."""

from collections.abc import Callable

from django.conf import settings
from django.utils.translation import gettext as _

from engagement.errors import ChannelUnknown, TransportUnknown
from engagement.rules import SENDING_CHANNELS
from engagement.transports.base import MessageRejected, Outgoing, Receipt, Transport, Unavailable
from engagement.transports.console import ConsoleTransport
from engagement.transports.email import EmailTransport
from engagement.transports.file import FileTransport
from engagement.transports.webhook import WebhookTransport

TRANSPORTS: dict[str, Callable[[], Transport]] = {
    each.name: each for each in (ConsoleTransport, FileTransport, EmailTransport, WebhookTransport)
}

__all__ = ["TRANSPORTS", "MessageRejected", "Outgoing", "Receipt", "Transport", "Unavailable", "make_transport"]


def make_transport(name: str = "", *, channel: str = "") -> Transport:
    """Return the transport with this name, by default that of the channel, or the only one of the site.

    Raises TransportUnknown, TransportNotConfigured, ChannelUnknown.
    """
    if channel and channel not in SENDING_CHANNELS:
        raise ChannelUnknown(
            _("ENGAGEMENT_CHANNELS has {name}, which is no channel. Choose from: {names}.").format(
                name=channel, names=", ".join(SENDING_CHANNELS)
            )
        )
    name = name or settings.ENGAGEMENT_CHANNELS.get(channel) or settings.ENGAGEMENT_TRANSPORT
    if name not in TRANSPORTS:
        raise TransportUnknown(
            _("The transport {name} does not exist. Choose one of: {names}.").format(
                name=name, names=", ".join(sorted(TRANSPORTS))
            )
        )
    return WebhookTransport(channel) if name == WebhookTransport.name else TRANSPORTS[name]()

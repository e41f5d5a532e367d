"""The transport protocol, its message type and its two errors."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from engagement.rules import AddressReport


@dataclass(frozen=True)
class Outgoing:
    """A rendered message.

    idempotency_key: lets a provider ignore a repeated message. address: gateway address of the chat, may be empty.
    channel: empty if the site has one transport.
    unsubscribe_url: one POST to it opts the member out; empty for a transactional message.
    """

    idempotency_key: str
    message_type: str
    destination: str
    address: str
    email: str
    name: str
    locale: str
    subject: str
    body: str
    unsubscribe_url: str = ""
    channel: str = ""


@dataclass(frozen=True)
class Receipt:
    """The provider accepted the message. provider_message_id: its ID of the message, or empty."""

    provider_message_id: str = ""


class MessageRejected(Exception):
    """The provider will never accept this message, because of its address or its content.

    bounce: the provider's report about the address, if that is the reason.
    """

    def __init__(self, message: str, *, bounce: AddressReport | None = None) -> None:
        super().__init__(message)
        self.bounce = bounce


class Unavailable(Exception):
    """The provider cannot accept the message now.

    maybe_taken: whether it may have been accepted anyway, as after a time-out. retry_after: requested pause. bounce:
    the provider's report about the address, if that is the reason.
    """

    def __init__(
        self,
        message: str,
        *,
        maybe_taken: bool = False,
        retry_after: timedelta | None = None,
        bounce: AddressReport | None = None,
    ) -> None:
        super().__init__(message)
        self.bounce = bounce
        self.maybe_taken = maybe_taken
        self.retry_after = retry_after


class Transport(Protocol):
    """Sends messages to one provider. Each sender process creates one instance and closes it at the end."""

    name: str
    # Number of messages after which results are recorded. After a crash so many are sent again, with the same keys.
    marks_every: int

    def send(self, message: Outgoing) -> Receipt:
        """Send a message to the provider. Raises MessageRejected, Unavailable."""

    def close(self) -> None:
        """Close connections and files."""

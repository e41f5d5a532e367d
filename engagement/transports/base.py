"""What a way of sending is: a small protocol, and the two ways of failing."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True)
class Outgoing:
    """A message as it goes out.

    idempotency_key: the provider that honours keys takes a second one for the first. address: what the gateway calls
    the chat, may be empty. unsubscribe_url: where one POST opts the member out; empty for an answer they asked for.
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


@dataclass(frozen=True)
class Receipt:
    """The provider has it. provider_message_id: what it calls it; empty where it says nothing."""

    provider_message_id: str = ""


class Rejected(Exception):
    """This message will never be taken: its address is wrong, or the provider says no to what is in it."""


class Unavailable(Exception):
    """The provider cannot take a message now.

    maybe_taken: whether this one may have arrived all the same, as after a time-out. retry_after: how long the
    provider asks to wait.
    """

    def __init__(self, words: str, *, maybe_taken: bool = False, retry_after: timedelta | None = None) -> None:
        super().__init__(words)
        self.maybe_taken = maybe_taken
        self.retry_after = retry_after


class Transport(Protocol):
    """A way of sending. One is made for each sender process, and closed with it."""

    name: str
    # Messages sent before the queue learns of it: after a crash so many go out again, with the same keys.
    marks_every: int

    def send(self, message: Outgoing) -> Receipt:
        """Hand a message to the provider. Raises Rejected, Unavailable."""

    def close(self) -> None:
        """Let go of connections and files."""

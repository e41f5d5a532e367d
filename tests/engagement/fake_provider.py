"""A fake transport and a fake clock for tests."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from engagement.services.sending import MessageSender
from engagement.transports import Outgoing, Receipt

# A Monday, noon in UTC.
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Clock:
    """A clock that tests set and advance."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **length: float) -> datetime:
        self.at += timedelta(**length)
        return self.at


class Provider:
    """A transport that stores messages. answer: called with each message before it is accepted; may raise."""

    name = "provider of the tests"
    marks_every = 1

    def __init__(self, answer: Callable[[Outgoing], None] = lambda message: None) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.taken: list[Outgoing] = []

    def send(self, message: Outgoing) -> Receipt:
        self.asked.append(message.idempotency_key)
        self.answer(message)
        self.taken.append(message)
        return Receipt(f"taken-{len(self.taken)}")

    def close(self) -> None:
        pass

    @property
    def keys(self) -> list[str]:
        return [message.idempotency_key for message in self.taken]


def sender(provider: Provider | None = None, clock: Clock | None = None, **options) -> MessageSender:
    return MessageSender(provider or Provider(), clock=clock or Clock(), **options)

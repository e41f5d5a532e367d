"""Writes messages to standard output, for development."""

import sys

from engagement.transports.base import Outgoing, Receipt


class ConsoleTransport:
    name = "console"
    marks_every = 100

    def send(self, message: Outgoing) -> Receipt:
        address = message.address or message.email
        footer = f"\n{message.unsubscribe_url}" if message.unsubscribe_url else ""
        sys.stdout.write(
            f"--- {message.message_type} to {message.name} <{address}> ({message.destination}, {message.locale})\n"
            f"{message.subject}\n\n{message.body}{footer}\n"
        )
        sys.stdout.flush()
        return Receipt()

    def close(self) -> None:
        pass

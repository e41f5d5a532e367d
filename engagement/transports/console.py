"""Messages on the standard output: for trying things out."""

import sys

from engagement.transports.base import Outgoing, Receipt


class ConsoleTransport:
    name = "console"
    marks_every = 100

    def send(self, message: Outgoing) -> Receipt:
        address = message.address or message.email
        way_out = f"\nUnsubscribe: {message.unsubscribe_url}" if message.unsubscribe_url else ""
        sys.stdout.write(
            f"--- {message.message_type} to {message.name} <{address}> ({message.destination}, {message.locale})\n"
            f"{message.subject}\n\n{message.body}{way_out}\n"
        )
        sys.stdout.flush()
        return Receipt()

    def close(self) -> None:
        pass

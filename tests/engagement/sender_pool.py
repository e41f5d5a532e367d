"""Runs several `manage.py send_messages`: `python -m tests.engagement.sender_pool NUMBER [ARGUMENT ...]`.

A killed sender is replaced immediately. Senders are forked from this process, which has loaded the site without any
connection, so hundreds of them start without loading it again. With SENDERS_ACKNOWLEDGE_FIRST, a message is marked as
sent before it is sent: the negative control that loses messages.
"""

import os
import signal
import sys
from importlib import import_module

import django
from django.core.checks import run_checks
from django.core.management import execute_from_command_line


def acknowledge_first() -> None:
    from django.db import connection

    from engagement.transports.webhook import WebhookTransport

    send = WebhookTransport.send

    def marked_before(self, message):
        with connection.cursor() as cursor:
            cursor.execute(
                """UPDATE engagement_message_queue SET status = 'sent', sent_at = now()
                   WHERE idempotency_key = %s AND status = 'pending'""",
                [message.idempotency_key],
            )
        return send(self, message)

    WebhookTransport.send = marked_before


def start(arguments: list[str]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        execute_from_command_line(["manage.py", "send_messages", "--skip-checks", *arguments])
    finally:
        os._exit(0)


def main() -> None:
    number, arguments = int(sys.argv[1]), sys.argv[2:]
    django.setup()
    # Import once what each sender would import.
    import_module("engagement.management.commands.send_messages")
    run_checks()
    if os.environ.get("SENDERS_ACKNOWLEDGE_FIRST"):
        acknowledge_first()
    stopping = False

    def stop(*_) -> None:
        nonlocal stopping
        stopping = True
        for pid in running:
            os.kill(pid, signal.SIGTERM)

    running: set[int] = set()
    # From here on SIGTERM is passed to every sender.
    signal.signal(signal.SIGTERM, stop)
    while running or not stopping:
        while len(running) < number and not stopping:
            running.add(start(arguments))
        pid, _status = os.wait()
        running.discard(pid)


if __name__ == "__main__":
    main()

"""A rendered message for tests of transports."""

from engagement.transports import Outgoing

UNSUBSCRIBE_FOOTER = "https://missions.example.org/unsubscribe/abc:def:ghi/"


def outgoing(**changes) -> Outgoing:
    values = {
        "idempotency_key": "6f1f3b0e-5a53-4d0e-9f5a-0d8a2a4c8f11:goodbye:2026-03-01",
        "message_type": "goodbye",
        "destination": "individual",
        "address": "5511999990000@c.us",
        "email": "ana@example.org",
        "name": "Ana Souza",
        "locale": "pt-BR",
        "subject": "Até logo, Ana",
        "body": "Olá Ana,\n\n. um ponto só\nsentimos sua falta.",
        "unsubscribe_url": UNSUBSCRIBE_FOOTER,
    }
    return Outgoing(**values | changes)

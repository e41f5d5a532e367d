"""Webhook transport with a real HTTP server: requests, responses and failures."""

import hmac
import json
import logging
import re
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256

import pytest

from engagement.errors import TransportNotConfigured
from engagement.transports import MessageRejected, Unavailable, make_transport
from tests.engagement.outgoing_message import outgoing
from tests.support.gateway_server import answers, drips, endless, gateway, half, hangs_up, never_responds, raw, taken

SECRET = "a shared secret, with é in it"


@pytest.fixture
def server():
    with gateway() as running:
        yield running


@pytest.fixture
def sender(server, settings):
    settings.ENGAGEMENT_WEBHOOK_URL = server.url
    settings.ENGAGEMENT_WEBHOOK_SECRET = SECRET
    settings.ENGAGEMENT_SEND_TIMEOUT = 1
    made = make_transport("webhook")
    yield made
    made.close()


@pytest.mark.seed("002 transports: file, console, e-mail, webhook")
def test_request_is_signed_and_has_idempotency_key(server, sender):
    message = outgoing()
    began = time.time()
    assert sender.send(message).provider_message_id == "gw-1"
    [request] = server.requests
    assert request.path == "/messages?key=1"
    assert json.loads(request.body) == asdict(message)
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Idempotency-Key"] == message.idempotency_key
    stamp, digest = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", request.headers["Missionsite-Signature"]).groups()
    assert began - 1 <= int(stamp) <= time.time()
    # Compute the signature with the standard library only, as a gateway would.
    expected = hmac.new(SECRET.encode(), f"{stamp}.".encode() + request.body, sha256).hexdigest()
    assert hmac.compare_digest(digest, expected)


def test_connection_is_reused(server, sender):
    for _ in range(5):
        sender.send(outgoing())
    assert {request.connection for request in server.requests} == {1}


@pytest.mark.parametrize("status", [200, 201, 202, 204, 409])
def test_accepted_message_returns_receipt(server, sender, status):
    """409: the gateway has already received this key."""
    server.on(answers(status))
    assert sender.send(outgoing()).provider_message_id == ""


@pytest.mark.parametrize(
    ("body", "known_as"),
    [
        ({"id": "wamid.HBg"}, "wamid.HBg"),
        ({"id": 4711}, "4711"),
        ({"id": True}, ""),
        ({"id": None}, ""),
        ({"id": "x" * 256}, ""),
        ({"id": "a\x00b"}, ""),
        ({"id": "\ud800"}, ""),
        ([], ""),
        (b"taken", ""),
        (b"[" * 60_000, ""),
        (b"\xff\xfe", ""),
        (b'{"id": "' + b"x" * 100_000 + b'"}', ""),
    ],
)
def test_valid_gateway_id_is_stored(server, sender, body, known_as):
    server.on(answers(200, body))
    assert sender.send(outgoing()).provider_message_id == known_as


@pytest.mark.parametrize("answer", [endless, half, drips(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")])
def test_status_decides_despite_broken_body(server, sender, answer):
    server.on(answer)
    assert sender.send(outgoing()).provider_message_id == ""
    assert sender.send(outgoing()).provider_message_id == "gw-2"


@pytest.mark.parametrize("status", [401, 408, 425, 429, 500, 502, 503, 599])
def test_temporary_status_is_unavailable(server, sender, status):
    server.on(answers(status, {"detail": "not now"}))
    with pytest.raises(Unavailable, match=f"{status}: not now") as trouble:
        sender.send(outgoing())
    assert (trouble.value.maybe_taken, trouble.value.retry_after) == (False, None)


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [("30", 30), ("0", 0), ("9" * 30, 999_999_999), ("soon", None), ("-5", None), ("", None)],
)
def test_retry_after_accepts_seconds(server, sender, retry_after, seconds):
    server.on(answers(429, Retry_After=retry_after))
    with pytest.raises(Unavailable) as trouble:
        sender.send(outgoing())
    assert trouble.value.retry_after == (None if seconds is None else timedelta(seconds=seconds))


@pytest.mark.parametrize(("minutes", "least", "most"), [(10, 9.9, 10), (-10, 0, 0)])
def test_retry_after_accepts_date(server, sender, minutes, least, most):
    until = datetime.now(UTC) + timedelta(minutes=minutes)
    server.on(answers(503, Retry_After=format_datetime(until, usegmt=True)))
    with pytest.raises(Unavailable) as trouble:
        sender.send(outgoing())
    assert timedelta(minutes=least) <= trouble.value.retry_after <= timedelta(minutes=most)


@pytest.mark.parametrize("status", [400, 403, 404, 410, 413, 422, 499])
@pytest.mark.parametrize("shape", ["detail", "error", "message", "text"])
def test_rejection_text_hides_address(server, sender, status, shape):
    text = f"{outgoing().address} and ana@example.org\x00 unknown {'x' * 1000}"
    server.on(answers(status, text.encode() if shape == "text" else {shape: text}))
    with pytest.raises(MessageRejected) as rejected:
        sender.send(outgoing())
    text = str(rejected.value)
    assert text.startswith(f"The gateway responded {status}: … and … unknown xxx")
    assert len(text) < 260


def test_html_response_is_not_quoted(server, sender):
    server.on(answers(404, b"<html><h1>Not Found</h1>"))
    with pytest.raises(MessageRejected, match=r"^The gateway responded with status 404\.$"):
        sender.send(outgoing())


def test_redirect_is_not_followed(server, sender):
    with gateway() as elsewhere:
        for status in (301, 302, 307, 308):
            server.on(answers(status, Location=elsewhere.url))
            with pytest.raises(Unavailable, match="redirects"):
                sender.send(outgoing())
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        hangs_up,
        never_responds,
        drips(b"HTTP/1.1 200 "),
        drips(b"HTTP/1.1 200 OK\r\nX-Slow: "),
        raw(b""),
        raw(b"220 mail.example.org ESMTP\r\n"),
        raw(b"HTTP/1.1 OK\r\n\r\n"),
    ],
)
def test_request_without_response_is_maybe_taken(server, sender, answer):
    server.on(answer)
    began = time.monotonic()
    with pytest.raises(Unavailable) as trouble:
        sender.send(outgoing())
    assert trouble.value.maybe_taken is True
    assert time.monotonic() - began < 4
    assert "127.0.0.1" not in str(trouble.value)
    assert sender.send(outgoing()).provider_message_id


def test_unsent_request_is_not_maybe_taken(server, sender):
    sender.send(outgoing())
    server.stop()
    with pytest.raises(Unavailable) as trouble:
        sender.send(outgoing())
    assert trouble.value.maybe_taken is False
    server.stop = lambda: None


def test_closed_idle_connection_is_reopened(server, sender):
    server.on(lambda call: (taken(call), setattr(call, "close_connection", True)))
    sender.send(outgoing())
    assert server.ended.wait(10)
    sender.send(outgoing())
    assert len({request.connection for request in server.requests}) == 2


def test_message_without_address_is_rejected(server, sender):
    with pytest.raises(MessageRejected, match="has no address for individual messages"):
        sender.send(outgoing(address=""))
    assert server.requests == []


def test_idempotency_key_is_encoded_in_header(server, sender):
    sender.send(outgoing(idempotency_key="ano:é\r\nX-Evil: 1"))
    [request] = server.requests
    assert request.headers["Idempotency-Key"] == "ano:%C3%A9%0D%0AX-Evil:%201"
    assert "X-Evil" not in request.headers


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("", SECRET),
        ("gateway.example.org/x", SECRET),
        ("ftp://gateway.example.org/", SECRET),
        ("file:///etc/passwd", SECRET),
        ("https://", SECRET),
        ("http://[::1", SECRET),
        ("https://user:pass@gateway.example.org/", SECRET),
        ("https://gateway.example.org/", ""),
    ],
)
def test_missing_or_invalid_settings_raise(settings, url, secret):
    settings.ENGAGEMENT_WEBHOOK_URL, settings.ENGAGEMENT_WEBHOOK_SECRET = url, secret
    with pytest.raises(TransportNotConfigured, match="ENGAGEMENT_WEBHOOK_"):
        make_transport("webhook")


def test_log_has_no_addresses_or_secret(server, sender, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    server.on(hangs_up, answers(500, b"ana@example.org"))
    for _ in range(2):
        with pytest.raises(Unavailable):
            sender.send(outgoing())
    sender.send(outgoing())
    for secret in ("ana@", outgoing().address, SECRET, "key=1"):
        assert secret not in caplog.text

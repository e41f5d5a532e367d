"""E-mail transport with a real mail server that accepts, rejects, disconnects or does not respond."""

import logging

import pytest
from django.core import mail

from engagement.transports import MessageRejected, Unavailable, make_transport
from tests.engagement.outgoing_message import UNSUBSCRIBE_FOOTER, outgoing
from tests.support.smtp_server import DRIPS, HANGS_UP, NEVER_RESPONDS, mail_server


@pytest.fixture
def server():
    with mail_server() as running:
        yield running


@pytest.fixture
def sender(server, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.DEFAULT_FROM_EMAIL = "Community <community@example.org>"
    settings.ENGAGEMENT_SEND_TIMEOUT = 1
    made = make_transport("email")
    yield made
    made.close()


@pytest.mark.seed("002 transports: file, console, e-mail, webhook")
def test_email_has_list_unsubscribe_headers(server, sender):
    receipt = sender.send(outgoing())
    [taken] = server.taken
    assert taken.recipients == ["ana@example.org"]
    found = taken.parsed
    assert found["Subject"] == "Até logo, Ana"
    assert found["From"] == "Community <community@example.org>"
    assert found["To"] == "ana@example.org"
    assert found["List-Unsubscribe"] == f"<{UNSUBSCRIBE_FOOTER}>"
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["Content-Language"] == "pt-BR"
    assert found["Message-ID"] == receipt.provider_message_id
    text, html = found.iter_parts()
    assert [part.get_content_type() for part in (text, html)] == ["text/plain", "text/html"]
    assert text.get_content().strip().splitlines() == outgoing().body.splitlines()
    assert "<p>. um ponto só<br>sentimos sua falta.</p>" in html.get_content()


def test_html_part_escapes_text_and_sets_footer_apart(server, sender):
    body = f"<b>Oi</b> https://example.org/a?b=1&c=2\n\nParar: {UNSUBSCRIBE_FOOTER}"
    sender.send(outgoing(body=body))
    html = server.taken[0].parsed.get_body(("html",)).get_content()
    assert "&lt;b&gt;Oi&lt;/b&gt;" in html
    assert 'href="https://example.org/a?b=1&amp;c=2"' in html
    assert html.index("<hr") < html.index(UNSUBSCRIBE_FOOTER)


def test_long_unsubscribe_url_is_one_header_value(server, sender):
    """A folded header value would not be a valid URL."""
    sender.send(outgoing(unsubscribe_url=UNSUBSCRIBE_FOOTER + "x" * 400))
    assert f"<{UNSUBSCRIBE_FOOTER}{'x' * 400}>".encode() in server.taken[0].text


def test_transactional_email_has_no_unsubscribe_header(server, sender):
    sender.send(outgoing(unsubscribe_url=""))
    assert not {"List-Unsubscribe", "List-Unsubscribe-Post"} & set(server.taken[0].parsed)


def test_message_id_is_derived_from_key(server, sender):
    ids = [sender.send(outgoing(idempotency_key=key)).provider_message_id for key in ("a", "a", "b")]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0].endswith("@example.org>")
    assert sender.marks_every == 1


def test_connection_is_reused_and_closed(server, sender):
    for _ in range(3):
        sender.send(outgoing())
    assert {taken.connection for taken in server.taken} == {1}
    sender.close()
    assert server.commands[-1].lower() == "quit"


@pytest.mark.parametrize("ends", ["the server", "421 MAIL", "421 RCPT"])
def test_closed_connection_is_reopened_for_same_message(server, sender, ends):
    sender.send(outgoing())
    if ends == "the server":
        server.disconnect()
    else:
        server.on(ends[4:], "421 4.7.0 enough for one connection")
    sender.send(outgoing(idempotency_key="second"))
    assert [taken.connection for taken in server.taken] == [1, 2]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("RCPT", "550 5.1.1 <ana@example.org>: no ana@example.org here"),
        ("RCPT", "553 5.1.3 bad address"),
        ("TEXT", "554 5.7.1 looks like ana@example.org does not want it"),
        ("DATA", "554 no valid recipients"),
        ("MAIL", "552 5.3.4 too large"),
    ],
)
def test_permanent_rejection_keeps_connection(server, sender, command, answer):
    server.on(command, answer)
    with pytest.raises(MessageRejected, match=answer[:3]) as rejected:
        sender.send(outgoing())
    assert "ana@" not in str(rejected.value)
    sender.send(outgoing())
    assert [taken.connection for taken in server.taken] == [1]


@pytest.mark.parametrize(
    ("command", "answer", "maybe_taken"),
    [
        ("CONNECT", "554 not now", False),
        ("CONNECT", "421 4.3.2 busy", False),
        ("CONNECT", HANGS_UP, False),
        ("CONNECT", NEVER_RESPONDS, False),
        ("CONNECT", DRIPS, False),
        ("CONNECT", "x" * 10_000, False),
        ("EHLO", HANGS_UP, False),
        ("MAIL", "451 4.3.0 later", False),
        # The server rejects the site as a sender, not this message.
        ("MAIL", "530 5.7.0 log in first", False),
        ("RCPT", "450 4.2.1 greylisted", False),
        ("RCPT", "nonsense", False),
        ("RCPT", HANGS_UP, False),
        ("RCPT", NEVER_RESPONDS, False),
        ("DATA", "451 4.3.0 later", False),
        ("DATA", HANGS_UP, False),
        ("TEXT", "452 4.3.1 disk full", False),
        ("TEXT", HANGS_UP, True),
        ("TEXT", NEVER_RESPONDS, True),
        ("TEXT", DRIPS, True),
        ("TEXT", "nonsense", True),
    ],
)
def test_temporary_failure_reports_maybe_taken(server, sender, command, answer, maybe_taken):
    server.on(command, answer)
    with pytest.raises(Unavailable) as trouble:
        sender.send(outgoing())
    assert trouble.value.maybe_taken is maybe_taken
    assert "ana@" not in str(trouble.value)
    assert len(str(trouble.value)) < 300
    # The next message opens a new connection.
    sender.send(outgoing())
    assert len(server.taken) == 1


def test_unreachable_server_is_unavailable(settings, sender, server):
    server.stop()
    with pytest.raises(Unavailable) as trouble:
        sender.send(outgoing())
    assert trouble.value.maybe_taken is False
    # The fixture stops it again.
    server.stop = lambda: None


@pytest.mark.parametrize(
    "email", ["", "nobody", "ana@example.org, eve@example.org", "ana@example.org\r\nBcc: eve@example.org", "aná@x.org"]
)
def test_invalid_address_is_rejected_before_sending(server, sender, email):
    with pytest.raises(MessageRejected, match="address"):
        sender.send(outgoing(email=email))
    assert server.connections == 0


@pytest.mark.parametrize("field", ["subject", "locale", "unsubscribe_url", "idempotency_key", "name"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\x85", "\u2028", "\x00"])
def test_values_cannot_add_headers(server, sender, field, end):
    try:
        sender.send(outgoing(**{field: f"x{end}Bcc: eve@example.org{end}{end}body"}))
    except MessageRejected:
        assert field == "unsubscribe_url"
    for taken in server.taken:
        assert "Bcc" not in taken.parsed
        assert taken.recipients == ["ana@example.org"]
        assert taken.parsed.get_body(("plain",)).get_content().startswith("Olá Ana")


def test_log_has_no_addresses(server, sender, caplog):
    caplog.set_level(logging.DEBUG)
    server.on("RCPT", "550 <ana@example.org> unknown", HANGS_UP, HANGS_UP)
    for expected in (MessageRejected, Unavailable):
        with pytest.raises(expected):
            sender.send(outgoing())
    sender.send(outgoing())
    assert "ana@" not in caplog.text


def test_other_django_mail_backends_work(settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    sender = make_transport("email")
    sender.send(outgoing())
    sender.close()
    [sent] = mail.outbox
    assert sent.to == ["ana@example.org"]


@pytest.mark.parametrize(
    ("command", "reply", "report"),
    [
        ("RCPT", "550 5.1.1 <ana@example.org>: no such user", "hard_bounce"),
        ("RCPT", "550 no such user", "hard_bounce"),
        ("TEXT", "550 5.1.10 null MX", "hard_bounce"),
        ("RCPT", "552 5.2.2 mailbox full", "soft_bounce"),
        ("RCPT", "452 4.2.2 mailbox full", "soft_bounce"),
        # A policy is about the site, not the address.
        ("RCPT", "550 5.7.1 blocked by 203.0.113.7", None),
        ("TEXT", "554 5.7.1 looks like spam", None),
        ("TEXT", "550 not today", None),
        ("MAIL", "550 5.7.1 sender rejected", None),
    ],
)
def test_reply_of_server_reports_address(server, sender, command, reply, report):
    server.on(command, reply)
    with pytest.raises((MessageRejected, Unavailable)) as caught:
        sender.send(outgoing())
    assert caught.value.bounce == report

"""Received e-mails: replies in all encodings, automatic ones, bounces, unsubscriptions and unknown senders."""

from base64 import b64encode
from quopri import encodestring
from urllib.parse import unquote

import pytest

from engagement.models import BouncedAddress, EngagementMessage, InboundMessage, UnassignedMessage, UserProfile
from engagement.rules import State
from engagement.selectors.members import state_of
from engagement.services.incoming_mail import receive_mail
from engagement.services.received_mail import read_mail
from engagement.services.unsubscribe import unsubscribe_url
from engagement.transports.email import _mail as mail_of
from tests.engagement.outgoing_message import outgoing
from tests.engagement.raw_mail import ADDRESS, PHOTO, bounce, mail, multipart
from tests.support.factories.engagement import MessageFactory, PersonFactory

pytestmark = pytest.mark.django_db

TEXT = "não quero mais"
QUOTED = "\n\nEm ter., 1 de dez. de 2026 às 09:00, Comunidade <hello@example.org>\nescreveu:\n\n> 1 - estou perdida\n"


@pytest.fixture
def ana():
    return PersonFactory(email="Ana@Example.org", display_name="Ana Souza", state=State.GOODBYE_SENT)


def receive(message):
    return receive_mail(message=message)


# --- Replies --------------------------------------------------------------------------------------

CHARSETS = ["utf-8", "iso-8859-1", "windows-1252", "iso-8859-15", "utf-16", "cp850", "mac-roman"]


@pytest.mark.parametrize("charset", CHARSETS)
def test_reply_is_read_in_every_charset_and_encoding(charset):
    body = (TEXT + QUOTED).encode(charset)
    for encoding, encoded in [("base64", b64encode(body)), ("quoted-printable", encodestring(body)), ("8bit", body)]:
        if charset == "utf-16" and encoding == "8bit":
            continue
        found = read_mail(mail(encoded, kind=f"text/plain; charset={charset}", Content_Transfer_Encoding=encoding))
        assert found.text == TEXT, encoding


@pytest.mark.parametrize("kind", ["text/plain", "text/plain; charset=us-ascii", "text/plain; charset=no-such", ""])
@pytest.mark.parametrize("charset", ["utf-8", "windows-1252"])
def test_missing_or_wrong_charset_is_guessed(kind, charset):
    assert read_mail(mail(TEXT.encode(charset), kind=kind, Content_Transfer_Encoding="8bit")).text == TEXT


def test_headers_are_decoded():
    found = read_mail(mail(Subject="=?iso-8859-1?Q?n=E3o_quero?= =?utf-8?B?IG1haXM=?=", body="", In_Reply_To=""))
    assert (found.subject, found.text) == (TEXT, TEXT)
    raw_subject = mail("", Subject=TEXT)
    assert read_mail(raw_subject).subject == TEXT
    assert read_mail(mail("x", From='"Souza, Ana" <ANA@example.org>')).sender == ADDRESS


def test_attachments_and_forwarded_messages_are_ignored():
    text = "Content-Type: text/plain; charset=utf-8\n\n2"
    file = "Content-Type: text/plain; name=a.txt\nContent-Disposition: attachment; filename=a.txt\n\n3"
    forwarded = "Content-Type: message/rfc822\n\nSubject: x\nContent-Type: text/plain\n\n1"
    assert read_mail(multipart(file, text, PHOTO, forwarded)).text == "2"
    html = "Content-Type: text/html; charset=utf-8\n\n<p>não quero mais</p><blockquote>1</blockquote>"
    assert read_mail(multipart(html, PHOTO)).text == TEXT
    assert read_mail(multipart("Content-Type: text/plain\n\n \n", html, kind="alternative")).text == TEXT


@pytest.mark.parametrize(
    "message",
    [
        mail(b"\xff\xfe\x00", kind='text/plain; charset="=?"', Subject="=?x?Q?=", From="<<>>", headers="Bad\n"),
        mail("x", kind="multipart/mixed"),
        mail("x", kind="multipart/report; report-type=delivery-status; boundary=a"),
        mail("\x00" * 10, Content_Transfer_Encoding="base64", Message_ID="\x01" * 300),
        mail("--a\n" * 50, kind="multipart/mixed; boundary=a"),
        mail("x", From=f"a@b.c, {ADDRESS}"),
        mail("", From="", Subject="", Message_ID="", kind=""),
    ],
)
def test_malformed_mail_is_no_error(message):
    assert receive(message) in ("ignored", "kept")


def test_reply_has_its_effect_once(ana):
    assert receive(mail("2" + QUOTED)) == "goodbye_response_2"
    assert state_of(ana) == State.REMIND_LATER
    assert receive(mail("2" + QUOTED)) == "repeated"
    # Without a Message-ID, the same message is recognised by its content.
    assert receive(mail("oi de novo", Message_ID="")) == "user_message"
    assert receive(mail("oi de novo", Message_ID="")) == "repeated"
    assert set(InboundMessage.objects.values_list("platform", flat=True)) == {"email"}


@pytest.mark.parametrize("subject", ["STOP", "Unsubscribe", "cancelar"])
def test_request_may_stand_in_subject(ana, subject):
    receive(mail("", Subject=subject))
    assert UserProfile.objects.get(pk=ana.pk).reengagement_opt_out


# --- Programs -------------------------------------------------------------------------------------

AWAY = "I am out of the office until Monday."
PROGRAMS = {
    "RFC 3834": {"Auto_Submitted": "auto-replied"},
    "Exchange": {"Auto_Submitted": "auto-generated", "X_Auto_Response_Suppress": "All"},
    "Zimbra": {"X_Autoreply": "yes"},
    "cPanel": {"X_Autorespond": "Re: hi", "Precedence": "bulk"},
    "vacation": {"Precedence": "junk"},
    "old": {"X_Precedence": "auto_reply"},
    "list": {"List_Id": "<people.example.org>"},
    "Gmail": {"Subject": "Resposta automática: Até logo", "Precedence": "bulk"},
    "Outlook en": {"Subject": "Automatic reply: Until we meet"},
    "Outlook pt": {"Subject": "Resposta automática: Até logo"},
    "Outlook es": {"Subject": "Respuesta automática: Hasta pronto"},
    "away": {"Subject": "Out of Office: Re: Until we meet"},
    "fora": {"Subject": "Fora do escritório"},
    "empty sender": {"Return_Path": "<>"},
}


@pytest.mark.parametrize("headers", PROGRAMS.values(), ids=PROGRAMS)
def test_automatic_reply_has_no_effect(ana, headers):
    before = EngagementMessage.objects.count()
    # Even a text that would be a request.
    assert receive(mail("2", **headers)) == "auto_reply"
    assert state_of(ana) == State.GOODBYE_SENT
    assert EngagementMessage.objects.count() == before


def test_automatic_text_without_header_has_no_effect(ana):
    assert receive(mail(AWAY)) == "auto_reply"
    assert receive(mail("Estou de férias até dia 10.", Message_ID="<2@x>")) == "auto_reply"


def test_automatic_reply_of_stranger_is_not_kept():
    assert receive(mail(AWAY, Auto_Submitted="auto-replied")) == "ignored"
    assert not UnassignedMessage.objects.exists()


# --- Bounces and complaints -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("report", "status", "reason", "is_suppressed"),
    [
        ({}, "failed", "hard_bounce", True),
        ({"status": "5.2.2", "text": "552 5.2.2 mailbox full"}, "failed", "soft_bounce", False),
        ({"status": "5.7.1", "text": "550 5.7.1 spam"}, "failed", "", False),
        ({"action": "delayed", "status": "4.4.1", "text": "timeout"}, "sent", "", False),
    ],
)
def test_bounce_suppresses_address(ana, settings, report, status, reason, is_suppressed):
    settings.ENGAGEMENT_TRANSPORT = "email"
    sent = MessageFactory(user=ana, sent=True, provider_message_id="<ours@example.org>")
    for _turn in range(2):
        receive(bounce("<ours@example.org>", **report))
    sent.refresh_from_db()
    row = BouncedAddress.objects.filter(user=ana).first()
    assert (sent.status, row.reason if row else "") == (status, reason)
    if row:
        assert (row.suppressed_at is not None, row.soft_bounces <= 1) == (is_suppressed, True)
    assert state_of(ana) == State.GOODBYE_SENT


def test_bounce_of_unknown_message_has_no_effect(ana):
    """Anyone can write a report; only who received a message knows its Message-ID."""
    MessageFactory(user=ana, sent=True, provider_message_id="<ours@example.org>")
    assert receive(bounce("<guessed@example.org>")) == "ignored"
    assert not BouncedAddress.objects.exists()
    assert not UnassignedMessage.objects.exists()


def test_complaint_by_mail_suppresses_address(ana, settings):
    settings.ENGAGEMENT_TRANSPORT = "email"
    MessageFactory(user=ana, sent=True, provider_message_id="<ours@example.org>")
    report = multipart(
        "Content-Type: text/plain\n\nThis is an abuse report.",
        "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nVersion: 1\n",
        "Content-Type: text/rfc822-headers\n\nSubject: Hi\nMessage-Id: <ours@example.org>\n",
        kind="report; report-type=feedback-report",
        From="complaints@provider.example",
    )
    assert receive(report) == "reported"
    assert BouncedAddress.objects.get().reason == "complaint"


# --- Who wrote ------------------------------------------------------------------------------------


def test_unknown_sender_is_kept_and_not_answered(ana):
    assert receive(mail("stop", From="Bia <bia@example.org>")) == "kept"
    assert receive(mail("stop", From="Bia <bia@example.org>")) == "kept"
    row = UnassignedMessage.objects.get()
    assert (row.sender, row.sender_name, row.text, row.reason) == ("bia@example.org", "Bia", "stop", "unknown")
    assert not EngagementMessage.objects.filter(message_type="opt_out_confirmation").exists()


def test_forged_sender_has_no_effect(ana):
    """Only the first result counts: that of the receiving server, which the sender cannot write."""
    forged = "mx.example.org; spf=pass; dmarc=fail (p=none) header.from=example.org"
    assert receive(mail("stop", Authentication_Results=forged)) == "kept"
    assert UnassignedMessage.objects.get().reason == "forged"
    assert not UserProfile.objects.get(pk=ana.pk).reengagement_opt_out
    passed = forged.replace("fail", "pass")
    later = mail(
        "stop", Message_ID="<2@x>", Authentication_Results=passed, headers=f"Authentication-Results: {forged}\n"
    )
    assert receive(later) == "opted_out"


def test_own_mail_and_spam_are_ignored(ana, settings):
    settings.ENGAGEMENT_REPLY_TO = "Community <replies@example.org>"
    assert receive(mail("hi", From="replies@example.org")) == "ignored"
    assert receive(mail("buy", From="x@spam.example", X_Spam_Flag="YES")) == "ignored"
    assert not UnassignedMessage.objects.exists()


# --- Sending and unsubscribing --------------------------------------------------------------------


def test_mailto_link_opts_out_from_any_address(ana, settings):
    """PHPMailer/PHPMailer, issue 2989: a mailbox that shows "unsubscribed" may only have sent the e-mail."""
    settings.ENGAGEMENT_REPLY_TO = "Community <replies+x@example.org>"
    link = unsubscribe_url(ana.pk)
    sent = mail_of(outgoing(unsubscribe_url=link))
    assert sent.reply_to == ["Community <replies+x@example.org>"]
    https, mailto = sent.extra_headers["List-Unsubscribe"].split(", ")
    assert https == f"<{link}>"
    address, _mark, subject = mailto.strip("<>").removeprefix("mailto:").partition("?subject=")
    assert (address, subject[:14]) == ("replies+x@example.org", "unsubscribe%20")
    # Programs of mailboxes send it by themselves, with any sender and mark it as automatic.
    request = mail("", From="other@gmail.example", Subject=unquote(subject), Auto_Submitted="auto-generated")
    assert receive(request) == "opted_out"
    assert UserProfile.objects.get(pk=ana.pk).reengagement_opt_out
    assert receive(request) == "repeated"
    assert receive(mail("", From="x@y.example", Subject="unsubscribe abc:def:ghi", Message_ID="<3@x>")) == "kept"


def test_mail_without_reply_address_has_no_mailto(settings):
    settings.ENGAGEMENT_REPLY_TO = ""
    sent = mail_of(outgoing())
    assert "mailto" not in sent.extra_headers["List-Unsubscribe"]
    assert not sent.reply_to

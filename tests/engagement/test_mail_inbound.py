"""Webhooks for received e-mails, with the payloads of the providers' documentation.

Sources: Postmark "Inbound webhook", Mailgun "Receive, forward and store: parsed messages parameters" and "body-mime",
SendGrid "Inbound Parse: default parameters" and "raw", Amazon SES "Examples of notifications: SNS action", Brevo
"Inbound parse webhooks", Mailjet "Parse API".
"""

import hashlib
import hmac
import json
from base64 import b64encode

import pytest
from django.test import Client
from django.test.client import MULTIPART_CONTENT

from engagement.mail_inbound import VIEWS
from engagement.models import InboundMessage, UnassignedMessage
from engagement.rules import State
from engagement.selectors.members import state_of
from tests.engagement.raw_mail import raw
from tests.engagement.test_mail_events import SECRET, SIGNING_KEY
from tests.support.factories.engagement import PersonFactory

pytest.importorskip("anymail")
pytestmark = pytest.mark.django_db

# Not in ASCII, as the quote.
TEXT = "número 2"
QUOTED = f"{TEXT}\n\nEm ter., 1 de dez. de 2026 às 09:00, Comunidade <a@b.org> escreveu:\n\n> 1 - estou perdida\n"
MESSAGE_ID = "<reply-1@mail.example.org>"
HEADERS = {
    "From": "Ana Souza <ana@example.org>",
    "To": "replies@example.org",
    "Subject": "Re: Até logo",
    "Message-ID": MESSAGE_ID,
    "MIME-Version": "1.0",
}


@pytest.fixture(autouse=True)
def secrets(settings):
    settings.ENGAGEMENT_MAIL_EVENTS_SECRETS = [SECRET]
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": SIGNING_KEY}


@pytest.fixture
def ana():
    return PersonFactory(email="ana@example.org", state=State.GOODBYE_SENT)


def post(provider, body, kind="application/json", *, secret=SECRET, **headers):
    headers["Authorization"] = f"Basic {b64encode(secret.encode()).decode()}"
    if isinstance(body, dict) and kind == "application/json":
        body = json.dumps(body)
    return Client().post(f"/mail-inbound/{provider}/", body, kind, headers=headers)


def postmark(**more):
    return {
        "FromFull": {"Email": "ana@example.org", "Name": "Ana Souza", "MailboxHash": ""},
        "ToFull": [{"Email": "replies@example.org", "Name": "", "MailboxHash": ""}],
        "OriginalRecipient": "replies@example.org",
        "Subject": HEADERS["Subject"],
        "MessageID": "73e6d360-66eb-11e1-8e72-a8904824019b",
        "Date": "Tue, 1 Dec 2026 09:00:00 -0300",
        "TextBody": QUOTED,
        "HtmlBody": f"<p>{TEXT}</p><blockquote>1</blockquote>",
        "StrippedTextReply": TEXT,
        "Headers": [
            {"Name": "Return-Path", "Value": "<ana@example.org>"},
            {"Name": "Message-ID", "Value": MESSAGE_ID},
            {"Name": "X-Spam-Status", "Value": "No"},
        ],
        "Attachments": [{"Name": "2.jpg", "Content": "eHg=", "ContentType": "image/jpeg", "ContentLength": 2}],
        **more,
    }


def mailgun(**fields):
    token, timestamp = "8ca1fa0ddf1f23c4bd25ed2dd8a4b5cc2d2f1e4a7e5d5e6b7a", "1772355600"
    digest = hmac.new(SIGNING_KEY.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
    signed = {"token": token, "timestamp": timestamp, "signature": digest}
    return signed | {"recipient": "replies@example.org", "sender": "ana@example.org", **fields}


def ses():
    inner = {
        "notificationType": "Received",
        "receipt": {
            "timestamp": "2026-03-01T09:00:00.000Z",
            "recipients": ["replies@example.org"],
            "spamVerdict": {"status": "PASS"},
            "action": {"type": "SNS", "topicArn": "arn:aws:sns:us-east-1:012345678912:replies", "encoding": "BASE64"},
        },
        "mail": {
            "timestamp": "2026-03-01T09:00:00.000Z",
            "source": "ana@example.org",
            "messageId": "d6iitobk75ur44p8k",
        },
        "content": b64encode(raw(QUOTED)).decode(),
    }
    return {"Type": "Notification", "MessageId": "22b80b92", "TopicArn": "arn:aws:sns:x", "Message": json.dumps(inner)}


BREVO = {
    "items": [{"Uuid": ["8d79f54f"], "Headers": HEADERS, "RawTextBody": QUOTED, "RawHtmlBody": None, "SpamScore": 1.1}]
}
PAYLOADS = {
    "postmark": ("postmark", postmark(), "application/json"),
    "postmark raw": ("postmark", postmark(RawEmail=raw(QUOTED).decode()), "application/json"),
    "mailgun": (
        "mailgun",
        mailgun(**{"message-headers": json.dumps(list(HEADERS.items())), "body-plain": QUOTED, "stripped-text": TEXT}),
        MULTIPART_CONTENT,
    ),
    "mailgun mime": ("mailgun", mailgun(**{"body-mime": raw(QUOTED).decode()}), MULTIPART_CONTENT),
    "sendgrid": (
        "sendgrid",
        {
            "headers": "".join(f"{name}: {value}\n" for name, value in HEADERS.items()),
            "text": QUOTED,
            "charsets": '{"to":"UTF-8","from":"UTF-8","subject":"UTF-8","text":"UTF-8"}',
            "envelope": '{"to":["replies@example.org"],"from":"ana@example.org"}',
            "attachments": "0",
        },
        MULTIPART_CONTENT,
    ),
    "sendgrid raw": (
        "sendgrid",
        {"email": raw(QUOTED).decode(), "envelope": '{"to":["replies@example.org"],"from":"ana@example.org"}'},
        MULTIPART_CONTENT,
    ),
    "ses": ("amazon_ses", ses(), "application/json"),
    "brevo": (
        "brevo",
        BREVO | {"items": [BREVO["items"][0] | {"Attachments": [{"Name": "2.jpg", "DownloadToken": "eyJ"}]}]},
        "application/json",
    ),
    "mailjet": (
        "mailjet",
        {
            "Sender": "ana@example.org",
            "Recipient": "replies@example.org",
            "Headers": HEADERS | {"Received": ["by a", "by b"]},
            "Parts": [{"Headers": {"Content-Type": "text/plain; charset=UTF-8"}, "ContentRef": "Text-part"}],
            "Text-part": QUOTED,
            "SpamAssassinScore": "0.602",
        },
        "application/json",
    ),
}


@pytest.mark.filterwarnings("ignore:django-anymail has dropped")
@pytest.mark.parametrize(("provider", "body", "kind"), PAYLOADS.values(), ids=PAYLOADS)
def test_documented_payload_is_handled_once(ana, provider, body, kind):
    headers = {}
    if provider == "amazon_ses":
        headers = {"X-Amz-Sns-Message-Type": "Notification", "X-Amz-Sns-Message-Id": body["MessageId"]}
    for _turn in range(2):
        answer = post(provider, body, kind, **headers)
        assert (answer.status_code, answer.json()) == (200, {"events": 1})
    assert state_of(ana) == State.REMIND_LATER
    row = InboundMessage.objects.get()
    assert (row.platform, row.message_id, row.effect) == ("email", MESSAGE_ID, "goodbye_response_2")


def test_large_attachment_is_taken(ana, settings):
    """Providers give up a message that is rejected as too large, and its text with it."""
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    photo = {"Name": "2.jpg", "Content": "eHg=" * 1000, "ContentType": "image/jpeg", "ContentLength": 2}
    assert post("postmark", postmark(Attachments=[photo])).status_code == 200
    assert state_of(ana) == State.REMIND_LATER


def test_too_large_message_is_rejected(ana, monkeypatch):
    monkeypatch.setattr("engagement.mail_inbound.LARGEST", 100)
    assert post("postmark", postmark()).status_code == 400


def test_access_and_invalid_requests(ana, settings):
    assert post("postmark", postmark(), secret="events:wrong").status_code == 401
    wrong = mailgun(**{"body-mime": raw("2").decode()}) | {"signature": "0" * 64}
    assert post("mailgun", wrong, MULTIPART_CONTENT).status_code == 400
    assert post("pigeon", {}).status_code == 404
    for provider in VIEWS:
        for body in (b"", b"{", b"[]", b"null", b"\xff", b'["a"]', b"7", b"[" * 100_000):
            assert post(provider, body).status_code in (200, 400), (provider, body)
    settings.ENGAGEMENT_MAIL_EVENTS_SECRETS = []
    assert post("postmark", postmark()).status_code == 503
    assert state_of(ana) == State.GOODBYE_SENT
    assert not InboundMessage.objects.exists()


def test_unreadable_message_is_kept_for_staff(monkeypatch):
    def fails(message):
        raise RecursionError

    monkeypatch.setattr("engagement.services.incoming_mail.read_mail", fails)
    assert post("postmark", postmark()).status_code == 200
    row = UnassignedMessage.objects.get()
    assert (row.reason, row.message_id) == ("unreadable", "postmark:73e6d360-66eb-11e1-8e72-a8904824019b")

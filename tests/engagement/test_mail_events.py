"""Webhooks of e-mail providers, with the payloads of their documentation, and sending by the API of a provider.

Sources of the payloads: Amazon SES "Examples of event data that Amazon SES publishes to Amazon SNS", SendGrid "Event
Webhook Reference", Postmark "Bounce webhook" and "Spam complaint webhook", Mailgun "Webhooks: Event structure".
"""

import hashlib
import hmac
import json
from base64 import b64encode

import pytest
from django.test import Client

from engagement.mail_events import VIEWS
from engagement.models import BouncedAddress, EngagementMessage, UserProfile
from engagement.rules import AddressReport
from engagement.transports import MessageRejected, Unavailable, make_transport
from tests.engagement.outgoing_message import outgoing
from tests.support.factories.engagement import MessageFactory, PersonFactory
from tests.support.gateway_server import answers, gateway

pytest.importorskip("anymail")
pytestmark = pytest.mark.django_db

SECRET = "events:a long password"
SIGNING_KEY = "key-for-the-signature"
ADDRESS = "ana@example.org"
KEY = "6f1f3b0e:goodbye:2026-03-01"


@pytest.fixture(autouse=True)
def secrets(settings):
    settings.ENGAGEMENT_TRANSPORT = "email"
    settings.ENGAGEMENT_MAIL_EVENTS_SECRETS = ["old:password", SECRET]
    settings.ANYMAIL = {"MAILGUN_WEBHOOK_SIGNING_KEY": SIGNING_KEY}


@pytest.fixture
def message() -> EngagementMessage:
    ana = PersonFactory(email="Ana@Example.org")
    return MessageFactory(user=ana, sent=True, idempotency_key=KEY, provider_message_id="<abc@example.org>")


def post(provider, body, *, secret=SECRET, **headers):
    if secret:
        headers["Authorization"] = f"Basic {b64encode(secret.encode()).decode()}"
    text = body if isinstance(body, bytes) else json.dumps(body)
    return Client().post(f"/mail-events/{provider}/", text, "application/json", headers=headers)


# --- Payloads -------------------------------------------------------------------------------------


def ses(event, **details):
    """A notification of Amazon SNS with an event of Amazon SES."""
    inner = {
        "eventType": event,
        "mail": {
            "timestamp": "2026-03-01T09:00:00.000Z",
            "source": "Community <community@example.org>",
            "messageId": "EXAMPLE7c191be45-e9aedb9a-02f9-4d12-a87d-dd0099a07f8a-000000",
            "destination": [ADDRESS],
            "headers": [{"name": "X-Metadata", "value": json.dumps({"key": KEY})}],
        },
        event.lower(): details,
    }
    outer = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": "arn:aws:sns:us-east-1:123456789012:ses_events",
        "Timestamp": "2026-03-01T09:00:02.123Z",
        "Message": json.dumps(inner),
    }
    return outer, {"X-Amz-Sns-Message-Type": "Notification", "X-Amz-Sns-Message-Id": outer["MessageId"]}


def ses_bounce(kind, sub_type, text):
    recipients = [{"emailAddress": "Ana@Example.org", "action": "failed", "status": "5.1.1", "diagnosticCode": text}]
    return ses(
        "Bounce",
        bounceType=kind,
        bounceSubType=sub_type,
        bouncedRecipients=recipients,
        timestamp="2026-03-01T09:00:01.000Z",
        feedbackId="01000157c44f053b-61b59c11-9236-11e6-8f96-7be8aexample-000000",
    )


def sendgrid(event, **details):
    return [
        {
            "email": ADDRESS,
            "timestamp": 1772355600,
            "smtp-id": "<abc@example.org>",
            "event": event,
            "category": ["cat facts"],
            "sg_event_id": "6g4ZI7SA-xmRDv57GoPIPw==",
            "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
            **details,
        }
    ], {}


def postmark(kind, **details):
    return {
        "RecordType": kind,
        "MessageStream": "outbound",
        "ID": 4323372036854775807,
        "Email": ADDRESS,
        "From": "community@example.org",
        "BouncedAt": "2026-03-01T09:00:00Z",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "ServerID": 23,
        "Metadata": {"key": KEY},
        "Inactive": True,
        "CanActivate": True,
        "Content": "<Full dump of bounce>",
        "Subject": "Test subject",
        **details,
    }, {}


def mailgun(event, **details):
    token, timestamp = "8ca1fa0ddf1f23c4bd25ed2dd8a4b5cc2d2f1e4a7e5d5e6b7a", "1772355600"
    digest = hmac.new(SIGNING_KEY.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
    return {
        "signature": {"token": token, "timestamp": timestamp, "signature": digest},
        "event-data": {
            "event": event,
            "id": "G9Bn5sl1TC6nu79C8C0bwg",
            "timestamp": 1772355600.37,
            "recipient": ADDRESS,
            "recipient-domain": "example.org",
            "message": {"headers": {"message-id": "abc@example.org", "to": f"Ana <{ADDRESS}>"}},
            "user-variables": {"key": KEY},
            "tags": [],
            **details,
        },
    }, {}


UNKNOWN = "smtp; 550 5.1.1 user unknown"
EVENTS = {
    "ses hard": ("amazon_ses", ses_bounce("Permanent", "General", UNKNOWN), "failed", "hard_bounce", True),
    "ses soft": (
        "amazon_ses",
        ses_bounce("Transient", "MailboxFull", "smtp; 452 4.2.2 mailbox full"),
        "failed",
        "soft_bounce",
        False,
    ),
    "ses complaint": (
        "amazon_ses",
        ses(
            "Complaint",
            complainedRecipients=[{"emailAddress": ADDRESS}],
            complaintFeedbackType="abuse",
            timestamp="2026-03-01T09:00:00.000Z",
        ),
        "sent",
        "complaint",
        True,
    ),
    "ses delivery": ("amazon_ses", ses("Delivery", recipients=[ADDRESS], smtpResponse="250 ok"), "delivered", "", None),
    "sendgrid hard": (
        "sendgrid",
        sendgrid("bounce", type="bounce", status="5.0.0", reason="500 unknown recipient"),
        "failed",
        "hard_bounce",
        True,
    ),
    "sendgrid blocked": (
        "sendgrid",
        sendgrid("bounce", type="blocked", status="5.7.1", reason="550 5.7.1 spam"),
        "failed",
        "soft_bounce",
        False,
    ),
    "sendgrid dropped": (
        "sendgrid",
        sendgrid("dropped", reason="Bounced Address", status="5.0.0"),
        "failed",
        "hard_bounce",
        True,
    ),
    "sendgrid complaint": ("sendgrid", sendgrid("spamreport"), "sent", "complaint", True),
    "sendgrid delivered": ("sendgrid", sendgrid("delivered", response="250 OK"), "delivered", "", None),
    "sendgrid open": ("sendgrid", sendgrid("open", useragent="Mozilla/4.0"), "sent", "", None),
    "sendgrid deferred": ("sendgrid", sendgrid("deferred", response="400 try again", attempt="5"), "sent", "", None),
    "postmark hard": (
        "postmark",
        postmark("Bounce", Type="HardBounce", TypeCode=1, Details=UNKNOWN),
        "failed",
        "hard_bounce",
        True,
    ),
    "postmark soft": (
        "postmark",
        postmark("Bounce", Type="SoftBounce", TypeCode=4096, Details="Test details"),
        "failed",
        "soft_bounce",
        False,
    ),
    "postmark transient": ("postmark", postmark("Bounce", Type="Transient", TypeCode=2), "sent", "", None),
    "postmark complaint": (
        "postmark",
        postmark("SpamComplaint", Type="SpamComplaint", TypeCode=512),
        "sent",
        "complaint",
        True,
    ),
    "postmark delivery": (
        "postmark",
        postmark("Delivery", Recipient=ADDRESS, DeliveredAt="2026-03-01T09:00:00Z"),
        "delivered",
        "",
        None,
    ),
    "mailgun hard": (
        "mailgun",
        mailgun(
            "failed",
            severity="permanent",
            reason="suppress-bounce",
            **{"delivery-status": {"code": 605, "message": "", "description": "Not delivering to previously bounced"}},
        ),
        "failed",
        "hard_bounce",
        True,
    ),
    "mailgun policy": (
        "mailgun",
        mailgun(
            "failed", severity="permanent", reason="generic", **{"delivery-status": {"message": "550 5.7.1 blocked"}}
        ),
        "failed",
        "soft_bounce",
        False,
    ),
    "mailgun temporary": ("mailgun", mailgun("failed", severity="temporary", reason="generic"), "sent", "", None),
    "mailgun complaint": ("mailgun", mailgun("complained"), "sent", "complaint", True),
    "mailgun delivered": ("mailgun", mailgun("delivered"), "delivered", "", None),
}


@pytest.mark.parametrize(("provider", "payload", "status", "report", "suppressed"), EVENTS.values(), ids=EVENTS)
def test_documented_event_is_recorded(message, provider, payload, status, report, suppressed):
    body, headers = payload
    for _turn in range(2):
        answer = post(provider, body, **headers)
        assert (answer.status_code, answer.json()) == (200, {"events": 1})
    message.refresh_from_db()
    assert message.status == status.replace("delivered", "sent")
    assert (message.delivered_at is not None) == (status == "delivered")
    row = BouncedAddress.objects.filter(user=message.user).first()
    assert (row.reason if row else "") == report
    if row:
        assert (row.address, row.suppressed_at is not None) == (ADDRESS, suppressed)
        # A repeated event is not counted again.
        assert row.soft_bounces == (1 if report == "soft_bounce" else 0)


def test_unsubscribe_in_mailbox_opts_out(message):
    post("sendgrid", sendgrid("unsubscribe")[0])
    assert UserProfile.objects.get(pk=message.user_id).reengagement_opt_out


def test_bounce_of_other_mail_finds_member_by_address(message):
    """For example of a link to set a password, which is not in the queue."""
    body, _headers = postmark("Bounce", Type="HardBounce", Metadata={})
    post("postmark", body)
    assert BouncedAddress.objects.get().user_id == message.user_id
    body["Email"] = "nobody@example.org"
    assert post("postmark", body).status_code == 200
    assert BouncedAddress.objects.count() == 1


# --- Access and invalid requests ------------------------------------------------------------------


def test_wrong_credentials_are_rejected(message, settings):
    body, headers = ses_bounce("Permanent", "General", UNKNOWN)
    for secret in ("", "events:wrong", "events"):
        answer = post("amazon_ses", body, secret=secret, **headers)
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Basic realm="events"')
    signed = mailgun("complained")[0]
    signed["signature"]["signature"] = "0" * 64
    assert post("mailgun", signed).status_code == 400
    settings.ENGAGEMENT_MAIL_EVENTS_SECRETS = []
    assert post("postmark", postmark("SpamComplaint")[0]).status_code == 503
    assert not BouncedAddress.objects.exists()


def test_invalid_body_is_no_server_error(message):
    for provider in VIEWS:
        for body in (b"", b"{", b"[]", b"null", b"\xff", b'{"event": 1}', b'["a"]', b"7", b"[" * 100_000):
            assert post(provider, body).status_code in (200, 400), (provider, body)
    assert not BouncedAddress.objects.exists()


def test_unknown_provider_and_method():
    assert post("pigeon", {}).status_code == 404
    assert Client().get("/mail-events/postmark/").status_code == 405


def test_confirmation_of_subscription_is_logged(caplog):
    body = {"Type": "SubscriptionConfirmation", "MessageId": "1", "SubscribeURL": "https://sns.example/?Token=2"}
    headers = {"X-Amz-Sns-Message-Type": body["Type"], "X-Amz-Sns-Message-Id": "1"}
    assert post("amazon_ses", body, **headers).status_code == 200
    assert "https://sns.example/?Token=2" in caplog.text


# --- Sending by the API of a provider -------------------------------------------------------------


@pytest.fixture
def api(settings):
    with gateway() as server:
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "secret-token", "POSTMARK_API_URL": f"{server.url}/"}
        settings.DEFAULT_FROM_EMAIL = "Community <community@example.org>"
        yield server


def test_message_is_sent_by_api_with_its_key(api):
    api.on(lambda call: call.respond({"ErrorCode": 0, "Message": "OK", "MessageID": "883953f4", "To": ADDRESS}))
    sender = make_transport("email")
    receipt = sender.send(outgoing())
    sender.close()
    [request] = api.requests
    sent = json.loads(request.body)
    assert receipt.provider_message_id == "883953f4"
    assert sent["Metadata"] == {"key": outgoing().idempotency_key}
    headers = {each["Name"]: each["Value"] for each in sent["Headers"]}
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["Auto-Submitted"] == "auto-generated"


INACTIVE = (
    "You tried to send to a recipient that has been marked as inactive.\nFound inactive addresses: ana@example.org.\n"
    "Inactive recipients are ones that have generated a hard bounce or a spam complaint."
)


@pytest.mark.parametrize(
    ("status", "body", "error", "bounce"),
    [
        (422, {"ErrorCode": 406, "Message": INACTIVE}, MessageRejected, True),
        (422, {"ErrorCode": 406, "Message": "Another text for ana@example.org."}, MessageRejected, False),
        (422, {"ErrorCode": 300, "Message": "Invalid 'From' address"}, MessageRejected, False),
        (401, {"ErrorCode": 10, "Message": "No Account or Server API tokens"}, Unavailable, False),
        (500, {"ErrorCode": 0, "Message": "Internal error"}, Unavailable, False),
    ],
)
def test_rejection_of_api(api, status, body, error, bounce):
    api.on(answers(status, body))
    sender = make_transport("email")
    with pytest.raises((MessageRejected, Unavailable)) as caught:
        sender.send(outgoing())
    assert isinstance(caught.value, error)
    assert (caught.value.bounce == AddressReport.HARD_BOUNCE) == bounce
    assert "secret-token" not in str(caught.value)
    assert "ana@example.org" not in str(caught.value)

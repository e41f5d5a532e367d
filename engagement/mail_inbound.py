"""Webhooks by which e-mail providers pass on received e-mails, read by django-anymail. Access as for their events."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from engagement.mail_webhooks import receive
from engagement.services.incoming_mail import receive_or_keep

# Views of django-anymail by the name of the provider in the address.
VIEWS = {
    "amazon_ses": "amazon_ses.AmazonSESInboundWebhookView",
    "brevo": "brevo.BrevoInboundWebhookView",
    "mailgun": "mailgun.MailgunInboundWebhookView",
    "mailjet": "mailjet.MailjetInboundWebhookView",
    "postmark": "postmark.PostmarkInboundWebhookView",
    "sendgrid": "sendgrid.SendGridInboundWebhookView",
}
# Bytes of a message with its attachments, which some providers send as a part of a JSON document.
LARGEST = 36 * 1024 * 1024


@csrf_exempt
def mail_inbound(request: HttpRequest, provider: str) -> HttpResponse:
    """Receive e-mails of members. A repeated one changes nothing."""
    return receive(
        request, provider, views=VIEWS, handle=lambda event: handle_event(event, provider=provider), largest=LARGEST
    )


def handle_event(event: Any, *, provider: str) -> str:
    """Handle one received e-mail; return the effect."""
    at = min(event.timestamp, timezone.now()) if event.timestamp else None
    reference = str(event.event_id or event.message.get("Message-ID") or timezone.now().isoformat())
    return receive_or_keep(event.message, reference=f"{provider}:{reference}", at=at)

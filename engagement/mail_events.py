"""Webhooks of e-mail providers: deliveries, bounces, complaints and unsubscriptions, read by django-anymail."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from engagement.mail_webhooks import receive
from engagement.rules import METADATA_KEY, AddressReport, Channel, ReceiptStatus
from engagement.services.addresses import report_address
from engagement.services.messages import record_receipt
from engagement.services.profiles import opt_out
from engagement.transports.replies import report_of_reply
from groups.models import Member

# Views of django-anymail by the name of the provider in the address.
VIEWS = {
    "amazon_ses": "amazon_ses.AmazonSESTrackingWebhookView",
    "brevo": "brevo.BrevoTrackingWebhookView",
    "mailgun": "mailgun.MailgunTrackingWebhookView",
    "mailjet": "mailjet.MailjetTrackingWebhookView",
    "postmark": "postmark.PostmarkTrackingWebhookView",
    "sendgrid": "sendgrid.SendGridTrackingWebhookView",
}
# Providers whose package does not say whether a bounce is permanent: found in the event itself.
_PERMANENT: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "amazon_ses": lambda event: event.get("bounce", {}).get("bounceType") == "Permanent",
    "brevo": lambda event: event.get("event") in ("hard_bounce", "invalid_email"),
    "mailjet": lambda event: bool(event.get("hard_bounce")),
    "postmark": lambda event: event.get("Type") in ("HardBounce", "BadEmailAddress"),
    "sendgrid": lambda event: event.get("type", "bounce") != "blocked",
}


@csrf_exempt
def mail_events(request: HttpRequest, provider: str) -> HttpResponse:
    """Receive the events of a provider. A repeated event changes nothing."""
    return receive(request, provider, views=VIEWS, handle=lambda event: record_event(event, provider=provider))


def record_event(event: Any, *, provider: str) -> None:
    """Record one event of a provider. Events without a meaning here, such as an opened message, are ignored.

    event: as django-anymail reads it. The message is found by the key in its metadata or by the provider's ID;
    without it, the member by the address.
    """
    address = str(event.recipient or "").strip().lower()
    outcome = _outcome(event, provider)
    if outcome is None:
        return
    status, report = outcome
    at = min(event.timestamp or timezone.now(), timezone.now())
    detail = str(event.mta_response or event.description or "")
    key, message_id = str((event.metadata or {}).get(METADATA_KEY) or "")[:255], str(event.message_id or "")[:255]
    found = None
    if status and (key or message_id):
        found = record_receipt(
            idempotency_key=key,
            provider_message_id="" if key else message_id,
            status=status,
            at=at,
            error=detail[:1000],
            is_permanent=report == AddressReport.HARD_BOUNCE,
            address=address,
            channel=Channel.EMAIL,
        )
    if found is None and address and (member := Member.objects.filter(email__iexact=address).first()):
        # Not a message of the queue, or one that is not recorded as sent yet.
        if status is None:
            opt_out(actor=member, member=member)
        elif report:
            report_address(member=member, address=address, report=report, detail=detail, at=at)


def _outcome(event: Any, provider: str) -> tuple[ReceiptStatus | None, AddressReport | None] | None:
    """Return the status of the message, None for an unsubscription, and the report about the address.

    None: nothing is recorded.
    """
    kind, reason = event.event_type, event.reject_reason
    if kind == "delivered":
        return ReceiptStatus.DELIVERED, None
    if kind == "complained" or (kind in ("bounced", "rejected") and reason == "spam"):
        return ReceiptStatus.COMPLAINED, AddressReport.COMPLAINT
    if kind == "unsubscribed" or reason == "unsubscribed":
        return None, None
    if kind in ("bounced", "rejected"):
        if kind == "rejected" and reason not in ("invalid", "bounced"):
            return ReceiptStatus.FAILED, None
        is_hard = _is_permanent(event, provider)
        return ReceiptStatus.BOUNCED, AddressReport.HARD_BOUNCE if is_hard else AddressReport.SOFT_BOUNCE
    return (ReceiptStatus.FAILED, None) if kind == "failed" else None


def _is_permanent(event: Any, provider: str) -> bool:
    """Return whether a bounce says that the address will never work; a rejection by a spam filter does not."""
    rule = _PERMANENT.get(provider)
    if rule and event.event_type == "bounced" and not rule(event.esp_event):
        return False
    reply = str(event.mta_response or "")
    # A reply that says something else about the address, such as 5.7.1 or 5.2.2, counts more than the provider's class.
    return not reply or report_of_reply(550, reply, to_address=True) == AddressReport.HARD_BOUNCE

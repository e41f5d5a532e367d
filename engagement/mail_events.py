"""Webhooks of e-mail providers: deliveries, bounces, complaints and unsubscriptions, read by django-anymail.

Each provider authenticates with one of ENGAGEMENT_MAIL_EVENTS_SECRETS as `user:password`; Mailgun also signs.
"""

import json
import logging
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from engagement.rules import METADATA_KEY, AddressReport, ReceiptStatus
from engagement.services.addresses import report_address
from engagement.services.messages import record_receipt
from engagement.services.profiles import opt_out
from engagement.transports.replies import report_of_reply
from groups.models import Member
from missionsite.common.api.limits import count_rejection

logger = logging.getLogger(__name__)

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


# RFC 7617.
_CHALLENGE = " ".join(("Basic", 'realm="events"'))


@csrf_exempt
def mail_events(request: HttpRequest, provider: str) -> HttpResponse:
    """Receive the events of a provider. A repeated event changes nothing."""
    if provider not in VIEWS:
        raise Http404
    if request.method == "HEAD" and settings.ENGAGEMENT_MAIL_EVENTS_SECRETS:
        # Some providers check the address with it.
        return HttpResponse()
    if request.method != "POST":
        return _answer(405, _("Send events with POST."), Allow="POST, HEAD")
    if not settings.ENGAGEMENT_MAIL_EVENTS_SECRETS:
        return _answer(503, _("Events are not accepted: ENGAGEMENT_MAIL_EVENTS_SECRETS is not set on this site."))
    if not _is_authenticated(request):
        allowance = count_rejection(request)
        if allowance and not allowance.allowed:
            return _answer(429, _("Too many requests. Wait and try again."), **allowance.headers())
        # Amazon SNS sends its credentials only after this response.
        return _answer(401, _("The basic authentication is missing or wrong."), **{"WWW-Authenticate": _CHALLENGE})
    try:
        events = _read_events(request, provider)
    except RequestDataTooBig:
        raise
    except ImproperlyConfigured as error:
        logger.error("Events of %s cannot be read: %s", provider, error)
        return _answer(503, _("This provider is not configured on this site. The log has the details."))
    except (SuspiciousOperation, ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        logger.warning("An event of %s was rejected: %s", provider, type(error).__name__)
        return _answer(400, _("The event cannot be read."))
    for event in events:
        record_event(event, provider=provider)
    return JsonResponse({"events": len(events)})


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


def _is_authenticated(request: HttpRequest) -> bool:
    from anymail.utils import get_request_basic_auth

    given = get_request_basic_auth(request) or ""
    # All secrets are compared, so that the duration reveals nothing.
    fits = [constant_time_compare(given, known) for known in settings.ENGAGEMENT_MAIL_EVENTS_SECRETS]
    return any(fits)


def _read_events(request: HttpRequest, provider: str) -> list[Any]:
    """Check the provider's own signature, if it has one, and return its events. Raises many kinds of errors."""
    from anymail.exceptions import AnymailError

    try:
        view = _view_of(provider)
        view.run_validators(request)
        if provider == "amazon_ses":
            _log_confirmation(request)
        return view.parse_events(request)
    except AnymailError as error:
        raise ValueError(str(error)) from None


def _view_of(provider: str) -> Any:
    module, name = VIEWS[provider].split(".")
    view_class = getattr(import_module(f"anymail.webhooks.{module}"), name)
    if provider == "amazon_ses":
        view_class = _without_boto(view_class)
    # Its own check of the basic authentication compares with one secret of the settings.
    return view_class(webhook_secret=settings.ENGAGEMENT_MAIL_EVENTS_SECRETS)


def _without_boto(view_class: Any) -> Any:
    """Return the view of Amazon SES without boto3, which it needs only to confirm a subscription by itself."""

    class View(view_class):
        def __init__(self, **kwargs: Any) -> None:
            self.auto_confirm_enabled = False
            super(view_class.__mro__[1], self).__init__(**kwargs)

    return View


def _log_confirmation(request: HttpRequest) -> None:
    """Log the address that confirms a subscription of Amazon SNS; an operator opens it once."""
    message = json.loads(request.body)
    if message.get("Type") == "SubscriptionConfirmation":
        logger.warning("Confirm the subscription of Amazon SNS: %s", str(message.get("SubscribeURL"))[:1000])


def _answer(status: int, detail: str, **headers: str) -> HttpResponse:
    return JsonResponse({"status": status, "detail": detail}, status=status, headers=headers)

"""What the webhooks of e-mail providers share: access, and reading a request with django-anymail.

Each provider authenticates with one of ENGAGEMENT_MAIL_EVENTS_SECRETS as `user:password`; Mailgun also signs.
"""

import json
import logging
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, RawPostDataException
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from missionsite.common.api.limits import count_rejection

logger = logging.getLogger(__name__)

# What django-anymail raises for a body that is no event, such as a form or deeply nested JSON for a provider with JSON.
_UNREADABLE = (
    SuspiciousOperation,
    RawPostDataException,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
)

# RFC 7617.
_CHALLENGE = " ".join(("Basic", 'realm="events"'))


def receive(
    request: HttpRequest,
    provider: str,
    *,
    views: Mapping[str, str],
    handle: Callable[[Any], object],
    largest: int = 0,
) -> HttpResponse:
    """Check a request of a provider and handle its events.

    views: views of django-anymail by the name of the provider. largest: of a body, in bytes; 0: as everywhere.
    """
    if provider not in views:
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
        if largest:
            _read_large_body(request, largest)
        events = _read_events(request, provider, views[provider])
    except RequestDataTooBig:
        raise
    except ImproperlyConfigured as error:
        logger.error("Events of %s cannot be read: %s", provider, error)
        return _answer(503, _("This provider is not configured on this site. The log has the details."))
    except _UNREADABLE as error:
        logger.warning("An event of %s was rejected: %s", provider, type(error).__name__)
        return _answer(400, _("The event cannot be read."))
    for event in events:
        handle(event)
    return JsonResponse({"events": len(events)})


def _is_authenticated(request: HttpRequest) -> bool:
    from anymail.utils import get_request_basic_auth

    given = get_request_basic_auth(request) or ""
    # All secrets are compared, so that the duration reveals nothing.
    fits = [constant_time_compare(given, known) for known in settings.ENGAGEMENT_MAIL_EVENTS_SECRETS]
    return any(fits)


def _read_large_body(request: HttpRequest, largest: int) -> None:
    """Read a body that may be above DATA_UPLOAD_MAX_MEMORY_SIZE; called for authenticated requests only."""
    body = request.read(largest + 1)
    if len(body) > largest:
        raise RequestDataTooBig
    request._body = body


def _read_events(request: HttpRequest, provider: str, view_name: str) -> list[Any]:
    """Check the provider's own signature, if it has one, and return its events. Raises many kinds of errors."""
    from anymail.exceptions import AnymailError

    try:
        view = _view_of(provider, view_name)
        view.run_validators(request)
        if provider == "amazon_ses":
            _log_confirmation(request)
        return view.parse_events(request)
    except AnymailError as error:
        raise ValueError(str(error)) from None


def _view_of(provider: str, view_name: str) -> Any:
    module, name = view_name.split(".")
    view_class = getattr(import_module(f"anymail.webhooks.{module}"), name)
    # Its own check of the basic authentication compares with one secret of the settings.
    values: dict[str, Any] = {"webhook_secret": settings.ENGAGEMENT_MAIL_EVENTS_SECRETS}
    if provider == "amazon_ses":
        view_class = _without_boto(view_class)
    if name == "BrevoInboundWebhookView":
        # With the key it would load the attachments.
        view_class, values["api_key"] = _without_attachments(view_class), "unused"
    return view_class(**values)


def _without_boto(view_class: Any) -> Any:
    """Return the view of Amazon SES without boto3, which it needs only to confirm a subscription by itself."""

    class View(view_class):
        def __init__(self, **kwargs: Any) -> None:
            self.auto_confirm_enabled = False
            super(view_class.__mro__[1], self).__init__(**kwargs)

    return View


def _without_attachments(view_class: Any) -> Any:
    class View(view_class):
        def esp_to_anymail_event(self, esp_event: dict) -> Any:
            return super().esp_to_anymail_event(esp_event | {"Attachments": []})

    return View


def _log_confirmation(request: HttpRequest) -> None:
    """Log the address that confirms a subscription of Amazon SNS; an operator opens it once."""
    message = json.loads(request.body)
    if message.get("Type") == "SubscriptionConfirmation":
        logger.warning("Confirm the subscription of Amazon SNS: %s", str(message.get("SubscribeURL"))[:1000])


def _answer(status: int, detail: str, **headers: str) -> HttpResponse:
    return JsonResponse({"status": status, "detail": detail}, status=status, headers=headers)

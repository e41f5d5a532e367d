"""The webhook of GitHub. Source: GitHub documentation, "Validating webhook deliveries"."""

from __future__ import annotations

import hmac
import json
import logging
import re
from hashlib import sha256

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from fallback.rules import GITHUB_PAYLOAD_BYTES
from fallback.services.github import receive_delivery
from groups.models import Member
from missionsite.common.api.limits import count_rejection

logger = logging.getLogger(__name__)

_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


@csrf_exempt
def github_webhook(request: HttpRequest) -> HttpResponse:
    """Receive a delivery. One that was received before, and events without a meaning here, change nothing."""
    if request.method != "POST":
        return _answer(405, _("Send deliveries with POST."), Allow="POST")
    if not settings.FALLBACK_GITHUB_WEBHOOK_SECRETS:
        return _answer(503, _("Deliveries are not accepted: FALLBACK_GITHUB_WEBHOOK_SECRETS is not set on this site."))
    if request.content_type != "application/json":
        return _answer(415, _("Set the content type of the webhook to application/json."))
    # Not request.body, whose limit is that of forms.
    body = request.read(GITHUB_PAYLOAD_BYTES + 1)
    if len(body) > GITHUB_PAYLOAD_BYTES:
        return _answer(413, _("The delivery is larger than 25 MB."))
    if not _is_signed(request.headers.get("X-Hub-Signature-256", ""), body):
        allowance = count_rejection(request)
        if allowance and not allowance.allowed:
            return _answer(429, _("Too many requests. Wait and try again."), **allowance.headers())
        return _answer(401, _("The signature is missing or wrong."))
    event, delivery = request.headers.get("X-GitHub-Event", ""), request.headers.get("X-GitHub-Delivery", "")
    if not (_NAME.fullmatch(event) and _NAME.fullmatch(delivery)):
        return _answer(400, _("The headers X-GitHub-Event and X-GitHub-Delivery are missing or wrong."))
    try:
        payload = json.loads(body)
        if not isinstance(payload, dict):
            raise TypeError("not an object")
        outcome = receive_delivery(actor=Member.objects.system(), delivery=delivery, event=event, payload=payload)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        logger.warning("Delivery %s of %s was rejected: %s", delivery, event, type(error).__name__)
        return _answer(400, _("The delivery cannot be read."))
    return JsonResponse({"outcome": outcome})


def _is_signed(value: str, body: bytes) -> bool:
    # All secrets are compared, so that the duration reveals nothing.
    fits = [
        hmac.compare_digest(f"sha256={hmac.new(known.encode(), body, sha256).hexdigest()}".encode(), value.encode())
        for known in settings.FALLBACK_GITHUB_WEBHOOK_SECRETS
    ]
    return any(fits)


def _answer(status: int, detail: str, **headers: str) -> HttpResponse:
    return JsonResponse({"status": status, "detail": detail}, status=status, headers=headers)

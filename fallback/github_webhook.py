"""The webhook of GitHub: one of the site, and one of each organisation.

Source: GitHub documentation, "Validating webhook deliveries".
"""

from __future__ import annotations

import hmac
import json
import logging
import re
from collections.abc import Collection
from hashlib import sha256
from urllib.parse import parse_qsl

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from fallback.models import Organization
from fallback.rules import GITHUB_PAYLOAD_BYTES
from fallback.services.github_events import receive_delivery
from fallback.services.github_secrets import webhook_secrets
from fallback.services.github_values import UNREADABLE
from groups.models import Member
from missionsite.common.api.limits import count_rejection
from missionsite.common.errors import DomainError

logger = logging.getLogger(__name__)

# GitHub signs the body of either as it is sent; a form has the JSON in its field `payload`.
_FORM = "application/x-www-form-urlencoded"
_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,64}")


@csrf_exempt
def github_webhook(request: HttpRequest, organization_id: str = "") -> HttpResponse:
    """Receive a delivery. One that was received before, and events without a meaning here, change nothing.

    organization_id: of the organisation whose secret signs it, and whose projects only it changes; empty for the site.
    """
    if request.method != "POST":
        return _answer(405, _("Send deliveries with POST."), Allow="POST")
    if not organization_id and not settings.FALLBACK_GITHUB_WEBHOOK_SECRETS:
        return _answer(503, _("Deliveries are not accepted: FALLBACK_GITHUB_WEBHOOK_SECRETS is not set on this site."))
    if request.content_type not in ("application/json", _FORM):
        return _answer(
            415, _("Set the content type of the webhook to application/json or application/x-www-form-urlencoded.")
        )
    # Not request.body, whose limit is that of forms. In a form, a byte of the payload can take three.
    limit = GITHUB_PAYLOAD_BYTES * (3 if request.content_type == _FORM else 1)
    body = request.read(limit + 1)
    if len(body) > limit:
        return _answer(413, _("The delivery is larger than 25 MB."))
    organization, secrets = None, settings.FALLBACK_GITHUB_WEBHOOK_SECRETS
    if organization_id:
        organization = Organization.objects.filter(pk=organization_id).first() if organization_id.isalnum() else None
        secrets = webhook_secrets(organization) if organization else []
    if not _is_signed(request.headers.get("X-Hub-Signature-256", ""), body, secrets):
        allowance = count_rejection(request)
        if allowance and not allowance.allowed:
            return _answer(429, _("Too many requests. Wait and try again."), **allowance.headers())
        return _answer(401, _("The signature is missing or wrong."))
    event, delivery = request.headers.get("X-GitHub-Event", ""), request.headers.get("X-GitHub-Delivery", "")
    if not (_NAME.fullmatch(event) and _NAME.fullmatch(delivery)):
        return _answer(400, _("The headers X-GitHub-Event and X-GitHub-Delivery are missing or wrong."))
    try:
        payload = json.loads(_payload_of_form(body) if request.content_type == _FORM else body)
        if not isinstance(payload, dict):
            raise TypeError("not an object")
        outcome = receive_delivery(
            actor=Member.objects.system(), delivery=delivery, event=event, payload=payload, organization=organization
        )
    except UNREADABLE as error:
        logger.warning("Delivery %s of %s was rejected: %s", delivery, event, type(error).__name__)
        return _answer(400, _("The delivery cannot be read."))
    except DomainError as error:
        logger.warning("Delivery %s of %s was rejected: %s", delivery, event, error.code)
        return _answer(error.status, str(error.message))
    return JsonResponse({"outcome": outcome})


def _payload_of_form(body: bytes) -> str:
    """The field `payload` of a delivery that was sent as a form. Raises ValueError without it, or with several."""
    fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=10)
    (payload,) = [value for name, value in fields if name == "payload"]
    if len(payload.encode()) > GITHUB_PAYLOAD_BYTES:
        raise ValueError("too large")
    return payload


def _is_signed(value: str, body: bytes, secrets: Collection[str]) -> bool:
    # All secrets are compared, so that the duration reveals nothing.
    fits = [
        hmac.compare_digest(f"sha256={hmac.new(known.encode(), body, sha256).hexdigest()}".encode(), value.encode())
        for known in secrets
    ]
    return any(fits)


def _answer(status: int, detail: str, **headers: str) -> HttpResponse:
    return JsonResponse({"status": status, "detail": detail}, status=status, headers=headers)

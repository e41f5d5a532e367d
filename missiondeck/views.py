"""The public calendar feed. Calendar programs have no session: the secret in the URL authorizes."""

from hashlib import sha256

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from missiondeck.selectors.feeds import calendar_of
from missiondeck.services.feeds import read_feed

GONE = _("This calendar feed does not exist or was revoked. Create a new one in the back office.\n")
HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


# Read-only: a POST answers 405, not a CSRF error.
@csrf_exempt
@require_safe
def feed(request: HttpRequest, secret: str) -> HttpResponse:
    """The calendar of a secret; 304 if unchanged, 404 for an unknown or revoked secret."""
    found = read_feed(secret=secret)
    if found is None:
        response = HttpResponse(GONE, status=404, content_type="text/plain; charset=utf-8")
    else:
        content = calendar_of(found, link=lambda mission: _workspace(request, mission))
        response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
        response["Content-Disposition"] = 'inline; filename="client-missions.ics"'
        # A weak tag, because the response may be compressed.
        response["ETag"] = f'W/"{sha256(content).hexdigest()}"'
        response = get_conditional_response(request, etag=response["ETag"], response=response) or response
    for name, value in HEADERS.items():
        response[name] = value
    # Only the requesting program may cache it, and must revalidate.
    patch_cache_control(response, private=True, no_cache=True)
    return response


def _workspace(request: HttpRequest, mission) -> str:
    return request.build_absolute_uri(reverse("admin:missiondeck_workspace", args=[mission.pk]))

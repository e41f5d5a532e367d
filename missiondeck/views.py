"""Deadlines for people's own calendar programs, which have no session: the secret in the address is the key."""

from hashlib import sha256

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from missiondeck.services.feeds import calendar_of, read_feed

GONE = "There is no calendar at this address. It may have been taken back; a new one is made in the back office.\n"
HEADERS = {
    # For the program that asked, which asks again whether it is still so.
    "Cache-Control": "private, no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


# Nothing is changed here: a POST is rejected for what it is, not for a missing token.
@csrf_exempt
@require_safe
def feed(request: HttpRequest, secret: str) -> HttpResponse:
    """A calendar by its secret; 304 where the program has it already. Every other address is answered alike."""
    found = read_feed(secret=secret)
    if found is None:
        response = HttpResponse(GONE, status=404, content_type="text/plain; charset=utf-8")
    else:
        content = calendar_of(found, link=lambda mission: _workspace(request, mission))
        response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
        response["Content-Disposition"] = 'inline; filename="client-missions.ics"'
        # Weak: what is sent may be compressed on the way.
        response["ETag"] = f'W/"{sha256(content).hexdigest()}"'
        response = get_conditional_response(request, etag=response["ETag"], response=response)
    for name, value in HEADERS.items():
        response[name] = value
    return response


def _workspace(request: HttpRequest, mission) -> str:
    return request.build_absolute_uri(reverse("admin:missiondeck_workspace", args=[mission.pk]))

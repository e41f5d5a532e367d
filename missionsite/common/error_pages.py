"""The pages for server errors and for an unavailable database."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import requires_csrf_token
from django.views.defaults import bad_request as django_bad_request

from missionsite.common.errors import RETRY_AFTER, is_unavailable


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """The page for a server error, with the request id for finding it in the log.

    Called while the error is handled. Returns 503 when the database is unavailable or read-only.
    """
    if is_unavailable(sys.exception()):
        return unavailable(request)
    return HttpResponse(render_to_string("500.html", {"request_id": getattr(request, "id", "")}), status=500)


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for a bad request, or 503 if the session could not be stored because the database is unavailable."""
    return unavailable(request) if is_unavailable(exception) else django_bad_request(request, exception)


def unavailable(request: HttpRequest) -> HttpResponse:
    """The page for an unavailable or read-only database, which is not needed to render it."""
    page = render_to_string("503.html", {"request_id": getattr(request, "id", "")})
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store"})

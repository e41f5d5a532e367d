"""The pages for what is no fault of the visitor: one of the site itself, and a database that is away."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import requires_csrf_token
from django.views.defaults import bad_request as django_bad_request

from missionsite.common.errors import RETRY_AFTER, is_unavailable


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """Say that it is not the visitor's fault, with the id under which the log has what happened.

    Called while the error is handled. Without a database, or with one that takes no changes, it is a 503.
    """
    if is_unavailable(sys.exception()):
        return unavailable(request)
    return HttpResponse(render_to_string("500.html", {"request_id": getattr(request, "id", "")}), status=500)


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for a bad request; a session that could not be stored for want of a database is a 503."""
    return unavailable(request) if is_unavailable(exception) else django_bad_request(request, exception)


def unavailable(request: HttpRequest) -> HttpResponse:
    """The page to show while the database is away or read-only; it needs none."""
    page = render_to_string("503.html", {"request_id": getattr(request, "id", "")})
    return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store"})

"""The pages for errors, in the visitor's language.

They need neither the database nor the language of the view, so they can be rendered by middleware and before it. Staff
see those of the back office inside its frame, as long as that can be rendered.
"""

import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils import translation
from django.views.decorators.csrf import requires_csrf_token

from missionsite.common.errors import RETRY_AFTER, is_unavailable
from missionsite.common.language import get_language


def error_page(
    request: HttpRequest, status: int, *, template: str = "", headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """The page for a status. template: by default the status with `.html`, such as 404.html."""
    language = get_language(request)
    context: dict[str, Any] = {"request_id": getattr(request, "id", ""), "language": language, "status": int(status)}
    if getattr(request, "view_as", None):
        # For the banner.
        context |= {"request": request, "csrf_token": get_token(request)}
    name = template or f"{int(status)}.html"
    with translation.override(language):
        page = _in_frame(request, name, context) or render_to_string(name, {**context, "layout": "error.html"})
    response = HttpResponse(page, status=status, headers=headers)
    response["Content-Language"] = language
    response["Vary"] = "Accept-Language, Cookie"
    return response


def _in_frame(request: HttpRequest, template: str, context: dict[str, Any]) -> str | None:
    if not request.path_info.startswith("/admin/") or context["status"] == HTTPStatus.SERVICE_UNAVAILABLE:
        return None
    # Imported here, because this module is loaded before the models.
    from missionsite.common.admin.error_frame import render_in_frame

    return render_in_frame(request, template, context)


@requires_csrf_token
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for a bad request, or 503 if the session could not be stored because the database is unavailable."""
    return unavailable(request) if is_unavailable(exception) else error_page(request, HTTPStatus.BAD_REQUEST)


@requires_csrf_token
def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for an action that the member's role does not allow."""
    return error_page(request, HTTPStatus.FORBIDDEN)


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page for a form whose CSRF token is missing or wrong."""
    return error_page(request, HTTPStatus.FORBIDDEN, template="403_csrf.html")


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page for an address that does not exist."""
    return error_page(request, HTTPStatus.NOT_FOUND)


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """The page for a server error, with the request id for finding it in the log.

    Called while the error is handled. Returns 503 when the database is unavailable or read-only.
    """
    if is_unavailable(sys.exception()):
        return unavailable(request)
    return error_page(request, HTTPStatus.INTERNAL_SERVER_ERROR)


def unavailable(request: HttpRequest) -> HttpResponse:
    """The page for an unavailable or read-only database, which is not needed to render it."""
    headers = {"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store"}
    return error_page(request, HTTPStatus.SERVICE_UNAVAILABLE, headers=headers)

"""Middleware of the whole site: request ids, allowed methods, and rejection of invalid input."""

import logging
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, cast

from django.core.signals import request_finished
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.translation import gettext as _

from missionsite.common.annotations import SiteRequest
from missionsite.common.error_pages import bad_request

request_id: ContextVar[str] = ContextVar("request_id", default="-")
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIdMiddleware:
    """Give every request an id: the caller's X-Request-ID if it is well-formed, else a new one.

    The id is in the X-Request-ID header of the response and in every log line until the response is closed, including
    those logged while the body is streamed.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        number = given if _ACCEPTED.fullmatch(given) else uuid.uuid4().hex
        cast(SiteRequest, request).id = number
        request_id.set(number)
        response = self.get_response(request)
        response["X-Request-ID"] = number
        return response


def _forget_request(**kwargs: Any) -> None:
    request_id.set("-")


request_finished.connect(_forget_request, dispatch_uid="missionsite.request_id")


class RequestIdFilter(logging.Filter):
    """Adds the request's id to each log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class NoTracebackFilter(logging.Filter):
    """Removes the traceback from records of rejected requests (4xx), which are not faults of the code."""

    def filter(self, record: logging.LogRecord) -> bool:
        if 400 <= getattr(record, "status_code", 0) < 500:
            record.exc_info = record.exc_text = None
        return True


class PageMethodsMiddleware:
    """Reject methods that no page supports.

    Django's admin would answer a DELETE with the page and status 200, as if an object had been deleted.
    """

    methods = ("GET", "HEAD", "POST")

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in self.methods or request.path_info.startswith("/api/"):
            return self.get_response(request)
        text = _("Pages support {methods}. The API is at /api/.").format(methods=", ".join(self.methods))
        return HttpResponseNotAllowed(self.methods, f"{text}\n", content_type="text/plain; charset=utf-8")


class CleanInputMiddleware:
    """Reject addresses with a NUL character, which no text in PostgreSQL can contain, and malformed forms.

    A malformed form is rejected before a view runs. The values of fields are left to the validation of forms, which
    keeps the entered values.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return bad_request(request, ValueError("NUL character"))
        if request.method == "POST" and not request.path_info.startswith("/api/"):
            # Parses the form.
            _form = request.POST
        return self.get_response(request)

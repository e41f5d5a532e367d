"""Middleware of the whole site: a request id, and a clear word about what no page can do or store."""

import logging
import re
import uuid
from contextvars import ContextVar

from django.core.signals import request_finished
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.defaults import bad_request

request_id: ContextVar[str] = ContextVar("request_id", default="-")
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIdMiddleware:
    """Give every request an id: the caller's X-Request-ID where it is well-formed, else a new one.

    The id is in the X-Request-ID header of the response and in every log line until the response is closed: also in
    what is logged while the body is streamed.
    """

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request.id = given if _ACCEPTED.fullmatch(given) else uuid.uuid4().hex
        request_id.set(request.id)
        response = self.get_response(request)
        response["X-Request-ID"] = request.id
        return response


def _forget_request(**kwargs) -> None:
    request_id.set("-")


request_finished.connect(_forget_request, dispatch_uid="missionsite.request_id")


class RequestIdFilter(logging.Filter):
    """Puts the request's id on each log record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class NoTracebackFilter(logging.Filter):
    """Removes the traceback of a request that was rejected (4xx): the cause is the request, not the code."""

    def filter(self, record: logging.LogRecord) -> bool:
        if 400 <= getattr(record, "status_code", 0) < 500:
            record.exc_info = record.exc_text = None
        return True


class PageMethodsMiddleware:
    """Reject what no page answers to.

    Django's back office would answer a DELETE with the page and status 200, as if something had been deleted.
    """

    methods = ("GET", "HEAD", "POST")

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in self.methods or request.path_info.startswith("/api/"):
            return self.get_response(request)
        words = f"A page answers to {', '.join(self.methods)}; the API is at /api/.\n"
        return HttpResponseNotAllowed(self.methods, words, content_type="text/plain; charset=utf-8")


class CleanInputMiddleware:
    """Reject an address with a NUL character in it, which no text in PostgreSQL could match, and a form that is none.

    A broken form is found before a page acts on it, also by a page that reads it late. What fields hold is left to
    their own validation, which keeps what was typed.
    """

    def __init__(self, get_response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            return bad_request(request, ValueError("NUL character"))
        if request.method == "POST" and not request.path_info.startswith("/api/"):
            _ = request.POST
        return self.get_response(request)

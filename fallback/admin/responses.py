"""Answers of what a page does by itself: JSON for its script, a message and the page again without one."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse

from missionsite.common.admin.actions import back_link
from missionsite.common.errors import DomainError


def wants_json(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def success_response(request: HttpRequest, message: str, *, back: str, **facts) -> HttpResponse:
    """What was asked for has happened."""
    if wants_json(request):
        return JsonResponse({"ok": True, "message": message, **facts})
    messages.success(request, message)
    return HttpResponseRedirect(back_link(request, back))


def error_response(
    request: HttpRequest, message: str, *, back: str, field: str | None = None, status: int = 409
) -> HttpResponse:
    """What was asked for was rejected, and why."""
    if wants_json(request):
        return JsonResponse({"ok": False, "message": message, "field": field}, status=status)
    messages.error(request, message)
    return HttpResponseRedirect(back_link(request, back))


def invalid_form_response(request: HttpRequest, form: Form, *, back: str) -> HttpResponse:
    """What was typed cannot be; the first error is said."""
    field, errors = next(iter(form.errors.items()))
    label = form.fields[field].label or field.replace("_", " ").capitalize() if field in form.fields else ""
    message = f"{label}: {errors[0]}" if label else str(errors[0])
    return error_response(request, message, back=back, field=field, status=422)


def answer_errors(back: Callable[[], str]) -> Callable:
    """Answer a rejection of a service in message, for a view's script as for a person."""

    def wrap(view: Callable) -> Callable:
        @wraps(view)
        def run(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            try:
                return view(request, *args, **kwargs)
            except DomainError as rejection:
                return error_response(
                    request, rejection.message, back=back(), field=rejection.field, status=rejection.status
                )
            except Http404 as missing:
                if not wants_json(request):
                    raise
                return error_response(request, str(missing) or "Not found. Reload the page.", back=back(), status=404)

        return run

    return wrap

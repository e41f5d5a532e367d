"""Responses of actions: JSON for scripts, a message and a redirect otherwise."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils.translation import gettext

from missionsite.common.admin.actions import back_link
from missionsite.common.annotations import StrOrPromise
from missionsite.common.errors import DomainError


def wants_json(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def success_response(request: HttpRequest, message: StrOrPromise, *, back: StrOrPromise, **facts: Any) -> HttpResponse:
    """The response to a successful action."""
    if wants_json(request):
        return JsonResponse({"ok": True, "message": message, **facts})
    messages.success(request, message)
    return HttpResponseRedirect(back_link(request, str(back)))


def error_response(
    request: HttpRequest, message: StrOrPromise, *, back: StrOrPromise, field: str | None = None, status: int = 409
) -> HttpResponse:
    """The response to a rejected action, with the reason."""
    if wants_json(request):
        return JsonResponse({"ok": False, "message": message, "field": field}, status=status)
    messages.error(request, message)
    return HttpResponseRedirect(back_link(request, str(back)))


def invalid_form_response(request: HttpRequest, form: Form, *, back: StrOrPromise) -> HttpResponse:
    """The response to an invalid form, with its first error."""
    field, errors = next(iter(form.errors.items()))
    label = form.fields[field].label or field.replace("_", " ").capitalize() if field in form.fields else ""
    message = f"{label}: {errors[0]}" if label else str(errors[0])
    return error_response(request, message, back=back, field=field, status=422)


def answer_errors(back: Callable[[], StrOrPromise]) -> Callable:
    """Decorate a view to answer a DomainError or Http404 with an error response."""

    def wrap(view: Callable) -> Callable:
        @wraps(view)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                return view(request, *args, **kwargs)
            except DomainError as rejection:
                return error_response(
                    request, rejection.message, back=back(), field=rejection.field, status=rejection.status
                )
            except Http404 as missing:
                if not wants_json(request):
                    raise
                return error_response(
                    request, str(missing) or gettext("Not found. Reload the page."), back=back(), status=404
                )

        return run

    return wrap

"""Forms that are saved once: a double click, a retry or two requests at the same time create one object.

Each form that creates something contains a random key (`{% form_key %}`). The key is stored in the transaction of the
save, in the table of the API's idempotency keys, and pruned with them after a day. A second submission of the same
form changes nothing and redirects to the result of the first one.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from missionsite.common.admin.forms import add_service_error
from missionsite.common.annotations import StrOrPromise
from missionsite.common.api.idempotency import Attempt, IdempotencyKeyReused, digest_of_form
from missionsite.common.errors import DomainError, translate_db_errors

FORM_KEY_FIELD = "form_key"
ALREADY_SAVED = _("This was already saved.")

_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
# What differs between two submissions of the same values: the CSRF token, and which of the save buttons was pressed.
_NOT_VALUES = frozenset((FORM_KEY_FIELD, "csrfmiddlewaretoken", "_save", "_addanother", "_continue"))


class FormKeyMissing(DomainError):
    message = _(
        "Nothing was saved: this page was opened before the site was updated. Check the values and send them again."
    )
    code = "form_key_missing"
    status = 422


class FormKeyReused(DomainError):
    message = _("This form was already saved, with other values. To save these values as well, send them again.")
    code = "form_key_reused"
    status = 409


class FormInvalid(Exception):
    """Raised inside `run_once` when the form has errors: nothing is stored, and the same form may be sent again."""


class FormResult(NamedTuple):
    """The result of saving a form: the address to redirect to, and the message to show there.

    page: shown instead to the first submission, for what may be shown only once. facts: what a script gets besides
    the message.
    """

    location: str
    message: StrOrPromise = ""
    page: HttpResponse | None = None
    # Whether an earlier submission of the same form was saved.
    is_repeat: bool = False
    facts: Mapping[str, object] = MappingProxyType({})


def new_form_key() -> str:
    return secrets.token_urlsafe(16)


def run_once(request: HttpRequest, save: Callable[[], FormResult], *, part: str = "") -> FormResult:
    """Call `save` in one transaction with the request's form key, unless the same form was saved before.

    A second request with the same key waits until the first one has ended. part: distinguishes several saves of one
    form, each of which is a transaction of its own.
    Raises FormKeyMissing, FormKeyReused, and whatever `save` raises; then nothing is stored.
    """
    attempt = _attempt_of(request, part)
    try:
        with translate_db_errors(), transaction.atomic():
            if response := attempt.earlier_response():
                return FormResult(response["Location"], is_repeat=True)
            result = save()
            attempt.store(HttpResponseRedirect(result.location))
    except IdempotencyKeyReused as error:
        raise FormKeyReused from error
    return result


def earlier_result(request: HttpRequest) -> FormResult | None:
    """The result of an earlier submission of this form, for a page whose object may be gone by now."""
    try:
        response = _attempt_of(request, "").stored_response()
    except (FormKeyMissing, IdempotencyKeyReused):
        return None
    return FormResult(response["Location"], is_repeat=True) if response else None


def submit_form_once(
    request: HttpRequest,
    form: forms.BaseForm,
    save: Callable[[], FormResult],
    *,
    already_saved: StrOrPromise = ALREADY_SAVED,
) -> HttpResponse | None:
    """Validate a form and call `save` once. Returns None when the page must be shown again with the form's errors."""

    def validate_and_save() -> FormResult:
        if not form.is_valid():
            raise FormInvalid
        return save()

    try:
        result = run_once(request, validate_and_save)
    except FormInvalid:
        return None
    except DomainError as error:
        add_service_error(form, error)
        return None
    return result_response(request, result, already_saved=already_saved)


def result_response(
    request: HttpRequest, result: FormResult, *, already_saved: StrOrPromise = ALREADY_SAVED
) -> HttpResponse:
    """The response after a form was saved: its own page if it has one, else a redirect with a message."""
    if result.page is not None:
        return result.page
    if result.is_repeat:
        messages.info(request, already_saved)
    elif result.message:
        messages.success(request, result.message)
    return HttpResponseRedirect(result.location)


def _attempt_of(request: HttpRequest, part: str) -> Attempt:
    key = request.POST.get(FORM_KEY_FIELD, "")
    if not _KEY.fullmatch(key):
        raise FormKeyMissing
    return Attempt(
        owner_id=cast(UUID, request.user.pk),
        operation="form",
        key=f"{key}:{part}" if part else key,
        fingerprint=digest_of_form(request, without=_NOT_VALUES),
        waits=True,
    )

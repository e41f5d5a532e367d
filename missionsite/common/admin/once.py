"""Forms that take effect once: a double click, a retry or two requests at the same time create one object.

Each form that creates something carries a random key (`{% form_key %}`). The key is stored in the transaction of the
effect, in the table of the API's idempotency keys, and pruned with them after a day. A second submission of the same
form changes nothing and leads to where the first one led.
"""

import re
import secrets
from collections.abc import Callable
from typing import NamedTuple

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from missionsite.common.admin.forms import reject
from missionsite.common.api.idempotency import Attempt, IdempotencyKeyReused, digest_of_form
from missionsite.common.errors import DomainError, translate_db_errors

FIELD = "form_key"
ALREADY_SAVED = "This was already saved."

_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
# What differs between two submissions of the same values: the CSRF token, and which of the save buttons was pressed.
_NOT_VALUES = frozenset((FIELD, "csrfmiddlewaretoken", "_save", "_addanother", "_continue"))


class FormKeyMissing(DomainError):
    """Nothing was saved: this page was opened before the site was updated. Check the values and send them again."""

    code = "form_key_missing"
    status = 422


class FormKeyReused(DomainError):
    """This form was already saved, with other values. To save these values as well, send them again."""

    code = "form_key_reused"
    status = 409


class NothingSaved(Exception):
    """Raised inside `once` when the form has errors: nothing is stored, and the same form may be sent again."""


class Saved(NamedTuple):
    """The effect of a form: the address to go to, and the message to show there.

    page: shown instead to the first submission, where something is shown once.
    """

    location: str
    message: str = ""
    page: HttpResponse | None = None
    # Whether an earlier submission of the same form had this effect.
    is_repeat: bool = False


def new_key() -> str:
    return secrets.token_urlsafe(16)


def once(request: HttpRequest, act: Callable[[], Saved], *, part: str = "") -> Saved:
    """Run `act` in one transaction with the request's form key, unless the same form was saved before.

    A second request with the same key waits until the first one has ended. part: tells several effects of one form
    apart, each of which is a transaction of its own.
    Raises FormKeyMissing, FormKeyReused, and whatever `act` raises; then nothing is stored.
    """
    attempt = _attempt_of(request, part)
    try:
        with translate_db_errors(), transaction.atomic():
            if earlier := attempt.earlier_answer():
                return Saved(earlier["Location"], is_repeat=True)
            saved = act()
            attempt.keep(HttpResponseRedirect(saved.location))
    except IdempotencyKeyReused as error:
        raise FormKeyReused from error
    return saved


def earlier(request: HttpRequest) -> Saved | None:
    """What this form led to when it was submitted before, for a page that may not be there any more."""
    try:
        found = _attempt_of(request, "").answer_kept()
    except (FormKeyMissing, IdempotencyKeyReused):
        return None
    return found and Saved(found["Location"], is_repeat=True)


def submit_once(
    request: HttpRequest, form: forms.Form, act: Callable[[], Saved], *, already_saved: str = ALREADY_SAVED
) -> HttpResponse | None:
    """Validate a form and run `act` once; None where the page is to be shown again, with the form's errors."""

    def run() -> Saved:
        if not form.is_valid():
            raise NothingSaved
        return act()

    try:
        saved = once(request, run)
    except NothingSaved:
        return None
    except DomainError as error:
        reject(form, error)
        return None
    return redirect_to(request, saved, already_saved=already_saved)


def redirect_to(request: HttpRequest, saved: Saved, *, already_saved: str = ALREADY_SAVED) -> HttpResponse:
    """Go to where a form led, with its message; the page of the first submission where it has one."""
    if saved.page is not None:
        return saved.page
    if saved.is_repeat:
        messages.info(request, already_saved)
    elif saved.message:
        messages.success(request, saved.message)
    return HttpResponseRedirect(saved.location)


def _attempt_of(request: HttpRequest, part: str) -> Attempt:
    key = request.POST.get(FIELD, "")
    if not _KEY.fullmatch(key):
        raise FormKeyMissing
    return Attempt(
        owner_id=request.user.pk,
        operation="form",
        key=f"{key}:{part}" if part else key,
        fingerprint=digest_of_form(request, without=_NOT_VALUES),
        waits=True,
    )

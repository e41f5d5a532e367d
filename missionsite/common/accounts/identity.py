"""Proof of identity before harmful operations of the back office: erasing, roles, tokens, passwords of others, exports.

A session that was left open, or stolen, must not be enough. So these operations need a log-in or a repeated proof of
identity (password, authenticator app, passkey) within REAUTHENTICATION_TIMEOUT. What needs it says so once:
`Action(asks_identity=True)`, `ModelAdmin.asks_identity()` for its forms, `prompt_for_identity()` in other views.
Requests with an API token have no session and come by other entry points.
"""

import time

from allauth.account import app_settings
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from missionsite.common.accounts.sessions import BEGAN
from missionsite.common.accounts.view_as import viewing_of
from missionsite.common.annotations import StrOrPromise
from missionsite.common.errors import DomainError


class IdentityNotConfirmed(DomainError):
    """The last proof of identity in this session is too old for the operation. Has a link to the page that asks."""

    message = _("Confirm your identity first, then send this form again.")
    code = "identity_not_confirmed"
    status = 403


def is_identity_confirmed(request: HttpRequest) -> bool:
    """Whether the member has logged in, or proved their identity again, within the time-out."""
    if not request.user.is_authenticated:
        return False
    times = [each["at"] for each in get_authentication_records(request, request.user)]
    latest = max([request.session.get(BEGAN, 0), *times])
    return time.time() - latest <= app_settings.REAUTHENTICATION_TIMEOUT


def identity_url(request: HttpRequest, then: str = "") -> str:
    """The page where the member proves their identity. then: the address it leads to, this page by default."""
    methods = get_adapter(request).get_reauthentication_methods(request.user)
    page = methods[0]["url"] if methods else reverse("account_log_in_again")
    return f"{page}?{urlencode({'next': then or request.get_full_path()})}"


def prompt_for_identity(
    request: HttpRequest, *, then: str = "", hint: StrOrPromise = ""
) -> HttpResponseRedirect | None:
    """Return the redirect to the page that asks for a proof of identity; None if there is a recent one.

    then: where to go afterwards, this address by default. hint: what to do there, shown while asking. Raises
    PermissionDenied for who views the site as another member.
    """
    if viewing_of(request):
        raise PermissionDenied
    if is_identity_confirmed(request):
        return None
    if hint:
        messages.info(request, hint)
    return HttpResponseRedirect(identity_url(request, then))


def require_identity(request: HttpRequest) -> None:
    """Raise IdentityNotConfirmed without a recent proof of identity. Its message is shown on the form, with a link."""
    if not is_identity_confirmed(request):
        if "application/json" in request.headers.get("Accept", ""):
            raise IdentityNotConfirmed
        link = format_html(
            '{} <a class="underline" href="{}" target="_blank" rel="noopener">{}</a>',
            IdentityNotConfirmed.message,
            identity_url(request),
            _("Confirm in a new tab"),
        )
        raise IdentityNotConfirmed(link)

"""Second factors: which roles require one, and what their members see until they have one."""

from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from missionsite.common.models import RoleRequirement

# In a session: the member must set up a second factor before anything else.
DUE = "second_factor_due"
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
# What stays open without one.
OPEN = ("/account/", "/logout/", "/language/", "/static/")


def lacks_factor(member: Any) -> bool:
    """Return whether a role of the member requires a second factor, and the member has none."""
    required = RoleRequirement.objects.filter(role__user=member, second_factor=True).exists()
    return required and not Authenticator.objects.filter(user=member, type__in=FACTORS).exists()


class SecondFactorMiddleware:
    """Lead a member whose role requires a second factor to the page where they set it up, from every other page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Without a session's cookie the session is not read, which would make the response vary by cookies.
        has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
        if has_session and request.session.get(DUE) and not request.path_info.startswith(OPEN):
            messages.warning(request, _("Your role requires a second factor. Set up one of these first."))
            return redirect(reverse("mfa_index"))
        return self.get_response(request)

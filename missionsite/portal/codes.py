"""Invitation codes a browser has seen open, and how often one code may be used to register."""

from hashlib import sha256

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from groups.services.registration import plain_code
from missionsite.common.api.limits import count_request
from missionsite.common.passwords import TooManyAttempts

COOKIE = "code"
# Seconds a browser may take over the registration form.
REMEMBERED = 3600


def knows_code(request: HttpRequest, code: str) -> bool:
    """Whether this browser was shown the registration form for this code."""
    return request.get_signed_cookie(COOKIE, "", max_age=REMEMBERED) == _digest(code)


def remember_code(response: HttpResponse, code: str) -> None:
    """Note in the browser that this code was open."""
    response.set_signed_cookie(
        COOKIE,
        _digest(code),
        max_age=REMEMBERED,
        path=reverse("portal:join"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def count_registration(code: str) -> None:
    """Count a registration with a code: each tells whether an e-mail is taken. Raises TooManyAttempts."""
    allowance = count_request(f"register:{_digest(code)}", settings.JOIN_ATTEMPTS_PER_MINUTE)
    if allowance and not allowance.allowed:
        raise TooManyAttempts(allowance.retry_after)


def _digest(code: str) -> str:
    return sha256(plain_code(code).encode("utf-8", "replace")).hexdigest()

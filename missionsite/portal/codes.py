"""The cookie of valid invitation codes, and the limit of registrations per code."""

from hashlib import sha256

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from groups.models import CommunityInvitation
from groups.services.registration import plain_code
from missionsite.common.api.limits import count_request
from missionsite.common.passwords import TooManyAttempts

COOKIE = f"{settings.COOKIE_PREFIX}code"
# Lifetime of the cookie, and so the time to complete the registration form.
COOKIE_SECONDS = 3600


def has_seen_code(request: HttpRequest, code: str) -> bool:
    """Whether this browser has seen the registration form for this code."""
    return request.get_signed_cookie(COOKIE, "", max_age=COOKIE_SECONDS) == _digest(code)


def set_code_cookie(response: HttpResponse, code: str) -> None:
    """Remember in the browser that this code was valid."""
    response.set_signed_cookie(
        COOKIE,
        _digest(code),
        max_age=COOKIE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def registrations_per_minute(invitation: CommunityInvitation) -> int:
    """The limit of registrations with an invitation; 0 for none. A class registers at once with one link."""
    least = settings.JOIN_ATTEMPTS_PER_MINUTE
    return least and max(least, 2 * invitation.max_uses)


def count_registration(code: str, invitation: CommunityInvitation) -> None:
    """Count an attempt to register with a code, as each reveals whether an e-mail is taken. Raises TooManyAttempts."""
    allowance = count_request(f"register:{_digest(code)}", registrations_per_minute(invitation))
    if allowance and not allowance.allowed:
        raise TooManyAttempts(allowance.retry_after)


def _digest(code: str) -> str:
    return sha256(plain_code(code).encode("utf-8", "replace")).hexdigest()

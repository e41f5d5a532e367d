"""The password of a registration whose other fields have to be corrected first.

The page never shows it again. The session has its hash, as the account would have it, bound to the invitation; the
password itself is nowhere.
"""

import time

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from groups.models import CommunityInvitation
from missionsite.common.api.limits import count_request

KEPT_SECONDS = 15 * 60
_KEY = "registration_password"


def keep_password(request: HttpRequest, invitation: CommunityInvitation, password: str) -> str:
    """Keep the hash of a password that is good enough, and return it; nothing where this is tried too often."""
    # A hash is slow on purpose: whoever has a code must not be able to order any number of them.
    allowance = count_request(f"kept password:{invitation.pk}", settings.JOIN_ATTEMPTS_PER_MINUTE)
    if allowance and not allowance.allowed:
        return ""
    hashed = make_password(password)
    request.session[_KEY] = {"invitation": str(invitation.pk), "hash": hashed, "until": time.time() + KEPT_SECONDS}
    request.session.set_expiry(KEPT_SECONDS)
    return hashed


def kept_password(request: HttpRequest, invitation: CommunityInvitation) -> str:
    """The hash kept for the registration with this invitation; empty where there is none, or its time is over."""
    kept = request.session.get(_KEY)
    if kept is None or kept["invitation"] != str(invitation.pk):
        return ""
    if kept["until"] < time.time():
        forget_password(request)
        return ""
    return kept["hash"]


def forget_password(request: HttpRequest) -> None:
    """Keep it no longer."""
    if request.session.pop(_KEY, None):
        request.session.set_expiry(None)

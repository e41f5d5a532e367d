"""The password of a registration whose other fields have to be corrected first.

The page never shows it again. The session has its hash, as the account would have it, bound to the invitation; the
password itself is nowhere.
"""

import time

from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from groups.models import CommunityInvitation

KEPT_SECONDS = 15 * 60
_KEY = "registration_password"


def keep_password(request: HttpRequest, invitation: CommunityInvitation, password: str) -> str:
    """Keep the hash of a password that is good enough, and return it."""
    hashed = make_password(password)
    request.session[_KEY] = {"invitation": str(invitation.pk), "hash": hashed, "until": time.time() + KEPT_SECONDS}
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
    request.session.pop(_KEY, None)

"""The password of a registration whose other fields must be corrected first.

The page never shows it again. The session stores its hash, as for an account, with the invitation; the password itself
is not stored.
"""

import time

from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from groups.models import CommunityInvitation
from missionsite.common.api.limits import count_request
from missionsite.portal.codes import registrations_per_minute

KEEP_SECONDS = 15 * 60
_KEY = "registration_password"


def store_pending_password(request: HttpRequest, invitation: CommunityInvitation, password: str) -> str:
    """Store the hash of a valid password in the session and return it; empty after too many attempts."""
    # Hashing is slow on purpose, so its number is limited for each invitation.
    allowance = count_request(f"pending password:{invitation.pk}", registrations_per_minute(invitation))
    if allowance and not allowance.allowed:
        return ""
    hashed = make_password(password)
    request.session[_KEY] = {"invitation": str(invitation.pk), "hash": hashed, "until": time.time() + KEEP_SECONDS}
    request.session.set_expiry(KEEP_SECONDS)
    return hashed


def get_pending_password(request: HttpRequest, invitation: CommunityInvitation) -> str:
    """The stored hash for the registration with this invitation; empty if there is none or it has expired."""
    stored = request.session.get(_KEY)
    if stored is None or stored["invitation"] != str(invitation.pk):
        return ""
    if stored["until"] < time.time():
        clear_pending_password(request)
        return ""
    return stored["hash"]


def clear_pending_password(request: HttpRequest) -> None:
    """Delete the stored hash."""
    if request.session.pop(_KEY, None):
        request.session.set_expiry(None)

"""Limits of sessions, and the end of a member's access."""

import json
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from missionsite.common.activity import note_visit
from missionsite.common.audit.security import record_security_event
from missionsite.common.live import ACCESS_ENDED
from missionsite.common.models import ApiToken
from missionsite.common.tokens import revoke_token
from missionsite.common.transactions import service

# When the session began and was last used, in seconds since 1970.
BEGAN, SEEN = "began_at", "seen_at"
# The last use is written at most this often.
PRECISION = 60


@service
def end_access(*, actor: Model, member: Any, reason: str, keep_session: str | None = None) -> None:
    """End all sessions of a member, revoke their API tokens and close their live pages.

    reason: what ended it, such as `deactivated`. keep_session: the key of a session that goes on.
    """
    end_sessions(member=member, keep_session=keep_session)
    tokens = ApiToken.objects.usable().filter(owner=member)
    for token in tokens:
        revoke_token(actor=actor, token=token)
    record_security_event("access.ended", actor=actor, member=member, reason=reason)


def end_sessions(*, member: Any, keep_session: str | None = None) -> None:
    """End the sessions of a member and close their live pages, in the transaction of the caller."""
    from allauth.usersessions.models import UserSession

    sessions = UserSession.objects.filter(user=member).exclude(session_key=keep_session or "")
    keys = list(sessions.values_list("session_key", flat=True))
    if keys:
        Session.objects.filter(session_key__in=keys).delete()
        sessions.delete()
    with connection.cursor() as cursor:
        # Sent at commit, to every process.
        cursor.execute("SELECT pg_notify(%s, %s)", [ACCESS_ENDED, json.dumps({"member": str(member.pk)})])


def begin_session(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
    """Note when a session begins. Connected to the signal of each log-in."""
    request.session[BEGAN] = request.session[SEEN] = int(time.time())
    note_visit(request, kwargs["user"].pk)


def renew_session(request: HttpRequest) -> None:
    """Give a session another key, so that whoever knows the old one has no use of it."""
    from allauth.usersessions.models import UserSession

    old = request.session.session_key
    request.session.cycle_key()
    UserSession.objects.filter(session_key=old).update(session_key=request.session.session_key)


class SessionLimitsMiddleware:
    """End a session that is older than SESSION_LIFETIME or was not used for SESSION_IDLE."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Reading the session would make the response vary by cookies, also where nothing depends on it.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and SESSION_KEY in (session := request.session):
            now = int(timezone.now().timestamp())
            seen = session.get(SEEN, 0)
            if now - session.get(BEGAN, 0) > settings.SESSION_LIFETIME.total_seconds():
                self._end(request, "lifetime")
            elif now - seen > settings.SESSION_IDLE.total_seconds():
                self._end(request, "idle")
            elif now - seen > PRECISION:
                session[SEEN] = now
                note_visit(request, session[SESSION_KEY])
        return self.get_response(request)

    @staticmethod
    def _end(request: HttpRequest, reason: str) -> None:
        user: Any = request.user
        record_security_event("session.expired", actor=user if user.is_authenticated else None, reason=reason)
        logout(request)

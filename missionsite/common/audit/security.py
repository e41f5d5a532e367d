"""The security log: who logged in, failed to, was denied, and who changed rights, tokens and factors.

`record_security_event()` writes one row of `security_events` and one log line. `audit()` adds the events of apps that
concern access: see MIRRORED.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.db import Error, transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from missionsite.common.addresses import client_address, network_of
from missionsite.common.annotations import StrOrPromise
from missionsite.common.request_context import current_request

logger = logging.getLogger("missionsite.security")

# Denied requests per network and minute that are stored; more of them are only logged.
DENIED_PER_MINUTE = 30
LONGEST_AGENT = 300

SECURITY_LABELS: Mapping[str, StrOrPromise] = {
    "session.started": _("Logged in"),
    "session.failed": _("Log-in failed"),
    "session.limited": _("Too many attempts"),
    "session.confirmed": _("Identity confirmed"),
    "session.ended": _("Logged out"),
    "session.expired": _("Session expired"),
    "access.denied": _("Access denied"),
    "access.ended": _("Sessions and tokens ended"),
    "address.confirmed": _("E-mail confirmed"),
    "factor.added": _("Second factor added"),
    "factor.removed": _("Second factor removed"),
    "factor.renewed": _("Recovery codes renewed"),
    "viewing.started": _("Viewing as another member started"),
    "viewing.ended": _("Viewing as another member ended"),
    "data.exported": _("Data exported"),
}
# Events of the apps that are also in the security log. Of an edited member, only changes of access.
MIRRORED = frozenset(
    {
        "token.created",
        "token.revoked",
        "role.created",
        "role.changed",
        "member.created",
        "member.roles_changed",
        "member.password_set",
        "member.password_removed",
        "directory.erased",
        "project.member_removed",
        "project.role_set",
    }
)
_ACCESS_FIELDS = frozenset({"email", "is_active", "is_staff", "is_superuser"})


def record_security_event(type_: str, *, actor: Any = None, member: Any = None, **payload: Any) -> Model:
    """Record an event with the address, client and id of the current request, and log it in one line.

    actor: who acts, the system member included. member: whose access it concerns. payload: JSON values without secrets.
    """
    from missionsite.common.models import SecurityEvent

    request = current_request()
    address = client_address(request) if request else None
    row = SecurityEvent.objects.create(
        type=type_,
        actor=actor,
        member=member,
        address=str(address) if address else None,
        user_agent=user_agent(request),
        request_id=getattr(request, "id", ""),
        payload={name: value for name, value in payload.items() if value not in (None, "")},
    )
    about = member or actor
    details = {"event": type_, "member": str(about.pk) if about else "-", "address": str(address or "-")}
    logger.info("%s member=%s address=%s", *details.values(), extra=details)
    return row


def mirror(type_: str, *, actor: Model, fields: Mapping[str, Any]) -> None:
    """Record an event of an app in the security log too, if it concerns access. `audit()` calls this."""
    changed = fields.get("changed") or {}
    if type_ in MIRRORED or (type_ == "member.changed" and _ACCESS_FIELDS & set(changed)):
        payload = {name: value for name, value in fields.items() if not isinstance(value, Model)}
        member = fields.get("member")
        about = member if isinstance(member, Model) else None
        # What is an event's link is a text where the event is about something else.
        record_security_event(type_, actor=actor, member=about, of=payload.pop("member", None), **payload)


class DeniedAccessMiddleware:
    """Record each response 403, at most DENIED_PER_MINUTE of a network in a minute."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code == 403:
            self._record(request)
        return response

    def _record(self, request: HttpRequest) -> None:
        match = request.resolver_match
        route = f"/{match.route}" if match else "-"
        # A token's member is request.auth.member; a page's, the one who is logged in.
        member = getattr(getattr(request, "auth", None), "member", None) or getattr(request, "user", None)
        who = member if member is not None and getattr(member, "pk", None) else None
        record_within_limit(request, "access.denied", actor=who, method=request.method, route=route)


def record_within_limit(request: HttpRequest, type_: str, **fields: Any) -> None:
    """Record an event that anyone can cause: at most DENIED_PER_MINUTE of its kind and network in a minute."""
    from missionsite.common.api.limits import count_request

    try:
        allowance = count_request(f"{type_}:{network_of(request)}", DENIED_PER_MINUTE)
        if allowance is None or allowance.allowed:
            with transaction.atomic():
                record_security_event(type_, **fields)
    except Error:
        # The response stays what it is: access was denied.
        logger.warning("%s was not stored", type_, exc_info=True)


def user_agent(request: HttpRequest | None) -> str:
    """Return the User-Agent as printable text of limited length."""
    text = request.headers.get("User-Agent", "") if request else ""
    return "".join(each for each in text if each.isprintable())[:LONGEST_AGENT]

"""What members do, reported by every app through one signal; `engagement` receives it.

`service` marks the request in which a person changes something, and ActivityMiddleware reports it; chats are reported
by report_activity(). A person's own session counts, and an API token that its owner uses themselves; those of CI jobs,
gateways and daemons do not. Jobs, commands and signed requests are programs.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from missionsite.common.models import TokenKind
from missionsite.common.request_context import current_request

# seen: IDs of members, each with the time of their last activity. took_part: whether they changed something or took
# part in a chat; False for visits.
member_acted = Signal()


def report_activity(seen: Mapping[UUID, datetime], *, took_part: bool) -> None:
    """Report activity of members in the transaction of the caller. Arguments: see member_acted."""
    if seen:
        member_acted.send(sender=None, seen=seen, took_part=took_part)


def note_change(actor: Model) -> None:
    """Note that this actor changed something in the current request, if it is a request of their own."""
    request: Any = current_request()
    if request is not None and _person(request) == actor.pk:
        request.changed_by = actor.pk


def note_visit(request: HttpRequest, member_id: Any) -> None:
    """Note that a member uses the site in a session of their own."""
    # A page that refreshes itself is no visit.
    if "X-Fragment" not in request.headers:
        request.visited_by = member_id  # type: ignore[attr-defined]


def _person(request: Any) -> Any:
    """Return the ID of the person whose session or own token this request has; None for programs."""
    if caller := getattr(request, "auth", None):
        token = getattr(caller, "token", None)
        return caller.member.pk if token and token.kind == TokenKind.PERSON else None
    user = getattr(request, "user", None)
    return user.pk if user is not None and user.is_authenticated else None


class ActivityMiddleware:
    """Report the activity of a request after its transactions."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        changed_by, visited_by = getattr(request, "changed_by", None), getattr(request, "visited_by", None)
        if (response.status_code < 400 and changed_by) or visited_by:
            # Errors are logged: the response stays what it is.
            member_acted.send_robust(
                sender=None, seen={UUID(str(changed_by or visited_by)): timezone.now()}, took_part=bool(changed_by)
            )
        return response

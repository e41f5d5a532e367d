"""Lifecycle page: a diagram with the members in each state and the transitions of the last week."""

from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from engagement.admin.base import VIEW_STATES
from engagement.models import EngagementStateTransition, UserEngagementState
from engagement.rules import TRANSITIONS, State, TransitionTrigger
from missionsite.common.admin import ModelAdmin
from missionsite.common.admin.formats import format_number, list_url

WEEK = timedelta(days=7)
HALF_WIDTH, HALF_HEIGHT = 78, 34
# Centre of each state's box in the diagram.
POSITIONS = {
    State.ACTIVE: (96, 300),
    State.GOODBYE_SENT: (400, 300),
    State.HELP_FLOW: (400, 130),
    State.REMIND_LATER: (400, 480),
    State.DORMANT: (724, 300),
}


@dataclass(frozen=True)
class Arrow:
    """Line of a transition in the diagram, with the position and anchor of its label."""

    line: str
    x: int
    y: int
    anchor: str = "middle"


ARROWS: dict[tuple[str, str], Arrow] = {
    (State.ACTIVE, TransitionTrigger.INACTIVITY_14D): Arrow("M174 284 H322", 248, 258),
    (State.GOODBYE_SENT, TransitionTrigger.USER_MESSAGE): Arrow("M322 316 H174", 248, 338),
    (State.GOODBYE_SENT, TransitionTrigger.GOODBYE_RESPONSE_1): Arrow("M400 266 V164", 410, 210, "start"),
    (State.GOODBYE_SENT, TransitionTrigger.GOODBYE_RESPONSE_2): Arrow("M400 334 V446", 410, 386, "start"),
    (State.GOODBYE_SENT, TransitionTrigger.GOODBYE_RESPONSE_3): Arrow("M478 284 H646", 562, 258),
    (State.GOODBYE_SENT, TransitionTrigger.GOODBYE_TIMEOUT): Arrow("M478 316 H646", 562, 338),
    (State.HELP_FLOW, TransitionTrigger.USER_MESSAGE): Arrow("M322 130 Q124 130 124 266", 178, 200, "start"),
    (State.REMIND_LATER, TransitionTrigger.USER_MESSAGE): Arrow("M322 480 Q124 480 124 334", 178, 400, "start"),
    (State.REMIND_LATER, TransitionTrigger.REMINDER_DUE): Arrow("M478 480 Q724 480 724 334", 672, 410, "end"),
    (State.DORMANT, TransitionTrigger.USER_MESSAGE): Arrow("M724 266 C724 -20 70 -20 70 266", 400, 28),
}


def lifecycle_view(request: HttpRequest, *, model_admin: ModelAdmin) -> HttpResponse:
    """Render the diagram and its tables; for `X-Fragment: lifecycle` without the page around them."""
    if not request.user.has_perm(VIEW_STATES):
        raise PermissionDenied
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Lifecycle"),
        "opts": model_admin.opts,
        "no_tabs": True,
        "at": timezone.now(),
        **lifecycle_numbers(),
    }
    request.current_app = model_admin.admin_site.name
    fragment = request.headers.get("X-Fragment") == "lifecycle"
    template = "engagement/_lifecycle.html" if fragment else "engagement/lifecycle.html"
    return TemplateResponse(request, template, context, headers={"Cache-Control": "no-store", "Vary": "X-Fragment"})


def lifecycle_numbers() -> dict:
    """Return the members in each state and the count of each transition in the last week, in two queries."""
    members = dict(UserEngagementState.objects.order_by().values_list("state").annotate(Count("pk")))
    recent = EngagementStateTransition.objects.filter(created_at__gte=timezone.now() - WEEK).order_by()
    moved = {
        (before, trigger): count
        for before, trigger, count in recent.values_list("from_state", "trigger").annotate(Count("pk"))
    }
    since = timezone.localdate(timezone.now() - WEEK).isoformat()
    states = [
        {
            "name": state.value,
            "label": state.label,
            "count": format_number(members.get(state, 0)),
            "x": x,
            "y": y,
            "left": x - HALF_WIDTH,
            "top": y - HALF_HEIGHT,
            "list": list_url(UserEngagementState, state__exact=state.value),
        }
        for state, (x, y) in POSITIONS.items()
    ]
    moves = [
        {
            "before": State(before).label,
            "why": TransitionTrigger(trigger).label,
            "after": State(after).label,
            "count": format_number(moved.get((before, trigger), 0)),
            "arrow": ARROWS[before, trigger],
            "list": list_url(
                EngagementStateTransition,
                from_state__exact=str(State(before).value),
                trigger__exact=str(TransitionTrigger(trigger).value),
                created_at_from=since,
            ),
        }
        for (before, trigger), after in TRANSITIONS.items()
    ]
    return {
        "states": states,
        "moves": moves,
        "width": 2 * HALF_WIDTH,
        "height": 2 * HALF_HEIGHT,
        "total": sum(members.values()),
        "members": format_number(sum(members.values())),
    }

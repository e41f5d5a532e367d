"""The home page of the back office: what waits for the member, key figures, plots, health and the latest events."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from groups.admin.base import actor_of
from groups.models import Event
from missionsite.common import replica
from missionsite.common.admin.formats import format_datetime, link_to
from missionsite.common.annotations import StrOrPromise
from missionsite.common.audit.events import event_label
from missionsite.dashboard.cards import cards_of
from missionsite.dashboard.health import health_of
from missionsite.dashboard.needs import needs_of
from missionsite.dashboard.plots import plots_of
from missionsite.dashboard.reading import Reading

# Events shown, of the newest ones that are read: a notification follows from another event, and may go to many.
LATEST_EVENTS, NEWEST_EVENTS = 8, 100
NOT_SHOWN = ("notification.created",)


def add_dashboard(request: HttpRequest, context: dict) -> dict:
    """Add what the page shows to its context, in a fixed number of queries for each role."""
    reading = Reading(request)
    context["needs"] = needs_of(reading)
    context["cards"] = cards_of(reading)
    context["plots"] = replica.read(request, lambda: plots_of(reading))
    context["figures_at"] = format_datetime(reading.stored.refreshed_at) if reading.stored.refreshed_at else ""
    context["health"] = health_of(request)
    context["first_steps"] = _first_steps(request) if not reading.counters[0] else []
    if request.user.has_perm("groups.view_event"):
        read = Event.objects.values("pk")[:NEWEST_EVENTS]
        newest = Event.objects.filter(pk__in=read).exclude(type__in=NOT_SHOWN)
        newest = newest.select_related("actor", "member", "group")[:LATEST_EVENTS]
        context["newest_rows"] = [_event_row(event) for event in newest]
    return context


def _event_row(event: Event) -> list[tuple[StrOrPromise, str]]:
    return [
        (_("When"), format_datetime(event.occurred_at)),
        (_("What"), event_label(event.type)),
        (_("Member"), link_to(event.member)),
        (_("Mission or colony"), link_to(event.group)),
        (_("By"), actor_of(event)),
    ]


def _first_steps(request: HttpRequest) -> list[dict]:
    """The first steps on an empty site, in order."""
    steps: list[tuple[StrOrPromise, StrOrPromise, str, str]] = [
        (_("Create the colony"), _("The root that all missions belong to."), "colony", "groups.add_colony"),
        (
            _("Create a mission"),
            _("Members join missions, which can require a trust score."),
            "mission",
            "groups.add_mission",
        ),
        (_("Add members"), _("Enter the name and e-mail of each person."), "member", "groups.add_member"),
        (
            _("Add them to a mission"),
            _("A membership connects a member with a mission."),
            "membership",
            "groups.manage_memberships",
        ),
    ]
    return [
        {"title": title, "text": text, "link": reverse(f"admin:groups_{model}_add")}
        for title, text, model, permission in steps
        if request.user.has_perm(permission)
    ]

"""Calendar feeds as iCalendar."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db.models import Case, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext
from icalendar import Calendar, Event, Todo

from missiondeck.models import DeckFeed, DeckMission, DeckStatus
from missionsite.common.constraints import replace_control_characters

# How long after its deadline a complete mission is shown.
RETENTION = timedelta(days=365)
# Missions per calendar; programs fail on larger ones.
MAX_MISSIONS = 2_000


def missions_of(feed: DeckFeed) -> QuerySet[DeckMission]:
    """The missions of a feed: open ones, and recently completed ones."""
    shown = DeckMission.objects.exclude(status=DeckStatus.COMPLETE, deadline__lt=timezone.now() - RETENTION)
    if feed.only_own:
        shown = shown.filter(assignee=feed.member)
    # Open missions come first, so that the limit never removes them.
    is_over = Case(When(status=DeckStatus.COMPLETE, then=Value(1)), default=Value(0))
    return shown.order_by(is_over, "deadline", "number")[:MAX_MISSIONS]


def calendar_of(feed: DeckFeed, *, link: Callable[[DeckMission], str]) -> bytes:
    """A feed as iCalendar (RFC 5545): an event and a to-do for each deadline, with stable UIDs.

    link: a function that returns the page URL of a mission.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Missionsite//missiondeck//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", gettext("Client missions"))
    for mission in missions_of(feed):
        calendar.add_component(_component(Event(), "event", mission, link(mission)))
        calendar.add_component(_component(Todo(), "todo", mission, link(mission)))
    return calendar.to_ical()


def _component(part: Event | Todo, kind: str, mission: DeckMission, url: str) -> Event | Todo:
    part.add("uid", f"deck-{mission.pk}-{kind}@missionsite")
    part.add("dtstamp", mission.updated_at)
    part.add("last-modified", mission.updated_at)
    part.add("created", mission.created_at)
    # A strict reader rejects a calendar with a control character (RFC 5545, 3.1: TSAFE-CHAR).
    summary = f"#{mission.number} {mission.title} ({mission.client})"
    description = f"{mission.get_status_display()}, {mission.budget} {mission.currency}, {mission.assigned_to}"
    part.add("summary", replace_control_characters(summary))
    part.add("description", replace_control_characters(description))
    part.add("url", url)
    if kind == "event":
        # A deadline has no duration and does not mark time as busy.
        part.add("dtstart", mission.deadline)
        part.add("transp", "TRANSPARENT")
        return part
    part.add("due", mission.deadline)
    if mission.status == DeckStatus.COMPLETE:
        part.add("status", "COMPLETED")
        part.add("completed", mission.completed_at)
        part.add("percent-complete", 100)
    else:
        part.add("status", "IN-PROCESS" if mission.status == DeckStatus.QA else "NEEDS-ACTION")
    return part

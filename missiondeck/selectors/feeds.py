"""Calendar feeds as iCalendar."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.db.models import Case, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext
from icalendar import Alarm, Calendar, Event, Todo, vDuration

from missiondeck.models import DeckFeed, DeckMission, DeckStatus
from missionsite.common.constraints import replace_control_characters

# How long after its deadline a complete mission is shown.
RETENTION = timedelta(days=365)
# How long a deadline is shown: some programs show no event without a duration.
LENGTH = timedelta(minutes=30)
# How often programs should fetch a calendar again.
REFRESH = timedelta(hours=1)
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
    name = replace_control_characters(gettext("Client missions: %(name)s") % {"name": feed.name})
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH).to_ical().decode())
    for mission in missions_of(feed):
        calendar.add_component(_component(Event(), "event", mission, link(mission), feed))
        calendar.add_component(_component(Todo(), "todo", mission, link(mission), feed))
    return calendar.to_ical()


def _component(part: Event | Todo, kind: str, mission: DeckMission, url: str, feed: DeckFeed) -> Event | Todo:
    is_complete = mission.status == DeckStatus.COMPLETE
    part.add("uid", f"deck-{mission.pk}-{kind}@missionsite")
    part.add("dtstamp", mission.updated_at)
    part.add("last-modified", mission.updated_at)
    part.add("created", mission.created_at)
    # Grows with each change of the mission.
    part.add("sequence", int((mission.updated_at - mission.created_at).total_seconds()))
    # A strict reader rejects a calendar with a control character (RFC 5545, 3.1: TSAFE-CHAR).
    # Google and Outlook show no to-dos, so the event is marked as well.
    summary = f"{'✓ ' if is_complete else ''}#{mission.number} {mission.title} ({mission.client})"
    details = [
        mission.get_status_display(),
        "" if feed.hides_budget else f"{mission.budget} {mission.currency}",
        "" if feed.hides_addresses else mission.assigned_to,
    ]
    description = ", ".join(filter(None, details))
    part.add("summary", replace_control_characters(summary))
    part.add("description", replace_control_characters(description))
    part.add("url", url)
    if kind == "event":
        # A deadline does not mark time as busy.
        part.add("dtstart", mission.deadline)
        part.add("dtend", mission.deadline + LENGTH)
        part.add("transp", "TRANSPARENT")
        part.add("status", "CONFIRMED")
        if feed.alarm_hours and not is_complete:
            part.add_component(_alarm(feed.alarm_hours, replace_control_characters(summary)))
        return part
    part.add("due", mission.deadline)
    if is_complete:
        part.add("status", "COMPLETED")
        part.add("completed", mission.completed_at)
        part.add("percent-complete", 100)
    else:
        part.add("status", "IN-PROCESS" if mission.status == DeckStatus.QA else "NEEDS-ACTION")
    return part


def _alarm(hours: int, text: str) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", text)
    alarm.add("trigger", timedelta(hours=-hours))
    return alarm

"""Calendar feeds: deadlines at a secret URL that can be revoked."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db.models import Case, QuerySet, Value, When
from django.utils import timezone
from icalendar import Calendar, Event, Todo

from groups.models import Member
from missiondeck.errors import TooManyFeeds
from missiondeck.models import DeckFeed, DeckMission, DeckStatus
from missiondeck.rules import MAX_FEEDS
from missionsite.common.audit.events import audit
from missionsite.common.constraints import replace_control_characters
from missionsite.common.transactions import service

PERMISSION = "missiondeck.view_deckmission"
# How long after its deadline a complete mission is shown.
RETENTION = timedelta(days=365)
# Missions per calendar; programs fail on larger ones.
MAX_MISSIONS = 2_000


@service
def create_feed(*, actor: Member, name: str, only_own: bool = False) -> tuple[DeckFeed, str]:
    """Create a feed of the actor. Returns it with its secret, which is not stored and cannot be shown again.

    Raises TooManyFeeds.
    """
    if DeckFeed.objects.filter(member=actor, revoked_at=None).count() >= MAX_FEEDS:
        raise TooManyFeeds
    secret = secrets.token_urlsafe(32)
    feed = DeckFeed.objects.create(member=actor, name=name.strip(), only_own=only_own, digest=_digest(secret))
    feed.refresh_from_db()
    audit("calendar_feed.created", actor=actor, member=actor, feed=str(feed.pk))
    return feed, secret


@service
def revoke_feed(*, actor: Member, feed: DeckFeed) -> DeckFeed:
    """Revoke a feed permanently."""
    if DeckFeed.objects.filter(pk=feed.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit("calendar_feed.revoked", actor=actor, member=feed.member, feed=str(feed.pk))
    feed.refresh_from_db()
    return feed


@service
def read_feed(*, secret: str) -> DeckFeed | None:
    """The feed of a secret, with last_read_at set; None if unknown, revoked, or its owner lost the permission."""
    feed = DeckFeed.objects.select_related("member").filter(digest=_digest(secret), revoked_at=None).first()
    if feed is None or not (feed.member.is_active and feed.member.is_staff and feed.member.has_perm(PERMISSION)):
        return None
    DeckFeed.objects.filter(pk=feed.pk).update(last_read_at=timezone.now())
    return feed


def missions_of(feed: DeckFeed) -> QuerySet[DeckMission]:
    """The missions of a feed: open ones, and recently completed ones."""
    shown = DeckMission.objects.exclude(status=DeckStatus.COMPLETE, deadline__lt=timezone.now() - RETENTION)
    if feed.only_own:
        shown = shown.filter(assignee=feed.member)
    # Open missions come first, so that the limit never removes them.
    is_over = Case(When(status=DeckStatus.COMPLETE, then=Value(1)), default=Value(0))
    return shown.order_by(is_over, "deadline", "number")[:MAX_MISSIONS]


def calendar_of(feed: DeckFeed, *, link) -> bytes:
    """A feed as iCalendar (RFC 5545): an event and a to-do for each deadline, with stable UIDs.

    link: a function that returns the page URL of a mission.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Missionsite//Mission deck//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "Client missions")
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


def _digest(secret: str) -> str:
    """The SHA-256 digest of a secret. A random value of 256 bits needs no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()

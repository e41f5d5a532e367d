"""Why a message waits, in words."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from engagement.models import EngagementMessage, EngagementTransport, Status, UserProfile, WaitingFor
from engagement.services.blocking import with_block_text
from engagement.services.claims import in_hand
from missionsite.common.admin.formats import format_datetime


def why_waiting(message: EngagementMessage, *, profile: UserProfile | None, at: datetime | None = None) -> str:
    """A sentence for a pending message; empty for one that waits no more."""
    at = at or timezone.now()
    if message.status != Status.PENDING:
        return ""
    blocked = block_text(message)
    if held := in_hand([message.pk]):
        sender, until = held[message.pk]
        if until >= at:
            held_by = f"The sender {sender} has it until {format_datetime(until)}."
            return f"{held_by} {blocked} It is cancelled unless it was sent already." if blocked else held_by
        if not blocked:
            return f"Its sender {sender} is gone; another one takes it within a minute."
    if blocked:
        turn = f", at {format_datetime(message.scheduled_for)}" if message.scheduled_for > at else ""
        return f"{blocked} It is cancelled when its turn comes{turn}."
    if message.scheduled_for > at:
        return _until(message, profile)
    transport = EngagementTransport.objects.filter(pk=settings.ENGAGEMENT_TRANSPORT).first()
    if transport and transport.opened_at:
        again = f" It is tried again at {format_datetime(transport.retry_at)}." if transport.retry_at else ""
        return (
            f"The way of sending ({transport.name}) is down since {format_datetime(transport.opened_at)}:"
            f" {transport.last_error or 'no words'}.{again} Nothing uses up its tries meanwhile."
        ).replace("..", ".")
    if transport and transport.catching_up:
        return "It is due; the way of sending was down and catches up slowly."
    return "It is due; the next sender takes it. Nothing is sent while no sender runs."


def block_text(message: EngagementMessage) -> str:
    """Why a message would be cancelled now instead of sent; empty where it would not."""
    found = with_block_text(EngagementMessage.objects.filter(pk=message.pk))
    return found.values_list("block_text", flat=True).first() or ""


def _until(message: EngagementMessage, profile: UserProfile | None) -> str:
    until = format_datetime(message.scheduled_for)
    match message.waiting_for:
        case WaitingFor.QUIET_HOURS:
            zone = profile.timezone if profile else "UTC"
            hours = f"{settings.ENGAGEMENT_QUIET_FROM:%H:%M} to {settings.ENGAGEMENT_QUIET_TO:%H:%M}"
            return f"It was night for the member ({hours} in {zone}): it waits until {until}."
        case WaitingFor.ATTENTION_BUDGET:
            days = settings.ENGAGEMENT_BUDGET_SPAN.days
            return (
                f"The member had {settings.ENGAGEMENT_BUDGET} messages no one asked for in {days} days: it waits until"
                f" {until}."
            )
        case WaitingFor.RETRY:
            return f"Try {message.retry_count} of {settings.ENGAGEMENT_ATTEMPTS} failed: it is tried again at {until}."
        case WaitingFor.STAFF:
            return f"Staff postponed it until {until}."
    return f"It is not due before {until}."

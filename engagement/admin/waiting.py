"""Explains what a pending message is waiting for."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone

from engagement.models import EngagementMessage, EngagementTransport, UserProfile
from engagement.rules import Status, WaitingFor
from engagement.selectors.blocking import format_block_reason, with_block_reason
from engagement.selectors.claims import find_claims
from missionsite.common.admin.formats import format_datetime


def explain_waiting(message: EngagementMessage, *, profile: UserProfile | None, at: datetime | None = None) -> str:
    """Return what a pending message is waiting for; empty for any other status."""
    at = at or timezone.now()
    if message.status != Status.PENDING:
        return ""
    blocked = explain_block(message)
    if claims := find_claims([message.pk]):
        sender, until = claims[message.pk]
        if until >= at:
            claimed_text = f"Being sent by {sender} until {format_datetime(until)}."
            return f"{claimed_text} {blocked} It is cancelled unless it is already sent." if blocked else claimed_text
        if not blocked:
            return f"Its sender {sender} has stopped. Another sender takes over within a minute."
    if blocked:
        due = f" at {format_datetime(message.scheduled_for)}" if message.scheduled_for > at else ""
        return f"{blocked} It will be cancelled when it is due{due}."
    if message.scheduled_for > at:
        return _until(message, profile)
    transport = EngagementTransport.objects.filter(pk=settings.ENGAGEMENT_TRANSPORT).first()
    if transport and transport.opened_at:
        again = f" Next attempt at {format_datetime(transport.retry_at)}." if transport.retry_at else ""
        return (
            f"The transport {transport.name} has been down since {format_datetime(transport.opened_at)}:"
            f" {transport.last_error or 'no error message'}.{again} This does not count as a failed attempt."
        ).replace("..", ".")
    if transport and transport.is_recovering:
        return "Due. The transport was down and is recovering at a limited rate."
    return "Due. The next sender takes it; nothing is sent while no sender is running."


def explain_block(message: EngagementMessage) -> str:
    """Return why a message would be cancelled instead of sent; empty if it would be sent."""
    found = with_block_reason(EngagementMessage.objects.filter(pk=message.pk))
    return format_block_reason(found.values_list("block_reason", flat=True).first())


def _until(message: EngagementMessage, profile: UserProfile | None) -> str:
    until = format_datetime(message.scheduled_for)
    match message.waiting_for:
        case WaitingFor.QUIET_HOURS:
            zone = profile.timezone if profile else "UTC"
            hours = f"{settings.ENGAGEMENT_QUIET_FROM:%H:%M} to {settings.ENGAGEMENT_QUIET_TO:%H:%M}"
            return f"Quiet hours of the member ({hours} in {zone}). Scheduled for {until}."
        case WaitingFor.FREQUENCY_CAP:
            days = settings.ENGAGEMENT_FREQUENCY_CAP_PERIOD.days
            return (
                f"The member received the maximum of {settings.ENGAGEMENT_FREQUENCY_CAP} unsolicited messages in {days}"
                f" days. Scheduled for {until}."
            )
        case WaitingFor.RETRY:
            return f"Attempt {message.retry_count} of {settings.ENGAGEMENT_ATTEMPTS} failed. Next attempt at {until}."
        case WaitingFor.STAFF:
            return f"Postponed by staff until {until}."
    return f"Scheduled for {until}."

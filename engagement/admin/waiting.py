"""Explains what a pending message is waiting for."""

from datetime import datetime

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from engagement.models import EngagementMessage, EngagementTransport, UserProfile
from engagement.rules import Status, WaitingFor
from engagement.selectors.addresses import route_of, site_channels
from engagement.selectors.blocking import format_block_reason, with_block_reason
from engagement.selectors.claims import find_claims
from engagement.selectors.send_times import hours_without_messages
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
            claimed = _("Being sent by {sender} until {time}.").format(sender=sender, time=format_datetime(until))
            if not blocked:
                return claimed
            return f"{claimed} {blocked} " + _("It is cancelled unless it is already sent.")
        if not blocked:
            return _("Its sender {sender} has stopped. Another sender takes over within a minute.").format(
                sender=sender
            )
    if blocked:
        if message.scheduled_for <= at:
            return f"{blocked} " + _("It will be cancelled when it is due.")
        due = format_datetime(message.scheduled_for)
        return f"{blocked} " + _("It will be cancelled when it is due at {time}.").format(time=due)
    if message.scheduled_for > at:
        return _until(message, profile)
    name = settings.ENGAGEMENT_TRANSPORT
    if site_channels() and (route := route_of(message)):
        name = route[0]
    transport = EngagementTransport.objects.filter(pk=name).first()
    if transport and transport.opened_at:
        return _down(transport)
    if transport and transport.is_recovering:
        return _("Due. The transport was down and is recovering at a limited rate.")
    return _("Due. The next sender takes it; nothing is sent while no sender is running.")


def explain_block(message: EngagementMessage) -> str:
    """Return why a message would be cancelled instead of sent; empty if it would be sent."""
    found = with_block_reason(EngagementMessage.objects.filter(pk=message.pk))
    return format_block_reason(found.values_list("block_reason", flat=True).first())


def _down(transport: EngagementTransport) -> str:
    """Return since when and why a transport is down, and when it is tried again."""
    text = _("The transport {name} has been down since {time}: {error}.").format(
        name=transport.name,
        time=format_datetime(transport.opened_at),
        error=transport.last_error.rstrip(".") or _("no error message"),
    )
    if transport.retry_at:
        text += " " + _("Next attempt at {time}.").format(time=format_datetime(transport.retry_at))
    return f"{text} " + _("This does not count as a failed attempt.")


def _until(message: EngagementMessage, profile: UserProfile | None) -> str:
    until = format_datetime(message.scheduled_for)
    match message.waiting_for:
        case WaitingFor.QUIET_HOURS:
            return f"{_hours(profile.timezone if profile else 'UTC')} " + _("Scheduled for {time}.").format(time=until)
        case WaitingFor.FREQUENCY_CAP:
            return _(
                "The member received the maximum of {most} unsolicited messages in {days} days. Scheduled for {time}."
            ).format(
                most=settings.ENGAGEMENT_FREQUENCY_CAP, days=settings.ENGAGEMENT_FREQUENCY_CAP_PERIOD.days, time=until
            )
        case WaitingFor.RETRY:
            return _("Attempt {count} of {most} failed. Next attempt at {time}.").format(
                count=message.retry_count, most=settings.ENGAGEMENT_ATTEMPTS, time=until
            )
        case WaitingFor.STAFF:
            return _("Postponed by staff until {time}.").format(time=until)
    return _("Scheduled for {time}.").format(time=until)


def _hours(zone: str) -> str:
    """Return in which hours of a member no unsolicited message is sent."""
    if at := settings.ENGAGEMENT_SEND_AT:
        text = _("Messages are sent at {time} in {zone}.").format(time=f"{at:%H:%M}", zone=zone)
    elif hours := hours_without_messages():
        start, end = (f"{each:%H:%M}" for each in hours)
        text = _("Quiet hours of the member ({start} to {end} in {zone}).").format(start=start, end=end, zone=zone)
    else:
        text = _("The time zone of the member is {zone}.").format(zone=zone)
    return f"{text} {_('None are sent on weekends.')}" if settings.ENGAGEMENT_SKIP_WEEKENDS else text

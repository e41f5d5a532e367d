"""The local hours in which unsolicited messages are sent."""

from datetime import datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

# Messages are sent within this time after ENGAGEMENT_SEND_AT.
SENDING_HOURS = timedelta(hours=1)


def hours_without_messages() -> tuple[time, time] | None:
    """Return from when until when no unsolicited message is sent, in local time; None if there are no such hours.

    With ENGAGEMENT_SEND_AT, all hours but the one that begins then; otherwise the quiet hours, unless they are equal.
    """
    if at := settings.ENGAGEMENT_SEND_AT:
        return (datetime.combine(datetime.min, at) + SENDING_HOURS).time(), at
    if settings.ENGAGEMENT_QUIET_FROM == settings.ENGAGEMENT_QUIET_TO:
        return None
    return settings.ENGAGEMENT_QUIET_FROM, settings.ENGAGEMENT_QUIET_TO


def send_not_before(due: datetime, zone: str) -> datetime:
    """Return when an unsolicited message that is due then may be sent to a member in a zone."""
    start, end = hours_without_messages() or (None, None)
    values: list[Any] = [due, zone, start, end, settings.ENGAGEMENT_SKIP_WEEKENDS, due]
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(send_not_before(%s, %s, %s::time, %s::time, %s), %s)", values)
        return cursor.fetchone()[0]

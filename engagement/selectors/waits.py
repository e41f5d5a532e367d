"""How long the next goodbye of a member waits."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection


def wait_before_goodbye(unanswered: int) -> timedelta:
    """Return the inactivity before the next goodbye, after so many in a row without an answer."""
    values: list[Any] = [unanswered, settings.ENGAGEMENT_INACTIVE_AFTER, settings.ENGAGEMENT_INACTIVE_AT_MOST]
    with connection.cursor() as cursor:
        cursor.execute("SELECT wait_before_goodbye(%s, %s, %s)", values)
        return cursor.fetchone()[0]

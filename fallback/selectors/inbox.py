"""The inbox of a member."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from fallback.models import Notification
from groups.models import Member


def notifications_in_inbox(member: Member) -> QuerySet[Notification]:
    """The notifications of a member, newest first, also snoozed ones."""
    return Notification.objects.filter(member=member, archived_at=None).select_related("project")


def awake(notifications: QuerySet[Notification], at: datetime) -> QuerySet[Notification]:
    """Those that are not snoozed at a time."""
    return notifications.exclude(snoozed_until__gt=at)

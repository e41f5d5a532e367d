"""Explains when a member gets the next goodbye and weekly review, or why none."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from engagement.models import UserEngagementState
from engagement.rules import ACTIVE_DAYS, State
from engagement.selectors.blocking import why_no_goodbye
from engagement.selectors.waits import wait_before_goodbye
from missionsite.common.admin.formats import format_datetime, format_number


def explain_next_goodbye(state: UserEngagementState) -> str:
    """Return after how many days of silence the next goodbye is sent, and why so many; or why none is sent."""
    if blocked := why_no_goodbye(state.user):
        return _("None: {reason}").format(reason=blocked)
    if state.state == State.DORMANT:
        return _("None while dormant. The next activity makes the member active again, and the wait starts then.")
    if state.state != State.ACTIVE:
        return _("None until the member is active again.")
    if state.last_activity_at is None:
        return _("None before the first activity.")
    wait = wait_before_goodbye(state.unanswered_goodbyes)
    text = ngettext(
        "After {count} day of silence, at {time}", "After {count} days of silence, at {time}", wait.days
    ).format(count=format_number(wait.days), time=format_datetime(state.last_activity_at + wait))
    if not (unanswered := state.unanswered_goodbyes):
        return _("{text}.").format(text=text)
    because = ngettext(
        "because the last goodbye had no answer", "because {count} goodbyes in a row had no answer", unanswered
    ).format(count=format_number(unanswered))
    left = ACTIVE_DAYS - state.active_days
    back = ngettext(
        "Activity on {count} more day ends this.", "Activity on {count} different days ends this.", left
    ).format(count=left)
    return _("{text}, {because}. {back}").format(text=text, because=because, back=back)


def explain_weekly_review(state: UserEngagementState, *, at: datetime | None = None) -> str:
    """Return the last week in which the member took part, which the weekly review is about."""
    if state.took_part_week is None:
        return _("None: the member has only visited the site or written to it, or has not been here yet.")
    monday = timezone.localdate(at or timezone.now())
    week = date_format(state.took_part_week, "DATE_FORMAT")
    if (monday - state.took_part_week).days >= 14:
        return _("None: the member last took part in the week of {week}.").format(week=week)
    return _("Took part in the week of {week}: the review follows on Monday after it.").format(week=week)

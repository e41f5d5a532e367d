"""The deadlines of a month as a calendar page."""

from __future__ import annotations

import re
from calendar import Calendar
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet, Window
from django.db.models.functions import RowNumber, TruncDate
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext, ngettext

from missiondeck.admin.base import VIEW_PERMISSION, current_member, health_of, mission_url, with_progress
from missiondeck.models import DeckMission
from missiondeck.rules import FIRST_YEAR, LAST_YEAR
from missionsite.common.admin import ModelAdmin
from missionsite.common.admin.formats import format_number, list_url

if TYPE_CHECKING:
    from missiondeck.admin.base import MissionWithProgress

# Missions shown per day; the list shows the others.
MAX_PER_DAY = 8
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


def calendar_view(request: HttpRequest, *, model_admin: ModelAdmin) -> HttpResponse:
    """A month of deadlines in the viewer's time zone. month: 2026-11, or the current. assigned=me: own missions."""
    if not request.user.has_perm(VIEW_PERMISSION):
        raise PermissionDenied
    now = timezone.now()
    today = timezone.localdate(now)
    asked = request.GET.get("month", "")
    month = parse_month(asked)
    if month is None:
        month = today.replace(day=1)
        if asked:
            messages.warning(
                request,
                gettext("“%(asked)s” is not a valid month. Use the format %(month)s.")
                % {"asked": asked[:20], "month": f"{month:%Y-%m}"},
            )
    is_mine = request.GET.get("assigned") == "me"
    missions = DeckMission.objects.all()
    if is_mine:
        missions = missions.filter(assignee=current_member(request))
    days, total = days_around(month, missions, at=now, assigned=is_mine)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": gettext("Calendar"),
        "subtitle": gettext("Deadlines of %(month)s") % {"month": date_format(month, "YEAR_MONTH_FORMAT")},
        "opts": model_admin.opts,
        "no_tabs": True,
        "buttons": _buttons(month, is_mine=is_mine),
        "weeks": [days[start : start + 7] for start in range(0, len(days), 7)],
        "is_empty": not total,
        "how_many": _count_deadlines(total),
        "zone": timezone.get_current_timezone_name(),
        "is_mine": is_mine,
        "everything": _link(month, is_mine=False),
        "mine": _link(month, is_mine=True),
        "previous": _link(_add_months(month, -1), is_mine=is_mine),
        "next": _link(_add_months(month, 1), is_mine=is_mine),
        "today": _link(today, is_mine=is_mine),
        "month": month,
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "missiondeck/calendar.html", context)


def _count_deadlines(total: int) -> str:
    if not total:
        return gettext("No deadlines this month")
    return ngettext("%(count)s deadline", "%(count)s deadlines", total) % {"count": format_number(total)}


def parse_month(text: str) -> date | None:
    """The first day of a month written as 2026-11; None for any other text."""
    match = _MONTH.fullmatch(text)
    if not match or not FIRST_YEAR <= int(match[1]) <= LAST_YEAR or not 1 <= int(match[2]) <= 12:
        return None
    return date(int(match[1]), int(match[2]), 1)


def days_around(
    month: date, missions: QuerySet[DeckMission], *, at: datetime, assigned: bool
) -> tuple[list[dict], int]:
    """The days of the weeks of a month, Monday first, and the number of deadlines in the month. Runs two queries."""
    zone = timezone.get_current_timezone()
    begins, ends = (
        timezone.make_aware(datetime.combine(day, time.min), zone) for day in (month, _add_months(month, 1))
    )
    day_of_deadline = TruncDate("deadline", tzinfo=zone)
    ranked = (
        missions.filter(deadline__gte=begins, deadline__lt=ends)
        .order_by()
        .annotate(
            day=day_of_deadline,
            rank=Window(RowNumber(), partition_by=[day_of_deadline], order_by=["deadline", "number"]),
            of_day=Window(Count("pk"), partition_by=[day_of_deadline]),
        )
        .filter(rank__lte=MAX_PER_DAY)
        .values_list("pk", "day", "of_day")
    )
    of_day, counts = {}, {}
    for key, day, count in ranked:
        of_day[key], counts[day] = day, count
    entries: dict[date, list[dict]] = {}
    for mission in with_progress(DeckMission.objects.filter(pk__in=of_day)).order_by("deadline", "number"):
        entries.setdefault(of_day[mission.pk], []).append(_entry(mission, at=at))
    today = timezone.localdate(at)
    days = [
        {
            "date": each,
            "in_month": each.month == month.month,
            "is_today": each == today,
            "entries": entries.get(each, []) if each.month == month.month else [],
            "more": format_number(counts[each] - MAX_PER_DAY) if counts.get(each, 0) > MAX_PER_DAY else "",
            "list": _day_list(each, assigned=assigned),
        }
        for week in Calendar().monthdatescalendar(month.year, month.month)
        for each in week
    ]
    return days, sum(counts.values())


def _entry(mission: MissionWithProgress, *, at: datetime) -> dict:
    health = health_of(mission, at=at)
    return {
        "name": str(mission),
        "client": mission.client,
        "at": timezone.localtime(mission.deadline),
        "link": mission_url(mission),
        "health": health,
        "text": health.label,
    }


def _day_list(day: date, *, assigned: bool) -> str:
    """The URL of the list of missions due on a day."""
    filters = {"deadline_from": day.isoformat(), "deadline_to": day.isoformat()}
    return list_url(DeckMission, **filters | ({"assigned": "me"} if assigned else {}))


def _add_months(month: date, by: int) -> date:
    """The first day of the month before (-1) or after (1)."""
    return (month.replace(day=1) + timedelta(days=31 if by > 0 else -1)).replace(day=1)


def _link(month: date, *, is_mine: bool) -> str:
    """The URL of a month; "" outside the years of the calendar."""
    if not FIRST_YEAR <= month.year <= LAST_YEAR:
        return ""
    query = {"month": f"{month:%Y-%m}"} | ({"assigned": "me"} if is_mine else {})
    return f"{reverse('admin:missiondeck_calendar')}?{urlencode(query)}"


def _buttons(month: date, *, is_mine: bool) -> list[dict]:
    last = _add_months(month, 1) - timedelta(days=1)
    filters = {"deadline_from": month.isoformat(), "deadline_to": last.isoformat()}
    as_list = list_url(DeckMission, **filters | ({"assigned": "me"} if is_mine else {}))
    return [
        {"title": gettext("Show as list"), "icon": "list", "link": as_list},
        {"title": gettext("Calendar feeds"), "icon": "rss_feed", "link": reverse("admin:missiondeck_feeds")},
    ]

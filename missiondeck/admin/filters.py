"""Search and filters of the list of client missions."""

from __future__ import annotations

import re
from datetime import timedelta

from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from groups.models import Member
from missiondeck.admin.base import current_member, open_missions, overdue
from missiondeck.models import DeckMission, DeckStatus, RunStatus
from missionsite.common.admin import ModelAdmin, Search
from missionsite.common.admin.filters import ExactTextFilter
from missionsite.common.annotations import StrOrPromise

WEEK = timedelta(days=7)
_NUMBER = re.compile(r"(#?)(\d{1,14})", re.ASCII)


class MissionSearch(Search):
    """Finds client missions by number, and by the start of the title, client or assignee's e-mail address."""

    def __init__(self) -> None:
        super().__init__("number", "", ("title", "client"))

    def exact(self, term: str) -> str | None:
        """The number in "#47"; a plain 47 may also be the start of a title."""
        match = _NUMBER.fullmatch(term.strip())
        return match[2] if match and match[1] else None

    def _branches(self, rows: QuerySet, term: str) -> list[QuerySet]:
        branches = super()._branches(rows, term)
        if match := _NUMBER.fullmatch(term):
            branches.append(rows.filter(number=int(match[2])))
        lowered = term.lower()
        people = Member.objects.order_by().alias(_low=Lower("email")).filter(_low__startswith=lowered)
        branches.append(rows.filter(assignee__in=people.values("pk")))
        # Assignees without an account are found by address.
        waiting = rows.filter(assignee=None).alias(_low=Lower("assigned_to"))
        return [*branches, waiting.filter(_low__startswith=lowered)]


class StatusFilter(DropdownFilter):
    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, StrOrPromise]]:
        return [("open", gettext("Not complete")), *DeckStatus.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeckMission]) -> QuerySet[DeckMission]:
        if self.value() == "open":
            return open_missions(queryset)
        return queryset.filter(status=self.value()) if self.value() in DeckStatus.values else queryset


class DueFilter(DropdownFilter):
    """Missions that are not complete, the next deadline first."""

    title = _("due")
    parameter_name = "due"
    choices_known = (("next", _("Due next")), ("overdue", _("Overdue")), ("week", _("Within 7 days")))

    @classmethod
    def is_set(cls, request: HttpRequest) -> bool:
        return request.GET.get(cls.parameter_name) in dict(cls.choices_known)

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> tuple[tuple[str, StrOrPromise], ...]:
        return self.choices_known

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeckMission]) -> QuerySet[DeckMission]:
        now = timezone.now()
        match self.value():
            case "next":
                return open_missions(queryset)
            case "overdue":
                return overdue(queryset, at=now)
            case "week":
                return open_missions(queryset).filter(deadline__gte=now, deadline__lt=now + WEEK)
        return queryset


class LastRunFilter(DropdownFilter):
    title = _("last test run")
    parameter_name = "last_run"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, StrOrPromise]]:
        return [*RunStatus.choices, ("none", gettext("None yet"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeckMission]) -> QuerySet[DeckMission]:
        if self.value() == "none":
            return queryset.filter(latest_run=None)
        return queryset.filter(latest_run__status=self.value()) if self.value() in RunStatus.values else queryset


class AssignedFilter(DropdownFilter):
    title = _("assigned")
    parameter_name = "assigned"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> tuple[tuple[str, StrOrPromise], ...]:
        return (("me", gettext("To me")), ("unknown", gettext("To an address without an account")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeckMission]) -> QuerySet[DeckMission]:
        match self.value():
            case "me":
                return queryset.filter(assignee=current_member(request))
            case "unknown":
                return queryset.filter(assignee=None)
        return queryset


class ClientFilter(ExactTextFilter):
    """Filters by the start of the client's name, ignoring case."""

    title = _("client begins with")
    parameter_name = "client"

    def queryset(self, request: HttpRequest, queryset: QuerySet[DeckMission]) -> QuerySet[DeckMission]:
        value = (self.value() or "").replace("\x00", "").strip().lower()
        return queryset.alias(_client=Lower("client")).filter(_client__startswith=value) if value else queryset

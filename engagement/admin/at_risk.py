"""The members who are about to get a goodbye: a filter of the engagement states, with the date and why not."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from engagement.rules import State
from engagement.selectors.at_risk import at_risk
from missionsite.common.admin.formats import format_datetime
from missionsite.common.annotations import StrOrPromise

DAYS = {"3": 3, "7": 7, "14": 14}


class AtRiskFilter(DropdownFilter):
    """Filters the active members whose goodbye is due within some days, or due and not sent for a reason."""

    title = _("goodbye")
    parameter_name = "goodbye"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, StrOrPromise]]:
        within = [(key, _("Due within {days} days").format(days=days)) for key, days in DAYS.items()]
        return [*within, ("blocked", _("Due, but not sent"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        chosen = self.value()
        if chosen in DAYS:
            return at_risk(queryset, within=timedelta(days=DAYS[chosen]), at=timezone.now())
        if chosen == "blocked":
            return at_risk(queryset, within=timedelta(0), at=timezone.now()).filter(no_goodbye__isnull=False)
        return queryset


def format_goodbye(state: Any) -> str:
    """Return when the goodbye is due; empty unless the member is active."""
    if state.state != State.ACTIVE or state.goodbye_at is None:
        return ""
    return format_datetime(state.goodbye_at)

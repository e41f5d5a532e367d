"""The filter of the directory that shows the people behind a number of the page "Community health"."""

from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from groups.models import CommunityMember
from groups.selectors.health import AFTER, Figure, people_of

PARAMETER = "health"


class HealthFilter(DropdownFilter):
    """Offered only while it is used: the numbers link to it."""

    title = _("figure")
    parameter_name = PARAMETER

    def has_output(self) -> bool:
        return bool(self.value())

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        # Called before the parameter is read.
        given = request.GET.get(PARAMETER, "")
        figure = Figure.parse(given)
        return [(given, figure_text(figure))] if figure else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[CommunityMember]) -> QuerySet[CommunityMember]:
        figure = Figure.parse(self.value() or "")
        return people_of(figure, queryset) if figure else queryset


def people_url(figure: Figure) -> str:
    """The address of the directory with the people behind a number, also those who were removed."""
    address = reverse("admin:groups_communitymember_changelist")
    return f"{address}?{urlencode({PARAMETER: str(figure), 'removed': 'all'})}"


def figure_text(figure: Figure) -> str:
    """The description of a figure, as in the filter."""
    if figure.kind == "month":
        month = date_format(date.fromisoformat(f"{figure.name}-01"), "F Y")
        if not figure.detail:
            return gettext("Joined in {month}").format(month=month)
        return gettext("Joined in {month}, active {after} later").format(
            month=month, after=after_text(int(figure.detail))
        )
    if figure.kind == "path":
        return str(STEP_TEXTS[figure.name])
    if figure.detail:
        return gettext("Invited by this person, active in the last 30 days")
    return gettext("Invited by this person")


def after_text(days: int) -> str:
    """The time after joining, as the page names it."""
    return str(dict(zip(AFTER, (_("1 month"), _("3 months"), _("6 months"), _("12 months")), strict=True))[days])


STEP_TEXTS = {
    "registered": _("Registered in the last 12 months"),
    "approved": _("Approved"),
    "active": _("With a first activity"),
    "mission": _("In a mission, now or before"),
}

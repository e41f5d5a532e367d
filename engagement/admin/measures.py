"""The page of measures: what happened after messages, by template, sequence or week, with a plot in each row."""

from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from engagement.rules import EFFECT_DAYS, MessageType
from engagement.selectors.measures import GROUPINGS, Measure, measures
from missionsite.common.admin import ModelAdmin
from missionsite.common.admin.actions import render_page
from missionsite.common.admin.formats import EMPTY, format_number

TITLES = {"template": _("Template"), "sequence": _("Sequence"), "week": _("Week")}
WEEKS = (4, 12, 26)
# Width of a full bar.
BAR = 60


def measures_view(request: HttpRequest, *, model_admin: ModelAdmin) -> HttpResponse:
    """Show the measures. by: what they are grouped by. weeks: the length of the period."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    chosen = request.GET.get("by", "")
    by = chosen if chosen in GROUPINGS else GROUPINGS[0]
    weeks = int(request.GET["weeks"]) if request.GET.get("weeks", "") in map(str, WEEKS) else WEEKS[1]
    until = timezone.now()
    found = measures(by=by, since=until - timedelta(weeks=weeks), until=until)
    page = reverse("admin:engagement_measures")
    return render_page(
        model_admin,
        request,
        "engagement/measures.html",
        title=_("Measures"),
        heading=TITLES[by],
        rows=[_row(each) for each in found],
        groupings=[(title, f"{page}?by={key}&weeks={weeks}", key == by) for key, title in TITLES.items()],
        periods=[
            (_("{count} weeks").format(count=each), f"{page}?by={by}&weeks={each}", each == weeks) for each in WEEKS
        ],
        days=EFFECT_DAYS,
        bar=BAR,
    )


def _row(measure: Measure) -> dict:
    return {
        "label": dict(MessageType.choices).get(measure.label, measure.label),
        "counts": [
            format_number(each)
            for each in (measure.sent, measure.delivered, *measure.answered, measure.came_back, measure.opted_out)
        ],
        "came_back": _share(measure.came_back, measure.sent),
        "came_back_bar": _bar(measure.came_back, measure.sent),
        "control": format_number(measure.control),
        "control_came_back": _share(measure.control_came_back, measure.control),
        "control_bar": _bar(measure.control_came_back, measure.control),
    }


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else EMPTY


def _bar(part: int, whole: int) -> int:
    return round(BAR * part / whole) if whole else 0

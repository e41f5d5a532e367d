"""The page "Community health": who joined, who remained active, and who brought whom. Each number opens its people."""

from __future__ import annotations

from typing import NamedTuple

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from groups.admin.health_filter import STEP_TEXTS, after_text, people_url
from groups.models import CommunityMember
from groups.selectors import health
from groups.selectors.health import AFTER, STEPS, Figure
from missionsite.common import replica
from missionsite.common.admin.formats import EMPTY, format_datetime, format_number
from missionsite.common.annotations import StrOrPromise
from missionsite.dashboard.plots import community_plots
from missionsite.dashboard.reading import Reading


class Cell(NamedTuple):
    """A number that opens its people. share: of a whole, in tenths, for the shade of the cell."""

    text: StrOrPromise
    url: str = ""
    share: int = 0


@require_safe
def community_health(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("groups.view_communitymember"):
        raise PermissionDenied
    reading = Reading(request)
    context = admin.site.each_context(request) | {
        "title": _("Community health"),
        "plots": replica.read(request, lambda: community_plots(reading)),
        "figures_at": format_datetime(reading.stored.refreshed_at) if reading.stored.refreshed_at else "",
        "after": [after_text(days) for days in AFTER],
        "cohorts": [_cohort_row(cohort) for cohort in health.cohorts(reading.today)],
        "path": _path_rows(request),
        "inviters": [_inviter_row(each) for each in health.inviters()],
    }
    request.current_app = admin.site.name
    return TemplateResponse(request, "missionsite/community_health.html", context)


def _cohort_row(cohort: health.Cohort) -> tuple[str, list[Cell]]:
    name = cohort.month.strftime("%Y-%m")
    cells = [_cell(cohort.size, Figure("month", name))]
    for days, kept in zip(AFTER, cohort.kept, strict=True):
        if kept is None or not cohort.size:
            cells.append(Cell(EMPTY))
        else:
            cells.append(_cell(kept, Figure("month", name, str(days)), whole=cohort.size))
    return date_format(cohort.month, "M Y"), cells


def _path_rows(request: HttpRequest) -> list[tuple[StrOrPromise, Cell]]:
    path = health.path()
    rows: list[tuple[StrOrPromise, Cell]] = []
    if request.user.has_perm("groups.view_communityinvitation"):
        address = reverse("admin:groups_communityinvitation_changelist")
        rows.append((_("People whom invitations allowed to register"), Cell(format_number(path.invited), address)))
    for step in STEPS:
        whole = path.registered if step != "registered" else 0
        rows.append((STEP_TEXTS[step], _cell(getattr(path, step), Figure("path", step), whole=whole)))
    return rows


def _inviter_row(inviter: health.Inviter) -> tuple[str, str, Cell, Cell]:
    key = str(inviter.key)
    return (
        inviter.name,
        reverse(f"admin:{CommunityMember._meta.app_label}_communitymember_change", args=[key]),
        _cell(inviter.brought, Figure("by", key)),
        _cell(inviter.kept, Figure("by", key, "kept"), whole=inviter.brought),
    )


def _cell(number: int, figure: Figure, *, whole: int = 0) -> Cell:
    text = format_number(number)
    if whole:
        text = f"{text} ({round(100 * number / whole)} %)"
    return Cell(text, people_url(figure) if number else "", round(10 * number / whole) if whole else 0)

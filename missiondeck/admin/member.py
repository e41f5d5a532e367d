"""The client missions tab on the page of a member."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from django.db.models import Case, F, Model, QuerySet, Value, When
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from groups.models import Member
from missiondeck.admin import base
from missiondeck.models import DeckMission, DeckStatus
from missionsite.common.admin import Tab, register_tab
from missionsite.common.admin.formats import list_url

if TYPE_CHECKING:
    from missiondeck.admin.base import MissionWithProgress


def _missions(member: Model) -> QuerySet[MissionWithProgress]:
    """A member's missions: open ones by deadline, then complete ones, latest first."""
    is_complete = Case(When(status=DeckStatus.COMPLETE, then=Value(1)), default=Value(0))
    assigned = base.with_progress(DeckMission.objects.filter(assignee=cast(Member, member)))
    return assigned.order_by(is_complete, F("completed_at").desc(), "deadline", "number")


def _cell(show: Callable[[MissionWithProgress], str]) -> Callable[[Model, HttpRequest], str]:
    """A cell of the table, whose rows are missions."""
    return lambda mission, request: show(cast("MissionWithProgress", mission))


DECK_OF_MEMBER = Tab(
    name="client-missions",
    title=_("Client missions"),
    rows=_missions,
    columns=(
        (_("Mission"), _cell(base.mission_link)),
        (_("Client"), _cell(lambda mission: mission.client)),
        (_("Status"), _cell(base.status_badge)),
        (_("Time left"), _cell(base.format_time_left)),
        (_("Done"), _cell(base.format_items_done)),
        (_("Last test run"), _cell(base.format_last_run)),
    ),
    permission=base.VIEW_PERMISSION,
    empty=_("No client missions are assigned to this member."),
    list_link=lambda member: list_url(DeckMission, assignee__id__exact=member.pk),
)
register_tab(Member, DECK_OF_MEMBER, order=20)

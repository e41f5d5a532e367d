"""The client missions tab on the page of a member."""

from django.db.models import Case, F, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _

from groups.models import Member
from missiondeck.admin import base
from missiondeck.models import DeckMission, DeckStatus
from missionsite.common.admin import Tab, register_tab
from missionsite.common.admin.formats import list_url


def _missions(member: Member) -> QuerySet[DeckMission]:
    """A member's missions: open ones by deadline, then complete ones, latest first."""
    is_complete = Case(When(status=DeckStatus.COMPLETE, then=Value(1)), default=Value(0))
    assigned = base.with_progress(DeckMission.objects.filter(assignee=member))
    return assigned.order_by(is_complete, F("completed_at").desc(), "deadline", "number")


DECK_OF_MEMBER = Tab(
    name="client-missions",
    title=_("Client missions"),
    rows=_missions,
    columns=(
        (_("Mission"), lambda mission, request: base.mission_link(mission)),
        (_("Client"), lambda mission, request: mission.client),
        (_("Status"), lambda mission, request: base.status_badge(mission)),
        (_("Time left"), lambda mission, request: base.format_time_left(mission)),
        (_("Done"), lambda mission, request: base.format_progress(mission)),
        (_("Last test run"), lambda mission, request: base.format_last_run(mission)),
    ),
    permission=base.VIEW_PERMISSION,
    empty=_("No client missions are assigned to this member."),
    list_link=lambda member: list_url(DeckMission, assignee__id__exact=member.pk),
)
register_tab(Member, DECK_OF_MEMBER, order=20)

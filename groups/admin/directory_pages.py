"""The tabs of a directory entry: participation, invitations and the invitation tree."""

from django.http import HttpRequest
from django.utils.dates import MONTHS_3, WEEKDAYS, WEEKDAYS_ABBR
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from groups.models import CommunityInvitation, CommunityMember
from groups.selectors.directory import get_invitation_tree, heat_map
from groups.selectors.people import numbers_of
from missionsite.common.admin import CustomTab, Tab
from missionsite.common.admin.formats import format_datetime, link_to, list_url

VIEW = "groups.view_communitymember"


def _heat_map(entry: CommunityMember, request: HttpRequest) -> dict:
    weeks = heat_map(entry)
    days = [day for week in weeks for day in week if day]
    months, before = [], None
    # Each week's Monday; no week is wholly in the future.
    for monday in (week[0] for week in weeks if week[0]):
        month = monday.on.month
        months.append(MONTHS_3[month].capitalize() if month != before else "")
        before = month
    return {
        "months": months,
        "weekdays": [(WEEKDAYS[at], WEEKDAYS_ABBR[at], [week[at] for week in weeks]) for at in range(7)],
        "active": [day for day in reversed(days) if day.total or day.points],
        "totals": [
            (gettext("Active days"), sum(1 for day in days if day.total or day.points)),
            (gettext("Messages"), sum(day.messages for day in days)),
            (gettext("Reactions"), sum(day.reactions for day in days)),
            (gettext("Voice minutes"), sum(day.voice_minutes for day in days)),
            (gettext("Points earned"), sum(day.points for day in days)),
        ],
    }


def _tree(entry: CommunityMember, request: HttpRequest) -> dict:
    return {"tree": get_invitation_tree(entry)}


HEAT_MAP = CustomTab(
    name="participation",
    title=_("Participation"),
    template="groups/participation.html",
    context=_heat_map,
    permission=VIEW,
)
TREE = CustomTab(name="tree", title=_("Invitation tree"), template="groups/tree.html", context=_tree, permission=VIEW)
INVITATIONS_OF_ENTRY: Tab[CommunityMember, CommunityInvitation] = Tab(
    name="invitations",
    title=_("Invitations"),
    rows=lambda entry: CommunityInvitation.objects.filter(created_by__member_id__in=numbers_of(entry)).select_related(
        "accepted_by"
    ),
    columns=(
        (_("For"), lambda invitation, request: link_to(invitation, invitation.for_whom)),
        (_("Status"), lambda invitation, request: invitation.get_status_display()),
        (_("Created"), lambda invitation, request: format_datetime(invitation.created_at)),
        (_("Expires"), lambda invitation, request: format_datetime(invitation.expires_at)),
        (_("Accepted by"), lambda invitation, request: link_to(invitation.accepted_by)),
    ),
    permission="groups.view_communityinvitation",
    empty=_("This member has not invited anyone yet."),
    list_link=lambda entry: list_url(CommunityInvitation, created_by__member_id__exact=entry.member_id),
)

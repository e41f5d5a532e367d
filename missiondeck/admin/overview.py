"""What this app adds to the overview of a person: the client missions that are assigned to them."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from groups.models import Member
from missiondeck.admin import base
from missiondeck.models import DeckMission, DeckStatus
from missionsite.common.admin.overview import ROWS, Section, register_section


def _missions(person: Member, request: HttpRequest) -> Section | None:
    if not request.user.has_perm(base.VIEW_PERMISSION):
        return None
    assigned = DeckMission.objects.filter(assignee=person.pk).exclude(status=DeckStatus.COMPLETE)
    rows = [
        format_html("{} · {} · {}", base.mission_link(each), each.client, base.format_time_left(each))
        for each in base.with_progress(assigned).order_by("deadline", "number")[:ROWS]
    ]
    if not rows:
        return None
    link = reverse("admin:groups_member_client-missions", args=[person.pk])
    return Section(_("Client missions"), rows=rows, links=[(_("All client missions"), link)])


register_section(_missions, order=70)

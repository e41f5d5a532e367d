"""Access to client missions in the API, and parameters that its operations share."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext
from ninja import Path, Schema
from pydantic import ConfigDict

from groups.models import Member
from missiondeck.models import DeckMission, DodTemplate, TestRun
from missiondeck.selectors.runs import light_runs
from missionsite.common.annotations import SiteRequest
from missionsite.common.errors import NotAllowed

VIEW = "missiondeck.view_deckmission"
ADD = "missiondeck.add_deckmission"
CHANGE = "missiondeck.change_deckmission"
MOVE = "missiondeck.change_deckmission_status"
OVERRIDE = "missiondeck.override_deckmission"
WRITE = "missiondeck.add_chatmessage"
REPORT = "missiondeck.add_testrun"

EXAMPLE_TIME = "2026-11-20T09:30:00Z"
EXAMPLE_ID = "78166a2d-86b2-5aa2-b90b-868e1bed74c6"
Number = Path(..., ge=1, le=2**63 - 1, description="Number of the client mission.", examples=[47])
RunId = Path(..., examples=[EXAMPLE_ID])


class Order(Schema):
    """A request body that rejects unknown fields."""

    model_config = ConfigDict(extra="forbid")


def has_right(member: Member, permission: str) -> bool:
    """Whether a member is staff and has a permission."""
    return member.is_staff and member.has_perm(permission)


def visible_missions(member: Member) -> QuerySet[DeckMission]:
    """All missions for staff with the permission; for other members those assigned to them."""
    missions = DeckMission.objects.all()
    return missions if has_right(member, VIEW) else missions.filter(assignee=member)


def get_visible_mission(request: SiteRequest, number: int) -> DeckMission:
    """A mission that the caller may view. Raises Http404."""
    mission = visible_missions(request.auth.member).filter(number=number).first()
    if mission is None:
        raise Http404(gettext("Client mission %(number)s does not exist or you may not view it.") % {"number": number})
    return mission


def get_mission_to_change(request: SiteRequest, number: int, right: str) -> DeckMission:
    """A mission for which the caller has a permission. Raises Http404, or NotAllowed if they may only view it."""
    mission = get_visible_mission(request, number)
    request.auth.need(VIEW, right)
    return mission


def get_mission_to_report_on(request: SiteRequest, number: int) -> DeckMission:
    """A mission that the caller may import test runs for; permission to view it is not needed. Raises Http404."""
    if not has_right(request.auth.member, REPORT):
        get_visible_mission(request, number)
        raise NotAllowed
    if mission := DeckMission.objects.filter(number=number).first():
        return mission
    raise Http404(gettext("Client mission %(number)s does not exist.") % {"number": number})


def get_template(request: SiteRequest, key: uuid.UUID) -> DodTemplate:
    """A template of a definition of done. Raises Http404, NotAllowed."""
    request.auth.need("missiondeck.view_dodtemplate")
    if found := DodTemplate.objects.filter(pk=key).first():
        return found
    raise Http404(gettext("There is no template %(key)s.") % {"key": key})


def get_run(mission: DeckMission, key: uuid.UUID) -> TestRun:
    """A run of this mission, without results and logs. Raises Http404."""
    if run := light_runs().select_related("created_by").filter(mission=mission, pk=key).first():
        return run
    raise Http404(
        gettext("Client mission %(number)s has no test run %(key)s.") % {"number": mission.number, "key": key}
    )

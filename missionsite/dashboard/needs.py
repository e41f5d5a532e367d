"""What waits for the member, oldest first, each with the button that does it in place.

Only what the member may do is here; the figures below it also count what others have to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F
from django.urls import reverse
from django.utils.timesince import timesince
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from engagement.admin.base import HANDLE
from engagement.models import EngagementMessage
from engagement.rules import Status
from fallback.models import AccessRequest
from fallback.models.choices import AccessRequestStatus
from fallback.selectors.items import items_to_review
from fallback.selectors.rights import Right
from groups.models import CommunityMember, CommunityReturn, JoinRequest, PeopleJob, PeopleJobStatus, ReturnStatus
from groups.rules import CommunityStatus, JoinRequestKind
from missiondeck.admin import base as deck
from missiondeck.models import DeckMission, DeckStatus, RunStatus
from missionsite.common.annotations import StrOrPromise
from missionsite.dashboard.reading import Reading

# Rows of each kind, and rows in all.
PER_KIND = 5
SHOWN = 12
COMPLETE = "missiondeck.change_deckmission_status"


@dataclass(frozen=True)
class Button:
    """A form of one button. values: its hidden fields. choices: the name, label and options of a field."""

    text: StrOrPromise
    url: str
    values: tuple[tuple[str, str], ...] = ()
    choices: tuple[str, StrOrPromise, Sequence[tuple[str, StrOrPromise]]] | None = None


@dataclass(frozen=True)
class Need:
    """Something that waits. since: when it began to. age_text: its age. detail: what helps to decide."""

    kind: StrOrPromise
    icon: str
    title: str
    url: str
    since: datetime
    age_text: str
    detail: str = ""
    buttons: tuple[Button, ...] = ()


def needs_of(reading: Reading) -> list[Need]:
    """What waits for the member, oldest first; one query for each kind that the member may act on."""
    found = [need for read in _KINDS for need in read(reading)]
    return sorted(found, key=lambda need: (need.since, need.title))[:SHOWN]


def _age(reading: Reading, since: datetime) -> str:
    return timesince(since, reading.at, depth=1)


def _approvals(reading: Reading) -> list[Need]:
    if not reading.allows("groups.approve_communitymember"):
        return []
    waiting = CommunityMember.objects.present().filter(status=CommunityStatus.PENDING)
    return [
        Need(
            kind=_("Registration"),
            icon="how_to_reg",
            title=entry.name,
            url=reverse("admin:groups_communitymember_change", args=[entry.pk]),
            since=entry.created_at,
            age_text=_age(reading, entry.created_at),
            detail=gettext("invited by {name}").format(name=entry.invited_by.name) if entry.invited_by else "",
            buttons=(Button(_("Approve"), reverse("admin:groups_communitymember_approve", args=[entry.pk])),),
        )
        for entry in waiting.select_related("invited_by").order_by("created_at", "pk")[:PER_KIND]
    ]


def _join_requests(reading: Reading) -> list[Need]:
    if not reading.allows("groups.manage_memberships"):
        return []
    waiting = JoinRequest.objects.undecided().filter(kind=JoinRequestKind.REQUEST).select_related("member", "group")
    return [
        Need(
            kind=_("Join request"),
            icon="person_raised_hand",
            title=each.member.display_name,
            url=reverse("admin:groups_joinrequest_change", args=[each.pk]),
            since=each.created_at,
            age_text=_age(reading, each.created_at),
            detail=each.group.name,
            buttons=(Button(_("Add to mission"), reverse("admin:groups_joinrequest_accept", args=[each.pk])),),
        )
        for each in waiting.order_by("created_at", "pk")[:PER_KIND]
    ]


def _returns(reading: Reading) -> list[Need]:
    """People who registered again and need a manager; the others got a link."""
    if not reading.allows("groups.approve_communitymember"):
        return []
    waiting = CommunityReturn.objects.filter(status=ReturnStatus.OPEN, needs_manager=True)
    return [
        Need(
            kind=_("Returning person"),
            icon="undo",
            title=case.name,
            url=reverse("admin:groups_communityreturn_change", args=[case.pk]),
            since=case.created_at,
            age_text=_age(reading, case.created_at),
            detail=str(case.entry or case.account),
        )
        for case in waiting.select_related("entry", "account").order_by("created_at", "pk")[:PER_KIND]
    ]


def _imports(reading: Reading) -> list[Need]:
    """Large imports of others that wait for a second person."""
    if not reading.allows("groups.approve_peoplejob"):
        return []
    waiting = PeopleJob.objects.filter(status=PeopleJobStatus.TO_APPROVE).exclude(started_by=reading.rights.member)
    return [
        Need(
            kind=_("Import to approve"),
            icon="upload",
            title=job.file_name,
            url=reverse("admin:groups_peoplejob_change", args=[job.pk]),
            since=job.created_at,
            age_text=_age(reading, job.created_at),
            detail=gettext("started by {name}").format(name=job.started_by.display_name),
            buttons=(Button(_("Approve"), reverse("admin:groups_peoplejob_approve", args=[job.pk])),),
        )
        for job in waiting.select_related("started_by").order_by("created_at", "pk")[:PER_KIND]
    ]


def _proposals(reading: Reading) -> list[Need]:
    if not reading.rights.in_any_project(Right.REVIEW):
        return []
    waiting = items_to_review(reading.rights.project_filter(Right.REVIEW, path="project__"), at=reading.at)
    return [
        Need(
            kind=_("Proposal"),
            icon="rate_review",
            title=item.title,
            url=f"{reverse('admin:fallback_review')}?project={item.project_id}",
            since=item.created_at,
            age_text=_age(reading, item.created_at),
            detail=item.project.name,
            buttons=(Button(_("Accept"), reverse("admin:fallback_item_accept", args=[item.pk])),),
        )
        for item in waiting.select_related("project").order_by("created_at", "id")[:PER_KIND]
    ]


def _access_requests(reading: Reading) -> list[Need]:
    if not reading.rights.may_decide_on_access:
        return []
    visible = reading.rights.access_filter(path="project__")
    waiting = AccessRequest.objects.filter(visible, status=AccessRequestStatus.PENDING).exclude(
        member=reading.rights.member
    )
    needs = []
    for each in waiting.select_related("project", "member").order_by("created_at", "id")[:PER_KIND]:
        decide = reverse("admin:fallback_access_decide", args=[each.pk])
        needs.append(
            Need(
                kind=_("Access request"),
                icon="key",
                title=each.member.display_name,
                url=reverse("admin:fallback_inbox"),
                since=each.created_at,
                age_text=_age(reading, each.created_at),
                detail=each.project.name,
                buttons=(
                    Button(
                        _("Grant"), decide, choices=("role", _("Role"), reading.rights.grantable_roles(each.project))
                    ),
                    Button(_("Decline"), decide),
                ),
            )
        )
    return needs


def _failed_messages(reading: Reading) -> list[Need]:
    if not reading.allows(HANDLE):
        return []
    failed = EngagementMessage.objects.filter(status=Status.FAILED).select_related("user").order_by("pk")[:PER_KIND]
    return [
        Need(
            kind=_("Failed message"),
            icon="sms_failed",
            title=str(message),
            url=reverse("admin:engagement_engagementmessage_change", args=[message.pk]),
            since=message.attempted_at or message.scheduled_for,
            age_text=_age(reading, message.attempted_at or message.scheduled_for),
            detail=message.error_message,
            buttons=(Button(_("Retry"), reverse("admin:engagement_engagementmessage_retry", args=[message.pk])),),
        )
        for message in failed
    ]


def _client_missions(reading: Reading) -> list[Need]:
    """Client missions that look ready to be completed, then those that are late."""
    if not (reading.allows(deck.VIEW_PERMISSION) and reading.allows(COMPLETE)):
        return []
    in_qa = deck.with_progress(DeckMission.objects.filter(status=DeckStatus.QA, latest_run__status=RunStatus.PASSED))
    ready = list(in_qa.filter(dod_total__gt=0, dod_done=F("dod_total")).order_by("deadline", "number")[:PER_KIND])
    known = {mission.pk for mission in ready}
    late = deck.overdue(DeckMission.objects.all(), at=reading.at).order_by("deadline", "number")[: 2 * PER_KIND]
    return [
        *(
            Need(
                kind=_("Sign-off"),
                icon="task_alt",
                title=str(mission),
                url=deck.mission_url(mission),
                since=mission.last_run_at or mission.deadline,
                age_text=_age(reading, mission.last_run_at or mission.deadline),
                detail=mission.client,
                buttons=(
                    Button(
                        pgettext_lazy("action", "Complete"),
                        reverse("admin:missiondeck_workspace_status", args=[mission.pk]),
                        (("to", DeckStatus.COMPLETE),),
                    ),
                ),
            )
            for mission in ready
        ),
        *[
            Need(
                kind=_("Overdue client mission"),
                icon="running_with_errors",
                title=str(mission),
                url=deck.mission_url(mission),
                since=mission.deadline,
                age_text=_age(reading, mission.deadline),
                detail=mission.client,
            )
            for mission in late
            if mission.pk not in known
        ][:PER_KIND],
    ]


_KINDS: tuple[Callable[[Reading], list[Need]], ...] = (
    _approvals,
    _join_requests,
    _returns,
    _imports,
    _proposals,
    _access_requests,
    _failed_messages,
    _client_missions,
)

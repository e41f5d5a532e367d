"""Who works on a mission, reviews it or decides on a proposal, and the hand-over of a member's open work."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.translation import gettext_noop

from fallback.errors import AssigneeLacksRight, HandOverToSame
from fallback.models import Mission, MissionAssignment, MissionFallbackItem, Project
from fallback.models.choices import AssignmentKind, NotificationKind
from fallback.selectors.assignments import NEEDED, may_take, open_assignments, visible_to
from fallback.selectors.rights import Right, Rights
from fallback.services.locks import lock_rows
from fallback.services.notifications import notify
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service


class HandOver(NamedTuple):
    """How many assignments were handed over, and how many were left because the other person lacks the right."""

    moved: int
    left: int


@service
def assign_mission(*, actor: Member, mission: Mission, kind: str, member: Member | None) -> None:
    """Assign a mission to a member for work or review (of AssignmentKind), or to no one, and notify the member.

    Raises AssigneeLacksRight.
    """
    lock_rows()
    current = Mission.objects.lock(mission.pk, "project", no_key=True)
    _assign(actor, current.project, member, kind=AssignmentKind(kind), mission=current, item=None)


@service
def assign_item(*, actor: Member, item: MissionFallbackItem, member: Member | None) -> None:
    """Assign a proposal to the member who decides on it, or to no one, and notify the member.

    Raises AssigneeLacksRight.
    """
    lock_rows()
    current = MissionFallbackItem.objects.lock(item.pk, "project", no_key=True)
    _assign(actor, current.project, member, kind=AssignmentKind.REVIEW, mission=None, item=current)


@service
def hand_over(*, actor: Member, member: Member, to: Member) -> HandOver:
    """Give the open work of a member to another, in the projects that the actor maintains.

    Work in projects in which the other lacks the right stays. Raises HandOverToSame.
    """
    if member.pk == to.pk:
        raise HandOverToSame
    lock_rows()
    maintained, theirs = visible_to(Rights(actor), Right.MAINTAIN), Rights(to)
    rows = open_assignments(member).filter(maintained).order_by("pk").select_for_update(of=("self",), no_key=True)
    moved = left = 0
    for row in rows:
        project = _project_of(row)
        if not may_take(theirs, row):
            left += 1
            continue
        MissionAssignment.objects.filter(pk=row.pk).update(member=to)
        _audit(actor, project, row, before=member, after=to, type_="assignment.handed_over")
        _notify(actor, project, to, kind=row.kind, mission=row.mission, item=row.item)
        moved += 1
    return HandOver(moved, left)


def _project_of(row: MissionAssignment) -> Project:
    subject = row.mission or row.item
    if subject is None:
        raise AssertionError("mission_assignments_of_one")
    return subject.project


def _assign(
    actor: Member,
    project: Project,
    member: Member | None,
    *,
    kind: str,
    mission: Mission | None,
    item: MissionFallbackItem | None,
) -> None:
    needed = NEEDED["mission" if mission else "item"]
    if member and not Rights(member).allows(needed, project):
        raise AssigneeLacksRight
    row = MissionAssignment.objects.filter(mission=mission, item=item, kind=kind).select_related("member").first()
    before = row.member if row else None
    if before == member:
        return
    if row is None and member:
        row = MissionAssignment.objects.create(mission=mission, item=item, kind=kind, member=member)
    elif row is None:
        return
    elif member:
        MissionAssignment.objects.filter(pk=row.pk).update(member=member)
    else:
        MissionAssignment.objects.filter(pk=row.pk).delete()
    _audit(actor, project, row, before=before, after=member)
    if member:
        _notify(actor, project, member, kind=kind, mission=mission, item=item)


def _audit(
    actor: Member,
    project: Project,
    row: MissionAssignment,
    *,
    before: Member | None,
    after: Member | None,
    type_: str = "assignment.changed",
) -> None:
    subject = {"mission": row.mission_id} if row.mission_id else {"proposal": row.item_id}
    changed = {"member": [before and before.member_id, after and after.member_id]}
    audit(type_, actor=actor, project=project, kind=row.kind, changed=changed, **subject)


def _notify(
    actor: Member,
    project: Project,
    member: Member,
    *,
    kind: str,
    mission: Mission | None,
    item: MissionFallbackItem | None,
) -> None:
    if member.pk == actor.pk:
        return
    is_work = kind == AssignmentKind.WORK
    notify(
        actor=actor,
        member=member,
        kind=NotificationKind.MISSION_ASSIGNED if is_work else NotificationKind.REVIEW_REQUESTED,
        title=gettext_noop("A mission is assigned to you") if is_work else gettext_noop("Your review is requested"),
        project=project,
        mission=mission,
        payload={"item": item.pk} if item else {},
    )

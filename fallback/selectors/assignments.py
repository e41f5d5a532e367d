"""Open work that is assigned to a member."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from fallback.models import MissionAssignment
from fallback.models.choices import AssignmentKind, ItemStatus, List, ReviewStatus
from fallback.selectors.rights import Right, Rights
from groups.models import Member

# The right that a person needs to whom a mission or proposal is assigned.
NEEDED = {"mission": Right.CONTRIBUTE, "item": Right.REVIEW}


def open_assignments(member: Member) -> QuerySet[MissionAssignment]:
    """What a member works on, reviews or decides on, and is not finished, oldest first."""
    decided = Q(mission__review_status__in=(ReviewStatus.APPROVED, ReviewStatus.REJECTED))
    of_mission = Q(mission__isnull=False) & ~Q(mission__list=List.DONE) & ~(Q(kind=AssignmentKind.REVIEW) & decided)
    is_open = of_mission | Q(item__status=ItemStatus.PROPOSED)
    rows = MissionAssignment.objects.filter(is_open, member=member)
    return rows.select_related("mission__project", "item__project").order_by("created_at", "id")


def visible_to(rights: Rights, right: Right = Right.VIEW) -> Q:
    """The condition that an assignment is in a project in which a member has a right."""
    return Q(mission__isnull=False) & rights.project_filter(right, path="mission__project__") | Q(
        item__isnull=False
    ) & rights.project_filter(right, path="item__project__")


def may_take(rights: Rights, assignment: MissionAssignment) -> bool:
    """Whether a member has the right that an assignment needs."""
    if assignment.mission:
        return rights.allows(NEEDED["mission"], assignment.mission.project)
    item = assignment.item
    return item is not None and rights.allows(NEEDED["item"], item.project)

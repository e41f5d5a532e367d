"""Create, edit, move and review missions of a board, and their dependencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, Decimal
from types import MappingProxyType
from typing import Any

from django.db import connection
from django.db.models import Max

from fallback.errors import MissionBlocked, NeighbourNotFound, ProjectArchived
from fallback.models import Mission, MissionDependency, Project
from fallback.models.choices import List, MissionOrigin, ProjectStatus, ReviewStatus
from fallback.services.locks import lock_board, lock_rows
from fallback.services.stars import notify_starrers
from groups.models import Member
from missionsite.common.audit.context import set_audit_context
from missionsite.common.changes import apply_changes, check_fields
from missionsite.common.errors import violated
from missionsite.common.transactions import service

EDITABLE = (
    "title",
    "description",
    "clarification",
    "priority",
    "flow",
    "stage",
    "requires_review",
    "actor",
    "repository",
    "target_branch",
    "pr_mode",
    "pr_branch_name",
    "github_pr_number",
    "ready",
)
# Distance of `list_order` between new missions of a list. The column takes numbers below 100,000.
ORDER_STEP = Decimal(1000)
MAX_ORDER = Decimal("99999.99999")
# A renumbered list uses at most the lower half, so that missions can be added after it.
MAX_RENUMBERED = Decimal(50_000)
MIN_STEP = Decimal("0.00001")


@service
def create_mission(
    *,
    actor: Member,
    project: Project,
    title: str,
    origin: str = MissionOrigin.MANUAL,
    values: Mapping[str, Any] = MappingProxyType({}),
) -> Mission:
    """Add a mission at the end of the project's Todo.

    values: any of EDITABLE; its `actor` is the persona the mission is worked on as. origin: of MissionOrigin.
    Raises ProjectArchived, and the errors of links to another project.
    """
    check_fields(values, *EDITABLE)
    set_audit_context(actor)
    if Project.objects.filter(pk=project.pk, status=ProjectStatus.ARCHIVED).exists():
        raise ProjectArchived
    return Mission.objects.create(
        project=project,
        origin=origin,
        list_order=list_order_at_end(project, List.TODO),
        title=title,
        **values,
    )


@service
def update_mission(*, actor: Member, mission: Mission, changes: Mapping[str, Any]) -> Mission:
    """Change fields of EDITABLE. Moves, reviews and dependencies have their own services."""
    check_fields(changes, *EDITABLE)
    set_audit_context(actor)
    lock_rows()
    current = Mission.objects.lock(mission.pk)
    apply_changes(current, changes)
    return current


@service
def move_mission(
    *,
    actor: Member,
    mission: Mission,
    to: str,
    before: str = "",
    after: str = "",
    first: bool = False,
    unless_blocked: bool = False,
) -> Mission:
    """Move a mission to a list (of List), or within its own.

    before, after: id of the mission to place it before or after. Without either it is placed at the end,
    or, with `first`, at the beginning. unless_blocked: raise MissionBlocked instead of moving a mission with open
    dependencies to another list than Todo.
    Raises NeighbourNotFound if that mission is not (or no longer) in the list.
    """
    set_audit_context(actor)
    lock_rows()
    lock_board(mission.project_id)
    current = Mission.objects.lock(mission.pk)
    if unless_blocked and current.open_dependency_count and to not in (current.list, List.TODO):
        raise MissionBlocked
    place, was = _list_order_beside(current, to, before=before, after=after, first=first), current.list
    Mission.objects.filter(pk=current.pk).update(list=to, list_order=place)
    current.refresh_from_db()
    if was != to:
        notify_starrers(actor=actor, mission=current)
    return current


@service
def set_ready(*, actor: Member, mission: Mission, ready: bool) -> Mission:
    """Mark a mission as ready to be started, or not. Ready missions are the backlog."""
    return update_mission(actor=actor, mission=mission, changes={"ready": ready})


@service
def review_mission(*, actor: Member, mission: Mission, status: str, feedback: str = "") -> Mission:
    """Set the result of a review. status: of ReviewStatus."""
    set_audit_context(actor)
    lock_rows()
    current = Mission.objects.lock(mission.pk)
    decided = status != ReviewStatus.PENDING
    current.review_status, current.review_feedback = ReviewStatus(status), feedback
    current.reviewed_by = actor if decided else None
    current.save(update_fields=["review_status", "review_feedback", "reviewed_by"])
    return current


@service
def add_dependency(*, actor: Member, mission: Mission, depends_on: Mission) -> MissionDependency:
    """Make a mission depend on another. Raises DependencyCycle, DependencyOfOtherProject, and the errors of the
    constraints.
    """
    if mission.pk == depends_on.pk:
        raise violated("mission_dependencies_not_itself")
    set_audit_context(actor)
    # Renumbering a list locks its missions in another order.
    lock_board(mission.project_id)
    return MissionDependency.objects.create(mission=mission, depends_on=depends_on)


@service
def remove_dependency(*, actor: Member, mission: Mission, depends_on: Mission) -> None:
    """Remove a dependency; do nothing if there is none."""
    set_audit_context(actor)
    MissionDependency.objects.filter(mission=mission, depends_on=depends_on).delete()


def list_order_at_end(project: Project, in_list: str) -> Decimal:
    """The `list_order` of the end of a list. Renumbers the list first if no number is left."""
    lock_board(project.pk)
    missions = Mission.objects.filter(project=project, list=in_list)
    last = missions.aggregate(last=Max("list_order"))["last"]
    if last is None:
        return ORDER_STEP
    if place := _list_order_after(last):
        return place
    return _renumber(project.pk, in_list, [*_ids_in_order(project.pk, in_list), ""])[""]


def _list_order_beside(mission: Mission, to: str, *, before: str, after: str, first: bool) -> Decimal:
    order = [pk for pk in _ids_in_order(mission.project_id, to) if pk != mission.pk]
    if before or after:
        if (before or after) not in order:
            raise NeighbourNotFound
        position = order.index(before) if before else order.index(after) + 1
    else:
        position = 0 if first else len(order)
    neighbours = dict(
        Mission.objects.filter(pk__in=order[max(0, position - 1) : position + 1]).values_list("pk", "list_order")
    )
    low = neighbours[order[position - 1]] if position else Decimal(0)
    if position < len(order):
        between = ((low + neighbours[order[position]]) / 2).quantize(MIN_STEP)
        if low < between < neighbours[order[position]]:
            return between
    elif place := _list_order_after(low):
        return place
    order.insert(position, mission.pk)
    return _renumber(mission.project_id, to, order)[mission.pk]


def _list_order_after(last: Decimal) -> Decimal | None:
    """The next `list_order`, or None if none is left. Near the maximum the step is a thousandth of the rest."""
    step = (
        ORDER_STEP
        if last + ORDER_STEP <= MAX_RENUMBERED
        else ((MAX_ORDER - last) / 1000).quantize(MIN_STEP, ROUND_DOWN)
    )
    return last + step if step >= MIN_STEP else None


def _ids_in_order(project_id: str, in_list: str) -> Sequence[str]:
    return list(
        Mission.objects.filter(project=project_id, list=in_list)
        .order_by("list_order", "id")
        .values_list("pk", flat=True)
    )


def _renumber(project_id: str, in_list: str, order: Sequence[str]) -> dict[str, Decimal]:
    """Renumber a list evenly, in one statement. Returns `list_order` by id."""
    step = min(ORDER_STEP, (MAX_RENUMBERED / (len(order) + 1)).quantize(MIN_STEP, ROUND_DOWN))
    places = {pk: step * (number + 1) for number, pk in enumerate(order)}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE missions m SET list_order = w.place
            FROM unnest(%s::text[], %s::numeric[]) AS w (id, place)
            WHERE m.id = w.id AND m.project_id = %s AND m.list = %s
            """,
            [list(places), list(places.values()), project_id, in_list],
        )
    return places

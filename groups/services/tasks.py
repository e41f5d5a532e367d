"""Creating and editing tasks, and their states: open, claimed, done, cancelled."""

from datetime import date
from typing import Any

from django.utils.translation import gettext

from groups.errors import MemberInactive, NotAMember, TaskNotYours, TaskStateRejected
from groups.models import Group, Member, Membership, Task
from groups.rules import TASK_MOVES, TaskState
from missionsite.common.audit.events import audit, audit_changes
from missionsite.common.changes import apply_changes, check_fields
from missionsite.common.transactions import service


@service
def create_task(
    *,
    actor: Member,
    group: Group,
    title: str,
    description: str = "",
    reward_points: int = 0,
    due_on: date | None = None,
) -> Task:
    """Add an open task to a mission. reward_points: trust score points. Raises TaskMissionArchived."""
    task = Task.objects.create(
        group=group, title=title, description=description, reward_points=reward_points, due_on=due_on
    )
    audit("task.created", actor=actor, group=group, task=task.stable_id)
    return task


@service
def update_task(*, actor: Member, task: Task, **changes: Any) -> Task:
    """Change title, description, reward_points or due_on."""
    check_fields(changes, "title", "description", "reward_points", "due_on")
    current = Task.objects.lock(task.pk, "group")
    changed = apply_changes(current, changes)
    audit_changes("task.changed", actor=actor, group=current.group, task=current.stable_id, changed=changed)
    return current


@service
def claim_task(*, actor: Member, task: Task, member: Member) -> Task:
    """Assign an open task to a member of its mission. Raises TaskStateRejected, MemberInactive, NotAMember."""
    current = _lock_for(task, "claim")
    if not Member.objects.filter(pk=member.pk, is_active=True).exists():
        raise MemberInactive
    if not Membership.objects.active().filter(member=member, group_id=current.group_id).exists():
        raise NotAMember(gettext("Only a member of the mission can claim its tasks. Add them to the mission first."))
    return _move_task(current, "claim", claimed_by=member, actor=actor)


@service
def complete_task(*, actor: Member, task: Task, own: bool = False) -> Task:
    """Complete a claimed task and add the reward to the member's trust score.

    own: only if the actor claimed it. Raises TaskStateRejected, TaskNotYours.
    """
    current = _lock_for(task, "complete", owner=actor if own else None)
    member = Member.objects.lock(current.claimed_by_id)
    if current.reward_points:
        member.trust_score += current.reward_points
        member.save(update_fields=["trust_score"])
    return _move_task(current, "complete", claimed_by=member, actor=actor, reward_points=current.reward_points)


@service
def cancel_task(*, actor: Member, task: Task, reason: str = "") -> Task:
    """Cancel an open or claimed task. Raises TaskStateRejected."""
    current = _lock_for(task, "cancel")
    return _move_task(current, "cancel", claimed_by=None, actor=actor, reason=reason)


@service
def reopen_task(*, actor: Member, task: Task, reason: str = "", own: bool = False) -> Task:
    """Make a claimed or cancelled task open again. A finished one cannot be reopened: its reward was paid.

    own: only if the actor claimed it. Raises TaskStateRejected, TaskNotYours, TaskMissionArchived.
    """
    current = _lock_for(task, "reopen", owner=actor if own else None)
    return _move_task(current, "reopen", claimed_by=None, actor=actor, reason=reason)


def _lock_for(task: Task, move: str, owner: Member | None = None) -> Task:
    """Return the current row of a task, locked.

    Raises TaskStateRejected if its state does not allow the move, TaskNotYours if the owner did not claim it.
    """
    current = Task.objects.lock(task.pk, "group")
    sources = TASK_MOVES[move].sources
    if current.state not in sources:
        raise TaskStateRejected(
            state=current.get_state_display(), needed=[str(TaskState(source).label) for source in sources]
        )
    if owner is not None and current.claimed_by_id != owner.pk:
        raise TaskNotYours
    return current


def _move_task(task: Task, move: str, *, claimed_by: Member | None, actor: Member, **payload: Any) -> Task:
    task.state, task.claimed_by = TASK_MOVES[move].target, claimed_by
    task.save(update_fields=["state", "claimed_by"])
    audit(TASK_MOVES[move].event, actor=actor, member=claimed_by, group=task.group, task=task.stable_id, **payload)
    return task

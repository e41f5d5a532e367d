"""Creating, editing, archiving and restoring missions and colonies."""

from typing import Any

from groups.errors import GroupIsActive, GroupIsArchived
from groups.models import Group, Member
from groups.rules import JoinPolicy
from missionsite.common.audit.events import audit, audit_changes
from missionsite.common.changes import apply_changes, check_fields
from missionsite.common.errors import DomainError
from missionsite.common.transactions import service


@service
def create_mission(
    *,
    actor: Member,
    name: str,
    colony: Group,
    description: str = "",
    min_trust_score: int = 0,
    join_policy: str = JoinPolicy.OPEN,
    max_members: int | None = None,
) -> Group:
    """Create a mission in a colony. min_trust_score: points; with 0 every member can join. join_policy: a JoinPolicy.

    max_members: of members and offered places at a time; None for any number.

    Raises ColonyArchived, ParentIsNoColony.
    """
    mission = Group.objects.create(
        name=name,
        type=Group.Type.MISSION,
        parent_group=colony,
        description=description,
        min_trust_score=min_trust_score,
        join_policy=join_policy,
        max_members=max_members,
    )
    audit("group.created", actor=actor, group=mission, stable_id=mission.stable_id)
    return mission


@service
def create_colony(*, actor: Member, name: str, description: str = "") -> Group:
    """Create a colony, the root that missions belong to."""
    colony = Group.objects.create(name=name, type=Group.Type.COLONY, description=description, min_trust_score=None)
    audit("group.created", actor=actor, group=colony, stable_id=colony.stable_id)
    return colony


@service
def update_group(*, actor: Member, group: Group, **changes: Any) -> Group:
    """Change name, description, min_trust_score, join_policy, max_members or parent_group. See also archive_group.

    Raises the errors of the group's constraints.
    """
    check_fields(changes, "name", "description", "min_trust_score", "join_policy", "max_members", "parent_group")
    current = Group.objects.lock(group.pk)
    changed = apply_changes(current, changes)
    audit_changes("group.changed", actor=actor, group=current, changed=changed)
    return current


@service
def archive_group(*, actor: Member, group: Group, reason: str = "") -> Group:
    """Archive a group: its members stay, no one can join, and the list of active missions leaves it out.

    Raises GroupIsArchived, ColonyHasActiveMissions.
    """
    return _set_status(group, Group.Status.ARCHIVED, GroupIsArchived, "group.archived", actor, reason)


@service
def restore_group(*, actor: Member, group: Group, reason: str = "") -> Group:
    """Make an archived group active again, with the members it has. Raises GroupIsActive, ColonyArchived."""
    return _set_status(group, Group.Status.ACTIVE, GroupIsActive, "group.restored", actor, reason)


def _set_status(
    group: Group, status: str, rejection: type[DomainError], event_type: str, actor: Member, reason: str
) -> Group:
    # One conditional UPDATE: of two concurrent calls, one changes the row and the other raises.
    if not Group.objects.filter(pk=group.pk).exclude(status=status).update(status=status):
        raise rejection
    group.status = status
    audit(event_type, actor=actor, group=group, reason=reason)
    return group

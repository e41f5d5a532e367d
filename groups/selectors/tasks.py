"""Reads of the tasks of a mission, for its members."""

from django.db.models import F

from groups.models import Group, Member, Task


def open_tasks(mission: Group, *, at_most: int) -> list[Task]:
    """Return up to `at_most` open tasks of a mission: those with the next due date first, then the oldest."""
    rows = Task.objects.filter(group=mission.pk, state=Task.State.OPEN)
    return list(rows.order_by(F("due_on").asc(nulls_last=True), "created_at", "id")[:at_most])


def claimed_tasks(mission: Group, member: Member) -> list[Task]:
    """Return the tasks of a mission that a member has claimed and not finished."""
    rows = Task.objects.filter(group=mission.pk, claimed_by=member, state=Task.State.CLAIMED)
    return list(rows.order_by(F("due_on").asc(nulls_last=True), "created_at", "id"))


def finished_tasks(mission: Group, member: Member, *, at_most: int) -> list[Task]:
    """Return up to `at_most` tasks of a mission that a member finished, the last changed first."""
    rows = Task.objects.filter(group=mission.pk, claimed_by=member, state=Task.State.DONE)
    return list(rows.order_by("-updated_at", "-id")[:at_most])

"""The definition of done: add, change, tick, move and remove items while the mission is not complete.

The history of the items records every change with its changeset, and so its actor.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import Max
from django.utils import timezone

from groups.models import Member
from missiondeck.models import Category, DeckMission, DodItem
from missionsite.common.changes import apply_changes, check_fields
from missionsite.common.transactions import service


@service
def add_item(*, actor: Member, mission: DeckMission, text: str, category: str = Category.FUNCTIONAL) -> DodItem:
    """Add an item at the end of its category.

    Raises ChecklistClosed, TooManyItems, ConstraintViolated (item_empty).
    """
    _lock_mission(mission.pk)
    last = DodItem.objects.filter(mission=mission, category=category).aggregate(last=Max("position"))["last"]
    return DodItem.objects.create(
        mission=mission, text=text.strip(), category=category, position=0 if last is None else last + 1
    )


@service
def update_item(*, actor: Member, item: DodItem, **changes: str) -> DodItem:
    """Change text or category. Raises ChecklistClosed, ConstraintViolated (item_empty)."""
    check_fields(changes, "text", "category")
    _lock_mission(item.mission_id)
    current = DodItem.objects.lock(item.pk)
    apply_changes(current, changes)
    return current


@service
def tick_item(*, actor: Member, item: DodItem, done: bool) -> DodItem:
    """Mark an item as done or open. Marking a done item again keeps its completion time and person.

    Raises ChecklistClosed.
    """
    _lock_mission(item.mission_id)
    current = DodItem.objects.lock(item.pk)
    if current.completed != done:
        current.completed = done
        current.completed_at = timezone.now() if done else None
        current.completed_by = actor if done else None
        current.save(update_fields=["completed", "completed_at", "completed_by"])
    return current


@service
def remove_item(*, actor: Member, item: DodItem) -> None:
    """Remove an item. Raises ChecklistClosed."""
    _lock_mission(item.mission_id)
    DodItem.objects.filter(pk=item.pk).delete()


@service
def move_item(*, actor: Member, item: DodItem, to: int) -> DodItem:
    """Move an item to a position (from 0) in its category."""
    _lock_mission(item.mission_id)
    current = DodItem.objects.get(pk=item.pk)
    others = list(DodItem.objects.filter(mission=current.mission_id, category=current.category).exclude(pk=current.pk))
    others.insert(max(0, min(to, len(others))), current)
    for position, each in enumerate(others):
        each.position = position
    DodItem.objects.bulk_update(others, ["position"])
    return current


def _lock_mission(mission_id: UUID) -> None:
    """Lock a mission while its items change, so that it is not completed and positions stay without gaps.

    Always before an item is locked, to avoid deadlocks.
    """
    DeckMission.objects.lock(mission_id, no_key=True)

"""Evidence of the items of a mission, and what it changed."""

from __future__ import annotations

from uuid import UUID

from missiondeck.models import FOR_READING, DeckMission, Evidence, EvidenceChange


def evidence_of(mission: DeckMission) -> dict[UUID, list[Evidence]]:
    """The evidence of each item of a mission that has any, by the item's id, in one query."""
    found: dict[UUID, list[Evidence]] = {}
    rows = Evidence.objects.filter(item__mission=mission, removed_at=None).select_related("signed_by", "item")
    for each in rows.order_by("kind", "created_at", "pk"):
        found.setdefault(each.item_id, []).append(each)
    return found


def is_automatic(evidence: list[Evidence]) -> bool:
    """Whether an item with this evidence is ticked and reopened by it."""
    return any(each.kind not in FOR_READING for each in evidence)


def last_changes(mission: DeckMission, *, most: int = 20) -> list[EvidenceChange]:
    """The items that evidence ticked or reopened last, newest first."""
    rows = EvidenceChange.objects.filter(mission=mission).select_related("item")
    return list(rows.order_by("-pk")[:most])

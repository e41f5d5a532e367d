"""Comments of the team on items of the definition of done."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Count, QuerySet

from missiondeck.models import DeckMission, DodComment, DodItem


def comments_on(item: DodItem) -> QuerySet[DodComment]:
    """The comments on an item, oldest first."""
    return DodComment.objects.filter(item=item).select_related("author").order_by("created_at", "pk")


def comment_counts(mission: DeckMission) -> dict[UUID, int]:
    """The number of comments of each item of a mission that has any."""
    rows = DodComment.objects.filter(item__mission=mission).order_by().values_list("item")
    return dict(rows.annotate(Count("pk")))

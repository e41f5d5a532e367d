"""The progress of definitions of done."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from missiondeck.models import Category, DeckMission, DodItem


@dataclass(frozen=True)
class Progress:
    """The progress of a definition of done."""

    done: int
    total: int

    @property
    def percent(self) -> int:
        """Rounded down, so 100 only if all items are done; 0 without items."""
        return self.done * 100 // self.total if self.total else 0


def progress_of(mission: DeckMission) -> dict[str, Progress]:
    """The progress of each category, and of all under "", in one query."""
    rows = DodItem.objects.filter(mission=mission).order_by().values_list("category")
    counted = rows.annotate(done=Count("pk", filter=Q(completed=True)), total=Count("pk"))
    counts = {category: Progress(done, total) for category, done, total in counted}
    everything = Progress(sum(each.done for each in counts.values()), sum(each.total for each in counts.values()))
    return {category.value: counts.get(category, Progress(0, 0)) for category in Category} | {"": everything}

"""What was spent on a mission, and how much of its budget that is."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet, Sum

from missiondeck.models import DeckCost, DeckMission
from missiondeck.rules import BUDGET_NEAR_PERCENT


@dataclass(frozen=True)
class BudgetUse:
    """The use of a budget. spent: cents by currency. used, budget: cents in the currency of the mission."""

    currency: str
    budget: int
    spent: dict[str, int]
    minutes: int

    @property
    def used(self) -> int:
        return self.spent.get(self.currency, 0)

    @property
    def percent(self) -> int:
        """Rounded down, so that 100 is shown only if all of it is used."""
        return self.used * 100 // self.budget

    @property
    def is_over(self) -> bool:
        """More than the budget; exactly the budget is not over it."""
        return self.used > self.budget

    @property
    def is_near(self) -> bool:
        return not self.is_over and self.used * 100 >= self.budget * BUDGET_NEAR_PERCENT


def costs_of(mission: DeckMission) -> QuerySet[DeckCost]:
    """The entries of a mission that count, latest first."""
    return DeckCost.objects.filter(mission=mission, removed_at=None).select_related("author")


def budget_use(mission: DeckMission) -> BudgetUse:
    """How much of the budget of a mission is used. Other currencies are listed, but do not count."""
    rows = DeckCost.objects.filter(mission=mission, removed_at=None).order_by().values("currency")
    found = list(rows.annotate(cents=Sum("amount_cents"), time=Sum("minutes")).order_by("currency"))
    return BudgetUse(
        currency=mission.currency,
        budget=mission.budget * 100,
        spent={row["currency"]: int(row["cents"]) for row in found if row["cents"]},
        minutes=sum(row["time"] or 0 for row in found),
    )

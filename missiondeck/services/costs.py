"""What was spent on missions: time entries and amounts. A trigger records notices of the budget."""

from __future__ import annotations

from datetime import date

from django.utils import timezone

from groups.models import Member
from missiondeck.models import DeckCost, DeckMission
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service


@service
def add_cost(
    *,
    actor: Member,
    mission: DeckMission,
    worked_on: date,
    minutes: int | None = None,
    amount_cents: int | None = None,
    rate_cents: int | None = None,
    currency: str = "",
    note: str = "",
) -> DeckCost:
    """Record time or an amount. currency: by default that of the mission. rate_cents: of an hour.

    Raises ConstraintViolated (minutes_out_of_range, amount_out_of_range, currency_invalid, cost_in_future).
    """
    if amount_cents is None:
        # Half a cent is rounded up.
        amount_cents = ((minutes or 0) * (rate_cents or 0) + 30) // 60
    made = DeckCost.objects.create(
        mission=mission,
        worked_on=worked_on,
        minutes=minutes,
        amount_cents=amount_cents,
        currency=currency or mission.currency,
        note=note.strip(),
        author=actor,
    )
    audit(
        "deck_cost.created",
        actor=actor,
        client_mission=mission.number,
        cost=str(made.pk),
        minutes=minutes,
        amount_cents=amount_cents,
        currency=made.currency,
    )
    return DeckCost.objects.select_related("author").get(pk=made.pk)


@service
def remove_cost(*, actor: Member, cost: DeckCost) -> None:
    """Remove an entry, so that it does not count any more."""
    if DeckCost.objects.filter(pk=cost.pk, removed_at=None).update(removed_at=timezone.now()):
        audit("deck_cost.removed", actor=actor, client_mission=cost.mission.number, cost=str(cost.pk))

"""The API of the costs of a mission, and the use of its budget."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.utils.translation import gettext
from ninja import Path, Schema, Status
from pydantic import Field, StringConstraints

from missiondeck import rules
from missiondeck.api.access import (
    EXAMPLE_ID,
    EXAMPLE_TIME,
    Number,
    Order,
    get_mission_to_change,
    get_visible_mission,
)
from missiondeck.models import DeckCost
from missiondeck.scopes import DECK_READ, DECK_WRITE
from missiondeck.selectors.costs import budget_use, costs_of
from missiondeck.services.costs import add_cost, remove_cost
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Cursor, Limit, Router, needs
from missionsite.common.api.pagination import PER_PAGE, PageCursor, paginate

router = Router(tags=["client missions"])

ADD_COST = "missiondeck.add_deckcost"
CostId = Path(..., examples=[EXAMPLE_ID])


class CurrencySum(Schema):
    """What was spent in one currency."""

    currency: str = Field(examples=["USD"])
    amount_cents: int = Field(description="Hundredths of the currency.", examples=[12_050])


class BudgetOut(Schema):
    """How much of the budget of a mission is used."""

    currency: str = Field(examples=["USD"])
    budget_cents: int = Field(description="Hundredths of the currency.", examples=[30_000])
    used_cents: int = Field(description="Spent in the currency of the budget.", examples=[12_050])
    percent: int = Field(description="Rounded down.", examples=[40])
    is_over: bool = Field(description="More than the budget was spent.", examples=[False])
    minutes: int = Field(description="Recorded time.", examples=[90])
    spent: list[CurrencySum] = Field(
        description="In every currency.", examples=[[{"currency": "USD", "amount_cents": 12_050}]]
    )


class DeckCostOut(Schema):
    """Time or an amount that was spent on a mission."""

    id: UUID = Field(examples=[EXAMPLE_ID])
    worked_on: date = Field(examples=["2026-11-20"])
    minutes: int | None = Field(description="Of work; null for an amount.", examples=[90])
    amount_cents: int = Field(description="Hundredths of the currency.", examples=[12_050])
    currency: str = Field(examples=["USD"])
    note: str = Field(examples=["Payment page"])
    author: str = Field(description="Stable ID.", examples=["FE-P-00007"])
    created_at: datetime = Field(examples=[EXAMPLE_TIME])


class DeckCostPage(Schema):
    items: list[DeckCostOut]
    next: str | None = Field(examples=[None])


class NewDeckCost(Order):
    worked_on: date = Field(examples=["2026-11-20"])
    minutes: int | None = Field(None, ge=1, le=rules.COST_MINUTES, description="Of work.", examples=[90])
    rate_cents: int | None = Field(
        None, ge=0, le=rules.COST_CENTS, description="Of an hour, for the amount of the minutes.", examples=[8_000]
    )
    amount_cents: int | None = Field(
        None,
        ge=0,
        le=rules.COST_CENTS,
        description="Hundredths of the currency; by default calculated from minutes and rate.",
        examples=[None],
    )
    currency: Annotated[str, StringConstraints(pattern=rules.CURRENCY)] | None = Field(
        None, description="By default that of the mission.", examples=["USD"]
    )
    note: str = Field("", max_length=300, examples=["Payment page"])


@router.get("/deck/missions/{number}/budget", response=BudgetOut, summary="Show the use of the budget")
@needs(DECK_READ, checks_rights=True)
def get_deck_budget(request: SiteRequest, number: int = Number):
    """How much of the budget is used. Only amounts in its currency count against it."""
    use = budget_use(get_visible_mission(request, number))
    return {
        "currency": use.currency,
        "budget_cents": use.budget,
        "used_cents": use.used,
        "percent": use.percent,
        "is_over": use.is_over,
        "minutes": use.minutes,
        "spent": [{"currency": code, "amount_cents": cents} for code, cents in use.spent.items()],
    }


@router.get("/deck/missions/{number}/costs", response=DeckCostPage, summary="List costs")
@needs(DECK_READ, checks_rights=True)
def list_deck_costs(
    request: SiteRequest, response: HttpResponse, number: int = Number, limit: Limit = PER_PAGE, cursor: Cursor = None
):
    """The time entries and amounts of a mission, oldest first by the time they were added."""
    mission = get_visible_mission(request, number)
    rows = costs_of(mission).order_by("created_at", "pk")
    position = PageCursor("costs of a mission", (str(mission.pk),))
    if key := position.read(cursor):
        at = datetime.fromisoformat(key[0])
        rows = rows.filter(Q(created_at__gt=at) | Q(created_at=at, pk__gt=key[1]))
    page = paginate(request, response, position, list(rows[: limit + 1]), limit, lambda row: (row.created_at, row.pk))
    return page | {"items": [_out(each) for each in page["items"]]}


@router.post("/deck/missions/{number}/costs", response={201: DeckCostOut}, summary="Add time or an amount")
@needs(DECK_WRITE, checks_rights=True)
def add_deck_cost(request: SiteRequest, order: NewDeckCost, number: int = Number):
    """Record time, with its rate, or an amount. Staff get a notice at 80 % of the budget and when it is exceeded."""
    mission = get_mission_to_change(request, number, ADD_COST)
    values = order.dict()
    values["currency"] = values["currency"] or ""
    return Status(201, _out(add_cost(actor=request.auth.member, mission=mission, **values)))


@router.delete("/deck/missions/{number}/costs/{cost}", response={204: None}, summary="Remove a cost")
@needs(DECK_WRITE, checks_rights=True)
def remove_deck_cost(request: SiteRequest, number: int = Number, cost: UUID = CostId):
    """Remove an entry, so that it does not count any more."""
    mission = get_mission_to_change(request, number, ADD_COST)
    found = DeckCost.objects.filter(mission=mission, removed_at=None, pk=cost).first()
    if found is None:
        values = {"number": mission.number, "key": cost}
        raise Http404(gettext("Client mission %(number)s has no cost %(key)s.") % values)
    remove_cost(actor=request.auth.member, cost=found)
    return Status(204, None)


def _out(cost: DeckCost) -> dict:
    named = DeckCostOut.model_fields.keys() - {"author"}
    return {name: getattr(cost, name) for name in named} | {"author": cost.author.member_id}

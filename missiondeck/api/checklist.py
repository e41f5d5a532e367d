"""The API of the definition of done."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext
from ninja import Path, Schema, Status
from pydantic import Field, StringConstraints

from missiondeck.api.access import (
    CHANGE,
    EXAMPLE_ID,
    EXAMPLE_TIME,
    Number,
    Order,
    get_mission_to_change,
    get_visible_mission,
)
from missiondeck.api.names import CategoryName
from missiondeck.models import DeckMission, DodItem
from missiondeck.rules import ITEM_LENGTH
from missiondeck.scopes import DECK_READ, DECK_WRITE
from missiondeck.selectors.checklist import progress_of
from missiondeck.services.checklist import add_item, move_item, remove_item, tick_item, update_item
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Router, needs

router = Router(tags=["client missions"])

ItemId = Path(..., examples=[EXAMPLE_ID])
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=ITEM_LENGTH)]


class DodItemOut(Schema):
    """An item of the definition of done."""

    id: UUID = Field(examples=[EXAMPLE_ID])
    text: str = Field(examples=["Every handler has a test"])
    category: str = Field(description="`functional`, `non-functional` or `tests`.", examples=["tests"])
    completed: bool = Field(examples=[True])
    completed_at: datetime | None = Field(examples=[EXAMPLE_TIME])
    completed_by: str | None = Field(description="Stable ID.", examples=["FE-P-00007"])
    position: int = Field(description="Position in its category, from 0.", examples=[0])
    created_at: datetime = Field(examples=[EXAMPLE_TIME])


class CategoryProgress(Schema):
    """The progress of a category."""

    category: str = Field(examples=["tests"])
    done: int = Field(examples=[1])
    total: int = Field(examples=[2])
    percent: int = Field(description="Rounded down; 100 only if all items are done.", examples=[50])


class DodOut(Schema):
    """The definition of done of a mission."""

    items: list[DodItemOut] = Field(description="Ordered by category and position.")
    progress: list[CategoryProgress] = Field(
        description="Of each category, including empty ones.",
        examples=[[{"category": "tests", "done": 1, "total": 2, "percent": 50}]],
    )
    done: int = Field(examples=[6])
    total: int = Field(examples=[9])
    percent: int = Field(examples=[66])


class NewDodItem(Order):
    text: Text = Field(examples=["Every handler has a test"])
    category: CategoryName = Field("functional", examples=["tests"])


class DodItemChange(Order):
    text: Text | None = Field(None, examples=["Every handler has a test"])
    category: CategoryName | None = Field(None, examples=["tests"])
    completed: bool | None = Field(None, examples=[True])
    position: int | None = Field(
        None, ge=0, le=1_000_000, description="Position in its category, from 0. Larger values mean last.", examples=[0]
    )


@router.get("/deck/missions/{number}/dod", response=DodOut, summary="Show the definition of done")
@needs(DECK_READ, checks_rights=True)
def get_deck_dod(request: SiteRequest, number: int = Number):
    """The items of the definition of done and their progress."""
    mission = get_visible_mission(request, number)
    items = DodItem.objects.filter(mission=mission).select_related("completed_by")
    progress = {name: {"done": each.done, "total": each.total, "percent": each.percent}
                for name, each in progress_of(mission).items()}  # fmt: skip
    overall = progress.pop("")
    return {
        "items": [item_out(item) for item in items],
        "progress": [{"category": name, **counts} for name, counts in progress.items()],
        **overall,
    }


@router.post("/deck/missions/{number}/dod", response={201: DodItemOut}, summary="Add to the definition of done")
@needs(DECK_WRITE, checks_rights=True)
def add_deck_dod_item(request: SiteRequest, order: NewDodItem, number: int = Number):
    """Add an item at the end of its category. 409 while the mission is complete."""
    mission = get_mission_to_change(request, number, CHANGE)
    return Status(
        201, _fresh(add_item(actor=request.auth.member, mission=mission, text=order.text, category=order.category))
    )


@router.patch("/deck/missions/{number}/dod/{item}", response=DodItemOut, summary="Change or tick an item")
@needs(DECK_WRITE, checks_rights=True)
def change_deck_dod_item(request: SiteRequest, order: DodItemChange, number: int = Number, item: UUID = ItemId):
    """Change the given fields. 409 while the mission is complete."""
    mission = get_mission_to_change(request, number, CHANGE)
    given = {name: value for name, value in order.dict(exclude_unset=True).items() if value is not None}
    if len(given) > 1:
        # Lock the mission so that several changes take effect together.
        DeckMission.objects.lock(mission.pk, no_key=True)
    found, actor = get_item(mission, item), request.auth.member
    if texts := {name: given[name] for name in ("text", "category") if name in given}:
        update_item(actor=actor, item=found, **texts)
    if "completed" in given:
        tick_item(actor=actor, item=found, done=given["completed"])
    if "position" in given:
        move_item(actor=actor, item=found, to=given["position"])
    return _fresh(found)


@router.delete("/deck/missions/{number}/dod/{item}", response={204: None}, summary="Remove an item")
@needs(DECK_WRITE, checks_rights=True)
def remove_deck_dod_item(request: SiteRequest, number: int = Number, item: UUID = ItemId):
    """Remove an item from the definition of done. 409 while the mission is complete."""
    mission = get_mission_to_change(request, number, CHANGE)
    remove_item(actor=request.auth.member, item=get_item(mission, item))
    return Status(204, None)


def get_item(mission: DeckMission, key: UUID) -> DodItem:
    """An item of this mission. Raises Http404."""
    if found := DodItem.objects.filter(mission=mission, pk=key).first():
        return found
    raise Http404(
        gettext("The definition of done of client mission %(number)s has no item %(key)s.")
        % {"number": mission.number, "key": key}
    )


def _fresh(item: DodItem) -> dict:
    return item_out(DodItem.objects.select_related("completed_by").get(pk=item.pk))


def item_out(item: DodItem) -> dict:
    """An item for the response."""
    named = DodItemOut.model_fields.keys() - {"completed_by"}
    by = item.completed_by
    return {name: getattr(item, name) for name in named} | {"completed_by": by.member_id if by else None}

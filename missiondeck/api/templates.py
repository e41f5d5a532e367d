"""The API of templates of definitions of done."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ninja import Schema
from pydantic import Field

from missiondeck.api.access import (
    CHANGE,
    EXAMPLE_ID,
    EXAMPLE_TIME,
    Number,
    Order,
    get_mission_to_change,
    get_template,
)
from missiondeck.api.checklist import DodItemOut, item_out
from missiondeck.models import DodItem, DodTemplate
from missiondeck.scopes import DECK_READ, DECK_WRITE
from missiondeck.services.templates import apply_template
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Router, needs

router = Router(tags=["client missions"])


class TemplateEvidence(Schema):
    """What must show that an item is true."""

    kind: str = Field(description="`test`, `suite`, `sign_off`, `address` or `link`.", examples=["sign_off"])
    value: str = Field(examples=["Delivery Lead"])


class TemplateItem(Schema):
    """An item of a template."""

    text: str = Field(examples=["It pays"])
    category: str = Field(description="`functional`, `non-functional` or `tests`.", examples=["functional"])
    evidence: list[TemplateEvidence] = Field(examples=[[{"kind": "sign_off", "value": "Delivery Lead"}]])


class DodTemplateOut(Schema):
    """A definition of done for a kind of client."""

    id: UUID = Field(examples=[EXAMPLE_ID])
    name: str = Field(description="The kind of client.", examples=["Online shop"])
    description: str = Field(examples=["Shops with payments by card"])
    is_enabled: bool = Field(examples=[True])
    items: list[TemplateItem]
    updated_at: datetime = Field(examples=[EXAMPLE_TIME])


class DodTemplates(Schema):
    items: list[DodTemplateOut]


class TemplateChoice(Order):
    template: UUID = Field(examples=[EXAMPLE_ID])


class AddedItems(Schema):
    items: list[DodItemOut] = Field(description="The added items; those that the mission had already are left out.")


@router.get("/deck/templates", response=DodTemplates, summary="List templates of definitions of done")
@needs(DECK_READ, checks_rights=True)
def list_dod_templates(request: SiteRequest):
    """The templates, by name."""
    request.auth.need("missiondeck.view_dodtemplate")
    return {"items": list(DodTemplate.objects.all())}


@router.post("/deck/missions/{number}/template", response=AddedItems, summary="Apply a template")
@needs(DECK_WRITE, checks_rights=True)
def apply_dod_template(request: SiteRequest, order: TemplateChoice, number: int = Number):
    """Add the items of a template that the mission does not have yet, with their evidence. 409 while the mission is
    complete."""
    mission = get_mission_to_change(request, number, CHANGE)
    template = get_template(request, order.template)
    added = apply_template(actor=request.auth.member, mission=mission, template=template)
    rows = DodItem.objects.select_related("completed_by").filter(pk__in=[item.pk for item in added])
    return {"items": [item_out(item) for item in rows]}

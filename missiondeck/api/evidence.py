"""The API of evidence of the definition of done."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.http import Http404, HttpResponse
from django.utils.translation import gettext
from ninja import File, Path, Schema, Status, UploadedFile
from pydantic import Field

from missiondeck.api.access import (
    CHANGE,
    EXAMPLE_ID,
    EXAMPLE_TIME,
    VIEW,
    Number,
    Order,
    get_mission_to_change,
    get_visible_mission,
)
from missiondeck.api.checklist import ItemId, get_item
from missiondeck.models import DeckMission, DodItem, Evidence, EvidenceFile, EvidenceKind
from missiondeck.rules import EVIDENCE_FILE_BYTES, EVIDENCE_LENGTH
from missiondeck.scopes import DECK_READ, DECK_WRITE
from missiondeck.selectors.evidence import evidence_of
from missiondeck.services.evidence import add_evidence, remove_evidence, sign_off
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Router, needs

router = Router(tags=["client missions"])

FILE_TYPE = "application/octet-stream"
EvidenceContent = File(..., description="At most 5 MB.")
EvidenceId = Path(..., examples=[EXAMPLE_ID])


class EvidenceOut(Schema):
    """What shows that an item is true."""

    id: UUID = Field(examples=[EXAMPLE_ID])
    item: UUID = Field(examples=[EXAMPLE_ID])
    kind: str = Field(
        description="`test`, `suite`, `sign_off`, `pull_request`, `address`, `file` or `link`.", examples=["test"]
    )
    value: str = Field(
        description="Test or pattern, suite, role, URL or file name.", examples=["tests.test_send \u203a *"]
    )
    state: str = Field(
        description="`met`, `failed`, `missing` (did not run, or not signed) or `pending` (a run is not finished, or "
        "no check was made yet).",
        examples=["met"],
    )
    run: UUID | None = Field(description="The test run that decided.", examples=[EXAMPLE_ID])
    signed_by: str | None = Field(description="Stable ID.", examples=[None])
    signed_at: datetime | None = Field(examples=[None])
    checked_at: datetime | None = Field(examples=[EXAMPLE_TIME])
    detail: str = Field(description="What the last check of a pull request or an address found.", examples=[""])
    observed_at: datetime | None = Field(description="When that was.", examples=[None])


class EvidenceList(Schema):
    items: list[EvidenceOut] = Field(description="Of all items of the definition of done.", examples=[[]])


class NewEvidence(Order):
    kind: Literal["test", "suite", "sign_off", "pull_request", "address", "link"] = Field(examples=["test"])
    value: str = Field(min_length=1, max_length=EVIDENCE_LENGTH, examples=["tests.test_send \u203a *"])


class Signature(Order):
    signed: bool = Field(True, description="False withdraws the signature.", examples=[True])


@router.get("/deck/missions/{number}/evidence", response=EvidenceList, summary="List evidence")
@needs(DECK_READ, checks_rights=True)
def list_deck_evidence(request: SiteRequest, number: int = Number):
    """The evidence of the definition of done, with its state."""
    found = evidence_of(get_visible_mission(request, number))
    return {"items": [_out(each) for rows in found.values() for each in rows]}


@router.post("/deck/missions/{number}/dod/{item}/evidence", response={201: EvidenceOut}, summary="Add evidence")
@needs(DECK_WRITE, checks_rights=True)
def add_deck_evidence(request: SiteRequest, order: NewEvidence, number: int = Number, item: UUID = ItemId):
    """Add evidence to an item, which is then ticked and reopened by it, unless it is a link. A pull request is one on
    GitHub that must be merged and not reverted; an address must answer with a status of 200 to 299."""
    found = get_item(get_mission_to_change(request, number, CHANGE), item)
    return Status(201, _out(add_evidence(actor=request.auth.member, item=found, kind=order.kind, value=order.value)))


@router.post("/deck/missions/{number}/dod/{item}/files", response={201: EvidenceOut}, summary="Add a file as evidence")
@needs(DECK_WRITE, checks_rights=True, longest=lambda: EVIDENCE_FILE_BYTES + 64 * 1024)
def add_deck_evidence_file(
    request: SiteRequest,
    number: int = Number,
    item: UUID = ItemId,
    file: UploadedFile = EvidenceContent,
):
    """Add a file to an item, for people to read; it ticks nothing. Sent as `multipart/form-data`."""
    found = get_item(get_mission_to_change(request, number, CHANGE), item)
    made = add_evidence(actor=request.auth.member, item=found, kind=EvidenceKind.FILE, value=file.name or "", file=file)
    return Status(201, _out(made))


@router.get(
    "/deck/missions/{number}/dod/{item}/evidence/{evidence}/file",
    summary="Download a file",
    openapi_extra={"responses": {200: {"content": {FILE_TYPE: {"schema": {"type": "string", "format": "binary"}}}}}},
)
@needs(DECK_READ, checks_rights=True)
def get_deck_evidence_file(
    request: SiteRequest, number: int = Number, item: UUID = ItemId, evidence: UUID = EvidenceId
):
    """The content of evidence that is a file."""
    mission = get_visible_mission(request, number)
    found = EvidenceFile.objects.filter(evidence=_evidence(mission, get_item(mission, item), evidence)).first()
    if found is None:
        raise Http404(gettext("This evidence is not a file."))
    return HttpResponse(bytes(found.content), content_type=FILE_TYPE)


@router.delete(
    "/deck/missions/{number}/dod/{item}/evidence/{evidence}", response={204: None}, summary="Remove evidence"
)
@needs(DECK_WRITE, checks_rights=True)
def remove_deck_evidence(request: SiteRequest, number: int = Number, item: UUID = ItemId, evidence: UUID = EvidenceId):
    """Remove evidence from an item. 409 while the mission is complete."""
    mission = get_mission_to_change(request, number, CHANGE)
    remove_evidence(actor=request.auth.member, evidence=_evidence(mission, get_item(mission, item), evidence))
    return Status(204, None)


@router.put(
    "/deck/missions/{number}/dod/{item}/evidence/{evidence}/signature", response=EvidenceOut, summary="Sign a sign-off"
)
@needs(DECK_WRITE, checks_rights=True)
def sign_deck_evidence(
    request: SiteRequest, order: Signature, number: int = Number, item: UUID = ItemId, evidence: UUID = EvidenceId
):
    """Sign as a member with the role of the sign-off, or withdraw the signature."""
    mission = get_mission_to_change(request, number, VIEW)
    found = _evidence(mission, get_item(mission, item), evidence)
    return _out(sign_off(actor=request.auth.member, evidence=found, signed=order.signed))


def _evidence(mission: DeckMission, item: DodItem, key: UUID) -> Evidence:
    if found := Evidence.objects.select_related("item").filter(item=item, removed_at=None, pk=key).first():
        return found
    values = {"number": mission.number, "key": key}
    raise Http404(gettext("The item of client mission %(number)s has no evidence %(key)s.") % values)


def _out(each: Evidence) -> dict:
    named = ("id", "kind", "value", "state", "signed_at", "checked_at", "detail", "observed_at")
    return {name: getattr(each, name) for name in named} | {
        "item": each.item_id,
        "run": each.run_id,
        "signed_by": each.signed_by.member_id if each.signed_by else None,
    }

"""The API of comments on items of the definition of done."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.http import HttpResponse
from ninja import Schema, Status
from pydantic import Field

from missiondeck.api.access import (
    EXAMPLE_ID,
    EXAMPLE_TIME,
    Number,
    Order,
    get_mission_to_change,
    get_visible_mission,
)
from missiondeck.api.checklist import ItemId, get_item
from missiondeck.models import DodComment
from missiondeck.rules import COMMENT_LENGTH
from missiondeck.scopes import DECK_READ, DECK_WRITE
from missiondeck.selectors.comments import comments_on
from missiondeck.services.comments import add_item_comment
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Cursor, Limit, Router, needs
from missionsite.common.api.pagination import PER_PAGE, PageCursor, paginate

router = Router(tags=["client missions"])

COMMENT = "missiondeck.add_dodcomment"


class DodCommentOut(Schema):
    """A comment on an item. Its Markdown is unchecked user input."""

    id: UUID = Field(examples=[EXAMPLE_ID])
    author: str = Field(description="Stable ID.", examples=["FE-P-00007"])
    text: str = Field(description="CommonMark.", examples=["@Noor, the shop is missing here. See #48."])
    created_at: datetime = Field(examples=[EXAMPLE_TIME])


class DodCommentPage(Schema):
    items: list[DodCommentOut]
    next: str | None = Field(examples=[None])


class NewDodComment(Order):
    text: str = Field(
        min_length=1,
        max_length=COMMENT_LENGTH,
        description="CommonMark. A name or member ID after an @ notifies that person.",
        examples=["@Noor, the shop is missing here. See #48."],
    )


@router.get("/deck/missions/{number}/dod/{item}/comments", response=DodCommentPage, summary="Read comments on an item")
@needs(DECK_READ, checks_rights=True)
def list_dod_comments(
    request: SiteRequest,
    response: HttpResponse,
    number: int = Number,
    item: UUID = ItemId,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
):
    """The comments on an item of the definition of done, oldest first."""
    found = get_item(get_visible_mission(request, number), item)
    rows = comments_on(found)
    position = PageCursor("comments on an item", (str(found.pk),))
    if key := position.read(cursor):
        at = datetime.fromisoformat(key[0])
        rows = rows.filter(Q(created_at__gt=at) | Q(created_at=at, pk__gt=key[1]))
    page = paginate(request, response, position, list(rows[: limit + 1]), limit, lambda row: (row.created_at, row.pk))
    return page | {"items": [_out(each) for each in page["items"]]}


@router.post("/deck/missions/{number}/dod/{item}/comments", response={201: DodCommentOut}, summary="Comment on an item")
@needs(DECK_WRITE, checks_rights=True)
def add_dod_comment(request: SiteRequest, order: NewDodComment, number: int = Number, item: UUID = ItemId):
    """Add a comment to an item. It cannot be changed afterwards."""
    found = get_item(get_mission_to_change(request, number, COMMENT), item)
    return Status(201, _out(add_item_comment(actor=request.auth.member, item=found, text=order.text)))


def _out(comment: DodComment) -> dict:
    return {
        "id": comment.pk,
        "author": comment.author.member_id,
        "text": comment.text,
        "created_at": comment.created_at,
    }

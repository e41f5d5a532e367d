"""The API of the chats with the citizens of a mission."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from django.db.models import Count, Max, Q
from django.http import Http404, HttpResponse
from django.utils.translation import gettext
from ninja import Path, Schema, Status
from pydantic import Field

from missiondeck import rules
from missiondeck.api.access import (
    EXAMPLE_ID,
    EXAMPLE_TIME,
    WRITE,
    Number,
    Order,
    get_mission_to_change,
    get_visible_mission,
)
from missiondeck.api.names import SenderName
from missiondeck.models import ChatMessage, Citizen
from missiondeck.scopes import DECK_READ, DECK_WRITE
from missiondeck.selectors.chats import author_of, chat_with
from missiondeck.selectors.citizens import citizen_names, citizens_of_chats
from missiondeck.services.chats import add_message
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Cursor, Limit, Router, needs
from missionsite.common.api.pagination import PER_PAGE, PageCursor, paginate

router = Router(tags=["client missions"])

CitizenKey = Path(..., pattern=rules.CITIZEN_KEY, description="Key of a citizen.", examples=["rafael"])


class CodeBlock(Order):
    """A code block of a message."""

    language: str = Field(max_length=rules.LANGUAGE_LENGTH, examples=["python"])
    code: str = Field(max_length=rules.MESSAGE_LENGTH, examples=["print('hello')"])


class CitizenOut(Schema):
    """A citizen that works on client missions."""

    key: str = Field(examples=["rafael"])
    name: str = Field(examples=["Rafael"])
    role: str = Field(examples=["The Specifier"])
    position: int = Field(examples=[3])
    is_enabled: bool = Field(description="Whether messages can be added.", examples=[True])


class CitizensOut(Schema):
    items: list[CitizenOut]


class ChatOut(Schema):
    """The number of messages with one citizen."""

    citizen: str = Field(examples=["rafael"])
    messages: int = Field(examples=[4])
    last_message_at: datetime | None = Field(examples=[EXAMPLE_TIME])


class ChatsOut(Schema):
    items: list[ChatOut] = Field(description="All citizens in their order.")


class DeckMessageOut(Schema):
    """A chat message. Its Markdown and code are unchecked user input."""

    id: UUID = Field(examples=[EXAMPLE_ID])
    citizen: str = Field(examples=["rafael"])
    sender: str = Field(description="`user` or `citizen`.", examples=["citizen"])
    author: str = Field(
        description="The author that the source states, the citizen, or the member who wrote it; empty if unknown.",
        examples=["Rafael"],
    )
    recorded_by: str | None = Field(description="Stable ID of the member who added it.", examples=["FE-P-00007"])
    message: str = Field(description="CommonMark.", examples=["It sends now. The code:"])
    code_blocks: list[CodeBlock] = Field(examples=[[{"language": "python", "code": "print('hello')"}]])
    created_at: datetime = Field(examples=[EXAMPLE_TIME])


class DeckMessagePage(Schema):
    items: list[DeckMessageOut]
    next: str | None = Field(examples=[None])


class NewDeckMessage(Order):
    sender: SenderName = Field(examples=["user"])
    author: str = Field(
        "",
        max_length=rules.AUTHOR_LENGTH,
        description="Who wrote it, if not you or the citizen: the client, or the author in the system that it is "
        "imported from.",
        examples=["Acme Corp"],
    )
    message: str = Field(
        min_length=1, max_length=rules.MESSAGE_LENGTH, description="CommonMark.", examples=["Does it send yet?"]
    )
    code_blocks: Annotated[
        list[CodeBlock],
        Field(max_length=rules.CODE_BLOCKS, examples=[[{"language": "python", "code": "print('hello')"}]]),
    ] = []


@router.get("/deck/citizens", response=CitizensOut, summary="List citizens")
@needs(DECK_READ, checks_rights=True)
def list_citizens(request: SiteRequest):
    """The citizens that work on client missions, in their order."""
    return {"items": list(Citizen.objects.all())}


@router.get("/deck/missions/{number}/chats", response=ChatsOut, summary="Count the messages of each chat")
@needs(DECK_READ, checks_rights=True)
def list_deck_chats(request: SiteRequest, number: int = Number):
    """The number of messages with each citizen, and the time of the last one."""
    rows = chat_with(get_visible_mission(request, number)).order_by().values_list("citizen")
    counts = {citizen: rest for citizen, *rest in rows.annotate(messages=Count("pk"), last=Max("created_at"))}
    items = []
    for citizen in citizens_of_chats(set(counts)):
        messages, last = counts.get(citizen.key, (0, None))
        items.append({"citizen": citizen.key, "messages": messages, "last_message_at": last})
    return {"items": items}


@router.get("/deck/missions/{number}/chats/{citizen}", response=DeckMessagePage, summary="Read a chat")
@needs(DECK_READ, checks_rights=True)
def list_deck_messages(
    request: SiteRequest,
    response: HttpResponse,
    number: int = Number,
    citizen: str = CitizenKey,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
):
    """The messages with one citizen, oldest first."""
    mission, names = get_visible_mission(request, number), _names(citizen)
    rows = chat_with(mission, citizen).order_by("created_at", "pk")
    position = PageCursor("client mission chat", (str(mission.pk), citizen))
    if key := position.read(cursor):
        at = datetime.fromisoformat(key[0])
        rows = rows.filter(Q(created_at__gt=at) | Q(created_at=at, pk__gt=key[1]))
    page = paginate(request, response, position, list(rows[: limit + 1]), limit, lambda row: (row.created_at, row.pk))
    return page | {"items": [_out(each, names) for each in page["items"]]}


@router.post("/deck/missions/{number}/chats/{citizen}", response={201: DeckMessageOut}, summary="Add a chat message")
@needs(DECK_WRITE, checks_rights=True)
def add_deck_message(request: SiteRequest, order: NewDeckMessage, number: int = Number, citizen: str = CitizenKey):
    """Add a message. It cannot be changed afterwards."""
    mission = get_mission_to_change(request, number, WRITE)
    values, names = order.dict(), _names(citizen)
    message = add_message(
        actor=request.auth.member, mission=mission, citizen=citizen, author_name=values.pop("author"), **values
    )
    return Status(201, _out(ChatMessage.objects.select_related("author").get(pk=message.pk), names))


def _names(citizen: str) -> dict[str, str]:
    """The names of the citizens. Raises Http404 if this one does not exist."""
    names = citizen_names()
    if citizen in names:
        return names
    raise Http404(gettext("The citizen %(key)s does not exist.") % {"key": citizen})


def _out(message: ChatMessage, names: dict[str, str]) -> dict:
    named = DeckMessageOut.model_fields.keys() - {"author", "recorded_by"}
    recorded_by = message.author.member_id if message.author else None
    return {name: getattr(message, name) for name in named} | {
        "author": author_of(message, names),
        "recorded_by": recorded_by,
    }

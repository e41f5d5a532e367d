"""Chats with citizens, and their transcripts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from django.db.models import QuerySet
from django.utils.translation import gettext

from missiondeck.models import ChatMessage, ChatSender, DeckMission
from missiondeck.selectors.citizens import citizen_names

# Messages read from the database at a time; each may be large.
_CHUNK = 50
_BACKTICKS = re.compile(r"`{3,}")


def chat_with(mission: DeckMission, citizen: str | None = None) -> QuerySet[ChatMessage]:
    """The messages of a mission, oldest first. citizen: only with this one."""
    messages = ChatMessage.objects.filter(mission=mission).select_related("author")
    return messages.filter(citizen=citizen) if citizen else messages


def transcript_as_markdown(mission: DeckMission, citizen: str | None = None) -> Iterator[str]:
    """A transcript in Markdown, in chunks: a heading with author and time (UTC) per message, code in fences."""
    names = citizen_names()
    values = {"number": mission.number, "title": _one_line(mission.title)}
    heading = gettext("Mission %(number)s: %(title)s") % values
    if citizen:
        heading = gettext("Mission %(number)s: %(title)s with %(citizen)s") % (
            values | {"citizen": names.get(citizen, citizen)}
        )
    client = gettext("Client: %(name)s") % {"name": _one_line(mission.client)}
    yield f"# {heading}\n\n{client}\n"
    for each in chat_with(mission, citizen).iterator(chunk_size=_CHUNK):
        name = _one_line(format_author(each, names))
        if by := recorder_of(each):
            name = gettext("%(name)s (recorded by %(member)s)") % {"name": name, "member": _one_line(by)}
        lines = ["", f"## {name}, {each.created_at:%Y-%m-%d %H:%M} UTC", "", each.message, ""]
        for block in each.code_blocks:
            fence = _fence(block["code"])
            lines += [f"{fence}{_one_line(block['language'])}", block["code"], fence, ""]
        yield "\n".join(lines)


def transcript_as_json(mission: DeckMission, citizen: str | None = None) -> Iterator[str]:
    """A transcript in JSON, in chunks: {"mission", "title", "client", "messages": [{"citizen", "sender", …}]}."""
    names = citizen_names()
    about = {"mission": mission.number, "title": mission.title, "client": mission.client}
    yield json.dumps(about, ensure_ascii=False)[:-1] + ', "messages": ['
    between = "\n"
    for each in chat_with(mission, citizen).iterator(chunk_size=_CHUNK):
        written = {
            "id": str(each.pk),
            "citizen": each.citizen,
            "sender": each.sender,
            "author": author_of(each, names),
            "recorded_by": each.author.member_id if each.author else None,
            "message": each.message,
            "code_blocks": each.code_blocks,
            "created_at": each.created_at.isoformat(),
        }
        yield between + json.dumps(written, ensure_ascii=False)
        between = ",\n"
    yield "\n]}\n"


def author_of(message: ChatMessage, names: Mapping[str, str]) -> str:
    """Who wrote a message: the author that its source states, the citizen, or the member; "" if that is unknown.

    names: of the citizens.
    """
    if message.author_name:
        return message.author_name
    if message.sender == ChatSender.CITIZEN:
        return names.get(message.citizen, message.citizen)
    return str(message.author) if message.author else ""


def format_author(message: ChatMessage, names: Mapping[str, str]) -> str:
    """Who wrote a message, and to whom."""
    author = author_of(message, names)
    if message.sender == ChatSender.CITIZEN:
        return author
    values = {"author": author, "name": names.get(message.citizen, message.citizen)}
    return (gettext("%(author)s to %(name)s") if author else gettext("To %(name)s")) % values


def recorder_of(message: ChatMessage) -> str:
    """The member who recorded a message that another author wrote; "" without one."""
    is_recorded = message.author_name or message.sender == ChatSender.CITIZEN
    return str(message.author) if is_recorded and message.author else ""


def _fence(code: str) -> str:
    """A fence longer than any run of backticks in the code."""
    return "`" * max([3, *(len(found) + 1 for found in _BACKTICKS.findall(code))])


def _one_line(text: str) -> str:
    return " ".join(text.split())

"""Chats with citizens, and their transcripts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from groups.models import Member
from missiondeck.models import ChatMessage, Citizen, DeckMission, Sender
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service

# Messages read from the database at a time; each may be large.
_CHUNK = 50
_BACKTICKS = re.compile(r"`{3,}")


@service
def add_message(
    *, actor: Member, mission: DeckMission, citizen: str, sender: str, message: str, code_blocks: Sequence[dict] = ()
) -> ChatMessage:
    """Add a message to the chat with a citizen. code_blocks: [{"language", "code"}].

    Raises ConstraintViolated (message_empty, message_too_long), CodeBlocksInvalid.
    """
    added = ChatMessage.objects.create(
        mission=mission,
        citizen=Citizen(citizen),
        sender=Sender(sender),
        message=message,
        code_blocks=list(code_blocks),
    )
    audit(
        "chat_message.created", actor=actor, client_mission=mission.number, citizen=added.citizen, sender=added.sender
    )
    return added


def chat_with(mission: DeckMission, citizen: str | None = None):
    """The messages of a mission, oldest first. citizen: only with this one."""
    messages = ChatMessage.objects.filter(mission=mission)
    return messages.filter(citizen=citizen) if citizen else messages


def transcript_as_markdown(mission: DeckMission, citizen: str | None = None) -> Iterator[str]:
    """A transcript in Markdown, in chunks: a heading with author and time (UTC) per message, code in fences."""
    of = f" with {Citizen(citizen).label}" if citizen else ""
    yield f"# Mission {mission.number}: {_one_line(mission.title)}{of}\n\nClient: {_one_line(mission.client)}\n"
    for each in chat_with(mission, citizen).iterator(chunk_size=_CHUNK):
        name = Citizen(each.citizen).label if each.sender == Sender.CITIZEN else f"To {Citizen(each.citizen).label}"
        lines = ["", f"## {name}, {each.created_at:%Y-%m-%d %H:%M} UTC", "", each.message, ""]
        for block in each.code_blocks:
            fence = _fence(block["code"])
            lines += [f"{fence}{_one_line(block['language'])}", block["code"], fence, ""]
        yield "\n".join(lines)


def transcript_as_json(mission: DeckMission, citizen: str | None = None) -> Iterator[str]:
    """A transcript in JSON, in chunks: {"mission", "title", "client", "messages": [{"citizen", "sender", …}]}."""
    about = {"mission": mission.number, "title": mission.title, "client": mission.client}
    yield json.dumps(about, ensure_ascii=False)[:-1] + ', "messages": ['
    between = "\n"
    for each in chat_with(mission, citizen).iterator(chunk_size=_CHUNK):
        written = {
            "id": str(each.pk),
            "citizen": each.citizen,
            "sender": each.sender,
            "message": each.message,
            "code_blocks": each.code_blocks,
            "created_at": each.created_at.isoformat(),
        }
        yield between + json.dumps(written, ensure_ascii=False)
        between = ",\n"
    yield "\n]}\n"


def _fence(code: str) -> str:
    """A fence longer than any run of backticks in the code."""
    return "`" * max([3, *(len(found) + 1 for found in _BACKTICKS.findall(code))])


def _one_line(text: str) -> str:
    return " ".join(text.split())

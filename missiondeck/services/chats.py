"""Chats with citizens: adding messages."""

from __future__ import annotations

from collections.abc import Sequence

from groups.models import Member
from missiondeck.models import ChatMessage, ChatSender, Citizen, DeckMission
from missiondeck.services.notices import record_mentions
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service


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
        sender=ChatSender(sender),
        message=message,
        code_blocks=list(code_blocks),
    )
    audit(
        "chat_message.created", actor=actor, client_mission=mission.number, citizen=added.citizen, sender=added.sender
    )
    record_mentions(actor=actor, message=added)
    return added

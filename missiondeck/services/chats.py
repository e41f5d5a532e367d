"""Chats with citizens: adding messages."""

from __future__ import annotations

from collections.abc import Sequence

from groups.models import Member
from missiondeck.errors import CitizenDisabled
from missiondeck.models import ChatMessage, ChatSender, Citizen, DeckMission
from missiondeck.services.notices import record_mentions
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service


@service
def add_message(
    *,
    actor: Member,
    mission: DeckMission,
    citizen: str,
    sender: str,
    message: str,
    code_blocks: Sequence[dict] = (),
    author_name: str = "",
) -> ChatMessage:
    """Add a message to the chat with a citizen. code_blocks: [{"language", "code"}].

    author_name: who wrote it, such as the client or the author in another system; "" for the actor.
    Raises ConstraintViolated (message_empty, message_too_long), CodeBlocksInvalid, CitizenUnknown, CitizenDisabled.
    """
    if Citizen.objects.filter(key=citizen, is_enabled=False).exists():
        raise CitizenDisabled
    added = ChatMessage.objects.create(
        mission=mission,
        citizen=citizen,
        sender=ChatSender(sender),
        message=message,
        code_blocks=list(code_blocks),
        author=actor,
        author_name=author_name.strip(),
    )
    audit(
        "chat_message.created", actor=actor, client_mission=mission.number, citizen=added.citizen, sender=added.sender
    )
    record_mentions(
        actor=actor, mission=mission, text=message, subject=str(added.pk), payload={"citizen": added.citizen}
    )
    return added

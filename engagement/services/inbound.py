"""What members write: answers to the goodbye, words that switch something, and everything else."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils import timezone

from engagement.errors import SenderUnknown
from engagement.models import Destination, InboundMessage, State, Trigger, UserEngagementState, UserProfile
from engagement.services.machine import record_activity, transition
from engagement.services.profiles import opt_in, opt_out, switch_destination
from groups.models import Member
from missionsite.common.transactions import service

# In any state; what a member writes is compared without case, accents and marks at the end.
SWITCHES = {
    "stop reminders": "opted_out",
    "parar lembretes": "opted_out",
    "start reminders": "opted_in",
    "comecar lembretes": "opted_in",
    "iniciar lembretes": "opted_in",
    "switch to group": "to_group",
    "mudar para grupo": "to_group",
    "switch to individual": "to_individual",
    "mudar para individual": "to_individual",
}
# While a goodbye waits for its answer.
ANSWERS = {
    "1": Trigger.GOODBYE_RESPONSE_1,
    "confused": Trigger.GOODBYE_RESPONSE_1,
    "confuso": Trigger.GOODBYE_RESPONSE_1,
    "confusa": Trigger.GOODBYE_RESPONSE_1,
    "2": Trigger.GOODBYE_RESPONSE_2,
    "busy": Trigger.GOODBYE_RESPONSE_2,
    "ocupado": Trigger.GOODBYE_RESPONSE_2,
    "ocupada": Trigger.GOODBYE_RESPONSE_2,
    "3": Trigger.GOODBYE_RESPONSE_3,
    "all good": Trigger.GOODBYE_RESPONSE_3,
    "tudo certo": Trigger.GOODBYE_RESPONSE_3,
}
USER_MESSAGE = "user_message"
REPEATED = "repeated"
# Longer texts are no command; only the beginning is looked at.
LOOKED_AT = 200


@dataclass(frozen=True)
class Handled:
    """What a message did: opted_out, opted_in, to_group, to_individual, a trigger, or `repeated`.

    state: the member's afterwards.
    """

    effect: str
    state: str


def plain(text: str) -> str:
    """A text as it is compared: small letters, no accents, single blanks, no marks around it; 1️⃣ is 1."""
    decomposed = unicodedata.normalize("NFKD", text[:LOOKED_AT])
    letters = "".join(each for each in decomposed if unicodedata.category(each) not in ("Mn", "Me", "Cf"))
    return re.sub(r"\s+", " ", letters).strip(" \t\r\n.,;:!?()\"'").casefold()


@service
def handle_inbound(
    *, member: Member, text: str, platform: str = "", message_id: str = "", at: datetime | None = None
) -> Handled:
    """Understand what a member wrote and do it. The text is not kept.

    platform and message_id: what the platform calls the message; sent again, it does nothing. Anything that is neither
    a switch nor an answer to a goodbye is a user_message.
    """
    at = at or timezone.now()
    if message_id and not _note(member, platform, message_id, at):
        return Handled(REPEATED, state_of(member))
    effect = _do(member, plain(text), at)
    if message_id:
        InboundMessage.objects.filter(platform=platform, message_id=message_id).update(effect=effect)
    return Handled(effect, state_of(member))


def find_sender(*, address: str) -> Member:
    """The member whose individual chat this is. Raises SenderUnknown."""
    profile = UserProfile.objects.select_related("user").filter(individual_jid=address).exclude(individual_jid="")
    if (found := profile.first()) is None:
        raise SenderUnknown
    return found.user


def state_of(member: Member) -> str:
    """A member's state; who has done nothing yet is active."""
    row = UserEngagementState.objects.filter(user=member).values_list("state", flat=True).first()
    return row or State.ACTIVE


def _note(member: Member, platform: str, message_id: str, at: datetime) -> bool:
    """Note that a message came; False where it came before. Of two at once the second waits for the first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO engagement_inbound_messages (user_id, platform, message_id, received_at)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (platform, message_id) DO NOTHING",
            [member.pk, platform, message_id, at],
        )
        return cursor.rowcount == 1


def _do(member: Member, said: str, at: datetime) -> str:
    if switch := SWITCHES.get(said):
        match switch:
            case "opted_out":
                opt_out(member=member, actor=member)
            case "opted_in":
                opt_in(member=member, actor=member)
            case "to_group":
                switch_destination(member=member, to=Destination.GROUP, actor=member)
            case "to_individual":
                switch_destination(member=member, to=Destination.INDIVIDUAL, actor=member)
        return switch
    UserEngagementState.objects.bulk_create([UserEngagementState(user=member)], ignore_conflicts=True)
    state = UserEngagementState.objects.select_for_update().get(user=member).state
    if state == State.GOODBYE_SENT and (answer := ANSWERS.get(said)):
        transition(member=member, trigger=answer, at=at)
        return answer.value
    if state == State.ACTIVE:
        record_activity(member=member, at=at)
    else:
        transition(member=member, trigger=Trigger.USER_MESSAGE, at=at)
    return USER_MESSAGE

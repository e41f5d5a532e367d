"""What members write: what is done about it. How a text is read stands in answers.py."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils import timezone

from engagement.errors import SenderUnknown
from engagement.models import (
    Destination,
    InboundMessage,
    MessageType,
    State,
    Trigger,
    UserEngagementState,
    UserProfile,
)
from engagement.services.answers import (
    AUTO_REPLY,
    OPTED_IN,
    OPTED_OUT,
    TO_GROUP,
    TO_INDIVIDUAL,
    USER_MESSAGE,
    is_auto_submitted,
    read_answer,
)
from engagement.services.machine import record_activity, transition
from engagement.services.messages import enqueue
from engagement.services.profiles import opt_in, opt_out, switch_destination
from groups.models import Member
from missionsite.common.transactions import service

REPEATED = "repeated"
# An answer to a goodbye is also the trigger it pulls.
ANSWERS = (Trigger.GOODBYE_RESPONSE_1, Trigger.GOODBYE_RESPONSE_2, Trigger.GOODBYE_RESPONSE_3)


@dataclass(frozen=True)
class Handled:
    """What a message did: opted_out, opted_in, to_group, to_individual, auto_reply, a trigger, or `repeated`.

    state: the member's afterwards.
    """

    effect: str
    state: str


@service
def handle_inbound(
    *,
    member: Member,
    text: str,
    platform: str = "",
    message_id: str = "",
    at: datetime | None = None,
    auto_submitted: bool | str | None = None,
) -> Handled:
    """Understand what a member wrote and do it. The text is not kept.

    platform and message_id: what the platform calls the message; sent again, it does nothing. auto_submitted: whether a
    program wrote it, or its header Auto-Submitted; an automatic reply does nothing and is no activity. Anything that is
    no request and no answer to a goodbye is a user_message.
    """
    at = at or timezone.now()
    if message_id and not _note(member, platform, message_id, at):
        return Handled(REPEATED, state_of(member))
    effect = _do(member, AUTO_REPLY if is_auto_submitted(auto_submitted) else read_answer(text), at)
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


def _do(member: Member, reading: str, at: datetime) -> str:
    """Do what a member asked for; returns what was done. All but an opt-out and an automatic reply is activity."""
    if reading == AUTO_REPLY:
        return reading
    if reading == OPTED_OUT:
        _opt_out(member, at)
        return reading
    UserEngagementState.objects.bulk_create([UserEngagementState(user=member)], ignore_conflicts=True)
    state = UserEngagementState.objects.select_for_update().get(user=member).state
    if reading in ANSWERS and state == State.GOODBYE_SENT:
        transition(member=member, trigger=reading, at=at)
        return reading
    if reading == OPTED_IN:
        opt_in(member=member, actor=member)
    elif reading == TO_GROUP:
        switch_destination(member=member, to=Destination.GROUP, actor=member)
    elif reading == TO_INDIVIDUAL:
        switch_destination(member=member, to=Destination.INDIVIDUAL, actor=member)
    else:
        reading = USER_MESSAGE
    if state == State.ACTIVE:
        record_activity(member=member, at=at)
    else:
        transition(member=member, trigger=Trigger.USER_MESSAGE, at=at)
    return reading


def _opt_out(member: Member, at: datetime) -> None:
    """Opt a member out, and confirm it where they were not opted out already; at most once a day."""
    if UserProfile.objects.select_for_update().get(pk=member.pk).reengagement_opt_out:
        return
    opt_out(member=member, actor=member)
    enqueue(member=member, message_type=MessageType.OPT_OUT_CONFIRMATION, at=at)

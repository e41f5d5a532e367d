"""Handles messages from members. intents.py classifies their text."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from engagement.models import EngagementStateTransition, InboundMessage, UserProfile
from engagement.rules import GOODBYE_REPLIES, MESSAGE_ONLY, Destination, MessageType, State, TransitionTrigger
from engagement.selectors.members import state_of
from engagement.services.intents import (
    AUTO_REPLY,
    COURTESY,
    OPTED_IN,
    OPTED_OUT,
    TO_GROUP,
    TO_INDIVIDUAL,
    UNCLEAR,
    USER_MESSAGE,
    classify_text,
    is_auto_submitted,
)
from engagement.services.lifecycle import ask_again, lock_state, record_activity, transition
from engagement.services.messages import enqueue
from engagement.services.profiles import opt_in, opt_out, switch_destination
from groups.models import Member
from missionsite.common.transactions import service

REPEATED = "repeated"
# After the answer "leave me be", thanks within this time are no return.
COURTESY_PERIOD = timedelta(days=7)


@dataclass(frozen=True)
class Handled:
    """Effect of a message: a request, auto_reply, unclear (asked again), courtesy (none), a trigger, or `repeated`.

    state: the member's state afterwards.
    """

    effect: str
    state: str


@service
def handle_inbound(
    *,
    actor: Member,
    text: str,
    platform: str = "",
    message_id: str = "",
    at: datetime | None = None,
    auto_submitted: bool | str | None = None,
) -> Handled:
    """Classify the text of a member and carry out the request. The text is not stored.

    actor: the member who wrote it. platform, message_id: the platform's ID of the message; a repeated one has no
    effect. auto_submitted: whether a program wrote the message, or the value of its header Auto-Submitted; an automatic
    reply has no effect and is no activity. A text that is neither a request nor a reply to a goodbye is a user_message.
    """
    at = at or timezone.now()
    if message_id and not _insert_once(actor, platform, message_id, at):
        return Handled(REPEATED, state_of(actor))
    effect = _apply(actor, AUTO_REPLY if is_auto_submitted(auto_submitted) else classify_text(text), at)
    if message_id:
        InboundMessage.objects.filter(platform=platform, message_id=message_id).update(effect=effect)
    return Handled(effect, state_of(actor))


def _insert_once(member: Member, platform: str, message_id: str, at: datetime) -> bool:
    """Record the message; return False if it is already recorded. A concurrent duplicate waits for the first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO engagement_inbound_messages (user_id, platform, message_id, received_at)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (platform, message_id) DO NOTHING",
            [member.pk, platform, message_id, at],
        )
        return cursor.rowcount == 1


def _apply(member: Member, intent: str, at: datetime) -> str:
    """Carry out an intent; return the effect.

    No activity: an opt-out, an automatic reply, an unclear reply that is asked about, thanks after "leave me be".
    """
    if intent == AUTO_REPLY:
        return intent
    if intent == OPTED_OUT:
        _opt_out(member, at)
        return intent
    current = lock_state(member)
    state, took_part = current.state, intent == USER_MESSAGE
    if intent in GOODBYE_REPLIES and state == State.GOODBYE_SENT:
        transition(actor=member, member=member, trigger=intent, at=at)
        return intent
    if intent in (UNCLEAR, COURTESY):
        if ask_again(actor=member, member=member, at=at):
            return UNCLEAR
        if intent == COURTESY and state == State.DORMANT and _wants_quiet(member, at):
            return COURTESY
    if intent == OPTED_IN:
        opt_in(actor=member, member=member)
    elif intent == TO_GROUP:
        switch_destination(actor=member, member=member, to=Destination.GROUP)
    elif intent == TO_INDIVIDUAL:
        switch_destination(actor=member, member=member, to=Destination.INDIVIDUAL)
    else:
        intent = USER_MESSAGE
    if state == State.ACTIVE:
        record_activity(member=member, at=at, took_part=took_part)
    else:
        was_asked = current.goodbye_sent_at or current.reminder_expires_at
        answer = MESSAGE_ONLY if was_asked and intent == USER_MESSAGE else ""
        transition(actor=member, member=member, trigger=TransitionTrigger.USER_MESSAGE, at=at, response_type=answer)
    return intent


def _wants_quiet(member: Member, at: datetime) -> bool:
    """Return whether a member asked to be left alone in the days before."""
    last = EngagementStateTransition.objects.filter(user=member).order_by("-created_at", "-pk").first()
    return (
        last is not None
        and last.trigger == TransitionTrigger.GOODBYE_RESPONSE_3
        and at - last.created_at < COURTESY_PERIOD
    )


def _opt_out(member: Member, at: datetime) -> None:
    """Opt a member out and queue a confirmation, at most once a day; nothing if they have already opted out."""
    if UserProfile.objects.lock(member.pk).reengagement_opt_out:
        return
    opt_out(actor=member, member=member)
    enqueue(member=member, message_type=MessageType.OPT_OUT_CONFIRMATION, at=at)

"""Handles messages from members. intents.py classifies their text."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.crypto import salted_hmac

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
from engagement.services.phrases import plain
from engagement.services.profiles import opt_in, opt_out, switch_destination
from groups.models import Member
from missionsite.common.transactions import service

REPEATED = "repeated"
# After the answer "leave me be", thanks within this time are no return.
COURTESY_PERIOD = timedelta(days=7)
# A program that answers messages does so within minutes.
QUICK = timedelta(minutes=2)
# Short texts are also repeated by people.
PROGRAM_CHARACTERS = 20
# More messages than this in the period are a loop of programs.
LOOP_MESSAGES, LOOP_PERIOD = 10, timedelta(minutes=10)
# How long a text is remembered that came within minutes of a message of ours.
REMEMBERED = timedelta(days=400)


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
    intent: str = "",
) -> Handled:
    """Classify the text of a member and carry out the request. The text is not stored.

    actor: the member who wrote it. platform, message_id: the platform's ID of the message; a repeated one has no
    effect. auto_submitted: whether a program wrote the message, or the value of its header Auto-Submitted; an automatic
    reply has no effect and is no activity. intent: what the member wants, if it is known without the text. A text that
    is neither a request nor a reply to a goodbye is a user_message.
    """
    at = at or timezone.now()
    words = plain(text)
    digest = salted_hmac("engagement.inbound", words).hexdigest() if len(words) >= PROGRAM_CHARACTERS else ""
    if message_id and not _insert_once(actor, platform, message_id, digest, at):
        return Handled(REPEATED, state_of(actor))
    intent = intent or (AUTO_REPLY if is_auto_submitted(auto_submitted) else classify_text(text))
    if message_id and intent in _AMBIGUOUS and _is_loop(actor, platform, message_id, at):
        intent = AUTO_REPLY
    effect = _apply(actor, intent, at)
    if message_id:
        InboundMessage.objects.filter(platform=platform, message_id=message_id).update(effect=effect)
    return Handled(effect, state_of(actor))


def _insert_once(member: Member, platform: str, message_id: str, digest: str, at: datetime) -> bool:
    """Record the message; return False if it is already recorded. A concurrent duplicate waits for the first."""
    values: dict[str, Any] = {
        **{"member": member.pk, "platform": platform, "id": message_id},
        **{"digest": digest, "at": at, "quick": QUICK},
    }
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO engagement_inbound_messages
                (user_id, platform, message_id, text_digest, received_at, follows_ours)
            VALUES (%(member)s, %(platform)s, %(id)s, %(digest)s, %(at)s, EXISTS (
                SELECT FROM engagement_message_queue q
                WHERE q.user_id = %(member)s AND q.sent_at BETWEEN %(at)s - %(quick)s::interval AND %(at)s
            )) ON CONFLICT (platform, message_id) DO NOTHING
            """,
            values,
        )
        return cursor.rowcount == 1


# Texts that may be those of a program; a request or an answer has its effect in any case.
_AMBIGUOUS = (USER_MESSAGE, UNCLEAR, COURTESY)


def _is_loop(member: Member, platform: str, message_id: str, at: datetime) -> bool:
    """Return whether a program answers: the same text followed a message of ours before, or messages come too often."""
    ours = InboundMessage.objects.filter(user=member, received_at__lte=at)
    this = ours.filter(platform=platform, message_id=message_id)
    if ours.filter(received_at__gt=at - LOOP_PERIOD).count() > LOOP_MESSAGES:
        return True
    found = this.filter(follows_ours=True).values_list("text_digest", flat=True).first()
    if not found:
        return False
    before = ours.exclude(platform=platform, message_id=message_id)
    return before.filter(text_digest=found, follows_ours=True, received_at__gt=at - REMEMBERED).exists()


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

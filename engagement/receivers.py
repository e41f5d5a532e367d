"""What this app does when something happens in groups: activity, registering, first steps, the welcome, erasing."""

import logging
from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from engagement.models import EngagementMessage, MessageType, UserProfile
from engagement.services.machine import record_activities, record_activity
from engagement.services.messages import enqueue
from engagement.services.onboarding import complete_action, note_magic_moment, tier_of
from engagement.services.profiles import start_profile
from engagement.transports.file import FileTransport
from groups.models import CommunityMember, Event, Member
from groups.signals import event_recorded, member_registered, participation_recorded

logger = logging.getLogger(__name__)

# What members do themselves that shows they are there.
ACTIVITY = ("membership.created", "membership.ended", "task.claimed", "task.done", "directory.changed")
INTRODUCED = "introduce_yourself"
ROLE_STEPS = {"lead": "lead_mission", "mentor": "mentor_member"}


def on_event(sender, event: Event, **_) -> None:
    """After the commit: a member's own request writes under the member role, which may not touch the queue."""
    if steps := _STEPS.get(event.type):
        transaction.on_commit(lambda: steps(event), robust=True)
    if event.type in ACTIVITY and event.member_id and event.actor_id == event.member_id:
        transaction.on_commit(lambda: record_activity(member=event.member, at=event.occurred_at), robust=True)


def on_participation(sender, seen: dict, spoke: set, **_) -> None:
    """In the transaction of the participation."""
    record_activities(seen=seen)
    tier = tier_of(INTRODUCED)
    if tier is None:
        return
    profiles = UserProfile.objects.filter(pk__in=spoke).select_related("user").order_by("pk")
    for profile in profiles:
        if INTRODUCED not in profile.onboarding_tier_progress.get(tier, {}):
            complete_action(member=profile.user, action=INTRODUCED, at=seen[profile.pk])


def on_registration(sender, entry: CommunityMember, locale: str, timezone: str, **_) -> None:
    """In the transaction of the registration."""
    start_profile(member=entry.person, address=entry.telegram_id, locale=locale, timezone=timezone)


def _took(member: Member, action: str, event: Event) -> None:
    """Note a step; an onboarding that was configured without it does not hear of it."""
    if tier_of(action):
        complete_action(member=member, action=action, at=event.occurred_at)


def _approved(event: Event) -> None:
    if event.member:
        record_activity(member=event.member, at=event.occurred_at)
        enqueue(member=event.member, message_type=MessageType.WELCOME, on="once", at=timezone.now())


def _seated(event: Event) -> None:
    if event.member and event.group and event.group.is_mission:
        note_magic_moment(member=event.member, at=event.occurred_at)
        _took(event.member, "join_mission", event)
        _took_role(event.member, event.payload.get("role", ""), event)


def _role_changed(event: Event) -> None:
    if event.member:
        _took_role(event.member, event.payload["changed"]["role"][1], event)


def _took_role(member: Member, role: str, event: Event) -> None:
    if step := ROLE_STEPS.get(role.strip().casefold()):
        _took(member, step, event)


def _task_done(event: Event) -> None:
    if event.member:
        _took(event.member, "complete_task", event)


def _invited(event: Event) -> None:
    inviter = CommunityMember.objects.filter(member_id=event.payload.get("invited_by")).select_related("person").first()
    if inviter and inviter.person:
        _took(inviter.person, "invite_member", event)


def _verified(event: Event) -> None:
    if event.member:
        _took(event.member, "verify_github", event)


def _profile_changed(event: Event) -> None:
    """A member who turns messages on again is there: no goodbye answers that."""
    if event.actor_id == event.member_id and event.payload["changed"].get("reengagement_opt_out") == [True, False]:
        record_activity(member=event.member, at=event.occurred_at)


def _erased(event: Event) -> None:
    """The database erased its part; what the file transport wrote lies outside of it."""
    if event.member_id:
        messages = EngagementMessage.objects.filter(user=event.member_id)
        FileTransport().forget(messages.values_list("idempotency_key", flat=True))


_STEPS: dict[str, Callable[[Event], None]] = {
    "directory.approved": _approved,
    "directory.erased": _erased,
    "directory.verified": _verified,
    "invitation.accepted": _invited,
    "membership.created": _seated,
    "membership.role_changed": _role_changed,
    "profile.changed": _profile_changed,
    "task.done": _task_done,
}


def connect() -> None:
    event_recorded.connect(on_event, dispatch_uid="engagement.on_event")
    participation_recorded.connect(on_participation, dispatch_uid="engagement.on_participation")
    member_registered.connect(on_registration, dispatch_uid="engagement.on_registration")

"""Signal receivers for `groups`: activity, registration, onboarding steps, welcome messages and erasure."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from engagement.models import EngagementMessage, UserProfile
from engagement.rules import SequenceStart
from engagement.services.lifecycle import record_activities, record_activity
from engagement.services.onboarding import complete_action, record_magic_moment, tier_of
from engagement.services.profiles import start_profile
from engagement.services.sequences import start_sequences
from engagement.transports.file import FileTransport
from groups.models import CommunityMember, Event, Member
from groups.signals import event_recorded, member_registered, participation_recorded
from missionsite.common.activity import member_acted

logger = logging.getLogger(__name__)

INTRODUCTION_STEP = "introduce_yourself"
ROLE_STEPS = {"lead": "lead_mission", "mentor": "mentor_member"}


def on_event(sender: object, event: Event, **_signal: object) -> None:
    """Handle an event after the commit: requests of members run under the member role, without access to the queue."""
    if steps := _STEPS.get(event.type):
        transaction.on_commit(lambda: steps(event), robust=True)


def on_activity(sender: object, seen: Mapping[UUID, datetime], took_part: bool, **_signal: object) -> None:
    """Record activity that an app reports."""
    record_activities(seen=seen, took_part=took_part)


def on_participation(sender: object, seen: Mapping[UUID, datetime], spoke: set[UUID], **_signal: object) -> None:
    """Complete the introduction of those who wrote, in the transaction of the participation."""
    tier = tier_of(INTRODUCTION_STEP)
    if tier is None:
        return
    system = Member.objects.system()
    profiles = UserProfile.objects.filter(pk__in=spoke).select_related("user").order_by("pk")
    for profile in profiles:
        if INTRODUCTION_STEP not in profile.onboarding_tier_progress.get(tier, {}):
            complete_action(actor=system, member=profile.user, action=INTRODUCTION_STEP, at=seen[profile.pk])


def on_registration(sender: object, entry: CommunityMember, locale: str, timezone: str, **_signal: object) -> None:
    """Fill in the profile in the transaction of the registration."""
    if member := entry.person:
        start_profile(
            actor=member,
            member=member,
            address=entry.shown_telegram_id,
            locale=locale,
            timezone=timezone,
            country=entry.country or "",
        )


def _complete_steps(member: Member, event: Event, *actions: str, profile: UserProfile | None = None) -> None:
    """Complete the steps that the configured tiers contain and the member has not completed yet.

    profile: the member's, if it was read. Most members have completed the step of an event long ago.
    """
    tiers = {action: tier for action in actions if (tier := tier_of(action))}
    progress = (profile or UserProfile.objects.get(pk=member.pk)).onboarding_tier_progress if tiers else {}
    if new := [action for action, tier in tiers.items() if action not in progress.get(tier, {})]:
        system = Member.objects.system()
        for action in new:
            complete_action(actor=system, member=member, action=action, at=event.occurred_at)


def _directory_approved(event: Event) -> None:
    if event.member:
        record_activity(member=event.member, at=event.occurred_at)
        start_sequences(member=event.member, start=SequenceStart.APPROVED, at=timezone.now())


def _membership_created(event: Event) -> None:
    if event.member and event.group and event.group.is_mission:
        profile = UserProfile.objects.get(pk=event.member_id)
        is_first = profile.magic_moment_at is None
        if is_first and record_magic_moment(actor=Member.objects.system(), member=event.member, at=event.occurred_at):
            start_sequences(member=event.member, start=SequenceStart.FIRST_MISSION, at=timezone.now())
        role = _role_step(event.payload.get("role", ""))
        _complete_steps(event.member, event, "join_mission", *role, profile=profile)


def _role_changed(event: Event) -> None:
    if event.member:
        _complete_steps(event.member, event, *_role_step(event.payload["changed"]["role"][1]))


def _role_step(role: str) -> list[str]:
    step = ROLE_STEPS.get(role.strip().casefold())
    return [step] if step else []


def _task_done(event: Event) -> None:
    if event.member:
        _complete_steps(event.member, event, "complete_task")


def _invitation_accepted(event: Event) -> None:
    inviter = CommunityMember.objects.filter(member_id=event.payload.get("invited_by")).select_related("person").first()
    if inviter and inviter.person:
        _complete_steps(inviter.person, event, "invite_member")


def _directory_verified(event: Event) -> None:
    if event.member:
        _complete_steps(event.member, event, "verify_github")


def _profile_changed(event: Event) -> None:
    """Record activity when a member opts in again, so that the next sweep does not send a goodbye."""
    opted_in = event.payload["changed"].get("reengagement_opt_out") == [True, False]
    if opted_in and event.member and event.actor_id == event.member_id:
        record_activity(member=event.member, at=event.occurred_at)


def _directory_erased(event: Event) -> None:
    """Delete the files of the file transport; a trigger erases the rows."""
    if event.member_id:
        messages = EngagementMessage.objects.filter(user=event.member_id)
        FileTransport().forget(messages.values_list("idempotency_key", flat=True))


_STEPS: dict[str, Callable[[Event], None]] = {
    "directory.approved": _directory_approved,
    "directory.erased": _directory_erased,
    "directory.verified": _directory_verified,
    "invitation.accepted": _invitation_accepted,
    "membership.created": _membership_created,
    "membership.role_changed": _role_changed,
    "profile.changed": _profile_changed,
    "task.done": _task_done,
}


def connect() -> None:
    """Connect the receivers."""
    event_recorded.connect(on_event, dispatch_uid="engagement.on_event")
    member_acted.connect(on_activity, dispatch_uid="engagement.on_activity")
    participation_recorded.connect(on_participation, dispatch_uid="engagement.on_participation")
    member_registered.connect(on_registration, dispatch_uid="engagement.on_registration")

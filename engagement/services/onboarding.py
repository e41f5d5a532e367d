"""Onboarding: three tiers of steps, and the time a member joins their first mission ("magic moment")."""

from datetime import datetime
from itertools import chain

from django.conf import settings
from django.utils import timezone

from engagement.errors import ActionUnknown
from engagement.models import UserProfile
from engagement.rules import MessageType
from engagement.services.messages import enqueue
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service

COMPLETED = "completed_at"


def tier_of(action: str) -> str | None:
    """Return the tier of a step, "1" to "3"; None if there is no such step."""
    return next((tier for tier, actions in sorted(settings.ENGAGEMENT_TIERS.items()) if action in actions), None)


@service
def complete_action(*, actor: Member, member: Member, action: str, at: datetime | None = None) -> UserProfile:
    """Record a completed step; a step that is already completed keeps its time.

    Steps can be completed in any order. A tier is complete when its steps and all earlier tiers are; this queues the
    message `tier_unlock`. A step completed by the system follows from an event and has none of its own. Raises
    ActionUnknown.
    """
    at = at or timezone.now()
    tier = tier_of(action)
    if tier is None:
        raise ActionUnknown(action=action, known=chain.from_iterable(settings.ENGAGEMENT_TIERS.values()))
    profile = UserProfile.objects.lock(member.pk)
    progress = profile.onboarding_tier_progress
    if action in progress.get(tier, {}):
        return profile
    progress.setdefault(tier, {})[action] = at.isoformat()
    while (done := _next_done(profile)) is not None:
        progress[done][COMPLETED] = at.isoformat()
        profile.onboarding_tier = int(done)
        enqueue(
            member=member,
            message_type=MessageType.TIER_UNLOCK,
            params={"tier": int(done)},
            event=f"{MessageType.TIER_UNLOCK}_{done}",
            at=at,
        )
    profile.save(update_fields=["onboarding_tier", "onboarding_tier_progress"])
    if not actor.is_system:
        audit("profile.step_completed", actor=actor, member=member, step=action)
    return profile


def _next_done(profile: UserProfile) -> str | None:
    """Return the member's next tier if all its steps are completed."""
    after = str(profile.onboarding_tier + 1)
    actions = settings.ENGAGEMENT_TIERS.get(after)
    taken = profile.onboarding_tier_progress.get(after, {})
    return after if actions and all(each in taken for each in actions) else None


@service
def restart_onboarding(*, actor: Member, member: Member) -> UserProfile:
    """Reset the first tier. Later tiers keep their completed steps. Recorded in the history of the profile."""
    profile = UserProfile.objects.lock(member.pk)
    profile.onboarding_tier = 0
    profile.onboarding_tier_progress = {
        tier: {action: at for action, at in steps.items() if action != COMPLETED}
        for tier, steps in profile.onboarding_tier_progress.items()
        if tier != "1"
    }
    profile.save(update_fields=["onboarding_tier", "onboarding_tier_progress"])
    return profile


@service
def record_magic_moment(*, actor: Member, member: Member, at: datetime | None = None) -> bool:
    """Record when a member joined their first mission; return whether this was the first.

    Recorded in the history of the profile.
    """
    first = UserProfile.objects.filter(pk=member.pk, magic_moment_at=None)
    return bool(first.update(magic_moment_at=at or timezone.now()))

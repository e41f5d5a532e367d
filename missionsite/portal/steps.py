"""The first steps of a member, as engagement records them."""

from dataclasses import dataclass

from django.conf import settings

from engagement.models import UserProfile
from groups.models import Member
from missionsite.portal.texts import STEP_LABELS


@dataclass(frozen=True)
class Step:
    """A step of onboarding. label: in the visitor's language, or made from its name if only the settings name it."""

    label: str
    is_done: bool


def steps_of(member: Member) -> list[Step]:
    """Return the steps of a member in the order of their tiers."""
    progress = UserProfile.objects.values_list("onboarding_tier_progress", flat=True).get(pk=member.pk)
    return [
        Step(str(STEP_LABELS.get(step) or step.replace("_", " ").capitalize()), step in progress.get(tier, {}))
        for tier, steps in sorted(settings.ENGAGEMENT_TIERS.items())
        for step in steps
    ]


def steps_context(member: Member) -> dict:
    """Return what the list of steps shows; nothing once every step is done."""
    steps = steps_of(member)
    done = sum(step.is_done for step in steps)
    return {"steps": steps if done < len(steps) else [], "steps_done": done}

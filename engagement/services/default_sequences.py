"""The sequence that every site begins with: onboarding."""

from django.apps import apps as installed
from django.apps.registry import Apps

from engagement.models import Sequence, SequenceStep
from engagement.rules import SequenceCondition, SequenceStart, Topic

ONBOARDING = "Onboarding"
# Days after the start, condition, template.
STEPS = (
    (0, SequenceCondition.ALWAYS, "welcome"),
    (3, SequenceCondition.NO_MISSION, "sequence_first_mission"),
    (10, SequenceCondition.FIRST_TIER_OPEN, "sequence_first_steps"),
)


def create_default_sequences(*, apps: Apps = installed, **_signal: object) -> None:
    """Fill an empty table after `migrate`. apps: the app registry of the migrated state."""
    try:
        apps.get_model("engagement", "SequenceStep")
    except LookupError:
        # A reverse migration has dropped the table.
        return
    if Sequence.objects.exists():
        return
    onboarding = Sequence.objects.create(
        name=ONBOARDING, start=SequenceStart.APPROVED, topic=Topic.GETTING_STARTED, is_enabled=True
    )
    SequenceStep.objects.bulk_create(
        SequenceStep(sequence=onboarding, delay_days=days, condition=condition, template_key=key)
        for days, condition, key in STEPS
    )

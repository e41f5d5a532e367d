"""What a member gets of a sequence, and when."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import BooleanField, Value
from django.utils.translation import gettext as _

from engagement.models import EngagementMessage, Sequence, SequenceMember, SequenceStep, UserProfile
from engagement.rules import STEP_GRACE_DAYS, MessageType, SequenceCondition, Status
from engagement.selectors.blocking import block_reason, format_block_reason
from engagement.selectors.send_times import send_not_before
from groups.models import Member


@dataclass(frozen=True)
class PreviewLine:
    """A step for one member. at: when it was or would be sent; None if it is not sent, with the reason in `result`."""

    step: SequenceStep
    at: datetime | None
    result: str


def preview_of(sequence: Sequence, member: Member, *, at: datetime) -> list[PreviewLine]:
    """Return each step in use with its time for a member, as if the sequence started now if it has not started."""
    profile = UserProfile.objects.get(pk=member.pk)
    enrolment = SequenceMember.objects.filter(sequence=sequence, user=member).first()
    sent = {
        message.step_id: message for message in EngagementMessage.objects.filter(user=member, step__sequence=sequence)
    }
    steps = SequenceStep.objects.filter(sequence=sequence, is_enabled=True).order_by("delay_days", "pk")
    return [_line(step, member, profile, enrolment, sent.get(step.pk), at) for step in steps]


def _line(
    step: SequenceStep,
    member: Member,
    profile: UserProfile,
    enrolment: SequenceMember | None,
    message: EngagementMessage | None,
    at: datetime,
) -> PreviewLine:
    if message:
        return PreviewLine(step, message.sent_at or message.scheduled_for, str(Status(message.status).label))
    if enrolment and enrolment.ended_at:
        return PreviewLine(step, None, _("Ended: {reason}").format(reason=enrolment.get_end_reason_display()))
    due = (enrolment.started_at if enrolment else at) + timedelta(days=step.delay_days)
    if due + timedelta(days=STEP_GRACE_DAYS) <= at:
        return PreviewLine(step, None, _("Skipped: its day is over"))
    is_welcome = step.template_key == MessageType.WELCOME
    reason = block_reason(
        message_type=Value(MessageType.WELCOME if is_welcome else MessageType.SEQUENCE),
        is_transactional=Value(is_welcome, BooleanField()),
        topic=None if is_welcome else Value(step.sequence.topic),
    )
    if blocked := Member.objects.filter(pk=member.pk).values_list(reason, flat=True).first():
        return PreviewLine(step, None, format_block_reason(blocked))
    if not _holds(step.condition, profile):
        text = _("Skipped unless this changes: {text}").format(text=step.get_condition_display())
        return PreviewLine(step, None, text)
    due = max(due, at)
    return PreviewLine(step, due if is_welcome else send_not_before(due, profile.timezone), _("Would be sent"))


def _holds(condition: str, profile: UserProfile) -> bool:
    match condition:
        case SequenceCondition.NO_MISSION:
            return profile.magic_moment_at is None
        case SequenceCondition.FIRST_TIER_OPEN:
            return profile.onboarding_tier == 0
    return True

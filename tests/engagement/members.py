"""Members as the tests of the back office find them: quiet, failed, announced to."""

from datetime import timedelta

from django.utils import timezone

from engagement.models import EngagementMessage, MessageType, Status, TransitionTrigger, UserEngagementState
from engagement.services.lifecycle import record_activity, transition
from engagement.services.messages import enqueue
from groups.models import Member
from tests.support.factories.groups import MemberFactory


def active(name: str = "Ana", *, days_quiet: int = 0, **fields) -> Member:
    """A member who was last active so many days ago."""
    member = MemberFactory(display_name=name, **fields)
    record_activity(member=member, at=timezone.now() - timedelta(days=days_quiet))
    return member


def goodbye(name: str = "Ana", **fields) -> Member:
    """A member who was sent a goodbye and has not answered."""
    member = active(name, days_quiet=20, **fields)
    transition(member=member, trigger=TransitionTrigger.INACTIVITY_14D)
    return member


def state_of(member: Member) -> UserEngagementState:
    return UserEngagementState.objects.get(user=member)


def message(member: Member | None = None, **fields) -> EngagementMessage:
    """A message in the queue; fields: what to set in its row."""
    made = enqueue(member=member or MemberFactory(), message_type=fields.pop("message_type", MessageType.REMINDER))
    if fields:
        EngagementMessage.objects.filter(pk=made.pk).update(**fields)
        made.refresh_from_db()
    return made


def failed(
    member: Member | None = None, error: str = "The provider rejected it: no such address."
) -> EngagementMessage:
    return message(member, status=Status.FAILED, error_message=error, retry_count=3)

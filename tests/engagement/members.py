"""Members and messages for tests of the back office."""

from datetime import timedelta

from django.utils import timezone

from engagement.models import EngagementMessage, UserEngagementState
from engagement.rules import MessageType, Status, TransitionTrigger
from engagement.services.lifecycle import record_activity, transition
from engagement.services.messages import enqueue
from groups.models import Member
from tests.support.factories.groups import MemberFactory


def active(name: str = "Ana", *, days_quiet: int = 0, **fields) -> Member:
    """Return a member who was last active this many days ago."""
    member = MemberFactory(display_name=name, **fields)
    record_activity(member=member, at=timezone.now() - timedelta(days=days_quiet))
    return member


def goodbye(name: str = "Ana", **fields) -> Member:
    """Return a member in state `goodbye_sent`."""
    member = active(name, days_quiet=20, **fields)
    transition(actor=member, member=member, trigger=TransitionTrigger.INACTIVITY_14D)
    return member


def state_of(member: Member) -> UserEngagementState:
    return UserEngagementState.objects.get(user=member)


def message(member: Member | None = None, **fields) -> EngagementMessage:
    """Return a queued message. fields: columns to set."""
    made = enqueue(member=member or MemberFactory(), message_type=fields.pop("message_type", MessageType.REMINDER))
    if fields:
        EngagementMessage.objects.filter(pk=made.pk).update(**fields)
        made.refresh_from_db()
    return made


def failed(
    member: Member | None = None, error: str = "The provider rejected it: no such address."
) -> EngagementMessage:
    return message(member, status=Status.FAILED, error_message=error, retry_count=3)

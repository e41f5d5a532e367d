from typing import Any

from groups.models import Event, Group, Member
from groups.signals import event_recorded


def write_event(
    type_: str, /, *, actor: Member, member: Member | None = None, group: Group | None = None, **payload: Any
) -> Event:
    """Add an event to the log of the community, and send event_recorded. audit() calls this."""
    event = Event.objects.create(type=type_, actor=actor, member=member, group=group, payload=payload)
    event_recorded.send(sender=Event, event=event)
    return event

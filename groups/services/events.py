from groups.models import Event, Group, Member
from groups.signals import event_recorded


def record(
    type_: str, *, actor: Member | None, member: Member | None = None, group: Group | None = None, **payload
) -> Event:
    """Record an event in the transaction of its change. Empty payload values are omitted."""
    event = Event.objects.create(
        type=type_,
        actor=actor,
        member=member,
        group=group,
        payload={key: value for key, value in payload.items() if value not in ("", None, {})},
    )
    event_recorded.send(sender=Event, event=event)
    return event


def record_changes(type_: str, *, changed: dict, **links) -> Event | None:
    """Record an edit as {field: [before, after]}; returns None if nothing changed."""
    if not changed:
        return None
    return record(type_, changed=changed, **links)

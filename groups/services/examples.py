"""The events of example data, derived from its rows, at the times in the rows."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.db.models import Model

from groups.models import (
    CommunityInvitation,
    CommunityMember,
    Event,
    Group,
    Member,
    MemberRelationship,
    Membership,
    Task,
)
from groups.models.members import SYSTEM_MEMBER_ID
from groups.models.relationships import RelationshipType
from groups.rules import CommunityStatus, InvitationStatus

_MOVED: dict[str, list[str]] = {
    CommunityStatus.ACTIVE: ["approved"],
    CommunityStatus.SUSPENDED: ["approved", "suspended"],
    CommunityStatus.BANNED: ["approved", "banned"],
}


def write_events(rows: Iterable[Model]) -> list[Event]:
    """Write the events of loaded rows, oldest first."""
    return write(event for row in rows for event in _events_of(row))


def write(events: Iterable[Event]) -> list[Event]:
    """Write events oldest first, without sending the signal.

    So they queue no messages and complete no onboarding steps.
    """
    return Event.objects.bulk_create(sorted(events, key=lambda event: event.occurred_at))


def example(
    type_: str,
    at: datetime,
    *,
    actor: Member | None = None,
    member: Member | None = None,
    group: Group | None = None,
    **payload: Any,
) -> Event:
    """Return an unsaved event."""
    return Event(type=type_, occurred_at=at, actor=actor, member=member, group=group, payload=payload)


def _events_of(row: Model) -> list[Event]:
    make = _MAKERS.get(type(row))
    return make(row) if make else []


def _of_member(row: Member) -> list[Event]:
    if str(row.pk) == SYSTEM_MEMBER_ID:
        return []
    return [example("member.created", row.created_at, actor=row, member=row, stable_id=row.member_id)]


def _of_group(row: Group) -> list[Event]:
    return [example("group.created", row.created_at, group=row, stable_id=row.stable_id)]


def _of_membership(row: Membership) -> list[Event]:
    links: dict[str, Any] = {
        "actor": row.member,
        "member": row.member,
        "group": row.group,
        "membership": str(row.pk),
    }
    events = [example("membership.created", row.joined_at, **links, role=row.role)]
    return [*events, example("membership.ended", row.left_at, **links)] if row.left_at else events


def _of_task(row: Task) -> list[Event]:
    links: dict[str, Any] = {"group": row.group, "task": row.stable_id}
    events = [example("task.created", row.created_at, **links)]
    if row.state != Task.State.OPEN:
        events.append(
            example(f"task.{row.state}", row.updated_at, **links, actor=row.claimed_by, member=row.claimed_by)
        )
    return events


def _of_entry(row: CommunityMember) -> list[Event]:
    links: dict[str, Any] = {"member": row.person, "number": row.member_id}
    events = [] if row.invited_by_id else [example("directory.added", row.created_at, **links)]
    events += [example(f"directory.{what}", row.updated_at, **links) for what in _MOVED.get(row.status, [])]
    if row.github_verified_at:
        events.append(
            example("directory.verified", row.github_verified_at, **links, by="github", points=row.reputation_score)
        )
    return events


def _of_invitation(row: CommunityInvitation) -> list[Event]:
    inviter = row.created_by
    events = [
        example(
            "invitation.created",
            row.created_at,
            actor=inviter.person,
            member=inviter.person,
            number=inviter.member_id,
            count=1,
        )
    ]
    if row.accepted_by and row.accepted_at:
        person = row.accepted_by.person
        events.append(
            example(
                "invitation.accepted",
                row.accepted_at,
                actor=person,
                member=person,
                number=row.accepted_by_id,
                invitation=str(row.pk),
                invited_by=row.created_by_id,
            )
        )
    elif row.status == InvitationStatus.CANCELLED:
        events.append(
            example(
                "invitation.cancelled",
                row.updated_at,
                actor=inviter.person,
                member=inviter.person,
                number=inviter.member_id,
                invitation=str(row.pk),
            )
        )
    return events


def _of_relationship(row: MemberRelationship) -> list[Event]:
    if row.relationship_type == RelationshipType.INVITED:
        return []
    row.refresh_from_db()
    person = row.member_a.person if row.member_a else None
    kind: dict[str, Any] = {"kind": row.relationship_type, "relationship": str(row.pk)}
    return [example("relationship.created", row.created_at, actor=person, member=person, **kind)]


_MAKERS: dict[type[Model], Callable[[Any], list[Event]]] = {
    Member: _of_member,
    Group: _of_group,
    Membership: _of_membership,
    Task: _of_task,
    CommunityMember: _of_entry,
    CommunityInvitation: _of_invitation,
    MemberRelationship: _of_relationship,
}

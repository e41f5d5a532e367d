"""The admin pages of this app, one file per noun."""

from groups.admin import (
    directory,
    events,
    groups,
    invitations,
    members,
    memberships,
    participation,
    person,
    relationships,
    tasks,
    timeline,
)

__all__ = [
    "directory",
    "events",
    "groups",
    "invitations",
    "members",
    "memberships",
    "participation",
    "person",
    "relationships",
    "tasks",
    "timeline",
]

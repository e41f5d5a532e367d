"""The admin pages of this app, one file per noun."""

from groups.admin import (
    directory,
    duplicates,
    events,
    groups,
    invitations,
    join_requests,
    members,
    memberships,
    participation,
    people_jobs,
    person,
    relationships,
    returns,
    tags,
    tasks,
    timeline,
)

__all__ = [
    "directory",
    "duplicates",
    "events",
    "groups",
    "invitations",
    "join_requests",
    "members",
    "memberships",
    "participation",
    "people_jobs",
    "person",
    "relationships",
    "returns",
    "tags",
    "tasks",
    "timeline",
]

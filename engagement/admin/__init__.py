"""Admin pages of this app, one module per model."""

from engagement.admin import (
    addresses,
    announcements,
    member,
    messages,
    overview,
    person,
    phrases,
    profiles,
    sequences,
    states,
    templates,
    timeline,
    unassigned,
)

__all__ = [
    "addresses",
    "announcements",
    "member",
    "messages",
    "overview",
    "person",
    "phrases",
    "profiles",
    "sequences",
    "states",
    "templates",
    "timeline",
    "unassigned",
]

"""The back office of this app, one file a noun."""

from groups.admin import events, groups, members, memberships, tasks

__all__ = ["events", "groups", "members", "memberships", "tasks"]

"""The back office of this app, one file a noun."""

from engagement.admin import announcements, member, messages, profiles, states, templates

__all__ = ["announcements", "member", "messages", "profiles", "states", "templates"]

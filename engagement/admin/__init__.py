"""Admin pages of this app, one module per model."""

from engagement.admin import announcements, member, messages, phrases, profiles, states, templates

__all__ = ["announcements", "member", "messages", "phrases", "profiles", "states", "templates"]

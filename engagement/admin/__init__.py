"""Admin pages of this app, one module per model."""

from engagement.admin import addresses, announcements, member, messages, phrases, profiles, states, templates

__all__ = ["addresses", "announcements", "member", "messages", "phrases", "profiles", "states", "templates"]

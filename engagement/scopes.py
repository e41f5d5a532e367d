"""What an API token may be limited to in this app."""

from missionsite.common.scopes import register_scope

ENGAGEMENT_READ = register_scope("engagement:read", "See how you stand with messages, and how you want them.")
ENGAGEMENT_WRITE = register_scope(
    "engagement:write", "Change how you want messages; staff: move members, handle messages."
)

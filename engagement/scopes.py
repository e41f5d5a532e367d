"""API token scopes of this app."""

from missionsite.common.scopes import register_scope

ENGAGEMENT_READ = register_scope("engagement:read", "Read your engagement state and your message preferences.")
ENGAGEMENT_WRITE = register_scope(
    "engagement:write", "Change your message preferences. Staff: change states of members, handle messages."
)

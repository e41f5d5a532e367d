"""API token scopes of this app."""

from django.utils.translation import gettext_lazy as _

from missionsite.common.scopes import register_scope

ENGAGEMENT_READ = register_scope("engagement:read", _("Read your engagement state and your message preferences."))
ENGAGEMENT_WRITE = register_scope(
    "engagement:write", _("Change your message preferences. Staff: change states of members, handle messages.")
)

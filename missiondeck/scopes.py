"""API token scopes of this app."""

from django.utils.translation import gettext_lazy as _

from missionsite.common.scopes import register_scope

DECK_READ = register_scope("deck:read", _("Read client missions, their checklists, chats and test runs."))
DECK_WRITE = register_scope("deck:write", _("Change client missions and their checklists, and write chat messages."))
DECK_IMPORT = register_scope("deck:import", _("Import test runs of client missions, for use in CI jobs."))

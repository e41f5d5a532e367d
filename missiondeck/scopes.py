"""What an API token may be limited to in this app."""

from missionsite.common.scopes import register_scope

DECK_READ = register_scope("deck:read", "See client missions, their checklists, chats and test runs.")
DECK_WRITE = register_scope("deck:write", "Change client missions, tick their checklists, write in their chats.")
DECK_IMPORT = register_scope("deck:import", "Bring in test runs of client missions: what a CI job needs.")

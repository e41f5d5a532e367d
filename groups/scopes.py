"""The scopes of API tokens in this app."""

from missionsite.common.scopes import register_scope

MISSIONS_READ = register_scope("missions:read", "See missions.")
MISSIONS_WRITE = register_scope("missions:write", "Join and leave missions.")
MEMBERS_READ = register_scope("members:read", "See who is in a mission.")
PROFILE_READ = register_scope("profile:read", "See whose token this is.")
DIRECTORY_READ = register_scope("directory:read", "Search the community directory.")
DIRECTORY_REGISTER = register_scope("directory:register", "Register people who have an invitation code.")
INVITATIONS_READ = register_scope("invitations:read", "See invitations.")
INVITATIONS_WRITE = register_scope("invitations:write", "Invite people, make new codes and cancel invitations.")
PARTICIPATION_WRITE = register_scope("participation:write", "Record what members do in chats.")

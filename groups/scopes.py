"""The scopes of API tokens in this app."""

from django.utils.translation import gettext_lazy as _

from missionsite.common.scopes import register_scope

MISSIONS_READ = register_scope("missions:read", _("See missions."))
MISSIONS_WRITE = register_scope("missions:write", _("Join and leave missions."))
MEMBERS_READ = register_scope("members:read", _("See who is in a mission."))
PROFILE_READ = register_scope("profile:read", _("See whose token this is."))
DIRECTORY_READ = register_scope("directory:read", _("Search the community directory."))
DIRECTORY_REGISTER = register_scope("directory:register", _("Register people who have an invitation code."))
INVITATIONS_READ = register_scope("invitations:read", _("See invitations."))
INVITATIONS_WRITE = register_scope("invitations:write", _("Invite people, make new codes and cancel invitations."))
PARTICIPATION_WRITE = register_scope("participation:write", _("Record what members do in chats."))

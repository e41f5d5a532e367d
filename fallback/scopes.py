"""The scopes of API tokens for this app."""

from django.utils.translation import gettext_lazy as _

from missionsite.common.scopes import register_scope

PROJECTS_READ = register_scope("projects:read", _("Read your projects and their boards."))
PROJECTS_WRITE = register_scope("projects:write", _("Change the boards of your projects."))
WORKSTATIONS_RUN = register_scope("workstations:run", _("Register a workstation, and let agents work on missions."))
FALLBACK_READ = register_scope("fallback:read", _("Read runs, proposals and templates of your projects."))
FALLBACK_RUN = register_scope("fallback:run", _("Start fallback runs and launch templates."))
FALLBACK_REVIEW = register_scope("fallback:review", _("Decide on proposals."))
FALLBACK_SHARE = register_scope("fallback:share", _("Share templates of your projects, and copy those of others."))
INBOX_READ = register_scope("inbox:read", _("Read your inbox, absences and stars."))
INBOX_WRITE = register_scope(
    "inbox:write", _("Mark notifications as read and snooze them, enter absences, and set stars.")
)

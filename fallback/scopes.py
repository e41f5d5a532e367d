"""The scopes of API tokens for this app."""

from missionsite.common.scopes import register_scope

PROJECTS_READ = register_scope("projects:read", "Read your projects and their boards.")
PROJECTS_WRITE = register_scope("projects:write", "Change the boards of your projects.")
FALLBACK_READ = register_scope("fallback:read", "Read runs, proposals and templates of your projects.")
FALLBACK_RUN = register_scope("fallback:run", "Start fallback runs and launch templates.")
FALLBACK_REVIEW = register_scope("fallback:review", "Decide on proposals.")

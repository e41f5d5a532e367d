"""The workstations of the user's organisations, which daemons write: health, projects, clones, work trees."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from fallback.admin.base import KeySearch, ProjectTab, VisibleRelatedFilter, rights_of
from fallback.models import (
    CodeAgentSession,
    ProjectWorkstation,
    Workstation,
    WorkstationRepository,
    WorkstationSession,
    WorkstationWorktree,
)
from fallback.models.choices import AgentSessionStatus
from fallback.selectors.rights import Right
from fallback.selectors.workstations import Health, health_of, visible_workstations
from missionsite.common.admin import ModelAdmin
from missionsite.common.admin.formats import EMPTY, badge, format_datetime, format_number, link_to

HEALTH = {Health.ONLINE: "success", Health.SILENT: "warning", Health.OFFLINE: "default"}


class VisibleRows(ProjectTab[Workstation, Any]):
    """Rows of a workstation whose project the user sees. Columns without a project show all rows."""

    def rows_for(self, obj: Workstation, request: HttpRequest) -> QuerySet[Any]:
        rows = self.rows(obj)
        lookup = PATHS.get(rows.model)
        return rows.filter(rights_of(request).project_filter(Right.VIEW, path=lookup)) if lookup else rows


# The lookup from a row to its project.
PATHS = {
    ProjectWorkstation: "project__",
    WorkstationRepository: "repository__project__",
    WorkstationWorktree: "repository__project__",
    CodeAgentSession: "mission__project__",
}
AGENTS = VisibleRows(
    name="agents",
    title=_("Agents"),
    rows=lambda workstation: workstation.agent_sessions.select_related("mission"),
    columns=(
        (_("Mission"), lambda session, request: link_to(session.mission)),
        (_("Agent"), lambda session, request: session.agent),
        (_("Status"), lambda session, request: session.get_status_display()),
        (_("Started"), lambda session, request: format_datetime(session.started_at)),
        (_("Last heartbeat"), lambda session, request: format_datetime(session.last_heartbeat_at)),
        (_("Ended"), lambda session, request: format_datetime(session.ended_at) if session.ended_at else ""),
    ),
    empty=_("No agent has worked here yet."),
)
PROJECTS = VisibleRows(
    name="projects",
    title=_("Projects"),
    rows=lambda workstation: workstation.projects.select_related("project").order_by("created_at", "id"),
    columns=(
        (_("Project"), lambda each, request: link_to(each.project)),
        (_("Since"), lambda each, request: format_datetime(each.created_at)),
    ),
    empty=_("No projects. The daemon names the projects whose missions it claims."),
)
CLONES = VisibleRows(
    name="clones",
    title=_("Repositories"),
    rows=lambda workstation: workstation.repositories.select_related("repository").order_by("path", "id"),
    columns=(
        (_("Repository"), lambda clone, request: link_to(clone.repository)),
        (_("Path"), lambda clone, request: clone.path),
        (_("Cloned"), lambda clone, request: format_datetime(clone.cloned_at)),
    ),
    empty=_("No repositories are cloned here."),
)
WORKTREES = VisibleRows(
    name="worktrees",
    title=_("Work trees"),
    rows=lambda workstation: workstation.worktrees.select_related("repository", "mission").order_by("path", "id"),
    columns=(
        (_("Path"), lambda tree, request: tree.path),
        (_("Repository"), lambda tree, request: link_to(tree.repository)),
        (_("Status"), lambda tree, request: tree.get_status_display()),
        (_("Branch"), lambda tree, request: tree.branch),
        (_("Mission"), lambda tree, request: link_to(tree.mission)),
    ),
    empty=_("No work trees."),
)
SESSIONS: ProjectTab[Workstation, WorkstationSession] = ProjectTab(
    name="sessions",
    title=_("Daemon"),
    rows=lambda workstation: workstation.sessions.order_by("-started_at", "-id"),
    columns=(
        (_("Version"), lambda session, request: session.daemon_version),
        (_("Started"), lambda session, request: format_datetime(session.started_at)),
        (_("Ended"), lambda session, request: format_datetime(session.ended_at) if session.ended_at else ""),
    ),
    empty=_("The daemon was not registered yet."),
)


@admin.register(Workstation)
class WorkstationAdmin(ModelAdmin[Workstation]):
    """Workstations and their health, read-only."""

    # Events of workstations are in the audit.
    has_history = False
    search = KeySearch("name")
    search_help_text = _("Name")
    command_icon = "computer"
    list_display = ("name", "organization_link", "health", "last_seen_at", "agents_running", "project_count", "owner")
    list_filter = (("organization", VisibleRelatedFilter), ("status", ChoicesDropdownFilter))
    sortable_by = ()
    fieldsets = (
        (None, {"fields": (("name", "organization_link"), ("health", "last_seen_at"), "owner")}),
        (_("Dates"), {"fields": (("created_at", "updated_at"),)}),
    )
    tabs = (AGENTS, PROJECTS, CLONES, WORKTREES, SESSIONS)
    empty_text = (
        _("No workstations yet"),
        _("A daemon registers its workstation by the API, with a token of the scope workstations:run."),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workstation]:
        running = Q(agent_sessions__status=AgentSessionStatus.RUNNING)
        return (
            visible_workstations(rights_of(request))
            .annotate(
                number_of_agents=Count("agent_sessions", distinct=True, filter=running),
                number_of_projects=Count("projects", distinct=True),
            )
            # The ordering of the model does not apply to groups of rows.
            .order_by(*self.get_ordering(request))
        )

    def get_ordering(self, request: HttpRequest) -> tuple:
        return ("name", "pk")

    def shows_every_row(self, request: HttpRequest) -> bool:
        return Right.VIEW in rights_of(request).in_every_project

    def has_module_permission(self, request: HttpRequest) -> bool:
        return rights_of(request).in_any_project(Right.VIEW)

    def has_view_permission(self, request: HttpRequest, obj: Workstation | None = None) -> bool:
        if obj is None:
            return rights_of(request).in_any_project(Right.VIEW)
        return visible_workstations(rights_of(request)).filter(pk=obj.pk).exists()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Workstation | None = None) -> bool:
        return False

    @display(description=_("Organisation"))
    def organization_link(self, workstation: Workstation) -> str:
        return link_to(workstation.organization)

    @display(description=_("Health"))
    def health(self, workstation: Workstation) -> str:
        health = health_of(workstation, timezone.now())
        return badge(health.label, HEALTH[health])

    @display(description=_("Agents at work"))
    def agents_running(self, workstation: Any) -> str:
        return format_number(workstation.number_of_agents)

    @display(description=_("Projects"))
    def project_count(self, workstation: Any) -> str:
        return format_number(workstation.number_of_projects)

    @display(description=_("Registered by"))
    def owner(self, workstation: Workstation) -> str:
        return link_to(workstation.registered_by) or EMPTY

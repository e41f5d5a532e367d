from __future__ import annotations

from django import forms
from django.contrib import admin
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from fallback import rules
from fallback.admin import board
from fallback.admin.base import (
    CONFIG,
    KeySearch,
    MemberField,
    ProjectAction,
    ProjectModelAdmin,
    ProjectTab,
    VisibleRelatedFilter,
    rights_of,
)
from fallback.admin.formats import format_changes, format_event_type, format_status
from fallback.models import (
    Mission,
    MissionFallbackConfig,
    MissionFallbackItem,
    Organization,
    Project,
    ProjectMember,
)
from fallback.models.choices import ProjectRole
from fallback.services.projects import (
    archive_project,
    create_project,
    remove_from_project,
    restore_project,
    set_project_role,
    update_project,
)
from fallback.services.rights import Right
from groups.admin.base import STATUS
from missionsite.common.admin import ActionForm, ReasonForm
from missionsite.common.admin.formats import badge, format_datetime, link_to

# Counting of ready missions and open proposals in the list stops here.
COUNTED = 100


class RoleForm(ActionForm):
    member = MemberField(label="Member")
    role = forms.ChoiceField(
        choices=ProjectRole,
        initial=ProjectRole.REVIEWER,
        widget=UnfoldAdminSelectWidget,
        help_text="Viewers can read, contributors edit missions, reviewers decide on proposals, maintainers change"
        " the settings.",
    )


class RemoveForm(ActionForm):
    membership = forms.ModelChoiceField(ProjectMember.objects.none(), label="Member", widget=UnfoldAdminSelectWidget)

    def __init__(self, data=None, *, obj=None, **kwargs) -> None:
        super().__init__(data, obj=obj, **kwargs)
        field = self.fields["membership"]
        field.queryset = ProjectMember.objects.filter(project=obj).select_related("member", "project")
        field.label_from_instance = lambda membership: f"{membership.member} ({membership.get_role_display()})"


def _up_to(ids: list[str]) -> str:
    return f"{COUNTED}+" if len(ids) > COUNTED else str(len(ids))


def _health(ready: int, config: MissionFallbackConfig) -> str:
    """The badge variant of a backlog: enough, low, or empty."""
    if ready >= config.backlog_threshold:
        return "success"
    return "warning" if ready else "danger"


def _itself(project: Project) -> Project:
    return project


def _action(**options) -> ProjectAction:
    return ProjectAction(permission="", project=_itself, right=Right.MAINTAIN, **options)


ACTIONS = (
    _action(
        name="set-role",
        title="Add member or change role",
        success_message="role changed",
        run=lambda project, actor, values: set_project_role(
            actor=actor, project=project, member=values["member"], role=values["role"]
        ),
        form=RoleForm,
        help_text="This role overrides the role from the organisation.",
        icon="person_add",
    ),
    _action(
        name="remove-member",
        title="Remove member",
        success_message="member removed",
        run=lambda project, actor, values: remove_from_project(actor=actor, membership=values["membership"]),
        form=RemoveForm,
        available=lambda project: ProjectMember.objects.filter(project=project).exists(),
        help_text="A role from the organisation stays.",
        icon="person_remove",
    ),
    _action(
        name="archive",
        title="Archive",
        success_message="archived",
        run=lambda project, actor, values: archive_project(actor=actor, project=project, reason=values["reason"]),
        form=ReasonForm,
        available=lambda project: not project.is_archived,
        help_text="It stays readable. No new missions or proposals can be added.",
        icon="archive",
        bulk_title="Archive",
    ),
    _action(
        name="restore",
        title="Restore",
        success_message="restored",
        run=lambda project, actor, values: restore_project(actor=actor, project=project, reason=values["reason"]),
        form=ReasonForm,
        available=lambda project: project.is_archived,
        icon="unarchive",
        bulk_title="Restore",
    ),
)
PEOPLE = ProjectTab(
    name="people",
    title="Members",
    rows=lambda project: project.members.select_related("member").order_by("created_at", "id"),
    columns=(
        ("Member", lambda membership, request: link_to(membership.member)),
        ("Role", lambda membership, request: membership.get_role_display()),
        ("Since", lambda membership, request: format_datetime(membership.created_at)),
    ),
    empty="No members yet. Owners and administrators of the organisation maintain the project.",
)
PARTS = tuple(
    ProjectTab(
        name=name,
        title=title,
        rows=lambda project, attribute=attribute: getattr(project, attribute).order_by("name", "id"),
        columns=(
            ("Name", lambda part, request: link_to(part)),
            ("About", lambda part, request, field=field: getattr(part, field) or "–"),  # noqa: RUF001
            ("Added", lambda part, request: format_datetime(part.created_at)),
        ),
        empty=f"No {title.lower()} yet.",
    )
    for name, title, attribute, field in (
        ("repositories", "Repositories", "repositories", "url"),
        ("flows", "Flows", "flows", "description"),
        ("actors", "Actors", "actors", "description"),
    )
)
ACTIVITY = ProjectTab(
    name="activity",
    title="Activity",
    rows=lambda project: project.activity.select_related("actor"),
    columns=(
        ("When", lambda activity, request: format_datetime(activity.occurred_at)),
        ("What", lambda activity, request: format_event_type(activity.type)),
        ("Details", lambda activity, request: _details(activity.payload)),
        ("By", lambda activity, request: link_to(activity.actor) if activity.actor else activity.get_origin_display()),
    ),
    empty="No activity yet.",
)


def _details(payload: dict) -> str:
    changed = [
        f"{name}: {before or 'nothing'} → {after or 'nothing'}" for name, before, after in format_changes(payload)
    ]
    rest = [
        f"{name}: {value}" for name, value in payload.items() if name not in ("changed", "id") and value is not None
    ]
    return " · ".join([*rest, *changed])


@admin.register(Project)
class ProjectAdmin(ProjectModelAdmin):
    """Projects, with links to their boards."""

    path = ""
    search = KeySearch("name")
    search_help_text = "Name"
    command_icon = "folder_open"
    list_display = ("name", "organization_name", "state", "fallback_state", "ready", "waiting", "board_link")
    list_select_related = ("organization", "fallback_config")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("organization", VisibleRelatedFilter),
        ("privacy", ChoicesDropdownFilter),
    )
    sortable_by = ()
    fieldsets = (
        (None, {"fields": (("name", "slug"), "organization", "description")}),
        ("Access and fallback", {"fields": ("privacy", "fallback_enabled", ("state", "fallback_state"))}),
        ("Dates", {"fields": (("created_at", "updated_at"),)}),
    )
    add_fieldsets = (
        (None, {"fields": ("organization", ("name", "slug"), "description", "privacy", "fallback_enabled")}),
    )
    readonly_fields = ("state", "fallback_state", "created_at", "updated_at")
    autocomplete_fields = ("organization",)
    tabs = (PEOPLE, *PARTS, ACTIVITY)
    object_actions = ACTIONS
    empty_text = (
        "No projects yet",
        "A project has a board of missions. Add its organisation first.",
    )
    add_label = "Add project"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        """With the keys of ready missions and open proposals, at most COUNTED + 1 of each."""
        ready = Mission.objects.filter(project=OuterRef("pk"), **rules.BACKLOG)
        waiting = MissionFallbackItem.objects.proposed().filter(project=OuterRef("pk"))
        return (
            super()
            .get_queryset(request)
            .annotate(
                ready_ids=ArraySubquery(ready.order_by().values("pk")[: COUNTED + 1]),
                waiting_ids=ArraySubquery(waiting.order_by().values("pk")[: COUNTED + 1]),
            )
        )

    def get_urls(self) -> list:
        view = self.admin_site.admin_view
        return [
            path("<str:project_id>/board/", view(board.board_view), name="fallback_board"),
            path("<str:project_id>/board/events/", view(board.events_view), name="fallback_board_events"),
            *super().get_urls(),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Project | None = None):
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "organization") if obj else fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        maintained = rights_of(request).maintained_organizations()
        return maintained is None or bool(maintained)

    def formfield_for_foreignkey(self, db_field, request: HttpRequest, **kwargs):
        if db_field.name == "organization":
            kwargs["queryset"] = self._organizations(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _organizations(self, request: HttpRequest) -> QuerySet[Organization]:
        """Organisations in which the user may create a project."""
        maintained = rights_of(request).maintained_organizations()
        return Organization.objects.all() if maintained is None else Organization.objects.filter(pk__in=maintained)

    @display(description="Organisation")
    def organization_name(self, project: Project) -> str:
        return project.organization.name

    @display(description="Status", label={"Active": STATUS["active"], "Archived": STATUS["archived"]})
    def state(self, project: Project) -> str:
        return project.get_status_display()

    @display(description="Fallback")
    def fallback_state(self, project: Project) -> str:
        config = getattr(project, "fallback_config", None)
        return badge(format_status(config), CONFIG[config.status] if config else "default")

    @display(description="Ready")
    def ready(self, project: Project) -> str:
        config = getattr(project, "fallback_config", None)
        found = _up_to(project.ready_ids)
        if config is None:
            return found
        return badge(f"{found} of {config.backlog_threshold}", _health(len(project.ready_ids), config))

    @display(description="To review")
    def waiting(self, project: Project) -> str:
        if not project.waiting_ids:
            return "0"
        link = f"{reverse('admin:fallback_review')}?project={project.pk}"
        return format_html('<a class="row-link" href="{}">{}</a>', link, _up_to(project.waiting_ids))

    @display(description="Board")
    def board_link(self, project: Project) -> str:
        return format_html('<a class="row-link" href="{}">Open</a>', reverse("admin:fallback_board", args=[project.pk]))

    def create(self, request: HttpRequest, values: dict) -> Project:
        return create_project(actor=request.user, **values)

    def update(self, request: HttpRequest, obj: Project, changes: dict) -> None:
        update_project(actor=request.user, project=obj, **changes)

    def extra_buttons(self, request: HttpRequest, obj: Project) -> list[dict]:
        buttons = [{"title": "Board", "icon": "view_kanban", "link": reverse("admin:fallback_board", args=[obj.pk])}]
        config = getattr(obj, "fallback_config", None)
        if config:
            link = reverse("admin:fallback_missionfallbackconfig_change", args=[config.pk])
            buttons.append({"title": "Fallback", "icon": "autorenew", "link": link})
        return buttons

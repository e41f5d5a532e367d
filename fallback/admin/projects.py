from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Model, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from fallback import rules
from fallback.admin import absences, assignments, board, inbox, metrics, stars
from fallback.admin.base import (
    CONFIG,
    PROJECT,
    KeySearch,
    MemberField,
    ProjectAction,
    ProjectModelAdmin,
    ProjectTab,
    VisibleRelatedFilter,
    member_of,
    rights_of,
)
from fallback.admin.formats import format_event_type, format_status, is_automatic
from fallback.admin.preferences import preferences_view
from fallback.models import (
    Mission,
    MissionFallbackConfig,
    MissionFallbackItem,
    Organization,
    Project,
    ProjectActivity,
    ProjectMember,
)
from fallback.models.choices import ProjectRole
from fallback.selectors.rights import Right
from fallback.services.access import request_access
from fallback.services.projects import (
    archive_project,
    create_project,
    remove_from_project,
    restore_project,
    set_project_role,
    update_project,
)
from missionsite.common.admin import ActionForm, ReasonForm
from missionsite.common.admin.formats import EMPTY, badge, format_datetime, link_to
from missionsite.common.annotations import StrOrPromise
from missionsite.common.audit.events import event_summary

# Counting of ready missions and open proposals in the list stops here.
COUNT_LIMIT = 100


class ProjectRoleForm(ActionForm):
    member = MemberField(label=_("Member"))
    role = forms.ChoiceField(
        choices=ProjectRole,
        initial=ProjectRole.REVIEWER,
        widget=UnfoldAdminSelectWidget,
        help_text=_(
            "Viewers can read, contributors edit missions, reviewers decide on proposals, maintainers change"
            " the settings."
        ),
    )


class ProjectMemberField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Model) -> str:
        membership = cast(ProjectMember, obj)
        return f"{membership.member} ({membership.get_role_display()})"


class RemoveForm(ActionForm):
    membership = ProjectMemberField(ProjectMember.objects.none(), label=_("Member"), widget=UnfoldAdminSelectWidget)

    def __init__(self, data: Any = None, *, obj: Project, **kwargs: Any) -> None:
        super().__init__(data, obj=obj, **kwargs)
        field = cast(forms.ModelChoiceField, self.fields["membership"])
        field.queryset = ProjectMember.objects.filter(project=obj).select_related("member", "project")


def _up_to(ids: list[str]) -> str:
    return f"{COUNT_LIMIT}+" if len(ids) > COUNT_LIMIT else str(len(ids))


def _health(ready: int, config: MissionFallbackConfig) -> str:
    """The badge variant of a backlog: enough, low, or empty."""
    if ready >= config.backlog_threshold:
        return "success"
    return "warning" if ready else "danger"


def _itself(project: Project) -> Project:
    return project


def _action(**options: Any) -> ProjectAction:
    return ProjectAction(permission="", project=_itself, right=Right.MAINTAIN, **options)


ACTIONS = (
    _action(
        name="set-role",
        title=_("Add member or change role"),
        success_message=_("role changed"),
        run=lambda project, actor, values: set_project_role(
            actor=actor, project=project, member=values["member"], role=values["role"]
        ),
        form=ProjectRoleForm,
        help_text=_("This role overrides the role from the organisation."),
        icon="person_add",
        asks_identity=True,
    ),
    _action(
        name="remove-member",
        title=_("Remove member"),
        success_message=_("member removed"),
        run=lambda project, actor, values: remove_from_project(actor=actor, membership=values["membership"]),
        form=RemoveForm,
        available=lambda project: ProjectMember.objects.filter(project=project).exists(),
        help_text=_("A role from the organisation stays."),
        icon="person_remove",
        asks_identity=True,
    ),
    ProjectAction(
        name="request-access",
        title=_("Request access"),
        success_message=_("requested"),
        run=lambda project, actor, values: request_access(actor=actor, project=project, message=values["message"]),
        permission="",
        project=_itself,
        right=Right.VIEW,
        form=inbox.AccessForm,
        available=lambda project: not project.is_archived,
        help_text=_("The maintainers of the project decide which role you get."),
        icon="key",
    ),
    _action(
        name="archive",
        title=_("Archive"),
        success_message=_("archived"),
        run=lambda project, actor, values: archive_project(actor=actor, project=project, reason=values["reason"]),
        form=ReasonForm,
        available=lambda project: not project.is_archived,
        help_text=_("It stays readable. No new missions or proposals can be added."),
        icon="archive",
        bulk_title=_("Archive"),
    ),
    _action(
        name="restore",
        title=_("Restore"),
        success_message=_("restored"),
        run=lambda project, actor, values: restore_project(actor=actor, project=project, reason=values["reason"]),
        form=ReasonForm,
        available=lambda project: project.is_archived,
        icon="unarchive",
        bulk_title=_("Restore"),
    ),
)
PEOPLE: ProjectTab[Project, ProjectMember] = ProjectTab(
    name="people",
    title=_("Members"),
    rows=lambda project: project.members.select_related("member").order_by("created_at", "id"),
    columns=(
        (_("Member"), lambda membership, request: link_to(membership.member)),
        (_("Role"), lambda membership, request: membership.get_role_display()),
        (_("Since"), lambda membership, request: format_datetime(membership.created_at)),
    ),
    empty=_("No members yet. Owners and administrators of the organisation maintain the project."),
)


def _parts(name: str, title: StrOrPromise, empty: StrOrPromise, *, about: str = "description") -> ProjectTab:
    """The tab of the flows, actors or repositories of a project. about: the field in the second column."""
    return ProjectTab(
        name=name,
        title=title,
        rows=lambda project: getattr(project, name).order_by("name", "id"),
        columns=(
            (_("Name"), lambda part, request: link_to(part)),
            (_("About"), lambda part, request: getattr(part, about) or EMPTY),
            (_("Added"), lambda part, request: format_datetime(part.created_at)),
        ),
        empty=empty,
    )


PARTS = (
    _parts("repositories", _("Repositories"), _("No repositories yet."), about="url"),
    _parts("flows", _("Flows"), _("No flows yet.")),
    _parts("actors", _("Actors"), _("No actors yet.")),
)


def _by(activity: ProjectActivity) -> str:
    return activity.get_origin_display() if is_automatic(activity.actor) else link_to(activity.actor)


ACTIVITY: ProjectTab[Project, ProjectActivity] = ProjectTab(
    name="activity",
    title=_("Activity"),
    rows=lambda project: project.activity.select_related("actor"),
    columns=(
        (_("When"), lambda activity, request: format_datetime(activity.occurred_at)),
        (_("What"), lambda activity, request: format_event_type(activity.type)),
        (_("Details"), lambda activity, request: event_summary(activity.payload)),
        (_("By"), lambda activity, request: _by(activity)),
    ),
    empty=_("No activity yet."),
)


@admin.register(Project)
class ProjectAdmin(ProjectModelAdmin[Project]):
    """Projects, with links to their boards."""

    path = ""
    search = KeySearch("name")
    search_help_text = _("Name")
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
        (_("Access and fallback"), {"fields": ("privacy", "fallback_enabled", ("state", "fallback_state"))}),
        (_("Board"), {"fields": (("todo_limit", "doing_limit"), ("review_limit", "stale_after_days"), "on_merge")}),
        (_("Dates"), {"fields": (("created_at", "updated_at"),)}),
    )
    add_fieldsets = (
        (None, {"fields": ("organization", ("name", "slug"), "description", "privacy", "fallback_enabled")}),
    )
    readonly_fields = ("state", "fallback_state", "created_at", "updated_at")
    autocomplete_fields = ("organization",)
    tabs = (PEOPLE, *PARTS, ACTIVITY)
    object_actions = (*ACTIONS, *stars.star_actions(project=_itself))
    empty_text = (
        _("No projects yet"),
        _("A project has a board of missions. Add its organisation first."),
    )
    add_label = _("Add project")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Project]:
        """With the keys of ready missions and open proposals, at most COUNT_LIMIT + 1 of each."""
        ready = Mission.objects.filter(project=OuterRef("pk"), **rules.BACKLOG)
        waiting = MissionFallbackItem.objects.proposed().filter(project=OuterRef("pk"))
        keys: dict[str, Any] = {
            "ready_ids": ArraySubquery(ready.order_by().values("pk")[: COUNT_LIMIT + 1]),
            "waiting_ids": ArraySubquery(waiting.order_by().values("pk")[: COUNT_LIMIT + 1]),
        }
        return super().get_queryset(request).annotate(**keys)

    def get_urls(self) -> list:
        view = self.admin_site.admin_view
        return [
            path("inbox/", view(inbox.inbox_view), name="fallback_inbox"),
            path("inbox/unread/", view(inbox.unread_view), name="fallback_inbox_unread"),
            path("inbox/read/", view(inbox.read_view), name="fallback_inbox_read"),
            path("inbox/snooze/", view(inbox.snooze_view), name="fallback_inbox_snooze"),
            path("inbox/settings/", view(self.preferences_page), name="fallback_inbox_settings"),
            path("inbox/<str:request_id>/decide/", view(inbox.decide_view), name="fallback_access_decide"),
            path("inbox/absences/", view(self.absences_page), name="fallback_absences"),
            path("inbox/absences/<str:absence_id>/end/", view(absences.end_view), name="fallback_absence_end"),
            path("inbox/hand-over/", view(self.hand_over_page), name="fallback_hand_over"),
            path("inbox/starred/", view(stars.starred_view), name="fallback_starred"),
            path("inbox/starred/remove/", view(stars.unstar_view), name="fallback_unstar"),
            path("metrics/", view(metrics.metrics_view), name="fallback_metrics"),
            path("<str:project_id>/metrics/", view(metrics.metrics_view), name="fallback_project_metrics"),
            path("<str:project_id>/board/", view(board.board_view), name="fallback_board"),
            path("<str:project_id>/board/events/", view(board.events_view), name="fallback_board_events"),
            *super().get_urls(),
        ]

    def absences_page(self, request: HttpRequest) -> HttpResponse:
        return absences.absences_view(self, request)

    def hand_over_page(self, request: HttpRequest) -> HttpResponse:
        return assignments.hand_over_view(self, request)

    def preferences_page(self, request: HttpRequest) -> HttpResponse:
        return preferences_view(self, request)

    def get_readonly_fields(self, request: HttpRequest, obj: Project | None = None) -> tuple[str, ...]:
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "organization") if obj else fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        maintained = rights_of(request).maintained_organizations()
        return maintained is None or bool(maintained)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "organization":
            kwargs["queryset"] = self._organizations(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _organizations(self, request: HttpRequest) -> QuerySet[Organization]:
        """Organisations in which the user may create a project."""
        maintained = rights_of(request).maintained_organizations()
        return Organization.objects.all() if maintained is None else Organization.objects.filter(pk__in=maintained)

    @display(description=_("Organisation"))
    def organization_name(self, project: Project) -> str:
        return project.organization.name

    @display(description=_("Status"))
    def state(self, project: Project) -> str:
        return badge(project.get_status_display(), PROJECT[project.status])

    @display(description=_("Fallback"))
    def fallback_state(self, project: Project) -> str:
        config = getattr(project, "fallback_config", None)
        return badge(format_status(config), CONFIG[config.status] if config else "default")

    @display(description=_("Ready"))
    def ready(self, project: Project) -> str:
        config = getattr(project, "fallback_config", None)
        found = _up_to(project.ready_ids)
        if config is None:
            return found
        text = gettext("{ready} of {threshold}").format(ready=found, threshold=config.backlog_threshold)
        return badge(text, _health(len(project.ready_ids), config))

    @display(description=_("To review"))
    def waiting(self, project: Project) -> str:
        if not project.waiting_ids:
            return "0"
        link = f"{reverse('admin:fallback_review')}?project={project.pk}"
        return format_html('<a class="row-link" href="{}">{}</a>', link, _up_to(project.waiting_ids))

    @display(description=_("Board"))
    def board_link(self, project: Project) -> str:
        return format_html(
            '<a class="row-link" href="{}">{}</a>', reverse("admin:fallback_board", args=[project.pk]), gettext("Open")
        )

    def create(self, request: HttpRequest, values: dict) -> Project:
        return create_project(actor=member_of(request), **values)

    def update(self, request: HttpRequest, obj: Project, changes: dict) -> None:
        update_project(actor=member_of(request), project=obj, **changes)

    def extra_buttons(self, request: HttpRequest, obj: Project) -> list[dict]:
        buttons = [
            {"title": gettext("Board"), "icon": "view_kanban", "link": reverse("admin:fallback_board", args=[obj.pk])},
            {
                "title": gettext("Metrics"),
                "icon": "monitoring",
                "link": reverse("admin:fallback_project_metrics", args=[obj.pk]),
            },
        ]
        config = getattr(obj, "fallback_config", None)
        if config:
            link = reverse("admin:fallback_missionfallbackconfig_change", args=[config.pk])
            buttons.append({"title": gettext("Fallback"), "icon": "autorenew", "link": link})
        return buttons

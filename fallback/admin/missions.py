from __future__ import annotations

from functools import partial
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from fallback.admin import agents, assignments, board, comments, documents, pull_requests, stars
from fallback.admin.base import (
    AGENT,
    LIST,
    KeySearch,
    ProjectAction,
    ProjectCustomTab,
    ProjectModelAdmin,
    VisibleRelatedFilter,
    member_of,
)
from fallback.admin.flow import FigureFilter
from fallback.admin.formats import timeline_context
from fallback.models import Mission, MissionDependency
from fallback.models.choices import List, ReviewStatus
from fallback.rules import FEEDBACK_LENGTH
from fallback.selectors.missions import without_movement
from fallback.selectors.rights import Right
from fallback.services.missions import (
    add_dependency,
    create_mission,
    move_mission,
    remove_dependency,
    review_mission,
    set_ready,
    update_mission,
)
from fallback.services.pull_requests import link_pull_request
from missionsite.common.admin import ActionForm, AutocompleteField
from missionsite.common.admin.formats import badge, link_to
from missionsite.common.annotations import StrOrPromise

# Events shown on the page of a mission, newest first.
EVENTS = 100


class MoveToListForm(ActionForm):
    to = forms.ChoiceField(label=_("List"), choices=List, widget=UnfoldAdminSelectWidget)
    confirmed = forms.BooleanField(
        label=_("Move although it is blocked"), required=False, widget=UnfoldBooleanSwitchWidget
    )

    def __init__(self, data: Any = None, *, obj: Mission | None = None, **kwargs: Any) -> None:
        super().__init__(data, obj=obj, **kwargs)
        if obj and not obj.open_dependency_count:
            del self.fields["confirmed"]


class MovementFilter(DropdownFilter):
    """Missions in Doing or Review without an event for as long as their project says."""

    title = _("movement")
    parameter_name = "movement"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, StrOrPromise]]:
        return [("none", _("Without movement"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Mission]) -> QuerySet[Mission]:
        return queryset.filter(without_movement(timezone.now())) if self.value() == "none" else queryset


class ReviewForm(ActionForm):
    status = forms.ChoiceField(choices=ReviewStatus, widget=UnfoldAdminSelectWidget)
    feedback = forms.CharField(
        required=False, max_length=FEEDBACK_LENGTH, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )


class DependencyForm(ActionForm):
    depends_on = AutocompleteField(MissionDependency, "depends_on", label=_("Depends on"))

    def __init__(self, data: Any = None, *, obj: Mission, **kwargs: Any) -> None:
        super().__init__(data, obj=obj, **kwargs)
        field = cast(forms.ModelChoiceField, self.fields["depends_on"])
        field.queryset = Mission.objects.filter(project=obj.project_id)


class OneOfDependenciesForm(ActionForm):
    depends_on = forms.ModelChoiceField(Mission.objects.none(), label=_("Depends on"), widget=UnfoldAdminSelectWidget)

    def __init__(self, data: Any = None, *, obj: Mission, **kwargs: Any) -> None:
        super().__init__(data, obj=obj, **kwargs)
        field = cast(forms.ModelChoiceField, self.fields["depends_on"])
        field.queryset = Mission.objects.filter(dependents__mission=obj)


def _path(path: str) -> str:
    """A path that breaks after its slashes, so that it fits a narrow page."""
    return format_html_join(mark_safe("/<wbr>"), "{}", ((part,) for part in path.split("/")))


def _timeline(mission: Mission, request: HttpRequest) -> dict:
    events = mission.events.select_related("actor")[:EVENTS]
    return {"entries": [timeline_context(event) for event in events]}


def _dependencies(mission: Mission, request: HttpRequest) -> dict:
    def side(missions: QuerySet[Mission]) -> list[dict]:
        return [
            {
                "title": other.title,
                "url": reverse("admin:fallback_mission_change", args=[other.pk]),
                "list_text": other.get_list_display(),
                "open": other.list != List.DONE,
            }
            for other in missions.order_by("title", "id")[:EVENTS]
        ]

    return {
        "depends_on": side(Mission.objects.filter(dependents__mission=mission)),
        "needed_by": side(Mission.objects.filter(dependencies__depends_on=mission)),
    }


def _action(**options: Any) -> ProjectAction:
    return ProjectAction(permission="", right=Right.CONTRIBUTE, **options)


ACTIONS = (
    _action(
        name="move",
        title=_("Move to list"),
        success_message=_("moved"),
        run=lambda mission, actor, values: move_mission(
            actor=actor, mission=mission, to=values["to"], unless_blocked=not values.get("confirmed")
        ),
        form=MoveToListForm,
        icon="drag_indicator",
        bulk_title=_("Move to list"),
    ),
    _action(
        name="make-ready",
        title=_("Mark as ready"),
        success_message=_("ready"),
        run=lambda mission, actor, values: set_ready(actor=actor, mission=mission, ready=True),
        available=lambda mission: not mission.ready,
        help_text=_("It can be started now and counts as backlog."),
        icon="check",
        bulk_title=_("Mark as ready"),
    ),
    _action(
        name="make-not-ready",
        title=_("Mark as not ready"),
        success_message=_("not ready"),
        run=lambda mission, actor, values: set_ready(actor=actor, mission=mission, ready=False),
        available=lambda mission: mission.ready,
        icon="block",
        bulk_title=_("Mark as not ready"),
    ),
    _action(
        name="review",
        title=pgettext_lazy("action", "Review"),
        success_message=_("reviewed"),
        run=lambda mission, actor, values: review_mission(
            actor=actor, mission=mission, status=values["status"], feedback=values["feedback"]
        ),
        form=ReviewForm,
        available=lambda mission: mission.list == List.REVIEW,
        icon="rate_review",
    ),
    _action(
        name="add-dependency",
        title=_("Add dependency"),
        success_message=_("dependency added"),
        run=lambda mission, actor, values: add_dependency(
            actor=actor, mission=mission, depends_on=values["depends_on"]
        ),
        form=DependencyForm,
        help_text=_("This mission is blocked until that one is done."),
        icon="link",
    ),
    _action(
        name="link-pull-request",
        title=_("Link pull request"),
        success_message=_("pull request linked"),
        run=lambda mission, actor, values: link_pull_request(actor=actor, mission=mission, url=values["url"]),
        form=pull_requests.LinkForm,
        help_text=_("The project must have its repository."),
        icon="merge",
    ),
    _action(
        name="remove-dependency",
        title=_("Remove dependency"),
        success_message=_("dependency removed"),
        run=lambda mission, actor, values: remove_dependency(
            actor=actor, mission=mission, depends_on=values["depends_on"]
        ),
        form=OneOfDependenciesForm,
        available=lambda mission: mission.dependency_count > 0,
        icon="link_off",
    ),
)


@admin.register(Mission)
class MissionAdmin(ProjectModelAdmin[Mission]):
    """The missions of all boards, with timeline and dependencies."""

    add_right = change_right = Right.CONTRIBUTE
    search = KeySearch("title")
    search_help_text = _("Beginning of the title")
    command_icon = "assignment"
    list_display = ("title", "project_link", "list_state", "ready", "blocked", "priority", "origin", "last_event_at")
    optional_columns = ("stage", "requires_review", "pr_mode", "created_at")
    list_select_related = ("project",)
    list_filter = (
        ("project", VisibleRelatedFilter),
        ("list", ChoicesDropdownFilter),
        ("ready", BooleanRadioFilter),
        ("origin", ChoicesDropdownFilter),
        ("agent_session_status", ChoicesDropdownFilter),
        ("priority", ChoicesDropdownFilter),
        MovementFilter,
        FigureFilter,
    )
    sortable_by = ()
    autocomplete_fields = ("project", "flow", "actor", "repository")
    fieldsets = (
        (None, {"fields": ("project", "title", "description", "clarification")}),
        (
            _("Status"),
            {"fields": (("list_state", "ready"), ("stage", "priority"), ("blocked", "origin_text"), "assigned")},
        ),
        (_("Work"), {"fields": (("flow", "actor"), ("repository", "target_branch"), "requires_review")}),
        (_("Pull request"), {"fields": ("pr_mode", ("pr_branch_name", "github_pr_number"))}),
        (_("Agent"), {"fields": ("agent_status", "solution", "tasks")}),
        (_("Review"), {"fields": (("review_state", "reviewer"), "review_feedback")}),
        (_("Dates"), {"fields": (("created_at", "updated_at"), "last_event_at")}),
    )
    add_fieldsets = (
        (None, {"fields": ("project", "title", "description", "clarification", ("priority", "ready"))}),
        (_("Work"), {"fields": (("flow", "actor"), ("repository", "target_branch"), "requires_review")}),
    )
    readonly_fields = (
        "assigned",
        "list_state",
        "blocked",
        "origin_text",
        "review_state",
        "reviewer",
        "review_feedback",
        "agent_status",
        "solution",
        "tasks",
        "created_at",
        "updated_at",
        "last_event_at",
    )
    tabs = (
        documents.DOCUMENTS,
        agents.AGENTS,
        pull_requests.PULLS,
        comments.COMMENTS,
        ProjectCustomTab(name="timeline", title=_("Timeline"), template="fallback/timeline.html", context=_timeline),
        ProjectCustomTab(
            name="dependencies", title=_("Dependencies"), template="fallback/dependencies.html", context=_dependencies
        ),
    )
    object_actions = (*ACTIONS, assignments.ASSIGN_MISSION, *stars.star_actions())
    empty_text = (_("No missions yet"), _("A mission is a task on the board of a project."))
    add_label = _("Add mission")

    class Media:
        js = ("fallback/similar.js",)

    def get_urls(self) -> list:
        view = self.admin_site.admin_view
        return [
            path("comment/<str:comment_id>/edit/", view(comments.edit_view), name="fallback_comment_edit"),
            path("comment/<str:comment_id>/remove/", view(comments.remove_view), name="fallback_comment_remove"),
            path("<str:mission_id>/comment/", view(comments.mission_comment_view), name="fallback_mission_comment"),
            path(
                "<str:mission_id>/document/", view(partial(documents.save_view, self)), name="fallback_mission_document"
            ),
            path("document/<str:version_id>/remove/", view(documents.remove_view), name="fallback_document_remove"),
            path("similar/", view(board.similar_view), name="fallback_mission_similar"),
            path("<str:mission_id>/position/", view(board.move_view), name="fallback_mission_position"),
            path("<str:mission_id>/ready/", view(board.ready_view), name="fallback_mission_ready_now"),
            *super().get_urls(),
        ]

    def describe(self, obj: Mission) -> str:
        return f"{obj.title} · {obj.project.name} · {obj.get_list_display()}"

    @display(description=_("Project"))
    def project_link(self, mission: Mission) -> str:
        return link_to(mission.project)

    @display(description=_("List"))
    def list_state(self, mission: Mission) -> str:
        return badge(mission.get_list_display(), LIST[mission.list])

    @display(description=_("Agent"))
    def agent_status(self, mission: Mission) -> str:
        return badge(mission.get_agent_session_status_display(), AGENT[mission.agent_session_status])

    @display(description=_("Path of the solution"))
    def solution(self, mission: Mission) -> str:
        return _path(mission.solution_path)

    @display(description=_("Path of the tasks"))
    def tasks(self, mission: Mission) -> str:
        return _path(mission.tasks_path)

    @display(description=_("Blocked"))
    def blocked(self, mission: Mission) -> str:
        if not mission.open_dependency_count:
            return ""
        return gettext("by {open} of {all}").format(open=mission.open_dependency_count, all=mission.dependency_count)

    @display(description=_("Assigned to"))
    def assigned(self, mission: Mission) -> str:
        return assignments.assignees(mission)

    @display(description=_("Origin"))
    def origin_text(self, mission: Mission) -> str:
        if mission.fallback_item_id is None:
            return mission.get_origin_display()
        return link_to(mission.fallback_item, gettext("Fallback proposal"))

    @display(description=_("Review"))
    def review_state(self, mission: Mission) -> str:
        return mission.get_review_status_display() or ""

    @display(description=_("Reviewed by"))
    def reviewer(self, mission: Mission) -> str:
        return link_to(mission.reviewed_by)

    def create(self, request: HttpRequest, values: dict) -> Mission:
        return create_mission(
            actor=member_of(request), project=values.pop("project"), title=values.pop("title"), values=values
        )

    def update(self, request: HttpRequest, obj: Mission, changes: dict) -> None:
        update_mission(actor=member_of(request), mission=obj, changes=changes)

    def extra_buttons(self, request: HttpRequest, obj: Mission) -> list[dict]:
        link = reverse("admin:fallback_board", args=[obj.project_id])
        return [{"title": gettext("Board"), "icon": "view_kanban", "link": link}]

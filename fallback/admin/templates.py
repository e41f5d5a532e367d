from __future__ import annotations

from math import floor
from typing import cast

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter
from unfold.decorators import display

from fallback.admin import board, library
from fallback.admin.base import (
    ITEM,
    KeySearch,
    ProjectAction,
    ProjectModelAdmin,
    ProjectTab,
    VisibleRelatedFilter,
    member_of,
)
from fallback.admin.formats import format_acceptance, format_effort, format_schedule, format_template_state
from fallback.models import MissionFallbackItem, MissionFallbackTemplate
from fallback.models.templates import TemplateQuerySet
from fallback.rules import AUTO_ACCEPT_LOWER_BOUND, TAG_LENGTH, TAGS
from fallback.selectors.rights import Right
from fallback.selectors.template_states import acceptance_lower_bound, template_states
from fallback.services.projects import add_to_project, change_in_project
from fallback.services.runs import launch_template
from missionsite.common.admin import ServiceForm
from missionsite.common.admin.formats import EMPTY, badge, format_datetime, link_to
from missionsite.common.admin.list_fields import ListField

USES: ProjectTab[MissionFallbackTemplate, MissionFallbackItem] = ProjectTab(
    name="uses",
    title=_("Proposals"),
    rows=lambda template: MissionFallbackItem.objects.filter(template=template).select_related(
        "mission", "reviewed_by"
    ),
    columns=(
        (_("Proposed"), lambda item, request: format_datetime(item.created_at)),
        (_("Title"), lambda item, request: link_to(item.mission, item.title) if item.mission else item.title),
        (_("Decision"), lambda item, request: badge(item.get_status_display(), ITEM[item.status])),
        (_("By"), lambda item, request: link_to(item.reviewed_by)),
        (_("Why"), lambda item, request: item.feedback or item.get_reason_display() or EMPTY),
    ),
    empty=_("Not used yet. Runs use the longest unused template first."),
)


class TemplateForm(ServiceForm):
    tags = ListField(
        label=_("Tags"),
        help_text=_("Words separated by commas, such as: docs, small"),
        most=TAGS,
        longest=TAG_LENGTH,
        required=False,
    )


@admin.register(MissionFallbackTemplate)
class TemplateAdmin(ProjectModelAdmin[MissionFallbackTemplate]):
    """Templates, with the decisions on their proposals."""

    form = TemplateForm
    search = KeySearch("name")
    search_help_text = _("Beginning of the name")
    command_icon = "content_copy"
    list_display = ("name", "project_link", "enabled", "priority", "effort", "record", "waiting", "last_used")
    list_select_related = ("project",)
    list_filter = (("project", VisibleRelatedFilter), ("enabled", BooleanRadioFilter))
    sortable_by = ()
    # Repeated from the model, because Django drops Meta.ordering in queries with GROUP BY.
    ordering = ("-created_at", "-id")
    autocomplete_fields = ("project", "flow", "actor", "repository")
    fieldsets = (
        (None, {"fields": ("project", "name", "description", "acceptance_criteria")}),
        (_("Work"), {"fields": (("flow", "actor"), "repository", ("priority", "estimated_effort_minutes"), "tags")}),
        (
            _("Use"),
            {
                "fields": (
                    ("enabled", "max_open"),
                    ("schedule", "schedule_day"),
                    ("record", "last_used"),
                    ("state", "confidence"),
                    "auto_accept",
                    "origin",
                )
            },
        ),
    )
    add_fieldsets = (
        (None, {"fields": ("project", "name", "description", "acceptance_criteria")}),
        (_("Work"), {"fields": (("flow", "actor"), "repository", ("priority", "estimated_effort_minutes"), "tags")}),
        (_("Use"), {"fields": (("enabled", "max_open"), ("schedule", "schedule_day"))}),
    )
    readonly_fields = ("record", "last_used", "state", "confidence", "origin")
    tabs = (USES,)
    object_actions = (
        ProjectAction(
            name="launch",
            title=_("Launch"),
            success_message=_("launched"),
            run=lambda template, actor, values: launch_template(actor=actor, template=template),
            permission="",
            right=Right.REVIEW,
            available=lambda template: template.enabled,
            help_text=_("Creates a mission in Todo, also while the template rests or is open already."),
            icon="rocket_launch",
            bulk_title=_("Launch"),
        ),
        *library.ACTIONS,
    )
    empty_text = (_("No templates yet"), _("Proposals are made from templates."))
    add_label = _("Add template")

    def get_urls(self) -> list:
        view = self.admin_site.admin_view
        return [
            path("library/", view(library.library_view), name="fallback_library"),
            path("library/<str:template_id>/copy/", view(self.copy_page), name="fallback_library_copy"),
            path("<str:template_id>/launch-now/", view(board.launch_view), name="fallback_template_launch_now"),
            *super().get_urls(),
        ]

    def copy_page(self, request: HttpRequest, template_id: str) -> HttpResponse:
        return library.copy_view(self, request, template_id)

    def get_queryset(self, request: HttpRequest) -> QuerySet[MissionFallbackTemplate]:
        return cast(TemplateQuerySet, super().get_queryset(request)).with_record()

    def describe(self, obj: MissionFallbackTemplate) -> str:
        return f"{obj.name} · {obj.project.name}"

    @display(description=_("Project"))
    def project_link(self, template: MissionFallbackTemplate) -> str:
        return link_to(template.project)

    @display(description=_("Effort"))
    def effort(self, template: MissionFallbackTemplate) -> str:
        return format_effort(template.estimated_effort_minutes)

    @display(description=_("Acceptance record"))
    def record(self, template: MissionFallbackTemplate) -> str:
        return format_acceptance(template)

    @display(description=_("Open proposals"))
    def waiting(self, template: MissionFallbackTemplate) -> int:
        return template.proposed_count

    @display(description=_("Proposed next"))
    def state(self, template: MissionFallbackTemplate) -> str:
        state = template_states(template.project, timezone.now()).get(template.pk)
        return (format_template_state(template, state) if state else "") or format_schedule(template)

    @display(description=_("Acceptance, at least"))
    def confidence(self, template: MissionFallbackTemplate) -> str:
        return gettext("{percent} % with 95 % confidence; {needed} % is needed to accept automatically").format(
            percent=floor(100 * acceptance_lower_bound(template)), needed=round(100 * AUTO_ACCEPT_LOWER_BOUND)
        )

    @display(description=_("Copied from"))
    def origin(self, template: MissionFallbackTemplate) -> str:
        return library.origin_text(template)

    @display(description=_("Last used"))
    def last_used(self, template: MissionFallbackTemplate) -> str:
        return format_datetime(template.last_used_at)

    def create(self, request: HttpRequest, values: dict) -> Model:
        return add_to_project(
            actor=member_of(request), kind=MissionFallbackTemplate, project=values.pop("project"), values=values
        )

    def update(self, request: HttpRequest, obj: MissionFallbackTemplate, changes: dict) -> None:
        change_in_project(actor=member_of(request), instance=obj, changes=changes)

from __future__ import annotations

from typing import TypeVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from fallback.admin.base import KeySearch, ProjectModelAdmin, VisibleRelatedFilter, member_of
from fallback.models import Actor, Flow, ProjectRepository
from fallback.models.flows import default_stages
from fallback.rules import STAGE_LENGTH, STAGES
from fallback.services.projects import add_to_project, change_in_project
from missionsite.common.admin import ServiceForm
from missionsite.common.admin.formats import link_to
from missionsite.common.admin.list_fields import ListField

P = TypeVar("P", bound=Flow | Actor | ProjectRepository)


class PartOfProject(ProjectModelAdmin[P]):
    """Admin of the flows, actors and repositories of a project."""

    search = KeySearch("name")
    search_help_text = _("Beginning of the name")
    list_display = ("name", "project_link", "about")
    list_select_related = ("project",)
    list_filter = (("project", VisibleRelatedFilter),)
    autocomplete_fields = ("project",)
    sortable_by = ()
    about_field = "description"

    def describe(self, obj: P) -> str:
        return f"{obj.name} · {obj.project.name}"

    @display(description=_("Project"))
    def project_link(self, obj: P) -> str:
        return link_to(obj.project)

    @display(description=_("About"))
    def about(self, obj: P) -> str:
        text = getattr(obj, self.about_field)
        return text if len(text) <= 120 else f"{text[:120]}…"

    def create(self, request: HttpRequest, values: dict) -> Model:
        return add_to_project(actor=member_of(request), kind=self.model, project=values.pop("project"), values=values)

    def update(self, request: HttpRequest, obj: P, changes: dict) -> None:
        change_in_project(actor=member_of(request), instance=obj, changes=changes)


class FlowForm(ServiceForm):
    stages = ListField(
        label=_("Stages"),
        help_text=_("One stage per line, in order."),
        by_line=True,
        most=STAGES,
        longest=STAGE_LENGTH,
        initial=default_stages,
    )


@admin.register(Flow)
class FlowAdmin(PartOfProject[Flow]):
    """The flows of projects."""

    form = FlowForm
    fieldsets = ((None, {"fields": ("project", "name", "stages", "description")}),)
    add_fieldsets = fieldsets
    empty_text = (_("No flows yet"), _("A flow defines the stages of a mission."))
    add_label = _("Add flow")


@admin.register(Actor)
class ActorAdmin(PartOfProject[Actor]):
    """The actors of projects: personas that work on missions."""

    fieldsets = ((None, {"fields": ("project", "name", "description")}),)
    add_fieldsets = fieldsets
    empty_text = (_("No actors yet"), _("An actor is the persona that works on a mission."))
    add_label = _("Add actor")


@admin.register(ProjectRepository)
class RepositoryAdmin(PartOfProject[ProjectRepository]):
    """The repositories of projects."""

    about_field = "url"
    fieldsets = ((None, {"fields": ("project", "name", "url", "default_branch")}),)
    add_fieldsets = fieldsets
    empty_text = (_("No repositories yet"), _("A repository holds the code that missions change."))
    add_label = _("Add repository")

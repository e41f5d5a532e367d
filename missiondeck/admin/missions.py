"""The list of client missions, and the form of one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from groups.admin.base import HistoryAdmin
from missiondeck.admin import base
from missiondeck.admin.calendar import calendar_view
from missiondeck.admin.export import export_view
from missiondeck.admin.feeds import feeds_view
from missiondeck.admin.filters import (
    AssignedFilter,
    ClientFilter,
    DueFilter,
    LastRunFilter,
    MissionSearch,
    StatusFilter,
)
from missiondeck.admin.transcripts import transcript_view
from missiondeck.admin.workspace import workspace_urls
from missiondeck.models import Category, DeckMission, DodTemplate
from missiondeck.rules import ITEM_LENGTH
from missiondeck.services.checklist import add_item
from missiondeck.services.missions import EDITABLE, create_deck_mission, update_deck_mission
from missiondeck.services.templates import apply_template
from missionsite.common.admin import ServiceForm
from missionsite.common.admin.filters import PeriodFilter
from missionsite.common.admin.formats import format_datetime, link_to
from missionsite.common.audit.history import Change, NothingToRevert, changes_of, revert_change

if TYPE_CHECKING:
    from missiondeck.admin.base import MissionWithProgress

# Items per category in the form of a new mission; more are added in the workspace.
MAX_LINES = 50


class MissionForm(ServiceForm):
    class Meta:
        model = DeckMission
        fields = EDITABLE

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if "deadline" in self.fields:
            zone = timezone.get_current_timezone_name()
            self.fields["deadline"].help_text = gettext("In the time zone %(zone)s.") % {"zone": zone}

    def clean_currency(self) -> str:
        return self.cleaned_data["currency"].upper()


class LinesField(forms.CharField):
    """A list of texts, one per line."""

    def __init__(self, **kwargs) -> None:
        super().__init__(required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}), **kwargs)

    def clean(self, value) -> list[str]:
        lines = [line.strip() for line in super().clean(value).splitlines() if line.strip()]
        if len(lines) > MAX_LINES:
            raise forms.ValidationError(
                gettext("Enter at most %(limit)s lines. You can add more items in the workspace.")
                % {"limit": MAX_LINES}
            )
        for place, line in enumerate(lines, 1):
            if len(line) > ITEM_LENGTH:
                raise forms.ValidationError(
                    gettext("Item %(number)s is longer than %(limit)s characters: %(text)s…")
                    % {"number": place, "limit": ITEM_LENGTH, "text": line[:40]}
                )
        return lines


class NewMissionForm(MissionForm):
    """The form of a new mission, with the first items of its definition of done."""

    functional = LinesField(label=Category.FUNCTIONAL.label, help_text=_("One item per line. You can add more later."))
    non_functional = LinesField(label=Category.NON_FUNCTIONAL.label)
    tests = LinesField(label=Category.TESTS.label)
    template = forms.ModelChoiceField(
        DodTemplate.objects.filter(is_enabled=True),
        label=_("Template"),
        required=False,
        widget=UnfoldAdminSelectWidget(),
        empty_label=_("No template"),
        help_text=_("Its items and their evidence are added to the items below."),
    )


CHECKLIST = {
    "functional": Category.FUNCTIONAL,
    "non_functional": Category.NON_FUNCTIONAL,
    "tests": Category.TESTS,
}


@admin.register(DeckMission)
class DeckMissionAdmin(HistoryAdmin):
    """Client missions; each has a workspace."""

    form = MissionForm
    exports = False
    search = MissionSearch()
    search_help_text = _("Number, or beginning of a title, client or e-mail address")
    command_icon = "work"
    list_display = (
        "number_shown",
        "title_shown",
        "client",
        "status_shown",
        "time_left",
        "progress",
        "last_run",
        "assigned",
        "budget_shown",
    )
    list_display_links = None
    optional_columns = ("deadline", "created_at", "completed_at")
    list_select_related = ("assignee",)
    list_filter = (
        StatusFilter,
        DueFilter,
        LastRunFilter,
        AssignedFilter,
        ClientFilter,
        ("deadline", PeriodFilter),
        ("assignee", AutocompleteSelectFilter),
    )
    sortable_by = ("number_shown",)
    noun_plural = _("client missions")
    empty_text = (
        _("No client missions yet"),
        _("A client mission is paid work with a definition of done. Add the first one to get started."),
    )
    add_label = _("Add client mission")
    about_title = _("Details")
    _details = ("title", "client", ("budget", "currency"), "deadline", "assigned_to", "github_url")
    fieldsets = (
        (None, {"fields": _details}),
        (_("Progress"), {"fields": (("number_shown", "status_shown"), ("progress", "last_run"), "completed")}),
        (_("Dates"), {"fields": (("created_at", "updated_at"),)}),
    )
    add_fieldsets = (
        (None, {"fields": _details}),
        (_("Definition of done"), {"fields": ("template", *CHECKLIST)}),
    )
    readonly_fields = (
        "number_shown",
        "status_shown",
        "progress",
        "last_run",
        "completed",
        "created_at",
        "updated_at",
    )

    class Media:
        css = {"all": ("missiondeck/deck.css",)}

    def get_urls(self) -> list:
        own = {"model_admin": self}
        return [
            *workspace_urls(self),
            path("calendar/", self._wrapped(calendar_view, calendar_view), own, name="missiondeck_calendar"),
            path("feeds/", self._wrapped(feeds_view, feeds_view), own, name="missiondeck_feeds"),
            path("export/", self._wrapped(export_view, export_view), own, name="missiondeck_export"),
            path(
                "<path:object_id>/transcript/<str:form>/",
                self._wrapped(transcript_view, transcript_view),
                own,
                name="missiondeck_transcript",
            ),
            *super().get_urls(),
        ]

    # --- Lists --------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[MissionWithProgress]:
        return base.with_progress(super().get_queryset(request))

    def get_ordering(self, request: HttpRequest) -> tuple:
        """By deadline when filtered by due date, otherwise newest first."""
        return ("deadline", "number") if DueFilter.is_set(request) else ("-number",)

    def list_buttons(self, request: HttpRequest) -> list[dict]:
        query = request.GET.urlencode()
        export = reverse("admin:missiondeck_export")
        return [
            {"title": gettext("Due next"), "icon": "schedule", "link": "?due=next"},
            {"title": gettext("Calendar"), "icon": "calendar_month", "link": reverse("admin:missiondeck_calendar")},
            {"title": gettext("Export"), "icon": "download", "link": f"{export}?{query}" if query else export},
        ]

    # --- Pages --------------------------------------------------------------------------------

    def extra_buttons(self, request: HttpRequest, obj: DeckMission) -> list[dict]:
        return [{"title": gettext("Workspace"), "icon": "work", "link": base.mission_url(obj)}]

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs):
        return super().get_form(request, obj, change=change, **({} if obj else {"form": NewMissionForm}) | kwargs)

    def response_add(self, request: HttpRequest, obj: DeckMission, post_url_continue=None) -> HttpResponse:
        return self._redirect_to_workspace(request, obj, super().response_add(request, obj, post_url_continue))

    def response_change(self, request: HttpRequest, obj: DeckMission) -> HttpResponse:
        return self._redirect_to_workspace(request, obj, super().response_change(request, obj))

    @staticmethod
    def _redirect_to_workspace(request: HttpRequest, obj: DeckMission, otherwise: HttpResponse) -> HttpResponse:
        return HttpResponseRedirect(base.mission_url(obj)) if "_save" in request.POST else otherwise

    # --- Writing ------------------------------------------------------------------------------

    def create(self, request: HttpRequest, values: dict) -> DeckMission:
        mission = create_deck_mission(actor=base.current_member(request), **{name: values[name] for name in EDITABLE})
        for name, category in CHECKLIST.items():
            for text in values[name]:
                add_item(actor=base.current_member(request), mission=mission, text=text, category=category)
        if template := values["template"]:
            apply_template(actor=base.current_member(request), mission=mission, template=template)
        return mission

    def update(self, request: HttpRequest, obj: DeckMission, changes: dict) -> None:
        update_deck_mission(actor=base.current_member(request), mission=obj, **changes)

    def may_revert(self, request: HttpRequest, obj: DeckMission, changed: set[str]) -> bool:
        """Whether only editable fields changed. A status change is undone in the workspace, with a reason."""
        return changed - {"assignee"} <= set(EDITABLE) and super().may_revert(request, obj, changed)

    def revert(self, request: HttpRequest, obj: Model, change: Change) -> None:
        """Revert the editable fields of a change. Raises NothingToRevert, LaterChange."""
        raw = next((entry for entry in changes_of(obj) if entry.pgh_id == change.pgh_id), None)
        fields = [field for field in raw.fields if field.name in EDITABLE] if raw else []
        if raw is None or not fields:
            raise NothingToRevert
        revert_change(actor=base.current_member(request), change=replace(raw, fields=fields))

    # --- Showing ------------------------------------------------------------------------------

    def object_url(self, obj: DeckMission) -> str:
        return base.mission_url(obj)

    def describe(self, obj: DeckMission) -> str:
        return f"{obj} · {obj.client} · {obj.get_status_display().lower()}"

    @display(description=_("Number"), ordering="number")
    def number_shown(self, mission: DeckMission) -> str:
        return f"#{mission.number}"

    @display(description=_("Title"))
    def title_shown(self, mission: DeckMission) -> str:
        return base.mission_link(mission, mission.title)

    @display(description=_("Status"))
    def status_shown(self, mission: DeckMission) -> str:
        return base.status_badge(mission)

    @display(description=_("Time left"))
    def time_left(self, mission: DeckMission) -> str:
        return base.format_time_left(mission)

    @display(description=_("Done"))
    def progress(self, mission: MissionWithProgress) -> str:
        return base.format_progress_bar(mission)

    @display(description=_("Last test run"))
    def last_run(self, mission: MissionWithProgress) -> str:
        return base.format_last_run(mission)

    @display(description=_("Assigned to"))
    def assigned(self, mission: DeckMission) -> str:
        return link_to(mission.assignee) if mission.assignee else mission.assigned_to

    @display(description=_("Budget"))
    def budget_shown(self, mission: DeckMission) -> str:
        return base.format_budget(mission)

    @display(description=_("Completed"))
    def completed(self, mission: DeckMission) -> str:
        if mission.completed_at is None:
            return gettext("Not yet")
        shown = format_datetime(mission.completed_at)
        if mission.completed_by:
            shown = gettext("%(date)s by %(member)s") % {"date": shown, "member": mission.completed_by}
        if mission.override_reason:
            values = {"completed": shown, "reason": mission.override_reason}
            shown = gettext("%(completed)s, with an override: %(reason)s") % values
        return shown

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter
from unfold.decorators import display

from groups.admin.base import actor_of
from groups.models import Event
from missionsite.common.admin import ReadOnlyModelAdmin
from missionsite.common.admin.filters import PeriodFilter
from missionsite.common.admin.formats import format_datetime, format_payload, link_to
from missionsite.common.audit.events import event_label, event_labels, event_summary


class TypeFilter(DropdownFilter):
    title = _("event type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin) -> list[tuple[str, str]]:
        return sorted(event_labels().items(), key=lambda item: item[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(type=self.value()) if self.value() else queryset


@admin.register(Event)
class EventAdmin(ReadOnlyModelAdmin):
    """All events, newest first; read-only."""

    list_display = ("when", "what", "member_link", "group_link", "actor_link", "details")
    list_display_links = ("what",)
    list_select_related = ("member", "group", "actor")
    list_filter = (
        TypeFilter,
        ("occurred_at", PeriodFilter),
        ("group", AutocompleteSelectFilter),
        ("member", AutocompleteSelectFilter),
        ("actor", AutocompleteSelectFilter),
    )
    sortable_by = ("when",)
    fields = ("what", "when", "member_link", "group_link", "actor_link", "all_details")
    readonly_fields = fields
    empty_text = (_("No events yet"), _("Actions of staff and members are recorded here automatically."))

    @display(description=_("When"), ordering="occurred_at")
    def when(self, event: Event) -> str:
        return format_datetime(event.occurred_at)

    @display(description=_("What"))
    def what(self, event: Event) -> str:
        return event_label(event.type)

    @display(description=_("Member"))
    def member_link(self, event: Event) -> str:
        return link_to(event.member)

    @display(description=_("Mission or colony"))
    def group_link(self, event: Event) -> str:
        return link_to(event.group)

    @display(description=_("By"))
    def actor_link(self, event: Event) -> str:
        return actor_of(event)

    @display(description=_("Details"))
    def details(self, event: Event) -> str:
        return event_summary(event.payload)

    @display(description=_("Details"))
    def all_details(self, event: Event) -> str:
        return format_payload(event.payload)

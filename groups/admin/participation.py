from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from groups.models import MemberParticipation
from missionsite.common.admin import ReadOnlyModelAdmin
from missionsite.common.admin.filters import PeriodFilter
from missionsite.common.admin.formats import format_datetime, format_payload, link_to


@admin.register(MemberParticipation)
class ParticipationAdmin(ReadOnlyModelAdmin):
    """Participation of members, as reported by the platforms; read-only."""

    list_display = ("when", "who", "event_type", "platform", "room_id")
    list_display_links = ("when",)
    list_select_related = ("member",)
    list_filter = (
        ("event_type", ChoicesDropdownFilter),
        ("platform", ChoicesDropdownFilter),
        ("occurred_at", PeriodFilter),
        ("member", AutocompleteSelectFilter),
    )
    sortable_by = ()
    noun_plural = _("entries")
    empty_text = (_("No participation yet"), _("Platforms send participation to the API: POST /api/participation."))
    fields = ("who", "event_type", "platform", "room_id", "details", "when")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @display(description=_("When"))
    def when(self, row: MemberParticipation) -> str:
        return format_datetime(row.occurred_at)

    @display(description=_("Details"))
    def details(self, row: MemberParticipation) -> str:
        return format_payload(row.event_metadata)

    @display(description=_("Who"))
    def who(self, row: MemberParticipation) -> str:
        return link_to(row.member)

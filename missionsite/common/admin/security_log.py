"""The security log in the back office, for the Auditor: filters and export."""

import csv
import io
from collections.abc import Iterator

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter
from unfold.decorators import display

from missionsite.common.addresses import parse_address
from missionsite.common.admin.filters import ExactTextFilter, PeriodFilter
from missionsite.common.admin.formats import format_datetime, format_payload, link_to
from missionsite.common.admin.options import ReadOnlyModelAdmin
from missionsite.common.admin.timeline import Entry, Source, register_timeline
from missionsite.common.audit.events import event_label, event_summary
from missionsite.common.audit.security import MIRRORED, SECURITY_LABELS
from missionsite.common.csvfiles import safe_cell
from missionsite.common.downloads import download, prompt_for_export
from missionsite.common.models import SecurityEvent

VIEW = "common.view_securityevent"
COLUMNS = ("occurred_at", "type", "member_id", "actor_id", "address", "user_agent", "request_id", "payload")


class TypeFilter(DropdownFilter):
    title = _("type")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        types = {*SECURITY_LABELS, *MIRRORED, "member.changed"}
        return sorted(((name, event_label(name)) for name in types), key=lambda item: item[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(type=self.value()) if self.value() else queryset


class AddressFilter(ExactTextFilter):
    title = _("address")
    parameter_name = "address"
    column = "address"

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Filter by a valid address; no address is like any other text."""
        if not (text := (self.value() or "").strip()):
            return queryset
        address = parse_address(text)
        return queryset.filter(address=str(address)) if address else queryset.none()


@admin.register(SecurityEvent)
class SecurityEventAdmin(ReadOnlyModelAdmin):
    """The security log, newest first; read-only."""

    exports = False

    list_display = ("when", "what", "member_link", "actor_link", "address", "details")
    list_display_links = ("what",)
    list_select_related = ("member", "actor")
    list_filter = (
        TypeFilter,
        ("occurred_at", PeriodFilter),
        AddressFilter,
        ("member", AutocompleteSelectFilter),
        ("actor", AutocompleteSelectFilter),
    )
    sortable_by = ("when",)
    fields = ("what", "when", "member_link", "actor_link", "address", "user_agent", "request_id", "all_details")
    readonly_fields = fields
    empty_text = (_("No entries yet"), _("Log-ins, denied access and changes of rights are recorded here."))

    def list_buttons(self, request: HttpRequest) -> list[dict]:
        query = request.GET.urlencode()
        link = reverse("admin:common_securityevent_export")
        return [
            {"title": gettext("Export these"), "icon": "download", "link": f"{link}?{query}" if query else link},
        ]

    def get_urls(self) -> list:
        return [
            path("export/", self.admin_site.admin_view(self.export), name="common_securityevent_export"),
            *super().get_urls(),
        ]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Return the rows of the list with its filters, as CSV."""
        if not request.user.has_perm(VIEW):
            raise PermissionDenied
        back = reverse("admin:common_securityevent_changelist")
        if prompt := prompt_for_export(request, back):
            return prompt
        try:
            shown = self.get_changelist_instance(request)
            found = shown.get_queryset(request).order_by("-occurred_at", "-pk").values_list(*COLUMNS)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"{back}?e=1")

        def lines() -> Iterator[str]:
            yield "\ufeff" + _line(COLUMNS)
            for row in found.iterator(chunk_size=2_000):
                yield _line(row)

        name = f"security-log-{timezone.localdate().isoformat()}.csv"
        return download(lines, name=name, content_type="text/csv; charset=utf-8")

    @display(description=_("When"), ordering="occurred_at")
    def when(self, event: SecurityEvent) -> str:
        return format_datetime(event.occurred_at)

    @display(description=_("What"))
    def what(self, event: SecurityEvent) -> str:
        return event_label(event.type)

    @display(description=_("Member"))
    def member_link(self, event: SecurityEvent) -> str:
        return link_to(event.member)

    @display(description=_("By"))
    def actor_link(self, event: SecurityEvent) -> str:
        return link_to(event.actor)

    @display(description=_("Details"))
    def details(self, event: SecurityEvent) -> str:
        return event_summary(event.payload)

    @display(description=_("Details"))
    def all_details(self, event: SecurityEvent) -> str:
        return format_payload(event.payload)


def _line(values: tuple) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([safe_cell(value) for value in values])
    return text.getvalue()


def _timeline_entry(event: SecurityEvent) -> Entry:
    return Entry(event.occurred_at, event_label(event.type), event_summary(event.payload))


register_timeline(
    Source(
        name="access",
        title=_("Log-ins and access"),
        icon="key",
        permission=VIEW,
        rows=lambda person: SecurityEvent.objects.filter(member=person.pk),
        instant="occurred_at",
        entry=_timeline_entry,
    ),
    order=80,
)

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from groups.admin.base import current_member
from groups.models import MemberRelationship
from groups.services.relationships import create_relationship
from missionsite.common.admin import Found, ReadOnlyModelAdmin, Search, ServiceForm
from missionsite.common.admin.formats import format_datetime, format_payload, link_to
from missionsite.common.admin.search import FOUND_AT_MOST


class RelationshipSearch(Search):
    """Finds relationships by a whole entity ID on either side: a number such as #247, or another system's ID."""

    def find(self, queryset: QuerySet, term: str) -> Found:
        rows = queryset.order_by().select_related(None)
        found = rows.filter(entity_id_a=term.strip()).union(rows.filter(entity_id_b=term.strip()))
        ids = [row.pk for row in found.order_by()[: FOUND_AT_MOST + 1]]
        return Found(ids[:FOUND_AT_MOST], len(ids) > FOUND_AT_MOST)


class RelationshipForm(ServiceForm):
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=500,
        help_text=_("What the relationship is about."),
        widget=UnfoldAdminTextInputWidget(),
    )

    class Meta:
        model = MemberRelationship
        fields = ("entity_id_a", "relationship_type", "entity_id_b")


@admin.register(MemberRelationship)
class RelationshipAdmin(ReadOnlyModelAdmin):
    """Relationships between members and other entities. Added once, never edited."""

    form = RelationshipForm
    search = RelationshipSearch("pk", "")
    search_help_text = _("Whole ID, such as #247")
    list_display = ("from_whom", "kind", "to_whom", "made")
    list_display_links = ("kind",)
    list_select_related = ("member_a", "member_b")
    list_filter = (("relationship_type", ChoicesDropdownFilter),)
    sortable_by = ()
    empty_text = (_("No relationships yet"), _("One is added when an invitation is accepted."))
    add_label = _("Add relationship")
    fields = ("from_whom", "kind", "to_whom", "details", "made")
    readonly_fields = fields

    def get_fields(self, request: HttpRequest, obj=None):
        return self.fields if obj else ("entity_id_a", "relationship_type", "entity_id_b", "note")

    def get_readonly_fields(self, request: HttpRequest, obj=None):
        return self.fields if obj else ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("groups.add_memberrelationship")

    def create(self, request: HttpRequest, values: dict) -> MemberRelationship:
        return create_relationship(
            entity_id_a=values["entity_id_a"],
            entity_id_b=values["entity_id_b"],
            relationship_type=values["relationship_type"],
            content={"note": values["note"]} if values["note"] else {},
            actor=current_member(request),
        )

    @display(description=_("From"))
    def from_whom(self, row: MemberRelationship) -> str:
        return link_to(row.member_a) if row.member_a else row.entity_id_a

    @display(description=_("To"))
    def to_whom(self, row: MemberRelationship) -> str:
        return link_to(row.member_b) if row.member_b else row.entity_id_b

    @display(description=_("Kind"))
    def kind(self, row: MemberRelationship) -> str:
        return row.get_relationship_type_display()

    @display(description=_("Details"))
    def details(self, row: MemberRelationship) -> str:
        return format_payload(row.content)

    @display(description=_("Since"))
    def made(self, row: MemberRelationship) -> str:
        return format_datetime(row.created_at)

from __future__ import annotations

from django.contrib import admin
from django.urls import path
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from fallback.admin import assignments, comments, review_actions, review_page
from fallback.admin.base import ITEM, KeySearch, ReadOnlyProjectModelAdmin, VisibleRelatedFilter
from fallback.admin.formats import format_effort, format_run
from fallback.models import MissionFallbackItem
from missionsite.common.admin.filters import PeriodFilter
from missionsite.common.admin.formats import badge, link_to


@admin.register(MissionFallbackItem)
class ItemAdmin(ReadOnlyProjectModelAdmin[MissionFallbackItem]):
    """The list of all proposals, and the review page of the open ones."""

    search = KeySearch()
    search_help_text = _("Whole ID of a proposal")
    list_display = ("title", "project_link", "state", "template_link", "effort", "reviewer", "why", "created_at")
    list_select_related = ("project", "template", "reviewed_by")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("project", VisibleRelatedFilter),
        ("template", VisibleRelatedFilter),
        ("reviewed_at", PeriodFilter),
    )
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("project_link", "title", "description", ("state", "mission_link"), "assigned")}),
        (_("Work"), {"fields": (("flow", "actor"), "repository", ("priority", "estimated_effort_minutes"))}),
        (_("Decision"), {"fields": (("reviewer", "reviewed_at"), "why", "duplicate_of", "snoozed_until")}),
        (_("Origin"), {"fields": (("template_link", "run_link"), "created_at")}),
    )
    tabs = (comments.COMMENTS,)
    object_actions = (assignments.ASSIGN_ITEM,)
    empty_text = (_("No proposals yet"), _("Proposals are made when a project runs low on ready missions."))

    def get_urls(self) -> list:
        view = self.admin_site.admin_view
        actions = (
            ("accept", review_actions.accept_view),
            ("discard", review_actions.discard_view),
            ("snooze", review_actions.snooze_view),
            ("unsnooze", review_actions.unsnooze_view),
            ("duplicate", review_actions.duplicate_view),
            ("undo", review_actions.undo_view),
        )
        return [
            path("review/", view(review_page.review_view), name="fallback_review"),
            path("review/events/", view(review_page.events_view), name="fallback_review_events"),
            path("review/missions/", view(review_page.missions_view), name="fallback_review_missions"),
            path("review/accept/", view(review_actions.bulk_accept_view), name="fallback_review_accept"),
            path("review/discard/", view(review_actions.bulk_discard_view), name="fallback_review_discard"),
            path("<str:item_id>/comment/", view(comments.item_comment_view), name="fallback_item_comment"),
            *(path(f"<str:item_id>/{name}/", view(action), name=f"fallback_item_{name}") for name, action in actions),
            *super().get_urls(),
        ]

    @display(description=_("Project"))
    def project_link(self, item: MissionFallbackItem) -> str:
        return link_to(item.project)

    @display(description=_("Template"))
    def template_link(self, item: MissionFallbackItem) -> str:
        return link_to(item.template)

    @display(description=_("Run"))
    def run_link(self, item: MissionFallbackItem) -> str:
        return link_to(item.run, format_run(item.run))

    @display(description=_("Mission"))
    def mission_link(self, item: MissionFallbackItem) -> str:
        return link_to(item.mission)

    @display(description=_("Assigned to"))
    def assigned(self, item: MissionFallbackItem) -> str:
        return assignments.assignees(item)

    @display(description=_("Effort"))
    def effort(self, item: MissionFallbackItem) -> str:
        return format_effort(item.estimated_effort_minutes)

    @display(description=_("Decision"))
    def state(self, item: MissionFallbackItem) -> str:
        return badge(item.get_status_display(), ITEM[item.status])

    @display(description=_("Decided by"))
    def reviewer(self, item: MissionFallbackItem) -> str:
        return link_to(item.reviewed_by)

    @display(description=_("Why"))
    def why(self, item: MissionFallbackItem) -> str:
        return item.feedback or item.get_reason_display() or ""

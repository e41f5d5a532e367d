"""Admin page of announcements, with the results of their messages."""

from typing import cast

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Count, Field
from django.http import HttpRequest, QueryDict
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from engagement.admin.base import ANNOUNCE, WITHDRAW
from engagement.admin.compose import compose_view
from engagement.models import Announcement, EngagementMessage
from engagement.rules import Status
from engagement.selectors.announcements import SKIP_REASONS
from engagement.services.announcements import approve_announcement, cancel_announcement
from groups.models import CommunityMember
from missionsite.common.admin import Action, ReadOnlyModelAdmin, Search, register_list_button
from missionsite.common.admin.formats import badge, definition_list, format_datetime, format_number, link_to, list_url
from missionsite.common.annotations import StrOrPromise
from missionsite.common.audit.events import field_label


class TitleSearch(Search):
    """Searches announcements by the start of their title."""

    def __init__(self) -> None:
        super().__init__("pk", "", ("title",))

    def exact(self, term: str) -> str | None:
        return None


@admin.register(Announcement)
class AnnouncementAdmin(ReadOnlyModelAdmin[Announcement]):
    """Announcements; a new one is composed from the directory list."""

    class Media:
        css = {"all": ("engagement/engagement.css",)}

    search = TitleSearch()
    search_help_text = _("Beginning of the title")
    command_icon = "campaign"
    list_display = ("title", "topic", "recipients_shown", "skipped_shown", "due", "by", "state")
    list_display_links = ("title",)
    list_select_related = ("created_by",)
    sortable_by = ()
    empty_text = (_("No announcements yet"), _("Compose an announcement for everyone or for a filtered directory."))
    fieldsets = (
        (None, {"fields": ("title", "topic", ("by", "composed"), ("due", "state"), ("per_hour", "approval"))}),
        (_("Audience"), {"fields": ("audience_shown", ("recipients_shown", "skipped_by_reason"))}),
        (_("Results"), {"fields": ("counts",)}),
        (_("Texts"), {"fields": ("texts_shown",)}),
    )
    readonly_fields = (
        "by",
        "composed",
        "due",
        "state",
        "approval",
        "audience_shown",
        "recipients_shown",
        "skipped_by_reason",
        "counts",
        "texts_shown",
    )
    object_actions = (
        Action(
            name="approve",
            title=_("Approve announcement"),
            success_message=_("approved"),
            run=lambda announcement, actor, values: approve_announcement(actor=actor, announcement=announcement),
            permission=ANNOUNCE,
            available=lambda announcement: announcement.is_waiting,
            help_text=_("Queues its messages. Someone other than the author must approve it."),
            icon="how_to_reg",
        ),
        Action(
            name="cancel",
            title=_("Cancel announcement"),
            success_message=_("cancelled"),
            run=lambda announcement, actor, values: cancel_announcement(actor=actor, announcement=announcement),
            permission=WITHDRAW,
            available=lambda announcement: announcement.cancelled_at is None,
            help_text=_("Cancels its messages that are not sent yet. Sent messages cannot be cancelled."),
            icon="block",
            danger=True,
        ),
    )

    def get_urls(self) -> list:
        view = self._wrapped(compose_view, compose_view)
        return [path("compose/", view, {"model_admin": self}, name="engagement_compose"), *super().get_urls()]

    def list_buttons(self, request: HttpRequest) -> list[dict]:
        return compose_button(request, filters="")

    # --- Columns and fields -------------------------------------------------------------------

    @display(description=_("Recipients"))
    def recipients_shown(self, announcement: Announcement) -> str:
        return format_number(announcement.recipients)

    @display(description=_("Skipped"))
    def skipped_shown(self, announcement: Announcement) -> str:
        return format_number(sum(announcement.skipped.values()))

    @display(description=_("Skipped"))
    def skipped_by_reason(self, announcement: Announcement) -> StrOrPromise:
        if not announcement.skipped:
            return _("None")
        return definition_list(
            (SKIP_REASONS.get(reason, reason), format_number(count)) for reason, count in announcement.skipped.items()
        )

    @display(description=_("Due"))
    def due(self, announcement: Announcement) -> str:
        return format_datetime(announcement.scheduled_for)

    @display(description=_("Composed"))
    def composed(self, announcement: Announcement) -> str:
        return format_datetime(announcement.created_at)

    @display(description=_("By"))
    def by(self, announcement: Announcement) -> str:
        return link_to(announcement.created_by)

    @display(description=_("State"))
    def state(self, announcement: Announcement) -> str:
        if announcement.cancelled_at:
            return badge(_("Cancelled {time}").format(time=format_datetime(announcement.cancelled_at)), "danger")
        if announcement.is_waiting:
            return badge(gettext("Waiting for approval"), "warning")
        return badge(gettext("Queued"), "success")

    @display(description=_("Approved by"))
    def approval(self, announcement: Announcement) -> str:
        if not announcement.approved_at:
            return str(_("Not yet") if announcement.is_waiting else _("Not needed"))
        return format_html("{} · {}", link_to(announcement.approved_by), format_datetime(announcement.approved_at))

    @display(description=_("Audience"))
    def audience_shown(self, announcement: Announcement) -> str:
        """Link to the directory list it was composed from."""
        chosen = QueryDict(announcement.audience)
        filters_text = " · ".join(
            f"{_filter_label(name)}: {_filter_value(name, value)}"
            for name, values in chosen.lists()
            for value in values
        )
        address = list_url(CommunityMember) + (f"?{chosen.urlencode()}" if chosen else "")
        return format_html('<a class="row-link" href="{}">{}</a>', address, filters_text or _("The whole directory"))

    @display(description=_("Messages"))
    def counts(self, announcement: Announcement) -> str:
        messages = EngagementMessage.objects.filter(announcement=announcement).order_by()
        found = dict(messages.values_list("status").annotate(Count("pk")))
        base = {"announcement__id__exact": announcement.pk}
        lines = [
            (
                status.label,
                format_html(
                    '<a class="row-link" href="{}">{}</a>',
                    list_url(EngagementMessage, **base, status__exact=status.value),
                    format_number(found.get(status, 0)),
                ),
            )
            for status in Status
        ]
        return definition_list(lines)

    @display(description=_("Texts"))
    def texts_shown(self, announcement: Announcement) -> str:
        texts = ((text.locale, text.get_locale_display(), text.subject, text.body) for text in announcement.texts.all())
        return format_html_join(
            "",
            '<div class="message-preview" lang="{}"><p>{}</p><strong>{}</strong><div>{}</div></div>',
            texts,
        )


def _filter_label(name: str) -> StrOrPromise:
    """Return the label of a filter in a query string: "Status" for status__exact."""
    return _("Search") if name == "q" else field_label(name.removesuffix("__exact"))


def _filter_value(name: str, value: str) -> str:
    """Return the label of a choice in a query string: "Waiting for approval" for pending."""
    try:
        field = cast(Field, CommunityMember._meta.get_field(name.removesuffix("__exact")))
    except FieldDoesNotExist:
        return value
    return str(dict(field.flatchoices).get(value, value))


def compose_button(request: HttpRequest, *, filters: str | None = None) -> list[dict]:
    """Return the button for a new announcement. filters: query string, by default that of the current list."""
    if not (request.user.has_perm(ANNOUNCE) and request.user.has_perm("groups.view_communitymember")):
        return []
    if filters is None:
        kept = request.GET.copy()
        for name in ("p", "o", "e"):
            kept.pop(name, None)
        filters = kept.urlencode()
    link = reverse("admin:engagement_compose")
    return [{"title": _("Compose announcement"), "icon": "campaign", "link": f"{link}?{filters}" if filters else link}]


register_list_button(CommunityMember, compose_button, order=10)

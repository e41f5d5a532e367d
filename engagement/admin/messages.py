"""Admin page of the message queue, with its actions."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, TypedDict

from django.conf import settings
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from engagement.admin.base import HANDLE, STATUS, MemberSearch, UntilForm, shown_error
from engagement.admin.measures import measures_view
from engagement.admin.outbox import outbox_view
from engagement.admin.waiting import explain_waiting
from engagement.models import EngagementClaim, EngagementMessage, UserProfile
from engagement.rules import (
    CANCELLABLE,
    POSTPONABLE,
    RETRYABLE,
    TRANSACTIONAL_TYPES,
    Channel,
    MessageType,
    Status,
    WaitingFor,
)
from engagement.selectors.addresses import address_of_message, route_of, site_channels
from engagement.selectors.blocking import format_block_reason, with_block_reason
from engagement.services.messages import cancel_message, postpone_message, retry_message
from engagement.services.rendering import COMMON_SAMPLES, Templates
from missionsite.common.admin import Action, ReadOnlyModelAdmin, ReasonForm
from missionsite.common.admin.filters import PeriodFilter
from missionsite.common.admin.formats import badge, format_datetime, format_payload, link_to
from missionsite.common.annotations import StrOrPromise
from missionsite.common.errors import DomainError

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class InList(TypedDict):
    """What the pages add to a message."""

    sender: str | None
    block_reason: str | None


def _is(statuses: Collection[str]) -> Callable[[EngagementMessage], bool]:
    return lambda message: message.status in statuses


class WaitingFilter(DropdownFilter):
    """Filters pending messages by what they are waiting for; uses the index of pending messages."""

    title = _("waiting for")
    parameter_name = "waiting_for"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, StrOrPromise]]:
        return [(value or "turn", label) for value, label in WaitingFor.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in dict(self.lookup_choices):
            return queryset
        value = "" if self.value() == "turn" else self.value()
        return queryset.filter(status=Status.PENDING, waiting_for=value)


@admin.register(EngagementMessage)
class MessageAdmin(ReadOnlyModelAdmin[EngagementMessage]):
    """Every queued, sent, failed and cancelled message."""

    class Media:
        css = {"all": ("engagement/engagement.css",)}

    search = MemberSearch()
    search_help_text = _("Name, e-mail or stable ID of a member")
    list_display = ("what", "to_whom", "due", "status_shown", "waiting_for_shown", "failed_attempts", "error")
    list_display_links = ("what",)
    optional_columns = ("created_at", "sent_at", "delivered_at")
    list_select_related = ("user",)
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("message_type", ChoicesDropdownFilter),
        WaitingFilter,
        ("scheduled_for", PeriodFilter),
        ("user", AutocompleteSelectFilter),
        ("announcement", AutocompleteSelectFilter),
    )
    sortable_by = ()
    empty_text = (_("No messages yet"), _("Goodbyes, reviews and announcements appear here when they are queued."))
    fieldsets = (
        (None, {"fields": (("what", "status_shown"), ("to_whom", "template"), "waiting_reason", "error_message")}),
        (_("Content"), {"fields": ("rendered_text",)}),
        (_("Timeline"), {"fields": ("timeline",)}),
        (
            _("Details"),
            {
                "fields": (
                    ("destination", "address"),
                    ("failed_attempts", "from_announcement"),
                    "parameters",
                    ("idempotency_key", "provider_message_id"),
                )
            },
        ),
    )
    object_actions = (
        Action(
            name="retry",
            title=_("Retry"),
            success_message=_("due again"),
            run=lambda message, actor, values: retry_message(actor=actor, message=message),
            permission=HANDLE,
            available=_is(RETRYABLE),
            help_text=_("Makes a failed message due now and resets its attempts."),
            icon="replay",
            bulk_title=_("Retry"),
        ),
        Action(
            name="cancel",
            title=_("Cancel message"),
            success_message=_("cancelled"),
            run=lambda message, actor, values: cancel_message(actor=actor, message=message, reason=values["reason"]),
            permission=HANDLE,
            form=ReasonForm,
            available=_is(CANCELLABLE),
            help_text=_("Cancels a pending or failed message. It will not be sent."),
            icon="block",
            bulk_title=_("Cancel messages"),
            danger=True,
        ),
        Action(
            name="postpone",
            title=_("Postpone"),
            success_message=_("postponed"),
            run=lambda message, actor, values: postpone_message(actor=actor, message=message, until=values["until"]),
            permission=HANDLE,
            form=UntilForm,
            available=_is(POSTPONABLE),
            help_text=_("Sends a pending message at the chosen time or later."),
            icon="schedule",
            bulk_title=_("Postpone"),
        ),
    )

    def get_urls(self) -> list:
        view = self._wrapped(outbox_view, outbox_view)
        measures = self._wrapped(measures_view, measures_view)
        return [
            path("outbox/", view, {"model_admin": self}, name="engagement_outbox"),
            path("measures/", measures, {"model_admin": self}, name="engagement_measures"),
            *super().get_urls(),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: EngagementMessage | None = None) -> tuple[str, ...]:
        return (
            "what",
            "status_shown",
            "to_whom",
            "template",
            "waiting_reason",
            "rendered_text",
            "timeline",
            "address",
            "failed_attempts",
            "from_announcement",
            "parameters",
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        claims = EngagementClaim.objects.filter(message_ids__contains=[OuterRef("pk")])
        queryset = super().get_queryset(request).annotate(sender=Subquery(claims.values("claimed_by")[:1]))
        queryset = with_block_reason(queryset)
        match = request.resolver_match
        if match and "object_id" in match.kwargs:
            return queryset.select_related("user__engagement_profile", "announcement")
        return queryset

    def list_buttons(self, request: HttpRequest) -> list[dict]:
        if "file" not in (settings.ENGAGEMENT_CHANNELS.values() or [settings.ENGAGEMENT_TRANSPORT]):
            return []
        return [{"title": _("Outbox"), "icon": "outbox", "link": reverse("admin:engagement_outbox")}]

    # --- Columns and fields -------------------------------------------------------------------

    @display(description=_("Type"))
    def what(self, message: EngagementMessage) -> StrOrPromise:
        return message.get_message_type_display()

    @display(description=_("To"))
    def to_whom(self, message: EngagementMessage) -> str:
        return link_to(message.user)

    @display(description=_("Due"))
    def due(self, message: EngagementMessage) -> str:
        return format_datetime(message.scheduled_for)

    @display(description=_("Status"))
    def status_shown(self, message: EngagementMessage) -> str:
        return badge(message.get_status_display(), STATUS[message.status])

    @display(description=_("Waiting for"))
    def waiting_for_shown(self, message: WithAnnotations[EngagementMessage, InList]) -> StrOrPromise:
        if message.status != Status.PENDING:
            return ""
        if message.sender:
            return _("Being sent by {sender}").format(sender=message.sender)
        if message.block_reason:
            return _("Cancellation: {reason}").format(reason=format_block_reason(message.block_reason))
        return message.get_waiting_for_display()

    @display(description=_("Failed attempts"))
    def failed_attempts(self, message: EngagementMessage) -> StrOrPromise:
        if not message.retry_count:
            return "0"
        return _("{count} of {most}").format(count=message.retry_count, most=settings.ENGAGEMENT_ATTEMPTS)

    @display(description=_("Error"))
    def error(self, message: EngagementMessage) -> str:
        return Truncator(shown_error(message)).chars(80)

    @display(description=_("Waiting for"))
    def waiting_reason(self, message: EngagementMessage) -> StrOrPromise:
        return explain_waiting(message, profile=_profile(message)) or _("Not waiting.")

    @display(description=_("Template"))
    def template(self, message: EngagementMessage) -> StrOrPromise:
        return dict(MessageType.choices).get(message.message_key, message.message_key)

    @display(description=_("Address"))
    def address(self, message: EngagementMessage) -> StrOrPromise:
        channel, address = message.channel, address_of_message(message) if message.channel else message.destination_jid
        if message.status in RETRYABLE + POSTPONABLE and site_channels():
            channel, address = route_of(message) or ("", "")
        if not address:
            return _("unknown")
        return f"{Channel(channel).label}: {address}" if channel else address

    @display(description=_("Parameters"))
    def parameters(self, message: EngagementMessage) -> str:
        return format_payload(message.message_params)

    @display(description=_("Announcement"))
    def from_announcement(self, message: EngagementMessage) -> str:
        return link_to(message.announcement)

    @display(description=_("Text"))
    def rendered_text(self, message: EngagementMessage) -> str:
        """The text as it would be sent now, with a sample instead of the member's unsubscribe link."""
        profile = _profile(message)
        try:
            rendered = Templates().render(
                key=message.message_key,
                locale=profile.locale if profile else "en",
                params={"name": message.user.display_name, **message.message_params},
                unsubscribe_url=""
                if message.message_type in TRANSACTIONAL_TYPES
                else COMMON_SAMPLES["unsubscribe_url"],
            )
        except DomainError as rejection:
            return format_html('<div class="rejected" role="alert"><p>{}</p></div>', rejection.message)
        return format_html(
            '<div class="message-preview" lang="{}"><strong>{}</strong><div>{}</div></div>',
            rendered.locale,
            rendered.subject,
            rendered.body,
        )

    @display(description=_("Steps"))
    def timeline(self, message: EngagementMessage) -> str:
        times = [
            (_("Queued"), message.created_at, ""),
            (_("Due"), message.scheduled_for, ""),
            (_("Last attempt"), message.attempted_at, _("not yet")),
            (_("Sent"), message.sent_at, _("not yet")),
            (_("Delivered"), message.delivered_at, _("no receipt yet")),
        ]
        is_over = message.status in (Status.CANCELLED, Status.FAILED)
        steps = [(name, format_datetime(at) if at else missing) for name, at, missing in times if at or not is_over]
        if is_over:
            reason = shown_error(message) or _("no reason given")
            steps.append((_("Now"), f"{message.get_status_display()}: {reason}"))
        return format_html('<ol class="timeline">{}</ol>', format_html_join("", "<li><b>{}</b> {}</li>", steps))


def _profile(message: EngagementMessage) -> UserProfile | None:
    return getattr(message.user, "engagement_profile", None)

"""Admin page of the message queue, with its actions."""

from django.conf import settings
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from engagement.admin.base import HANDLE, STATUS, MemberSearch, UntilForm, join_labels
from engagement.admin.outbox import outbox_view
from engagement.admin.waiting import explain_waiting
from engagement.models import EngagementClaim, EngagementMessage, UserProfile
from engagement.rules import CANCELLABLE, POSTPONABLE, RETRYABLE, TRANSACTIONAL_TYPES, Status, WaitingFor
from engagement.selectors.blocking import format_block_reason, with_block_reason
from engagement.services.messages import cancel_message, postpone_message, retry_message
from engagement.services.rendering import COMMON_SAMPLES, Templates
from missionsite.common.admin import Action, ReadOnlyModelAdmin, ReasonForm
from missionsite.common.admin.filters import PeriodFilter
from missionsite.common.admin.formats import badge, format_datetime, link_to
from missionsite.common.errors import DomainError


def _is(statuses):
    return lambda message: message.status in statuses


class WaitingFilter(DropdownFilter):
    """Filters pending messages by what they are waiting for; uses the index of pending messages."""

    title = "waiting for"
    parameter_name = "waiting_for"

    def lookups(self, request: HttpRequest, model_admin) -> list[tuple[str, str]]:
        return [(value or "turn", label) for value, label in WaitingFor.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in dict(self.lookup_choices):
            return queryset
        value = "" if self.value() == "turn" else self.value()
        return queryset.filter(status=Status.PENDING, waiting_for=value)


@admin.register(EngagementMessage)
class MessageAdmin(ReadOnlyModelAdmin):
    """Every queued, sent, failed and cancelled message."""

    class Media:
        css = {"all": ("engagement/engagement.css",)}

    search = MemberSearch()
    search_help_text = "Name, e-mail or stable ID of a member"
    list_display = ("what", "to_whom", "due", "status_shown", "waiting_for_shown", "failed_attempts", "error")
    list_display_links = ("what",)
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
    empty_text = ("No messages yet", "Goodbyes, reviews and announcements appear here when they are queued.")
    fieldsets = (
        (None, {"fields": (("what", "status_shown"), ("to_whom", "template"), "waiting_reason", "error_message")}),
        ("Content", {"fields": ("rendered_text",)}),
        ("Timeline", {"fields": ("timeline",)}),
        (
            "Details",
            {
                "fields": (
                    ("destination", "address"),
                    ("failed_attempts", "from_announcement"),
                    "message_params",
                    ("idempotency_key", "provider_message_id"),
                )
            },
        ),
    )
    object_actions = (
        Action(
            name="retry",
            title="Retry",
            success_message="due again",
            run=lambda message, actor, values: retry_message(actor=actor, message=message),
            permission=HANDLE,
            available=_is(RETRYABLE),
            help_text=f"Makes a {join_labels(RETRYABLE)} message due now and resets its attempts.",
            icon="replay",
            bulk_title="Retry",
        ),
        Action(
            name="cancel",
            title="Cancel",
            success_message="cancelled",
            run=lambda message, actor, values: cancel_message(actor=actor, message=message, reason=values["reason"]),
            permission=HANDLE,
            form=ReasonForm,
            available=_is(CANCELLABLE),
            help_text=f"Cancels a {join_labels(CANCELLABLE)} message. It will not be sent.",
            icon="block",
            bulk_title="Cancel",
            danger=True,
        ),
        Action(
            name="postpone",
            title="Postpone",
            success_message="postponed",
            run=lambda message, actor, values: postpone_message(actor=actor, message=message, until=values["until"]),
            permission=HANDLE,
            form=UntilForm,
            available=_is(POSTPONABLE),
            help_text=f"Sends a {join_labels(POSTPONABLE)} message at the chosen time or later.",
            icon="schedule",
            bulk_title="Postpone",
        ),
    )

    def get_urls(self) -> list:
        view = self._wrapped(outbox_view, outbox_view)
        return [path("outbox/", view, {"model_admin": self}, name="engagement_outbox"), *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj=None) -> tuple[str, ...]:
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
        if settings.ENGAGEMENT_TRANSPORT != "file":
            return []
        return [{"title": "Outbox", "icon": "outbox", "link": reverse("admin:engagement_outbox")}]

    # --- Columns and fields -------------------------------------------------------------------

    @display(description="Type")
    def what(self, message: EngagementMessage) -> str:
        return message.get_message_type_display()

    @display(description="To")
    def to_whom(self, message: EngagementMessage) -> str:
        return link_to(message.user)

    @display(description="Due")
    def due(self, message: EngagementMessage) -> str:
        return format_datetime(message.scheduled_for)

    @display(description="Status")
    def status_shown(self, message: EngagementMessage) -> str:
        return badge(message.get_status_display(), STATUS[message.status])

    @display(description="Waiting for")
    def waiting_for_shown(self, message: EngagementMessage) -> str:
        if message.status != Status.PENDING:
            return ""
        if message.sender:
            return f"Being sent by {message.sender}"
        if message.block_reason:
            return f"Cancellation: {format_block_reason(message.block_reason)}"
        return message.get_waiting_for_display()

    @display(description="Failed attempts")
    def failed_attempts(self, message: EngagementMessage) -> str:
        return f"{message.retry_count} of {settings.ENGAGEMENT_ATTEMPTS}" if message.retry_count else "0"

    @display(description="Error")
    def error(self, message: EngagementMessage) -> str:
        return Truncator(message.error_message).chars(80)

    @display(description="Waiting for")
    def waiting_reason(self, message: EngagementMessage) -> str:
        return explain_waiting(message, profile=_profile(message)) or "Not waiting."

    @display(description="Template")
    def template(self, message: EngagementMessage) -> str:
        return message.message_key

    @display(description="Address")
    def address(self, message: EngagementMessage) -> str:
        return message.destination_jid or "unknown"

    @display(description="Announcement")
    def from_announcement(self, message: EngagementMessage) -> str:
        return link_to(message.announcement)

    @display(description="Text")
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

    @display(description="Steps")
    def timeline(self, message: EngagementMessage) -> str:
        tried = message.attempted_at
        steps = [
            ("Queued", format_datetime(message.created_at)),
            ("Due", format_datetime(message.scheduled_for)),
            ("Last attempt", format_datetime(tried) if tried else "not yet"),
            ("Sent", format_datetime(message.sent_at) if message.sent_at else "not yet"),
            ("Delivered", format_datetime(message.delivered_at) if message.delivered_at else "no receipt yet"),
        ]
        if message.status in (Status.CANCELLED, Status.FAILED):
            end = f"{message.get_status_display()}: {message.error_message or 'no reason given'}"
            steps = [step for step in steps if step[1] not in ("not yet", "no receipt yet")] + [("Now", end)]
        return format_html('<ol class="timeline">{}</ol>', format_html_join("", "<li><b>{}</b> {}</li>", steps))


def _profile(message: EngagementMessage) -> UserProfile | None:
    return getattr(message.user, "engagement_profile", None)

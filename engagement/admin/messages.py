"""The queue: what is sent to whom, what became of it, and what staff do about it."""

from django.conf import settings
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from engagement.admin.base import HANDLE, STATUS, MemberSearch, UntilForm, any_of
from engagement.admin.outbox import outbox_view
from engagement.admin.waiting import why_waiting
from engagement.models import (
    ABORTABLE,
    ANSWERS,
    RETRYABLE,
    EngagementClaim,
    EngagementMessage,
    Status,
    UserProfile,
    WaitingFor,
)
from engagement.services.blocking import with_block_text
from engagement.services.messages import cancel_message, postpone_message, retry_message
from engagement.services.rendering import ALWAYS, Templates
from missionsite.common.admin import Action, ReadOnlyModelAdmin, ReasonForm
from missionsite.common.admin.filters import PeriodFilter
from missionsite.common.admin.formats import badge, format_datetime, link_to
from missionsite.common.errors import DomainError


def _is(statuses):
    return lambda message: message.status in statuses


class WaitingFilter(DropdownFilter):
    """Only a pending message waits, and pending ones are a small part of the queue with an index of their own."""

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
    """Every message to a member, from the moment it is meant to be sent."""

    class Media:
        css = {"all": ("engagement/engagement.css",)}

    search = MemberSearch()
    search_help_text = "Name, e-mail or stable ID of a member"
    list_display = ("what", "to_whom", "due", "status_shown", "waits_for", "tries", "error")
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
    empty_text = ("No message yet", "Goodbyes, reviews and announcements are queued here before they are sent.")
    fieldsets = (
        (None, {"fields": (("what", "status_shown"), ("to_whom", "template"), "waits", "error_message")}),
        ("What it says", {"fields": ("words",)}),
        ("Lifecycle", {"fields": ("lifecycle",)}),
        (
            "Facts",
            {
                "fields": (
                    ("destination", "address"),
                    ("tries", "from_announcement"),
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
            run=lambda message, actor, values: retry_message(message=message, actor=actor),
            permission=HANDLE,
            available=_is(RETRYABLE),
            help_text=f"Possible for a message that is {any_of(RETRYABLE)}: it is due at once, with all its tries"
            " anew.",
            icon="replay",
            bulk_title="Retry",
        ),
        Action(
            name="cancel",
            title="Cancel",
            success_message="cancelled",
            run=lambda message, actor, values: cancel_message(message=message, actor=actor, reason=values["reason"]),
            permission=HANDLE,
            form=ReasonForm,
            available=_is(ABORTABLE),
            help_text=f"Possible for a message that is {any_of(ABORTABLE)}: it is not sent any more.",
            icon="block",
            bulk_title="Cancel",
            danger=True,
        ),
        Action(
            name="postpone",
            title="Postpone",
            success_message="postponed",
            run=lambda message, actor, values: postpone_message(message=message, actor=actor, until=values["until"]),
            permission=HANDLE,
            form=UntilForm,
            available=_is((Status.PENDING,)),
            help_text=f"Possible for a message that is {any_of((Status.PENDING,))}: it waits at least until then.",
            icon="schedule",
            bulk_title="Postpone",
        ),
    )

    def get_urls(self) -> list:
        view = self._wrapped(outbox_view, outbox_view)
        return [path("outbox/", view, {"model_admin": self}, name="engagement_outbox"), *super().get_urls()]

    def get_readonly_fields(self, request: HttpRequest, obj=None) -> tuple[str, ...]:
        return ("what", "status_shown", "to_whom", "template", "waits", "words", "lifecycle", "address", "tries",
                "from_announcement")  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        held = EngagementClaim.objects.filter(message_ids__contains=[OuterRef("pk")])
        queryset = super().get_queryset(request).annotate(sender=Subquery(held.values("claimed_by")[:1]))
        queryset = with_block_text(queryset)
        match = request.resolver_match
        if match and "object_id" in match.kwargs:
            return queryset.select_related("user__engagement_profile", "announcement")
        return queryset

    def list_buttons(self, request: HttpRequest) -> list[dict]:
        if settings.ENGAGEMENT_TRANSPORT != "file":
            return []
        return [{"title": "Outbox", "icon": "outbox", "link": reverse("admin:engagement_outbox")}]

    # --- Showing ------------------------------------------------------------------------------

    @display(description="What")
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

    @display(description="Waits for")
    def waits_for(self, message: EngagementMessage) -> str:
        if message.status != Status.PENDING:
            return ""
        if message.sender:
            return f"Sender {message.sender}"
        return f"Cancellation: {message.block_text}" if message.block_text else message.get_waiting_for_display()

    @display(description="Failed tries")
    def tries(self, message: EngagementMessage) -> str:
        return f"{message.retry_count} of {settings.ENGAGEMENT_ATTEMPTS}" if message.retry_count else "0"

    @display(description="Error")
    def error(self, message: EngagementMessage) -> str:
        return Truncator(message.error_message).chars(80)

    @display(description="Why it waits")
    def waits(self, message: EngagementMessage) -> str:
        return why_waiting(message, profile=_profile(message)) or "It does not wait."

    @display(description="Template")
    def template(self, message: EngagementMessage) -> str:
        return message.message_key

    @display(description="Address")
    def address(self, message: EngagementMessage) -> str:
        return message.destination_jid or "none known: the way of sending decides"

    @display(description="Announcement")
    def from_announcement(self, message: EngagementMessage) -> str:
        return link_to(message.announcement)

    @display(description="Words")
    def words(self, message: EngagementMessage) -> str:
        """What would be sent now; the member's own way out is not shown to others."""
        profile = _profile(message)
        try:
            words = Templates().words(
                key=message.message_key,
                locale=profile.locale if profile else "en",
                params={"name": message.user.display_name, **message.message_params},
                unsubscribe_url="" if message.message_type in ANSWERS else ALWAYS["unsubscribe_url"],
            )
        except DomainError as rejection:
            return format_html('<div class="rejected" role="alert"><p>{}</p></div>', rejection.message)
        return format_html(
            '<div class="message-words" lang="{}"><strong>{}</strong><div>{}</div></div>',
            words.locale,
            words.subject,
            words.body,
        )

    @display(description="Steps")
    def lifecycle(self, message: EngagementMessage) -> str:
        tried = message.attempted_at
        steps = [
            ("Queued", format_datetime(message.created_at)),
            ("Due", format_datetime(message.scheduled_for)),
            ("Last tried", format_datetime(tried) if tried else "not yet"),
            ("Sent", format_datetime(message.sent_at) if message.sent_at else "not yet"),
            ("Delivered", format_datetime(message.delivered_at) if message.delivered_at else "nobody told yet"),
        ]
        if message.status in (Status.CANCELLED, Status.FAILED):
            end = f"{message.get_status_display()}: {message.error_message or 'no reason given'}"
            steps = [step for step in steps if step[1] not in ("not yet", "nobody told yet")] + [("Now", end)]
        return format_html('<ol class="lifecycle">{}</ol>', format_html_join("", "<li><b>{}</b> {}</li>", steps))


def _profile(message: EngagementMessage) -> UserProfile | None:
    return getattr(message.user, "engagement_profile", None)

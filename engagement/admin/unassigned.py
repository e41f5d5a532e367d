"""Admin page of received messages that no member could be found for."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from engagement.admin.base import ASSIGN
from engagement.models import UnassignedMessage
from engagement.rules import UnassignedReason
from engagement.selectors.members import claims_of
from engagement.services.unassigned import assign_message, dismiss_message
from groups.models import Member
from missionsite.common.admin import Action, ActionForm, ReadOnlyModelAdmin
from missionsite.common.admin.filters import PeriodFilter
from missionsite.common.admin.formats import badge, format_datetime, link_to
from missionsite.common.annotations import StrOrPromise


class AssignForm(ActionForm):
    member = forms.CharField(
        label=_("Member"),
        max_length=254,
        help_text=_("Stable ID or e-mail of the member who wrote this message, such as FE-P-00007."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )

    def __init__(self, data: Any = None, *, obj: UnassignedMessage | None = None, **kwargs: Any) -> None:
        super().__init__(data, obj=obj, **kwargs)
        claimants = _claimants(obj) if obj else []
        if len(claimants) == 1:
            self.fields["member"].initial = claimants[0].member_id

    def clean_member(self) -> Member:
        term = self.cleaned_data["member"].strip()
        found = Member.objects.filter(member_id__iexact=term) | Member.objects.filter(email__iexact=term)
        if member := found.first():
            return member
        raise forms.ValidationError(_("No member has this stable ID or e-mail."))


class DismissForm(ActionForm):
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=500,
        help_text=_("Optional. Stored in the event history."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


class HandledFilter(DropdownFilter):
    """Filters the messages that wait for staff."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, StrOrPromise]]:
        return [("waiting", _("Waiting")), ("handled", _("Handled"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in dict(self.lookup_choices):
            return queryset
        return queryset.filter(handled_at__isnull=self.value() == "waiting")


def _claimants(row: UnassignedMessage) -> list[Member]:
    claims = claims_of(platform=row.platform, sender=row.sender)
    return list({each.user_id: each.user for each in claims}.values())


def _links_to_claimants(row: UnassignedMessage) -> str:
    return format_html_join(", ", "{}", ((link_to(each),) for each in _claimants(row)))


def _lines(text: str) -> str:
    return format_html_join("", "{}<br>", ((line,) for line in text.splitlines()))


def _describe(request: HttpRequest, row: UnassignedMessage) -> str:
    """Return the text, and the members with the address of its sender."""
    links = _links_to_claimants(row)
    known = format_html("<p>{}: {}</p>", _("Members with this address"), links) if links else ""
    return format_html("<blockquote>{}</blockquote>{}", _lines(row.text), known)


@admin.register(UnassignedMessage)
class UnassignedMessageAdmin(ReadOnlyModelAdmin[UnassignedMessage]):
    """Received messages without a member."""

    list_display = ("sender_shown", "excerpt", "why", "platform", "received", "status")
    list_display_links = ("sender_shown",)
    list_filter = (HandledFilter, ("reason", ChoicesDropdownFilter), ("received_at", PeriodFilter))
    sortable_by = ()
    empty_text = (
        _("No unassigned messages"),
        _("A message appears here when no member has the address of its sender. It is deleted after 30 days."),
    )
    fields = (
        ("sender_shown", "sender_name_shown"),
        "claimed_by",
        ("why", "platform"),
        ("received", "status"),
        "whole_text",
    )
    readonly_fields = ("sender_shown", "sender_name_shown", "claimed_by", "why", "received", "status", "whole_text")
    object_actions = (
        Action(
            name="assign",
            title=_("Assign to member"),
            success_message=_("message assigned"),
            run=lambda row, actor, values: assign_message(actor=actor, row=row, member=values["member"]),
            permission=ASSIGN,
            form=AssignForm,
            details=_describe,
            available=lambda row: row.handled_at is None and row.reason != UnassignedReason.UNREADABLE,
            help_text=_(
                "The message has the same effect as one from a verified address of the member. If its address is one of"
                " the member's, it is verified now."
            ),
            icon="person_add",
        ),
        Action(
            name="dismiss",
            title=_("Dismiss"),
            success_message=_("message dismissed"),
            run=lambda row, actor, values: dismiss_message(actor=actor, row=row, reason=values["reason"]),
            permission=ASSIGN,
            form=DismissForm,
            available=lambda row: row.handled_at is None,
            help_text=_("The text is deleted. Nothing is sent to the sender."),
            icon="delete",
            bulk_title=_("Dismiss"),
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnassignedMessage]:
        return super().get_queryset(request).select_related("user")

    @display(description=_("Sender"))
    def sender_shown(self, row: UnassignedMessage) -> StrOrPromise:
        return row.sender or _("unknown")

    @display(description=_("Name"))
    def sender_name_shown(self, row: UnassignedMessage) -> StrOrPromise:
        return row.sender_name or _("none")

    @display(description=_("Members with this address"))
    def claimed_by(self, row: UnassignedMessage) -> StrOrPromise:
        return _links_to_claimants(row) or _("none")

    @display(description=_("Text"))
    def excerpt(self, row: UnassignedMessage) -> str:
        return Truncator(row.text).chars(80)

    @display(description=_("Text"))
    def whole_text(self, row: UnassignedMessage) -> StrOrPromise:
        if row.text:
            return _lines(row.text)
        if row.reason == UnassignedReason.UNREADABLE:
            return _("The message is still in the mailbox. Its reference is {reference}.").format(
                reference=row.message_id
            )
        return _("none")

    @display(description=_("Reason"))
    def why(self, row: UnassignedMessage) -> str:
        return row.get_reason_display()

    @display(description=_("Received"))
    def received(self, row: UnassignedMessage) -> str:
        return format_datetime(row.received_at)

    @display(description=_("Status"))
    def status(self, row: UnassignedMessage) -> str:
        if row.handled_at is None:
            return badge(_("Waiting"), "warning")
        if row.user is not None:
            return link_to(row.user)
        return badge(_("Dismissed"), "default")

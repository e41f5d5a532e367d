"""Admin page of bounced addresses: which of them are suppressed, and the action that allows messages again."""

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from engagement.admin.base import CHANGE_ADDRESS, MemberSearch
from engagement.models import BouncedAddress
from engagement.rules import AddressReport
from engagement.services.addresses import restore_address
from missionsite.common.admin import Action, ActionForm, ReadOnlyModelAdmin
from missionsite.common.admin.filters import PeriodFilter
from missionsite.common.admin.formats import badge, format_datetime, link_to
from missionsite.common.annotations import StrOrPromise

REPORT = {
    AddressReport.SOFT_BOUNCE: _("Soft bounce"),
    AddressReport.HARD_BOUNCE: _("Hard bounce"),
    AddressReport.COMPLAINT: _("Complaint"),
}


class RestoreForm(ActionForm):
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=500,
        help_text=_("Optional. Stored in the event history."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


class SuppressedFilter(DropdownFilter):
    """Filters the addresses that get no messages."""

    title = _("messages")
    parameter_name = "messages"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, StrOrPromise]]:
        return [("suppressed", _("Suppressed")), ("sent", _("Sent"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() not in dict(self.lookup_choices):
            return queryset
        return queryset.filter(suppressed_at__isnull=self.value() == "sent")


@admin.register(BouncedAddress)
class BouncedAddressAdmin(ReadOnlyModelAdmin[BouncedAddress]):
    """Every address that bounced or whose owner complained."""

    search = MemberSearch()
    search_help_text = _("Name, e-mail or stable ID of a member")
    list_display = ("address_shown", "member", "report", "status", "reported", "text")
    list_display_links = ("address_shown",)
    list_select_related = ("user",)
    list_filter = (SuppressedFilter, ("reason", ChoicesDropdownFilter), ("reported_at", PeriodFilter))
    sortable_by = ()
    empty_text = (
        _("No bounced addresses"),
        _("An address appears here when a provider reports a bounce or a complaint."),
    )
    fields = (("member", "address"), ("report", "status"), ("reported", "suppressed"), "soft_bounces", "provider_text")
    readonly_fields = ("member", "report", "status", "reported", "suppressed", "provider_text")
    object_actions = (
        Action(
            name="restore",
            title=_("Allow messages again"),
            success_message=_("messages allowed again"),
            run=lambda row, actor, values: restore_address(actor=actor, row=row, reason=values["reason"]),
            permission=CHANGE_ADDRESS,
            form=RestoreForm,
            available=lambda row: row.suppressed_at is not None,
            help_text=_(
                "Messages are sent to this address again. Do this only if the member asked for it or the cause is"
                " gone: another bounce or complaint harms the delivery to everyone."
            ),
            icon="mark_email_read",
            bulk_title=_("Allow messages again"),
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[BouncedAddress]:
        return super().get_queryset(request).select_related("user")

    @display(description=_("Address"))
    def address_shown(self, row: BouncedAddress) -> str:
        return row.address

    @display(description=_("Member"))
    def member(self, row: BouncedAddress) -> str:
        return link_to(row.user)

    @display(description=_("Report"))
    def report(self, row: BouncedAddress) -> StrOrPromise:
        return REPORT[AddressReport(row.reason)]

    @display(description=_("Messages"))
    def status(self, row: BouncedAddress) -> str:
        return format_status(row)

    @display(description=_("Reported"))
    def reported(self, row: BouncedAddress) -> str:
        return format_datetime(row.reported_at)

    @display(description=_("Suppressed since"))
    def suppressed(self, row: BouncedAddress) -> str:
        return format_datetime(row.suppressed_at)

    @display(description=_("Provider's text"))
    def text(self, row: BouncedAddress) -> str:
        return Truncator(row.detail).chars(80)

    @display(description=_("Provider's text"))
    def provider_text(self, row: BouncedAddress) -> StrOrPromise:
        return row.detail or _("none")


def format_status(row: BouncedAddress) -> str:
    """Return a badge: suppressed, or the soft bounces so far."""
    if row.suppressed_at:
        return badge(_("Suppressed"), "danger")
    if row.soft_bounces:
        return badge(
            _("{count} of {most} soft bounces").format(count=row.soft_bounces, most=settings.ENGAGEMENT_SOFT_BOUNCES),
            "warning",
        )
    return badge(_("Sent"), "success")

"""People who registered although they have an account or an entry: confirm or decline."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import display

from groups.admin.directory_actions import DECIDE
from groups.models import CommunityReturn, Member, ReturnStatus
from groups.services.returns import confirm_return, decline_return
from missionsite.common.admin import Action, EmptyForm, ModelAdmin, ReasonForm
from missionsite.common.admin.formats import badge, format_datetime, link_to

COLOURS: dict[str, str] = {
    ReturnStatus.OPEN: "warning",
    ReturnStatus.ACCEPTED: "success",
    ReturnStatus.DECLINED: "default",
}


def _confirm(case: CommunityReturn, actor: Member, values: dict) -> None:
    confirm_return(actor=actor, case=case)


def _decline(case: CommunityReturn, actor: Member, values: dict) -> None:
    decline_return(actor=actor, case=case, reason=values["reason"])


def _is_open(case: CommunityReturn) -> bool:
    return case.status == ReturnStatus.OPEN


@admin.register(CommunityReturn)
class ReturnAdmin(ModelAdmin[CommunityReturn]):
    """Registrations of people who are known already, the open ones first."""

    list_display = ("who", "old_status", "entered_name", "proof", "state", "registered")
    list_display_links = ("who",)
    list_filter = (("status", ChoicesDropdownFilter), ("needs_manager", BooleanRadioFilter))
    list_select_related = ("entry", "account")
    sortable_by = ()
    empty_text = (
        _("No returning people"),
        _("Who registers with the e-mail or Telegram ID of an old account or entry is listed here."),
    )
    fieldsets = (
        (None, {"fields": (("state", "registered"), "proof")}),
        (_("Old entry"), {"fields": (("old_entry", "old_status"), ("old_account", "old_email"))}),
        (_("Entered in the registration"), {"fields": ("entered_name", ("entered_email", "entered_telegram"))}),
        (_("Decision"), {"fields": (("decided", "decider"), "invited")}),
    )
    readonly_fields = (
        "state",
        "registered",
        "proof",
        "old_entry",
        "old_status",
        "old_account",
        "old_email",
        "entered_name",
        "entered_email",
        "entered_telegram",
        "decided",
        "decider",
        "invited",
    )
    object_actions = (
        Action(
            name="confirm",
            title=_("Confirm"),
            success_message=_("got their old entry back"),
            run=_confirm,
            permission=DECIDE,
            form=EmptyForm,
            available=_is_open,
            help_text=_(
                "Only if you know that this is the same person. They get the old entry back, with the e-mail they"
                " entered, and a link to set a password. Who was removed or banned waits for approval again."
            ),
            icon="how_to_reg",
            asks_identity=True,
        ),
        Action(
            name="decline",
            title=_("Decline"),
            success_message=_("declined"),
            run=_decline,
            permission=DECIDE,
            form=ReasonForm,
            available=_is_open,
            help_text=_("The old entry stays as it is, and the invitation can still be used."),
            icon="person_off",
            bulk_title=_("Decline"),
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("entry", "account", "decided_by", "invitation__created_by")
        match = request.resolver_match
        if not (match and "object_id" in match.kwargs) and "status__exact" not in request.GET:
            rows = rows.filter(status=ReturnStatus.OPEN)
        return rows

    def shows_every_row(self, request: HttpRequest) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    def describe(self, obj: CommunityReturn) -> str:
        return self.who(obj)

    @display(description=_("Old entry"))
    def who(self, case: CommunityReturn) -> str:
        return str(case.entry or case.account)

    @display(description=_("Entry"))
    def old_entry(self, case: CommunityReturn) -> str:
        return link_to(case.entry)

    @display(description=_("Account"))
    def old_account(self, case: CommunityReturn) -> str:
        return link_to(case.account)

    @display(description=_("E-mail"))
    def old_email(self, case: CommunityReturn) -> str:
        return case.account.email if case.account else ""

    @display(description=_("Status"))
    def old_status(self, case: CommunityReturn) -> str:
        if case.entry is None:
            return gettext("No entry")
        removed = [gettext("removed")] if case.entry.is_removed else []
        return " · ".join([str(case.entry.get_status_display()), *removed])

    @display(description=_("Name"))
    def entered_name(self, case: CommunityReturn) -> str:
        return case.name

    @display(description=_("E-mail"))
    def entered_email(self, case: CommunityReturn) -> str:
        return case.email

    @display(description=_("Telegram ID"))
    def entered_telegram(self, case: CommunityReturn) -> str:
        return case.telegram_id

    @display(description=_("Proof"))
    def proof(self, case: CommunityReturn) -> str:
        if case.needs_manager:
            return gettext("A manager must confirm")
        if case.status == ReturnStatus.OPEN and case.link_expires_at:
            return gettext("Link sent, works until %(time)s") % {"time": format_datetime(case.link_expires_at)}
        return gettext("Link to the old e-mail")

    @display(description=_("State"))
    def state(self, case: CommunityReturn) -> str:
        return badge(case.get_status_display(), COLOURS[case.status])

    @display(description=_("Registered"))
    def registered(self, case: CommunityReturn) -> str:
        return format_datetime(case.created_at)

    @display(description=_("Decided"))
    def decided(self, case: CommunityReturn) -> str:
        return format_datetime(case.decided_at)

    @display(description=_("By"), empty_value="")
    def decider(self, case: CommunityReturn) -> str:
        if case.decided_at and case.decided_by is None:
            return gettext("the link")
        return link_to(case.decided_by)

    @display(description=_("Invitation"))
    def invited(self, case: CommunityReturn) -> str:
        return link_to(case.invitation)

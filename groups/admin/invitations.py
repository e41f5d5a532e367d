from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from groups.admin.base import HistoryAdmin, current_member
from groups.admin.invitation_forms import (
    ChangeInvitationForm,
    InvitationForm,
    InviteManyForm,
    NewCodeForm,
    SendForm,
)
from groups.admin.invitation_pages import INVITE_MANY, codes_page, hand_out_view, send_view
from groups.models import CommunityInvitation, CommunityInvitationUse, CommunityMember, Member
from groups.models.invitations import digest_of_code
from groups.rules import InvitationStatus
from groups.services.invitation_mail import queue_invitation_mail
from groups.services.invitations import (
    cancel_invitation,
    change_invitation,
    create_invitation,
    create_invitations,
    renew_code,
)
from groups.services.recipients import Recipient
from missionsite.common.admin import Action, Search, ServiceForm, Tab
from missionsite.common.admin.actions import OptionalReasonForm, form_page
from missionsite.common.admin.filters import PeriodFilter
from missionsite.common.admin.form_keys import FormResult
from missionsite.common.admin.formats import badge, format_datetime, link_to
from missionsite.common.annotations import SiteRequest
from missionsite.common.audit.history import Change

COLOURS: dict[str, str] = {
    InvitationStatus.PENDING: "info",
    InvitationStatus.ACCEPTED: "success",
    InvitationStatus.EXPIRED: "default",
    InvitationStatus.CANCELLED: "default",
}

REGISTRATIONS: Tab[CommunityInvitation, CommunityInvitationUse] = Tab(
    name="registrations",
    title=_("Registrations"),
    rows=lambda invitation: invitation.registrations.select_related("member").order_by("-used_at", "-id"),
    columns=(
        (_("Member"), lambda row, request: link_to(row.member)),
        (_("Status"), lambda row, request: row.member.get_status_display()),
        (_("Registered at"), lambda row, request: format_datetime(row.used_at)),
    ),
    permission="groups.view_communitymember",
    empty=_("No one has registered with this invitation yet."),
)


class _CodeRequest(SiteRequest):
    """The request that creates an invitation, with its code."""

    new_code: str | None


class InvitationSearch(Search):
    """Finds an invitation by its whole code, or by the beginning of its Telegram name."""

    def exact(self, term: str) -> str | None:
        return digest_of_code(term)


def _count_created(count: int) -> str:
    return ngettext("%(count)d invitation created", "%(count)d invitations created", count) % {"count": count}


def _renew(invitation: CommunityInvitation, actor: Member, values: dict) -> CommunityInvitation:
    return renew_code(invitation=invitation, lasts=timedelta(days=values["days"]), actor=actor)


def _change(invitation: CommunityInvitation, actor: Member, values: dict) -> None:
    change_invitation(
        actor=actor,
        invitation=invitation,
        lasts=timedelta(days=values["days"]) if values["days"] else None,
        recipient=Recipient(
            name=values["invited_name"],
            email=values["invited_email"],
            telegram_username=values["invited_telegram_username"],
        ),
        max_uses=values["max_uses"],
    )


def _send(invitation: CommunityInvitation, actor: Member, values: dict) -> None:
    queue_invitation_mail(actor=actor, invitation=invitation, email=values.get("email", ""))


def _cancel(invitation: CommunityInvitation, actor: Member, values: dict) -> None:
    cancel_invitation(invitation=invitation, actor=actor, reason=values["reason"])


@admin.register(CommunityInvitation)
class InvitationAdmin(HistoryAdmin[CommunityInvitation]):
    """Invitations: the invited person, the inviter and the status."""

    form = InvitationForm
    search = InvitationSearch("invitation_code", "", ("invited_telegram_username", "invited_email", "invited_name"))
    search_help_text = _("Code, or the beginning of a name, an e-mail or a Telegram name")
    list_display = ("for_whom", "inviter", "state", "made", "expires", "joined")
    list_display_links = ("for_whom",)
    list_select_related = ("created_by", "accepted_by")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("created_by", AutocompleteSelectFilter),
        ("created_at", PeriodFilter),
    )
    sortable_by = ()
    autocomplete_fields = ("created_by",)
    empty_text = (_("No invitations yet"), _("Invite a person: they get a code that works once."))
    tabs = (REGISTRATIONS,)
    add_label = _("Invite a person")
    already_saved = _(
        "This was already saved, and codes are shown only once. If you did not copy a code, create a new one on the"
        " page of its invitation."
    )
    add_fieldsets = (
        (None, {"fields": ("created_by", "invited_name", "invited_email", "invited_telegram_username")}),
        (_("Validity"), {"fields": (("days", "max_uses"),)}),
    )
    fieldsets = (
        (None, {"fields": (("for_whom", "state"), ("email", "telegram"), "code", ("inviter", "joined"))}),
        (_("Dates"), {"fields": (("made", "expires"), "accepted_at")}),
    )
    readonly_fields = (
        "code",
        "state",
        "for_whom",
        "email",
        "telegram",
        "inviter",
        "joined",
        "made",
        "expires",
        "accepted_at",
    )
    object_actions = (
        Action(
            name="new-code",
            title=_("New code"),
            success_message=_("new code created"),
            run=_renew,
            permission="groups.change_communityinvitation",
            form=NewCodeForm,
            available=lambda invitation: invitation.is_open,
            help_text=_("The current code stops working. The new code is shown once, on the next page."),
            icon="key",
            result_page=lambda pages, request, invitation: codes_page(
                pages, request, [invitation], heading=gettext("New code for %(name)s") % {"name": invitation.for_whom}
            ),
        ),
        Action(
            name="send",
            title=_("Send by e-mail"),
            success_message=_("is being sent with a new code"),
            run=_send,
            permission="groups.change_communityinvitation",
            form=SendForm,
            available=lambda invitation: invitation.is_open,
            help_text=_("Sends a new code. The current code stops working when the e-mail is sent."),
            icon="forward_to_inbox",
            bulk_title=_("Send by e-mail with a new code"),
        ),
        Action(
            name="edit",
            title=_("Extend or change"),
            success_message=_("changed; the code stays the same"),
            run=_change,
            permission="groups.change_communityinvitation",
            form=ChangeInvitationForm,
            available=lambda invitation: invitation.is_open,
            help_text=_("The code stays the same."),
            icon="edit",
        ),
        Action(
            name="cancel",
            title=_("Cancel invitation"),
            success_message=_("cancelled"),
            run=_cancel,
            permission="groups.change_communityinvitation",
            form=OptionalReasonForm,
            available=lambda invitation: invitation.status == InvitationStatus.PENDING,
            help_text=_("The code stops working immediately. This cannot be undone; create a new invitation instead."),
            icon="cancel",
            bulk_title=_("Cancel invitations"),
        ),
    )

    def get_fieldsets(self, request: HttpRequest, obj=None):
        return self.fieldsets if obj else self.add_fieldsets

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        """Invitations are not edited: they get a new code or are cancelled."""
        if isinstance(obj, CommunityInvitation):
            return False
        return super().has_change_permission(request, obj)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict:
        own = CommunityMember.objects.active().filter(person=request.user.pk).first()
        return ({"created_by": own.member_id} if own else {}) | super().get_changeform_initial_data(request)

    def changeform_view(self, request: HttpRequest, object_id=None, form_url="", extra_context=None) -> HttpResponse:
        """Offer one save button: the next page shows the code."""
        only_save = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().changeform_view(request, object_id, form_url, only_save | (extra_context or {}))

    def save_model(self, request: HttpRequest, obj: CommunityInvitation, form: ServiceForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        obj.code = cast(_CodeRequest, request).new_code

    def create(self, request: HttpRequest, values: dict) -> CommunityInvitation:
        made = create_invitation(
            created_by=values["created_by"],
            telegram_username=values["invited_telegram_username"] or "",
            email=values["invited_email"] or "",
            name=values["invited_name"] or "",
            lasts=timedelta(days=values["days"]),
            max_uses=values["max_uses"],
            actor=current_member(request),
        )
        cast(_CodeRequest, request).new_code = made.code
        return made

    def response_add(self, request: HttpRequest, obj: CommunityInvitation, post_url_continue=None) -> HttpResponse:
        heading = gettext("Invitation for %(name)s") % {"name": obj.for_whom}
        return codes_page(self, request, [obj], heading=heading)

    def may_revert(self, request: HttpRequest, obj, changed: set[str]) -> bool:
        return False

    def list_buttons(self, request: HttpRequest) -> list[dict]:
        if not request.user.has_perm(INVITE_MANY):
            return []
        link = reverse("admin:groups_communityinvitation_many")
        return [{"title": gettext("Invite many"), "icon": "group_add", "link": link}]

    def get_urls(self) -> list:
        many = self._wrapped(self.many_view, self.many_view)
        send, hand_out = (partial(view, pages=self) for view in (send_view, hand_out_view))
        return [
            path("many/", many, name="groups_communityinvitation_many"),
            path("send/", self._wrapped(send, send_view), name="groups_communityinvitation_send_code"),
            path("hand-out/", self._wrapped(hand_out, hand_out_view), name="groups_communityinvitation_hand_out"),
            *super().get_urls(),
        ]

    def many_view(self, request: HttpRequest) -> HttpResponse:
        """Create several invitations, all or none."""
        if not request.user.has_perm(INVITE_MANY):
            raise PermissionDenied
        back = reverse("admin:groups_communityinvitation_changelist")
        posted = request.method == "POST"
        initial = self.get_changeform_initial_data(request)
        form = InviteManyForm(request.POST, request.FILES) if posted else InviteManyForm(initial=initial)

        def save() -> FormResult:
            made = create_invitations(
                created_by=form.cleaned_data["created_by"],
                recipients=form.cleaned_data["people"],
                lasts=timedelta(days=form.cleaned_data["days"]),
                actor=current_member(request),
            )
            mailed = [each for each in made if each.invited_email] if form.cleaned_data["send"] else []
            for each in mailed:
                queue_invitation_mail(actor=current_member(request), invitation=each)
            shown = [each for each in made if each not in mailed]
            heading = _count_created(len(made))
            return FormResult(back, page=codes_page(self, request, shown, heading=heading, mailed=len(mailed)))

        return form_page(
            self,
            request,
            form,
            save,
            title=gettext("Invite many"),
            context=lambda: {
                "submit": gettext("Invite"),
                "back": reverse("admin:groups_communityinvitation_changelist"),
            },
            already_saved=self.already_saved,
        )

    # --- Showing ------------------------------------------------------------------------------

    def changes_of(self, obj: CommunityInvitation) -> list[Change]:
        """Replace digests of codes by texts."""
        return [
            replace(
                change,
                fields=[
                    replace(field, before=gettext("old code"), after=gettext("new code"))
                    if field.name == "invitation_code"
                    else field
                    for field in change.fields
                ],
            )
            for change in super().changes_of(obj)
        ]

    def describe(self, obj: CommunityInvitation) -> str:
        return gettext("%(invitation)s, for %(name)s") % {"invitation": obj, "name": obj.for_whom}

    @display(description=_("Code"))
    def code(self, invitation: CommunityInvitation) -> str:
        if invitation.status != InvitationStatus.PENDING:
            return gettext("No longer works")
        return gettext("Shown once, when it was created. Create a new code to send it again.")

    @display(description=_("For"))
    def for_whom(self, invitation: CommunityInvitation) -> str:
        return invitation.for_whom

    @display(description=_("E-mail"))
    def email(self, invitation: CommunityInvitation) -> str:
        return invitation.invited_email or ""

    @display(description=_("Telegram name"))
    def telegram(self, invitation: CommunityInvitation) -> str:
        return f"@{invitation.invited_telegram_username}" if invitation.invited_telegram_username else ""

    @display(description=_("Invited by"))
    def inviter(self, invitation: CommunityInvitation) -> str:
        return link_to(invitation.created_by)

    @display(description=_("Status"))
    def state(self, invitation: CommunityInvitation) -> str:
        return badge(invitation.get_status_display(), COLOURS[invitation.status])

    @display(description=_("Created"))
    def made(self, invitation: CommunityInvitation) -> str:
        return format_datetime(invitation.created_at)

    @display(description=_("Expires"))
    def expires(self, invitation: CommunityInvitation) -> str:
        return format_datetime(invitation.expires_at)

    @display(description=_("Accepted by"))
    def joined(self, invitation: CommunityInvitation) -> str:
        if invitation.max_uses == 1:
            return link_to(invitation.accepted_by)
        return gettext("%(uses)d of %(most)d people") % {"uses": invitation.uses, "most": invitation.max_uses}

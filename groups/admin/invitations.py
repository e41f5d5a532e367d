from dataclasses import replace
from datetime import timedelta
from typing import cast

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from groups.admin.base import HistoryAdmin, current_member
from groups.models import CommunityInvitation, CommunityMember, Member
from groups.models.invitations import digest_of_code
from groups.rules import MAX_INVITATION_DAYS, MAX_INVITATIONS, InvitationStatus, normalize_username
from groups.services.invitations import (
    address_to_send,
    cancel_invitation,
    create_invitation,
    create_invitations,
    renew_code,
)
from missionsite.common.admin import Action, ActionForm, AutocompleteField, ReasonForm, Search, ServiceForm
from missionsite.common.admin.actions import form_page, render_page
from missionsite.common.admin.filters import PeriodFilter
from missionsite.common.admin.form_keys import FormResult
from missionsite.common.admin.formats import badge, format_datetime, link_to
from missionsite.common.annotations import SiteRequest
from missionsite.common.audit.history import Change

INVITE_MANY = "groups.invite_many"
COLOURS: dict[str, str] = {
    InvitationStatus.PENDING: "info",
    InvitationStatus.ACCEPTED: "success",
    InvitationStatus.EXPIRED: "default",
    InvitationStatus.CANCELLED: "default",
}
# A list of names is read into memory.
LIST_BYTES = 256 * 1024


class _CodeRequest(SiteRequest):
    """The request that creates an invitation, with its code."""

    new_code: str | None


class InvitationSearch(Search):
    """Finds an invitation by its whole code, or by the beginning of its Telegram name."""

    def exact(self, term: str) -> str | None:
        return digest_of_code(term)


def _days_field() -> forms.IntegerField:
    return forms.IntegerField(
        label=_("Valid for (days)"),
        min_value=1,
        max_value=MAX_INVITATION_DAYS,
        initial=settings.INVITATION_DAYS,
        widget=UnfoldAdminIntegerFieldWidget(),
    )


class InvitationForm(ServiceForm):
    days = _days_field()

    class Meta:
        model = CommunityInvitation
        fields = ("created_by", "invited_telegram_username")


class InviteManyForm(forms.Form):
    """Telegram names, typed one per line or in a file, whose first column is read."""

    created_by = AutocompleteField(
        CommunityInvitation, "created_by", label=_("Invited by"), help_text=_("An active member of the directory.")
    )
    names = forms.CharField(
        required=False,
        max_length=LIST_BYTES,
        label=_("Telegram names"),
        help_text=_("One per line, with or without @."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8}),
    )
    file = forms.FileField(
        required=False,
        label=_("Or a file"),
        help_text=_("Text or CSV in UTF-8. The first column is read; a header row is skipped."),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )
    days = _days_field()

    def clean_file(self) -> list[str]:
        file = self.cleaned_data["file"]
        if file is None:
            return []
        if file.size > LIST_BYTES:
            raise forms.ValidationError(
                gettext("The file is larger than %(limit)d KB. Split it.") % {"limit": LIST_BYTES // 1024}
            )
        try:
            text = file.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise forms.ValidationError(gettext("The file must be text in UTF-8.")) from error
        lines = [line.replace(";", ",").split(",")[0].strip().strip('"').strip() for line in text.splitlines()]
        if lines and lines[0].lower().replace(" ", "_") in ("name", "telegram", "telegram_name", "telegram_username"):
            lines = lines[1:]
        return lines

    def clean(self) -> dict:
        values = super().clean() or {}
        typed = [*values.get("names", "").splitlines(), *(values.get("file") or [])]
        names = list(dict.fromkeys(filter(None, map(normalize_username, typed))))
        if not self.errors:
            if not names:
                self.add_error("names", gettext("Enter at least one name, or choose a file."))
            elif len(names) > MAX_INVITATIONS:
                self.add_error(
                    "names",
                    gettext("Enter at most %(limit)d names, not %(count)d.")
                    % {"limit": MAX_INVITATIONS, "count": len(names)},
                )
            elif wrong := next((name for name in names if len(name) > 255 or "\x00" in name), None):
                self.add_error("names", gettext("“%(name)s” is not a valid Telegram name.") % {"name": wrong[:40]})
        values["all_names"] = names
        return values


def _count_created(count: int) -> str:
    return ngettext("%(count)d invitation created", "%(count)d invitations created", count) % {"count": count}


class NewCodeForm(ActionForm):
    days = _days_field()


def _renew(invitation: CommunityInvitation, actor: Member, values: dict) -> CommunityInvitation:
    return renew_code(invitation=invitation, lasts=timedelta(days=values["days"]), actor=actor)


def _cancel(invitation: CommunityInvitation, actor: Member, values: dict) -> None:
    cancel_invitation(invitation=invitation, actor=actor, reason=values["reason"])


@admin.register(CommunityInvitation)
class InvitationAdmin(HistoryAdmin[CommunityInvitation]):
    """Invitations: the invited person, the inviter and the status."""

    form = InvitationForm
    search = InvitationSearch("invitation_code", "", ("invited_telegram_username",))
    search_help_text = _("Code, or the beginning of a Telegram name")
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
    add_label = _("Invite a person")
    already_saved = _(
        "This was already saved, and codes are shown only once. If you did not copy a code, create a new one on the"
        " page of its invitation."
    )
    add_fieldsets = ((None, {"fields": ("created_by", "invited_telegram_username", "days")}),)
    fieldsets = (
        (None, {"fields": (("for_whom", "state"), "code", ("inviter", "joined"))}),
        (_("Dates"), {"fields": (("made", "expires"), "accepted_at")}),
    )
    readonly_fields = ("code", "state", "for_whom", "inviter", "joined", "made", "expires", "accepted_at")
    object_actions = (
        Action(
            name="new-code",
            title=_("New code"),
            success_message=_("new code created"),
            run=_renew,
            permission="groups.change_communityinvitation",
            form=NewCodeForm,
            available=lambda invitation: invitation.status == InvitationStatus.PENDING,
            help_text=_("The current code stops working. The new code is shown once, on the next page."),
            icon="key",
            result_page=lambda pages, request, invitation: pages.codes_page(
                request, [invitation], heading=gettext("New code for %(name)s") % {"name": invitation.for_whom}
            ),
        ),
        Action(
            name="cancel",
            title=_("Cancel invitation"),
            success_message=_("cancelled"),
            run=_cancel,
            permission="groups.change_communityinvitation",
            form=ReasonForm,
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
            lasts=timedelta(days=values["days"]),
            actor=current_member(request),
        )
        cast(_CodeRequest, request).new_code = made.code
        return made

    def response_add(self, request: HttpRequest, obj: CommunityInvitation, post_url_continue=None) -> HttpResponse:
        return self.codes_page(request, [obj], heading=gettext("Invitation for %(name)s") % {"name": obj.for_whom})

    def codes_page(self, request: HttpRequest, invitations: list[CommunityInvitation], *, heading: str) -> HttpResponse:
        """Return the page that shows codes. They are in no message, session or other page."""
        made = [(invitation, address_to_send(invitation)) for invitation in invitations]
        one = invitations[0] if len(invitations) == 1 else None
        response = render_page(
            self,
            request,
            "groups/invitation_codes.html",
            title=heading,
            made=made,
            one=one,
            expires=format_datetime(invitations[0].expires_at),
            lines="\n".join(f"{invitation.for_whom}\t{address}" for invitation, address in made),
            invites=self.has_add_permission(request),
            invites_many=request.user.has_perm(INVITE_MANY),
        )
        add_never_cache_headers(response)
        return response

    def may_revert(self, request: HttpRequest, obj, changed: set[str]) -> bool:
        return False

    def list_buttons(self, request: HttpRequest) -> list[dict]:
        if not request.user.has_perm(INVITE_MANY):
            return []
        link = reverse("admin:groups_communityinvitation_many")
        return [{"title": gettext("Invite many"), "icon": "group_add", "link": link}]

    def get_urls(self) -> list:
        many = self._wrapped(self.many_view, self.many_view)
        return [path("many/", many, name="groups_communityinvitation_many"), *super().get_urls()]

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
                telegram_usernames=form.cleaned_data["all_names"],
                lasts=timedelta(days=form.cleaned_data["days"]),
                actor=current_member(request),
            )
            codes = self.codes_page(request, made, heading=_count_created(len(made)))
            return FormResult(back, page=codes)

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
        return link_to(invitation.accepted_by)

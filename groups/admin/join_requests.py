from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from groups.admin.base import current_member
from groups.admin.memberships import MANAGE, MembershipSearch
from groups.models import Group, JoinRequest, Member, Membership
from groups.rules import MAX_JOIN_REQUEST_TEXT
from groups.services.join_requests import accept_request, decline_request, invite_to_mission, withdraw_request
from missionsite.common.admin import (
    Action,
    ActionForm,
    AutocompleteField,
    ModelAdmin,
    OptionalReasonForm,
    ServiceForm,
    Tab,
)
from missionsite.common.admin.filters import PeriodFilter
from missionsite.common.admin.formats import badge, format_datetime, link_to, list_url

# Colours of states: unfold's label variants.
STATUS = {
    "open": "warning",
    "offered": "info",
    "accepted": "success",
    "declined": "danger",
    "withdrawn": "default",
    "expired": "default",
}


def _message_field() -> forms.CharField:
    return forms.CharField(
        label=_("Message"),
        required=False,
        max_length=MAX_JOIN_REQUEST_TEXT,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("The member reads it."),
    )


class InviteMemberForm(ActionForm):
    """The form of the action on a mission."""

    member = AutocompleteField(Membership, "member", help_text=_("Search by name, e-mail or stable ID."))
    message = _message_field()


class InvitationForm(ServiceForm):
    """The form that adds an invitation."""

    message = _message_field()

    class Meta:
        model = JoinRequest
        fields = ("member", "group")


class DeclineForm(ActionForm):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=MAX_JOIN_REQUEST_TEXT,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("The member reads it."),
    )


def _accept(request: JoinRequest, actor: Member, values: dict) -> None:
    accept_request(actor=actor, request=request, reason=values["reason"])


def _decline(request: JoinRequest, actor: Member, values: dict) -> None:
    decline_request(actor=actor, request=request, reason=values["reason"])


def _withdraw(request: JoinRequest, actor: Member, values: dict) -> None:
    withdraw_request(actor=actor, request=request, reason=values["reason"])


def _open(*kinds: str) -> Callable[[JoinRequest], bool]:
    return lambda request: request.is_open and request.kind in kinds


@admin.register(JoinRequest)
class JoinRequestAdmin(ModelAdmin[JoinRequest]):
    """Requests of members to join a mission, and invitations to missions."""

    form = InvitationForm
    search = MembershipSearch("member__member_id", "PMG")
    search_help_text = _("Name, e-mail or stable ID")
    list_display = ("member_link", "group_link", "kind_shown", "state", "message_shown", "created", "decided")
    list_display_links = ("created",)
    list_select_related = ("member", "group", "decided_by")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("created_at", PeriodFilter),
        ("group", AutocompleteSelectFilter),
    )
    sortable_by = ("created",)
    autocomplete_fields = ("member", "group")
    empty_text = (_("No join requests yet"), _("Members ask to join missions by request. You can also invite members."))
    add_label = _("Invite member")
    object_actions = (
        Action(
            name="accept",
            title=_("Accept"),
            success_message=_("accepted"),
            run=_accept,
            permission=MANAGE,
            form=OptionalReasonForm,
            available=_open(JoinRequest.Kind.REQUEST),
            help_text=_(
                "The member is added to the mission, or to the waiting list of a full one, and gets an e-mail."
            ),
            icon="check",
            bulk_title=_("Accept"),
        ),
        Action(
            name="decline",
            title=_("Decline"),
            success_message=_("declined"),
            run=_decline,
            permission=MANAGE,
            form=DeclineForm,
            available=_open(JoinRequest.Kind.REQUEST),
            help_text=_("The member gets an e-mail with the reason, and can ask again."),
            icon="close",
            bulk_title=_("Decline"),
        ),
        Action(
            name="withdraw",
            title=_("Withdraw"),
            success_message=_("withdrawn"),
            run=_withdraw,
            permission=MANAGE,
            form=OptionalReasonForm,
            available=_open(JoinRequest.Kind.INVITATION, JoinRequest.Kind.WAITING),
            help_text=_("An invitation can no longer be accepted; an entry leaves the waiting list."),
            icon="undo",
            bulk_title=_("Withdraw"),
        ),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MANAGE)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Requests are not edited: they are accepted, declined or withdrawn."""
        return False

    def formfield_for_foreignkey(self, db_field, request: HttpRequest, **kwargs):
        if db_field.name == "group":
            kwargs["queryset"] = Group.objects.missions()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def create(self, request: HttpRequest, values: dict) -> JoinRequest:
        return invite_to_mission(
            actor=current_member(request), member=values["member"], mission=values["group"], message=values["message"]
        )

    def get_fields(self, request: HttpRequest, obj: JoinRequest | None = None):
        if obj is None:
            return ("member", "group", "message")
        return (
            "member_link",
            "group_link",
            "kind_shown",
            "state",
            "message",
            "reason",
            "created",
            "offered",
            "decided",
        )

    def get_readonly_fields(self, request: HttpRequest, obj: JoinRequest | None = None):
        return self.get_fields(request, obj) if obj else ()

    @display(description=_("Member"))
    def member_link(self, request: JoinRequest) -> str:
        return link_to(request.member)

    @display(description=_("Mission"))
    def group_link(self, request: JoinRequest) -> str:
        return link_to(request.group)

    @display(description=_("Kind"))
    def kind_shown(self, request: JoinRequest) -> str:
        return request.get_kind_display()

    @display(description=_("Status"))
    def state(self, request: JoinRequest) -> str:
        return badge(request.get_status_display(), STATUS[request.status])

    @display(description=_("Message"))
    def message_shown(self, request: JoinRequest) -> str:
        return request.message[:80]

    @display(description=_("Created at"), ordering="created_at")
    def created(self, request: JoinRequest) -> str:
        return format_datetime(request.created_at)

    @display(description=_("Offered until"))
    def offered(self, request: JoinRequest) -> str:
        return format_datetime(request.offered_until)

    @display(description=_("Decided"))
    def decided(self, request: JoinRequest) -> str:
        return format_datetime(request.decided_at)


def _rows(group: Group) -> QuerySet[JoinRequest]:
    return JoinRequest.objects.filter(group=group.pk).select_related("member", "group", "decided_by")


JOIN_REQUESTS_OF_MISSION: Tab[Any, JoinRequest] = Tab(
    name="join-requests",
    title=_("Join requests"),
    rows=_rows,
    columns=(
        (_("Member"), lambda request, http: link_to(request.member)),
        (_("Kind"), lambda request, http: request.get_kind_display()),
        (_("Status"), lambda request, http: badge(request.get_status_display(), STATUS[request.status])),
        (_("Created at"), lambda request, http: link_to(request, format_datetime(request.created_at))),
        (_("Decided by"), lambda request, http: link_to(request.decided_by)),
        (_("Reason"), lambda request, http: request.reason),
    ),
    permission="groups.view_joinrequest",
    empty=_("No join requests yet."),
    list_link=lambda group: list_url(JoinRequest, group__id__exact=group.pk),
)

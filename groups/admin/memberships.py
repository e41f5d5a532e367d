from datetime import date

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSplitDateTimeWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from groups.admin.base import STATUS, HistoryAdmin, current_member
from groups.admin.directory_files import EXPORT, download_list
from groups.admin.import_pages import MANAGE, MEMBERSHIPS_PAGE, import_view, undo_view
from groups.models import Group, Member, Membership
from groups.rules import DEFAULT_ROLE
from groups.selectors.membership_dates import members_on
from groups.services.memberships import change_role, join_mission, leave_mission
from missionsite.common.admin import Action, ActionForm, AutocompleteField, Found, ReasonForm, Search, ServiceForm
from missionsite.common.admin.filters import DayFilter, ExactTextFilter, PeriodFilter
from missionsite.common.admin.formats import badge, format_datetime, link_to
from missionsite.common.admin.search import FOUND_AT_MOST

# The columns of the export, by lookup.
EXPORTED = {
    "member_id": "member__member_id",
    "name": "member__display_name",
    "email": "member__email",
    "mission_id": "group__stable_id",
    "mission": "group__name",
    "number": "number",
    "role": "role",
    "role_until": "role_until",
    "status": "status",
    "joined_at": "joined_at",
    "left_at": "left_at",
}
MEMBERS = Search("member_id", "P", ("email", "display_name"), ("display_name",))
GROUPS = Search("stable_id", "MG", ("name",), ("name",))


class MembershipSearch(Search):
    """Finds memberships by member (stable ID, e-mail, name) and by group (stable ID, name)."""

    def find(self, queryset: QuerySet, term: str) -> Found:
        """Find members and groups first, then their memberships by the indexes on member and on group."""
        exact = self.exact(term)
        people = MEMBERS.find(Member.objects.all(), term) if not exact or exact[3] == "P" else Found([])
        places = GROUPS.find(Group.objects.all(), term) if not exact or exact[3] in "MG" else Found([])
        rows = queryset.select_related(None)
        newest = [
            rows.filter(**{f"{field}__in": found.ids}).values("pk")[: FOUND_AT_MOST + 1]
            for field, found in (("member", people), ("group", places))
            if found.ids
        ]
        if not newest:
            return Found([])
        first, *others = newest
        ids = [row["pk"] for row in (first.union(*others).order_by() if others else first)]
        return Found(ids[:FOUND_AT_MOST], people.more or places.more or len(ids) > FOUND_AT_MOST)


def _role_field() -> forms.CharField:
    return forms.CharField(
        max_length=50,
        initial=DEFAULT_ROLE,
        widget=UnfoldAdminTextInputWidget(),
        help_text=_("For example Member, Lead or Mentor."),
    )


def _reason_field() -> forms.CharField:
    return forms.CharField(
        required=False,
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("Stored in the event history."),
    )


class AddMemberForm(ActionForm):
    """The form of the action on a mission or colony."""

    member = AutocompleteField(Membership, "member", help_text=_("Search by name, e-mail or stable ID."))
    role = _role_field()
    reason = _reason_field()


class AddToMissionForm(ActionForm):
    """The form of the action on one member or several."""

    group = AutocompleteField(Membership, "group", label=_("Mission"), help_text=_("Search by name or stable ID."))
    role = _role_field()
    reason = _reason_field()


class RoleForm(ActionForm):
    role = _role_field()
    until = forms.SplitDateTimeField(
        label=_("Until"),
        required=False,
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text=_("Empty for a role without an end. Then the member has the role Member again."),
    )
    reason = _reason_field()

    def __init__(self, data=None, *, obj=None, **kwargs) -> None:
        initial = {"role": obj.role, "until": obj.role_until} if obj else None
        super().__init__(data, obj=obj, initial=initial, **kwargs)


class RejoinForm(ActionForm):
    role = _role_field()
    reason = _reason_field()


class RoleFilter(ExactTextFilter):
    title = _("role")
    parameter_name = column = "role"


class ActiveOnFilter(DayFilter):
    title = _("active at the end of")
    parameter_name = "on"

    def rows_on(self, queryset: QuerySet, day: date) -> QuerySet:
        return members_on(queryset, day)


class MembershipForm(ServiceForm):
    reason = _reason_field()

    class Meta:
        model = Membership
        fields = ("member", "group", "role")


def _leave(membership: Membership, actor: Member, values: dict) -> None:
    leave_mission(member=membership.member, mission=membership.group, actor=actor, reason=values["reason"])


def _rejoin(membership: Membership, actor: Member, values: dict) -> None:
    join_mission(
        member=membership.member, mission=membership.group, actor=actor, role=values["role"], reason=values["reason"]
    )


def _change_role(membership: Membership, actor: Member, values: dict) -> None:
    change_role(membership=membership, role=values["role"], until=values["until"], actor=actor, reason=values["reason"])


def _number() -> Subquery:
    """Return the number of a membership among those of its member in its group, by joining date."""
    same = Membership.objects.filter(member=OuterRef("member"), group=OuterRef("group"))
    same_time = Q(joined_at=OuterRef("joined_at"), id__lte=OuterRef("id"))
    until = same.filter(Q(joined_at__lt=OuterRef("joined_at")) | same_time)
    return Subquery(until.order_by().values("member").annotate(count=Count("pk")).values("count"))


@admin.register(Membership)
class MembershipAdmin(HistoryAdmin[Membership]):
    """Memberships: who belongs to which group, since when, and who left."""

    form = MembershipForm
    search = MembershipSearch("member__member_id", "PMG")
    search_help_text = _("Name, e-mail or stable ID")
    # The triggers on memberships keep this count.
    total_sql = "SELECT coalesce(sum(membership_count), 0)::bigint FROM mission_counts"
    list_display = ("member_link", "member_stable_id", "group_link", "role", "joined", "left", "state")
    list_display_links = ("joined",)
    optional_columns = ("role_end",)
    list_select_related = ("member", "group")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        RoleFilter,
        ("role_until", PeriodFilter),
        ActiveOnFilter,
        ("joined_at", PeriodFilter),
        ("left_at", PeriodFilter),
        ("group", AutocompleteSelectFilter),
    )
    sortable_by = ("joined",)
    autocomplete_fields = ("member", "group")
    fields = ("member", "group", "role", "reason")
    empty_text = (_("No memberships yet"), _("Add a member to a mission."))
    add_label = _("Add member")
    object_actions = (
        Action(
            name="leave",
            title=_("Remove from mission"),
            success_message=_("removed from the mission"),
            run=_leave,
            permission=MANAGE,
            form=ReasonForm,
            available=lambda membership: membership.is_active,
            help_text=_("The membership ends now and is kept in the history. The member can re-join later."),
            icon="logout",
            bulk_title=_("Remove from mission"),
        ),
        Action(
            name="role",
            title=_("Change role"),
            success_message=_("now in the new role"),
            run=_change_role,
            permission=MANAGE,
            form=RoleForm,
            available=lambda membership: membership.is_active,
            icon="badge",
            bulk_title=_("Change role"),
        ),
        Action(
            name="rejoin",
            title=_("Re-join"),
            success_message=_("joined again"),
            run=_rejoin,
            permission=MANAGE,
            form=RejoinForm,
            available=lambda membership: not membership.is_active,
            help_text=_("Adds a new membership. The ended one is kept."),
            icon="login",
            bulk_title=_("Re-join"),
        ),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(MANAGE)

    def has_change_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        """Memberships are not edited: they end, get another role, or the member re-joins."""
        return False

    def may_revert(self, request: HttpRequest, obj: Membership, changed: set[str]) -> bool:
        return request.user.has_perm(MANAGE)

    def create(self, request: HttpRequest, values: dict) -> Membership:
        return join_mission(
            member=values["member"],
            mission=values["group"],
            actor=current_member(request),
            role=values["role"],
            reason=values["reason"],
        )

    def list_buttons(self, request: HttpRequest) -> list[dict]:
        buttons = []
        if request.user.has_perm(MANAGE):
            link = reverse("admin:groups_membership_import")
            buttons.append({"title": gettext("Import"), "icon": "upload", "link": link})
        if not request.user.has_perm(EXPORT):
            return buttons
        query = request.GET.urlencode()
        link = reverse("admin:groups_membership_export")
        titles = ((gettext("Export these"), ""), (gettext("Export as XLSX"), "format=xlsx"))
        return buttons + [
            {"title": title, "icon": "download", "link": f"{link}?{'&'.join(filter(None, (query, form)))}"}
            for title, form in titles
        ]

    def get_urls(self) -> list:
        export = self._wrapped(self.export_view, self.export_view)
        page = {"model_admin": self, "page": MEMBERSHIPS_PAGE}
        undo = self._wrapped(undo_view, undo_view)
        return [
            path("export/", export, name="groups_membership_export"),
            path("import/", self._wrapped(import_view, import_view), page, name="groups_membership_import"),
            path("import/<uuid:changeset>/undo/", undo, page, name="groups_membership_undo_import"),
            *super().get_urls(),
        ]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The memberships of the list, also as of a day."""
        columns = dict(EXPORTED)
        if not request.user.has_perm("groups.view_member"):
            del columns["email"]
        return download_list(request, self, columns, name="memberships", annotations={"number": _number()})

    def get_fields(self, request: HttpRequest, obj: Membership | None = None):
        if obj is None:
            return self.fields
        return ("member_link", "group_link", "role", "role_end", "state", "joined", "left")

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None):
        return self.get_fields(request, obj) if obj else ()

    @display(description=_("Member"))
    def member_link(self, membership: Membership) -> str:
        return link_to(membership.member)

    @display(description=_("Stable ID"))
    def member_stable_id(self, membership: Membership) -> str:
        return membership.member.member_id

    @display(description=_("Mission or colony"))
    def group_link(self, membership: Membership) -> str:
        return link_to(membership.group)

    @display(description=_("Joined"), ordering="joined_at")
    def joined(self, membership: Membership) -> str:
        return format_datetime(membership.joined_at)

    @display(description=_("Role until"), ordering="role_until")
    def role_end(self, membership: Membership) -> str:
        return format_datetime(membership.role_until)

    @display(description=_("Left"))
    def left(self, membership: Membership) -> str:
        return format_datetime(membership.left_at)

    @display(description=_("Status"))
    def state(self, membership: Membership) -> str:
        return badge(membership.get_status_display(), STATUS[membership.status])

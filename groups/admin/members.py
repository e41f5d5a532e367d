from collections.abc import Collection
from typing import TYPE_CHECKING, TypedDict, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group as Role
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, DropdownFilter
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextareaWidget

from groups.admin.base import HistoryAdmin, active_membership_count, current_member
from groups.admin.details import DetailsMixin, detail_actions, details_tab, values_action
from groups.admin.memberships import MANAGE, MEMBERS, AddToMissionForm
from groups.admin.merge_tab import merge_action, merges_tab
from groups.admin.people_jobs import password_link_action, password_links_button, password_links_view
from groups.admin.person import entry_of
from groups.admin.tabs import EVENTS_OF_MEMBER, MEMBERSHIPS_OF_MEMBER, TASKS_OF_MEMBER
from groups.models import Member
from groups.models.members import SYSTEM_MEMBER_ID
from groups.rules import CustomFieldTarget
from groups.services.members import create_member, revert_member, update_member
from groups.services.memberships import join_mission
from groups.services.rights import set_roles
from missionsite.common.accounts.view_as import begin, start_viewing
from missionsite.common.admin import Action, ActionForm, CustomTab, ModelAdmin, ReasonForm, Tab
from missionsite.common.admin.filters import NumberFilter
from missionsite.common.admin.formats import badge
from missionsite.common.admin.overview import OVERVIEW
from missionsite.common.admin.timeline import TIMELINE
from missionsite.common.audit.history import Change
from missionsite.common.errors import NotAllowed
from missionsite.common.passwords import set_password
from missionsite.common.search_words import NameSortKey

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class _Annotations(TypedDict):
        active_memberships: int

    WithMemberships = WithAnnotations[Member, _Annotations]
else:
    WithMemberships = Member

CHANGE = "groups.change_member"
# Only administrators have it: it allows granting every right.
GRANT = "groups.grant_access"
RIGHTS = ("is_staff", "is_superuser", "groups")


class RoleFilter(DropdownFilter):
    title = _("role")
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin) -> list[tuple[int, str]]:
        return list(Role.objects.order_by("name").values_list("pk", "name"))

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        known = {str(key) for key, _ in self.lookup_choices}
        return queryset.filter(groups=self.value()) if self.value() in known else queryset


class PasswordForm(AdminPasswordChangeForm, ActionForm):
    """A new password for one member."""

    def __init__(self, data=None, *, obj: Member | None = None) -> None:
        AdminPasswordChangeForm.__init__(self, obj, data)
        self.obj = obj
        if field := cast("forms.ChoiceField | None", self.fields.get("usable_password")):
            field.label = _("Log-in by password")
            field.choices = [("true", _("Allow, with this password")), ("false", _("Do not allow"))]
            field.help_text = _("If not allowed, the current password is deleted and the fields above are ignored.")


def _add_to_mission(member: Member, actor: Member, values: dict) -> None:
    join_mission(member=member, mission=values["group"], actor=actor, role=values["role"], reason=values["reason"])


def _activate(member: Member, actor: Member, values: dict) -> None:
    update_member(member=member, actor=actor, is_active=True)


def _deactivate(member: Member, actor: Member, values: dict) -> None:
    if member.pk == actor.pk:
        raise NotAllowed(gettext("You cannot deactivate yourself. Ask another administrator."))
    update_member(member=member, actor=actor, is_active=False)


class ViewAsForm(ReasonForm):
    """The reason for viewing the site as a member."""

    reason = forms.CharField(
        max_length=500,
        label=_("Reason"),
        help_text=_("Stored in the security log."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


def _view_as(member: Member, actor: Member, values: dict) -> Member:
    return start_viewing(actor=actor, member=member, reason=values["reason"])


def _begin_viewing(model_admin: ModelAdmin, request: HttpRequest, member: Member) -> HttpResponse:
    return begin(request, member, page=reverse("admin:index" if member.is_staff else "portal:me"))


def _set_password(member: Member, actor: Member, values: dict) -> None:
    password = values.get("password1") if values.get("set_usable_password", True) else None
    set_password(member=member, password=password or None, actor=actor)


@admin.register(Member)
class MemberAdmin(DetailsMixin, HistoryAdmin[Member]):
    """Members: their accounts, memberships, tasks, events and rights."""

    search = MEMBERS
    search_help_text = _("Name, e-mail or stable ID")
    command_icon = "person"
    command_add = "display_name"
    list_display = ("display_name", "member_id", "email_shown", "trust_score", "active", "staff", "memberships_shown")
    list_display_links = ("display_name",)
    optional_columns = ("tags_shown", "created_at", "last_login")
    details_permission = CHANGE
    details_target = CustomFieldTarget.MEMBER
    list_filter = (
        ("is_active", BooleanRadioFilter),
        ("is_staff", BooleanRadioFilter),
        ("trust_score", NumberFilter),
        RoleFilter,
    )
    sortable_by = ("display_name", "member_id", "email_shown")
    sort_expressions = {"display_name": NameSortKey("display_name")}
    tabs: tuple[Tab | CustomTab, ...] = (
        OVERVIEW,
        TIMELINE,
        MEMBERSHIPS_OF_MEMBER,
        TASKS_OF_MEMBER,
        EVENTS_OF_MEMBER,
        details_tab("groups.view_member", CHANGE, "member"),
        merges_tab(),
    )
    empty_text = (_("No members yet"), _("Add the first member, then add them to a mission."))
    add_label = _("Add member")
    _about = ("display_name", "email", "trust_score")
    _facts = (
        (_("Statistics"), {"fields": (("member_id", "active"), "memberships_shown", "tags_shown")}),
        (_("Dates"), {"fields": (("created_at", "updated_at"), "last_login")}),
    )
    object_actions = (
        Action(
            name="add-to-mission",
            title=_("Add to mission"),
            success_message=_("added to the mission"),
            run=_add_to_mission,
            permission=MANAGE,
            form=AddToMissionForm,
            available=lambda member: member.is_active,
            icon="flag",
            bulk_title=_("Add to mission"),
        ),
        Action(
            name="password",
            title=_("Set password"),
            success_message=_("password set"),
            run=_set_password,
            permission=CHANGE,
            form=PasswordForm,
            icon="key",
            asks_identity=True,
        ),
        password_link_action(),
        Action(
            name="deactivate",
            title=_("Deactivate"),
            success_message=_("deactivated"),
            run=_deactivate,
            permission=CHANGE,
            available=lambda member: member.is_active,
            help_text=_("They can no longer log in or join a mission. Their memberships and their history are kept."),
            icon="person_off",
            bulk_title=_("Deactivate"),
        ),
        Action(
            name="activate",
            title=_("Activate"),
            success_message=_("activated"),
            run=_activate,
            permission=CHANGE,
            available=lambda member: not member.is_active,
            help_text=_("They can log in and join missions again."),
            icon="how_to_reg",
            bulk_title=_("Activate"),
        ),
        merge_action(),
        Action(
            name="view-as",
            title=_("View as this member"),
            success_message=_("viewed"),
            run=_view_as,
            permission=GRANT,
            form=ViewAsForm,
            available=lambda member: member.is_active,
            help_text=_(
                "You see the site with the rights of this member and can change nothing. It ends with “Stop”, when you "
                "log out, or by itself."
            ),
            icon="visibility",
            result_page=_begin_viewing,
            asks_identity=True,
        ),
        *detail_actions(CHANGE),
        values_action(CHANGE),
    )

    def list_buttons(self, request: HttpRequest) -> list[dict]:
        return password_links_button(request)

    def get_urls(self) -> list:
        view = self._wrapped(password_links_view, password_links_view)
        pages = path("password-links/", view, {"model_admin": self}, name="groups_member_password_links")
        return [pages, *super().get_urls()]

    # --- Permissions --------------------------------------------------------------------------

    def has_object_permission(self, request: HttpRequest, obj: Member) -> bool:
        """Only administrators change staff: their password or e-mail would give access to their rights."""
        if str(obj.pk) == SYSTEM_MEMBER_ID:
            return False
        if obj.is_superuser:
            return request.user.is_superuser
        return not obj.is_staff or request.user.has_perm(GRANT)

    def has_change_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        return super().has_change_permission(request, obj) and (
            not isinstance(obj, Member) or self.has_object_permission(request, obj)
        )

    def may_revert(self, request: HttpRequest, obj: Member, changed: set[str]) -> bool:
        """Reverting the loss of a right grants it, so it needs the same permission."""
        if "is_superuser" in changed and not request.user.is_superuser:
            return False
        if "is_staff" in changed and not request.user.has_perm(GRANT):
            return False
        return super().may_revert(request, obj, changed)

    def get_fieldsets(self, request: HttpRequest, obj: Member | None = None):
        rights = (gettext("Roles and rights"), {"fields": (("is_staff", "is_superuser"), "groups")})
        if obj is None:
            return ((None, {"fields": self._about}), *([rights] if request.user.has_perm(GRANT) else []))
        return ((None, {"fields": self._about}), rights, *self._facts)

    def get_readonly_fields(self, request: HttpRequest, obj: Member | None = None) -> tuple[str, ...]:
        facts = ("member_id", "active", "memberships_shown", "tags_shown", "created_at", "updated_at", "last_login")
        if not request.user.has_perm(GRANT):
            return (*facts, *RIGHTS)
        return facts if request.user.is_superuser else (*facts, "is_superuser")

    def formfield_for_manytomany(self, db_field, request: HttpRequest, **kwargs) -> forms.Field:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "groups":
            field.label = gettext("Roles")
            field.help_text = gettext("Permissions in the back office. The member must also be staff.")
            field.widget = UnfoldAdminCheckboxSelectMultipleWidget(choices=field.choices)
        return field

    def extra_buttons(self, request: HttpRequest, obj: Member) -> list[dict]:
        if not request.user.has_perm("groups.view_communitymember"):
            return []
        if (entry := entry_of(obj)) is None:
            return []
        link = reverse("admin:groups_communitymember_change", args=[entry.pk])
        return [{"title": gettext("Directory entry"), "icon": "contacts", "link": link}]

    # --- Writing ------------------------------------------------------------------------------

    def asks_identity(self, request: HttpRequest, changed: Collection[str], *, adding: bool) -> bool:
        """Only for a change of rights, or of the address, which receives passwords: the page is also opened to read."""
        return not set(changed).isdisjoint(RIGHTS if adding else (*RIGHTS, "email"))

    def create(self, request: HttpRequest, values: dict) -> Member:
        member = create_member(
            email=values["email"],
            display_name=values["display_name"],
            trust_score=values["trust_score"],
            is_staff=values.get("is_staff", False),
            actor=current_member(request),
        )
        if values.get("is_superuser"):
            update_member(member=member, actor=current_member(request), is_superuser=True)
        return member

    def update(self, request: HttpRequest, obj: Member, changes: dict) -> None:
        changes.pop("groups", None)
        update_member(member=obj, actor=current_member(request), **changes)

    def revert_raw(self, request: HttpRequest, change: Change) -> None:
        revert_member(change=change, actor=current_member(request))

    def save_related(self, request: HttpRequest, form: forms.ModelForm, formsets: list, change: bool) -> None:
        if "groups" in form.cleaned_data and "groups" in form.changed_data:
            set_roles(member=form.instance, roles=form.cleaned_data["groups"], actor=current_member(request))

    # --- Showing ------------------------------------------------------------------------------

    def describe(self, obj: Member) -> str:
        deactivated = [] if obj.is_active else [gettext("deactivated")]
        return " · ".join([obj.display_name, obj.member_id, obj.email, *deactivated])

    @display(description=_("E-mail"), ordering=Lower("email"))
    def email_shown(self, member: Member) -> str:
        return member.email

    @display(description=_("Active"), boolean=True)
    def active(self, member: Member) -> bool:
        return member.is_active

    @display(description=_("Back office"), empty_value="")
    def staff(self, member: Member) -> str | None:
        if member.is_superuser:
            return badge(gettext("Administrator"), "primary")
        return badge(gettext("Staff"), "info") if member.is_staff else None

    @display(description=_("Active memberships"))
    def memberships_shown(self, member: WithMemberships) -> int:
        return member.active_memberships

    def get_queryset(self, request: HttpRequest) -> QuerySet[Member]:
        queryset = super().get_queryset(request).annotate(active_memberships=active_membership_count())
        match = request.resolver_match
        # The system member is no person. Its page opens from what it did, and pickers find it as an actor.
        if match and match.url_name == "groups_member_changelist":
            return queryset.exclude(pk=SYSTEM_MEMBER_ID)
        return queryset

from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from django.contrib import admin
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RadioFilter
from unfold.decorators import display

from groups.admin.base import STATUS, HistoryAdmin, current_member
from groups.admin.details import DetailsMixin, detail_actions, details_tab, values_action
from groups.admin.join_requests import JOIN_REQUESTS_OF_MISSION, InviteMemberForm
from groups.admin.memberships import MANAGE, AddMemberForm
from groups.admin.tabs import EVENTS_OF_GROUP, MEMBERS_BEFORE, MEMBERS_NOW, TASKS_OF_MISSION
from groups.models import Colony, Group, Member, Mission, Task
from groups.rules import CustomFieldTarget
from groups.services.groups import archive_group, create_colony, create_mission, restore_group, update_group
from groups.services.join_requests import invite_to_mission
from groups.services.memberships import join_mission
from missionsite.common.admin import Action, ModelAdmin, OptionalReasonForm, ReasonForm, Search, Tab
from missionsite.common.admin.filters import NumberFilter
from missionsite.common.admin.formats import badge, format_number, link_to, list_url

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

    class _Counts(TypedDict):
        member_count: int
        open_task_count: int

    WithCounts = WithAnnotations[Group, _Counts]
else:
    WithCounts = Group

ARCHIVE = "groups.archive_group"
# The page of a mission counts eligible members up to this number, and then shows "more than".
ELIGIBLE_COUNTED = 1_000


def _group(obj: Group) -> Group:
    """Return the Group of a proxy."""
    return Group.objects.get(pk=obj.pk)


def _description(group: Group) -> str:
    return " · ".join([group.name, group.stable_id, *([gettext("archived")] if group.is_archived else [])])


def _add_member(group: Group, actor: Member, values: dict) -> None:
    join_mission(
        member=values["member"], mission=_group(group), actor=actor, role=values["role"], reason=values["reason"]
    )


def _archive(group: Group, actor: Member, values: dict) -> None:
    archive_group(group=_group(group), actor=actor, reason=values["reason"])


def _restore(group: Group, actor: Member, values: dict) -> None:
    restore_group(group=_group(group), actor=actor, reason=values["reason"])


def _invite(group: Group, actor: Member, values: dict) -> None:
    invite_to_mission(actor=actor, member=values["member"], mission=_group(group), message=values["message"])


INVITE = Action(
    name="invite-member",
    title=_("Invite member"),
    success_message=_("member invited"),
    run=_invite,
    permission=MANAGE,
    form=InviteMemberForm,
    available=lambda group: not group.is_archived,
    help_text=_("The member gets an e-mail, and accepts or declines on their page of missions."),
    icon="mail",
)
ACTIONS = (
    Action(
        name="add-member",
        title=_("Add member"),
        success_message=_("member added"),
        run=_add_member,
        permission=MANAGE,
        form=AddMemberForm,
        available=lambda group: not group.is_archived,
        icon="person_add",
    ),
    Action(
        name="archive",
        title=_("Archive"),
        success_message=_("archived"),
        run=_archive,
        permission=ARCHIVE,
        form=ReasonForm,
        available=lambda group: not group.is_archived,
        help_text=_("No one can join and no task can be added until it is restored. Memberships stay active."),
        icon="archive",
        bulk_title=_("Archive"),
    ),
    Action(
        name="restore",
        title=_("Restore"),
        success_message=_("restored"),
        run=_restore,
        permission=ARCHIVE,
        form=OptionalReasonForm,
        available=lambda group: group.is_archived,
        help_text=_("It becomes active again, with the members it has."),
        icon="unarchive",
        bulk_title=_("Restore"),
    ),
)


class OpenTasksFilter(RadioFilter):
    title = _("open tasks")
    parameter_name = "open_tasks"

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin):
        return [("yes", gettext("Some")), ("no", gettext("None"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        some = Exists(Task.objects.filter(group=OuterRef("pk"), state=Task.State.OPEN))
        match self.value():
            case "yes":
                return queryset.filter(some)
            case "no":
                return queryset.filter(~some)
        return queryset


MISSION_DETAILS = details_tab("groups.view_mission", "groups.change_mission", "mission")
G = TypeVar("G", bound=Group)


class GroupAdmin(DetailsMixin, HistoryAdmin[G]):
    """Shared parts of the pages of missions and colonies."""

    search_help_text = _("Name or stable ID")
    list_display_links = ("name",)
    sortable_by = ("stable_id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).with_counts()

    def describe(self, obj: G) -> str:
        return _description(obj)

    @display(description=_("Status"))
    def state(self, group: Group) -> str:
        return badge(group.get_status_display(), STATUS[group.status])

    @display(description=_("Members"))
    def members(self, group: WithCounts) -> str:
        return self._to_tab(group, "members", group.member_count)

    @display(description=_("Open tasks"))
    def open_tasks(self, group: WithCounts) -> str:
        return self._to_tab(group, "tasks", group.open_task_count)

    def _to_tab(self, group: Group, tab: str, count: int) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_{tab}"
        return format_html('<a class="row-link" href="{}">{}</a>', reverse(name, args=[group.pk]), format_number(count))

    def may_revert(self, request: HttpRequest, obj: G, changed: set[str]) -> bool:
        """Reverting an archive restores the group, so it needs the same permission."""
        if "status" in changed and not request.user.has_perm(ARCHIVE):
            return False
        return super().may_revert(request, obj, changed)

    def update(self, request: HttpRequest, obj: G, changes: dict) -> None:
        if "min_trust_score" in changes:
            changes["min_trust_score"] = changes["min_trust_score"] or 0
        update_group(group=_group(obj), actor=current_member(request), **changes)


@admin.register(Mission)
class MissionAdmin(GroupAdmin[Mission]):
    """Missions, with their members and tasks."""

    search = Search("stable_id", "M", ("name",), ("name",))
    command_icon = "flag"
    list_display = ("name", "stable_id", "state", "members", "open_tasks", "threshold", "colony_name")
    optional_columns = ("tags_shown", "created_at")
    details_permission = "groups.change_mission"
    details_target = CustomFieldTarget.MISSION
    list_select_related = ("parent_group",)
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("min_trust_score", NumberFilter),
        ("join_policy", ChoicesDropdownFilter),
        OpenTasksFilter,
    )
    tabs = (MEMBERS_NOW, MEMBERS_BEFORE, JOIN_REQUESTS_OF_MISSION, TASKS_OF_MISSION, EVENTS_OF_GROUP, MISSION_DETAILS)
    object_actions = (
        *ACTIONS,
        INVITE,
        *detail_actions("groups.change_mission"),
        values_action("groups.change_mission"),
    )
    fieldsets = (
        (None, {"fields": ("name", "parent_group", "min_trust_score", "join_policy", "max_members", "description")}),
        (_("Statistics"), {"fields": (("stable_id", "state"), ("members", "open_tasks"), "eligible", "tags_shown")}),
        (_("Dates"), {"fields": (("created_at", "updated_at"),)}),
    )
    add_fieldsets = (
        (None, {"fields": ("name", "parent_group", "min_trust_score", "join_policy", "max_members", "description")}),
    )
    readonly_fields = (
        "stable_id",
        "state",
        "members",
        "open_tasks",
        "eligible",
        "tags_shown",
        "created_at",
        "updated_at",
    )
    empty_text = (_("No missions yet"), _("Members join missions. Add the first mission to a colony."))
    add_label = _("Add mission")

    def formfield_for_foreignkey(self, db_field, request: HttpRequest, **kwargs):
        if db_field.name == "parent_group":
            kwargs |= {"queryset": Group.objects.colonies().order_by("name"), "required": True}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict:
        """Preselect the colony if there is only one."""
        initial = super().get_changeform_initial_data(request)
        open_colonies = Group.objects.colonies().active().values_list("pk", flat=True)[:2]
        return {"parent_group": open_colonies[0]} | initial if len(open_colonies) == 1 else initial

    @display(description=_("Trust score to join"), empty_value="0")
    def threshold(self, mission: Mission) -> str:
        return format_number(mission.min_trust_score)

    @display(description=_("Colony"))
    def colony_name(self, mission: Mission) -> str:
        return mission.parent_group.name if mission.parent_group else ""

    @display(description=_("Eligible members"))
    def eligible(self, mission: Mission) -> str:
        """Count active members whose trust score reaches the threshold, up to a limit."""
        able = Member.objects.filter(is_active=True, trust_score__gte=mission.min_trust_score or 0)
        counted_up = able.order_by().values("pk")[: ELIGIBLE_COUNTED + 1].count()
        if counted_up > ELIGIBLE_COUNTED:
            return gettext("More than %(count)s members have the required trust score.") % {
                "count": format_number(ELIGIBLE_COUNTED)
            }
        return ngettext(
            "%(count)s member has the required trust score.",
            "%(count)s members have the required trust score.",
            counted_up,
        ) % {"count": format_number(counted_up)}

    def create(self, request: HttpRequest, values: dict) -> Group:
        return create_mission(
            name=values["name"],
            colony=values["parent_group"],
            description=values["description"],
            min_trust_score=values["min_trust_score"] or 0,
            join_policy=values["join_policy"],
            max_members=values["max_members"],
            actor=current_member(request),
        )

    def extra_buttons(self, request: HttpRequest, obj: Mission) -> list[dict]:
        if obj.is_archived or not request.user.has_perm("groups.add_task"):
            return []
        return [
            {
                "title": gettext("Add task"),
                "icon": "add_task",
                "link": f"{reverse('admin:groups_task_add')}?group={obj.pk}",
            }
        ]


MISSIONS_OF_COLONY: Tab[Colony, Any] = Tab(
    name="missions",
    title=_("Missions"),
    rows=lambda colony: Mission.objects.filter(parent_group=colony.pk).with_counts(),
    columns=(
        (_("Mission"), lambda mission, request: link_to(mission)),
        (_("Stable ID"), lambda mission, request: mission.stable_id),
        (_("Status"), lambda mission, request: badge(mission.get_status_display(), STATUS[mission.status])),
        (_("Members"), lambda mission, request: format_number(mission.member_count)),
        (_("Open tasks"), lambda mission, request: format_number(mission.open_task_count)),
        (_("Trust score to join"), lambda mission, request: format_number(mission.min_trust_score)),
    ),
    permission="groups.view_mission",
    empty=_("No missions yet. Add the first one."),
    list_link=lambda colony: list_url(Mission),
)


@admin.register(Colony)
class ColonyAdmin(GroupAdmin[Colony]):
    """Colonies and their missions."""

    search = Search("stable_id", "G", ("name",), ("name",))
    command_icon = "hive"
    list_display = ("name", "stable_id", "state", "members", "mission_count")
    optional_columns = ("tags_shown",)
    details_permission = "groups.change_colony"
    object_actions = (*ACTIONS, *detail_actions("groups.change_colony"))
    tabs = (
        MISSIONS_OF_COLONY,
        MEMBERS_NOW,
        MEMBERS_BEFORE,
        EVENTS_OF_GROUP,
        details_tab("groups.view_colony", "groups.change_colony", "colony"),
    )
    fieldsets = (
        (None, {"fields": ("name", "description")}),
        (_("Statistics"), {"fields": (("stable_id", "state"), ("members", "mission_count"), "tags_shown")}),
        (_("Dates"), {"fields": (("created_at", "updated_at"),)}),
    )
    add_fieldsets = ((None, {"fields": ("name", "description")}),)
    readonly_fields = ("stable_id", "state", "members", "mission_count", "tags_shown", "created_at", "updated_at")
    empty_text = (_("No colonies yet"), _("Missions belong to a colony. Add a colony first."))
    add_label = _("Add colony")

    @display(description=_("Active missions"))
    def mission_count(self, colony: Colony) -> str:
        return format_number(Mission.objects.active().filter(parent_group=colony.pk).count())

    def create(self, request: HttpRequest, values: dict) -> Group:
        return create_colony(name=values["name"], description=values["description"], actor=current_member(request))

    def extra_buttons(self, request: HttpRequest, obj: Colony) -> list[dict]:
        if obj.is_archived or not request.user.has_perm("groups.add_mission"):
            return []
        link = f"{reverse('admin:groups_mission_add')}?parent_group={obj.pk}"
        return [{"title": gettext("Add mission"), "icon": "flag", "link": link}]


@admin.register(Group)
class GroupPicker(HistoryAdmin[Group]):
    """Lets pickers search missions and colonies together, and redirects to the page of either."""

    search = Search("stable_id", "MG", ("name",), ("name",))
    has_history = False

    def describe(self, obj: Group) -> str:
        return _description(obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return request.user.has_perm("groups.view_mission")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_urls(self) -> list:
        view = self.admin_site.admin_view
        return [
            path("", view(self._to_list), name="groups_group_changelist"),
            path("<path:object_id>/change/", view(self._to_page), name="groups_group_change"),
        ]

    def _to_list(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:groups_mission_changelist"))

    def _to_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        group = self.get_object(request, object_id)
        if group is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        kind = "mission" if group.is_mission else "colony"
        return HttpResponseRedirect(reverse(f"admin:groups_{kind}_change", args=[group.pk]))

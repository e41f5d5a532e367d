from collections.abc import Callable

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from groups.admin.base import TASK_STATE, HistoryAdmin, current_member
from groups.models import Member, Task
from groups.rules import TASK_MOVES
from groups.services.tasks import cancel_task, claim_task, complete_task, create_task, reopen_task, update_task
from missionsite.common.admin import Action, ActionForm, AutocompleteField, OptionalReasonForm, ReasonForm, Search
from missionsite.common.admin.formats import badge, link_to

CHANGE = "groups.change_task"


class ClaimForm(ActionForm):
    member = AutocompleteField(Task, "claimed_by", label=_("Member"), help_text=_("A member of the mission."))


def _claim(task: Task, actor: Member, values: dict) -> None:
    claim_task(task=task, member=values["member"], actor=actor)


def _complete(task: Task, actor: Member, values: dict) -> None:
    complete_task(task=task, actor=actor)


def _cancel(task: Task, actor: Member, values: dict) -> None:
    cancel_task(task=task, actor=actor, reason=values["reason"])


def _reopen(task: Task, actor: Member, values: dict) -> None:
    reopen_task(task=task, actor=actor, reason=values["reason"])


def _can(move: str) -> Callable[[Task], bool]:
    return lambda task: task.state in TASK_MOVES[move].sources


@admin.register(Task)
class TaskAdmin(HistoryAdmin[Task]):
    """Tasks and the members who claimed them."""

    search = Search("stable_id", "T", ("title",), ("title",))
    search_help_text = _("Title or stable ID")
    command_icon = "task_alt"
    list_display = ("title", "stable_id", "mission_link", "state_shown", "claimed_by_link", "reward_points", "due_on")
    list_select_related = ("group", "claimed_by")
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("group", AutocompleteSelectFilter),
        ("claimed_by", AutocompleteSelectFilter),
    )
    sortable_by = ("stable_id",)
    autocomplete_fields = ("group",)
    fieldsets = (
        (None, {"fields": ("title", "description", ("reward_points", "due_on"))}),
        (_("Status"), {"fields": (("stable_id", "state_shown"), ("mission_link", "claimed_by_link"))}),
        (_("Dates"), {"fields": (("created_at", "updated_at"),)}),
    )
    add_fieldsets = ((None, {"fields": ("group", "title", "description", ("reward_points", "due_on"))}),)
    readonly_fields = ("stable_id", "state_shown", "mission_link", "claimed_by_link", "created_at", "updated_at")
    empty_text = (_("No tasks yet"), _("Tasks are the work in a mission. Add the first one."))
    add_label = _("Add task")
    object_actions = (
        Action(
            name="claim",
            title=_("Assign to member"),
            success_message=_("assigned"),
            run=_claim,
            permission=CHANGE,
            form=ClaimForm,
            available=_can("claim"),
            icon="back_hand",
            bulk_title=_("Assign to member"),
        ),
        Action(
            name="complete",
            title=pgettext_lazy("action", "Complete"),
            success_message=_("completed"),
            run=_complete,
            permission=CHANGE,
            available=_can("complete"),
            help_text=_("The reward is added to the member's trust score."),
            icon="check",
            bulk_title=pgettext_lazy("action", "Complete"),
        ),
        Action(
            name="reopen",
            title=_("Reopen"),
            success_message=_("reopened"),
            run=_reopen,
            permission=CHANGE,
            form=OptionalReasonForm,
            available=_can("reopen"),
            help_text=_("Any member of the mission can claim it again."),
            icon="undo",
            bulk_title=_("Reopen"),
        ),
        Action(
            name="cancel",
            title=_("Cancel task"),
            success_message=_("cancelled"),
            run=_cancel,
            permission=CHANGE,
            form=ReasonForm,
            available=_can("cancel"),
            help_text=_("The task is kept and can be reopened."),
            icon="block",
            bulk_title=_("Cancel tasks"),
        ),
    )

    def describe(self, obj: Task) -> str:
        return f"{obj.title} · {obj.stable_id} · {obj.get_state_display().lower()}"

    @display(description=_("Mission"))
    def mission_link(self, task: Task) -> str:
        return link_to(task.group)

    @display(description=_("Claimed by"))
    def claimed_by_link(self, task: Task) -> str:
        return link_to(task.claimed_by)

    @display(description=_("State"))
    def state_shown(self, task: Task) -> str:
        return badge(task.get_state_display(), TASK_STATE[task.state])

    def create(self, request: HttpRequest, values: dict) -> Task:
        return create_task(
            group=values["group"],
            title=values["title"],
            description=values["description"],
            reward_points=values["reward_points"],
            due_on=values["due_on"],
            actor=current_member(request),
        )

    def update(self, request: HttpRequest, obj: Task, changes: dict) -> None:
        update_task(task=obj, actor=current_member(request), **changes)

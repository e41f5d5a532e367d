"""The tabs for memberships, tasks and events on the pages of missions, colonies and members."""

from collections.abc import Callable
from datetime import date

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from groups.admin.base import STATUS, TASK_STATE, actor_of
from groups.admin.memberships import MANAGE
from groups.models import Event, Member, Membership, Task
from groups.selectors.membership_dates import members_on
from missionsite.common.admin import Tab
from missionsite.common.admin.formats import badge, format_datetime, link_to, list_url
from missionsite.common.annotations import StrOrPromise
from missionsite.common.audit.events import event_label, event_summary


def membership_links(membership: Membership, request: HttpRequest) -> str:
    """Links to the actions on a membership; each returns to this page."""
    if not request.user.has_perm(MANAGE):
        return ""
    actions = (
        (("role", gettext("Change role")), ("leave", gettext("Remove")))
        if membership.is_active
        else (("rejoin", "Re-join"),)
    )
    links = [
        (reverse(f"admin:groups_membership_{name}", args=[membership.pk]), request.get_full_path(), title)
        for name, title in actions
    ]
    return format_html_join(mark_safe(" · "), '<a class="row-link" href="{}?next={}">{}</a>', links)


def _rows_on(owner: str) -> Callable[[Model, date], QuerySet]:
    def rows(obj: Model, day: date) -> QuerySet:
        found = Membership.objects.filter(**{owner: obj.pk}).select_related("member", "group")
        return members_on(found, day)

    return rows


def _membership_rows(owner: str, status: str):
    def rows(obj: Model) -> QuerySet:
        return Membership.objects.filter(**{owner: obj.pk}, status=status).select_related("member", "group")

    return rows


_MEMBER = (
    (_("Member"), lambda membership, request: link_to(membership.member)),
    (_("Stable ID"), lambda membership, request: membership.member.member_id),
    (_("Role"), lambda membership, request: membership.role),
)
_DATES = ((_("Joined"), lambda membership, request: format_datetime(membership.joined_at)), ("", membership_links))

MEMBERS_NOW = Tab(
    name="members",
    title=_("Members"),
    rows=_membership_rows("group_id", "active"),
    columns=_MEMBER + _DATES,
    permission="groups.view_membership",
    empty=_("No members yet. Add the first one."),
    rows_on=_rows_on("group_id"),
    list_link=lambda group: list_url(Membership, status__exact="active", group__id__exact=group.pk),
)
MEMBERS_BEFORE = Tab(
    name="former-members",
    title=_("Former members"),
    rows=_membership_rows("group_id", "left"),
    columns=(
        *_MEMBER,
        (_("Joined"), lambda membership, request: format_datetime(membership.joined_at)),
        (_("Left"), lambda membership, request: format_datetime(membership.left_at)),
        ("", membership_links),
    ),
    permission="groups.view_membership",
    empty=_("No one has left yet."),
    list_link=lambda group: list_url(Membership, status__exact="left", group__id__exact=group.pk),
)
MEMBERSHIPS_OF_MEMBER: Tab[Member, Membership] = Tab(
    name="memberships",
    title=_("Memberships"),
    rows_on=_rows_on("member_id"),
    rows=lambda member: Membership.objects.filter(member=member.pk).select_related("member", "group"),
    columns=(
        (_("Mission or colony"), lambda membership, request: link_to(membership.group)),
        (_("Stable ID"), lambda membership, request: membership.group.stable_id),
        (_("Role"), lambda membership, request: membership.role),
        (_("Status"), lambda membership, request: badge(membership.get_status_display(), STATUS[membership.status])),
        (_("Joined"), lambda membership, request: format_datetime(membership.joined_at)),
        (_("Left"), lambda membership, request: format_datetime(membership.left_at)),
        ("", membership_links),
    ),
    permission="groups.view_membership",
    empty=_("This member has not joined a mission yet. Add them to one."),
)


def _task_rows(owner: str):
    def rows(obj: Model) -> QuerySet:
        return Task.objects.filter(**{owner: obj.pk}).select_related("group", "claimed_by")

    return rows


_TASK = (
    (_("Task"), lambda task, request: link_to(task)),
    (_("Stable ID"), lambda task, request: task.stable_id),
    (_("State"), lambda task, request: badge(task.get_state_display(), TASK_STATE[task.state])),
)
_REWARD = (_("Reward"), lambda task, request: task.reward_points)
TASKS_OF_MISSION = Tab(
    name="tasks",
    title=_("Tasks"),
    rows=_task_rows("group_id"),
    columns=(*_TASK, (_("Claimed by"), lambda task, request: link_to(task.claimed_by)), _REWARD),
    permission="groups.view_task",
    empty=_("No tasks yet. Add the first one."),
    list_link=lambda group: list_url(Task, group__id__exact=group.pk),
)
TASKS_OF_MEMBER = Tab(
    name="tasks",
    title=_("Tasks"),
    rows=_task_rows("claimed_by_id"),
    columns=(*_TASK, (_("Mission"), lambda task, request: link_to(task.group)), _REWARD),
    permission="groups.view_task",
    empty=_("This member has not claimed a task yet."),
)


def _event_tab(owner: str, other: str, heading: StrOrPromise) -> Tab:
    return Tab(
        name="events",
        title=_("Events"),
        rows=lambda obj: Event.objects.filter(**{f"{owner}_id": obj.pk}).select_related("actor", "member", "group"),
        columns=(
            (_("When"), lambda event, request: format_datetime(event.occurred_at)),
            (_("What"), lambda event, request: _event_link(event)),
            (heading, lambda event, request: link_to(getattr(event, other))),
            (_("By"), lambda event, request: actor_of(event)),
            (_("Details"), lambda event, request: event_summary(event.payload)),
        ),
        permission="groups.view_event",
        empty=_("No events yet."),
        list_link=lambda obj: list_url(Event, **{f"{owner}__id__exact": obj.pk}),
    )


def _event_link(event: Event) -> str:
    return format_html(
        '<a class="row-link" href="{}">{}</a>',
        reverse("admin:groups_event_change", args=[event.pk]),
        event_label(event.type),
    )


EVENTS_OF_GROUP = _event_tab("group", "member", _("Member"))
EVENTS_OF_MEMBER = _event_tab("member", "group", _("Mission or colony"))

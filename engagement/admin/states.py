"""Admin pages of engagement states and transitions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, TypedDict, cast

from django import forms
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from engagement.admin.at_risk import AtRiskFilter, format_goodbye
from engagement.admin.base import MOVE, STATE, MemberSearch, format_details
from engagement.admin.lifecycle import lifecycle_view
from engagement.admin.next_messages import explain_next_goodbye, explain_weekly_review
from engagement.admin.write import write_button
from engagement.models import EngagementStateTransition, UserEngagementState
from engagement.rules import State, TransitionTrigger, possible_triggers
from engagement.selectors.at_risk import goodbye_at, no_goodbye_of_state
from engagement.selectors.blocking import format_block_reason, why_no_goodbye
from engagement.services.lifecycle import transition
from groups.models import Member
from missionsite.common.admin import Action, ActionForm, ReadOnlyModelAdmin, Tab
from missionsite.common.admin.filters import PeriodFilter
from missionsite.common.admin.formats import badge, format_datetime, format_number, link_to, list_url
from missionsite.common.annotations import StrOrPromise

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class LastTransition(TypedDict):
    """What the pages add to a state: trigger and time of its last transition."""

    last_trigger: str | None
    last_at: datetime | None
    goodbye_at: datetime | None
    no_goodbye: str | None


TRANSITION_COLUMNS = (
    (_("When"), lambda move, request: format_datetime(move.created_at)),
    (_("From"), lambda move, request: badge(move.get_from_state_display(), STATE[move.from_state])),
    (_("To"), lambda move, request: badge(move.get_to_state_display(), STATE[move.to_state])),
    (_("Trigger"), lambda move, request: move.get_trigger_display()),
    (_("Details"), lambda move, request: format_details(move)),
)


def _transitions_of(state: UserEngagementState) -> QuerySet[EngagementStateTransition]:
    return EngagementStateTransition.objects.filter(user=state.user_id)


TRANSITIONS_OF_STATE = Tab(
    name="transitions",
    title=_("Transitions"),
    rows=_transitions_of,
    columns=TRANSITION_COLUMNS,
    permission="engagement.view_engagementstatetransition",
    empty=_("No transitions: this member has always been active."),
    list_link=lambda state: list_url(EngagementStateTransition, user__id__exact=state.user_id),
)


class MoveForm(ActionForm):
    """Choice of a trigger, grouped by whether it is valid in the current state."""

    trigger = forms.ChoiceField(
        label=_("Trigger"),
        help_text=_("The trigger determines the new state and is logged with the transition."),
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, data: Any = None, *, obj: UserEngagementState | None = None, **kwargs: Any) -> None:
        super().__init__(data, obj=obj, **kwargs)
        can = possible_triggers(obj.state) if obj else []
        allowed = [choice for choice in TransitionTrigger.choices if choice[0] in can]
        others = [choice for choice in TransitionTrigger.choices if choice[0] not in can]
        cast(forms.ChoiceField, self.fields["trigger"]).choices = (
            [("", _("Choose")), (_("Valid in this state"), allowed), (_("Not valid in this state"), others)]
            if obj
            else TransitionTrigger.choices
        )


def _apply_trigger(state: UserEngagementState, actor: Member, values: dict) -> None:
    transition(actor=actor, member=state.user, trigger=values["trigger"])


@admin.register(UserEngagementState)
class StateAdmin(ReadOnlyModelAdmin[UserEngagementState]):
    """Engagement states of members; a state is changed by one of the ten transitions."""

    search = MemberSearch()
    search_help_text = _("Name, e-mail or stable ID of a member")
    list_display = (
        *("member", "state_shown", "why", "since", "last_active"),
        *("days_quiet", "goodbye_on", "why_not", "next_date"),
    )
    list_display_links = None
    list_select_related = ("user",)
    list_filter = (("state", ChoicesDropdownFilter), AtRiskFilter, ("last_activity_at", PeriodFilter))
    sortable_by = ("last_active", "days_quiet", "goodbye_on")
    noun_plural = _("members")
    empty_text = (_("No engagement states yet"), _("A member appears here after their first activity."))
    fields = (
        "member",
        ("state_shown", "why"),
        ("since", "last_active"),
        "next_date",
        ("next_goodbye", "weekly_review"),
        "next_moves",
    )
    readonly_fields = (
        *("member", "state_shown", "why", "since", "last_active", "next_date"),
        *("next_goodbye", "weekly_review", "next_moves"),
    )
    tabs = (TRANSITIONS_OF_STATE,)
    object_actions = (
        Action(
            name="move",
            title=_("Change state"),
            success_message=_("changed"),
            run=_apply_trigger,
            permission=MOVE,
            form=MoveForm,
            help_text=_("Applies the trigger as if it had happened now, and queues the message that belongs to it."),
            icon="move_down",
            bulk_title=_("Change state"),
        ),
    )

    def get_urls(self) -> list:
        view = self._wrapped(lifecycle_view, lifecycle_view)
        return [path("lifecycle/", view, {"model_admin": self}, name="engagement_lifecycle"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        last = EngagementStateTransition.objects.filter(user=OuterRef("user_id")).order_by("-created_at", "-id")
        return (
            super()
            .get_queryset(request)
            .annotate(
                last_trigger=Subquery(last.values("trigger")[:1]),
                last_at=Subquery(last.values("created_at")[:1]),
                goodbye_at=goodbye_at(),
                no_goodbye=no_goodbye_of_state(),
            )
        )

    def list_buttons(self, request: HttpRequest) -> list[dict]:
        return [{"title": _("Lifecycle"), "icon": "schema", "link": reverse("admin:engagement_lifecycle")}]

    def extra_buttons(self, request: HttpRequest, obj: UserEngagementState) -> list[dict]:
        buttons = write_button(request, obj.user_id)
        if request.user.has_perm("groups.view_member"):
            link = reverse("admin:groups_member_engagement", args=[obj.user_id])
            buttons.append({"title": _("Member"), "icon": "person", "link": link})
        return buttons

    @display(description=_("Member"))
    def member(self, state: UserEngagementState) -> str:
        return link_to(state, str(state.user)) if state.pk else ""

    @display(description=_("State"))
    def state_shown(self, state: UserEngagementState) -> str:
        return badge(state.get_state_display(), STATE[state.state])

    @display(description=_("Trigger"))
    def why(self, state: WithAnnotations[UserEngagementState, LastTransition]) -> StrOrPromise:
        return TransitionTrigger(state.last_trigger).label if state.last_trigger else _("Initial state")

    @display(description=_("Since"))
    def since(self, state: WithAnnotations[UserEngagementState, LastTransition]) -> str:
        return format_datetime(state.last_at or state.created_at)

    @display(description=_("Last active"), ordering="last_activity_at")
    def last_active(self, state: UserEngagementState) -> str:
        return format_datetime(state.last_activity_at)

    @display(description=_("Days quiet"), ordering="-last_activity_at")
    def days_quiet(self, state: UserEngagementState) -> str:
        if state.last_activity_at is None:
            return ""
        return format_number(max((timezone.now() - state.last_activity_at).days, 0))

    @display(description=_("Goodbye on"), ordering="goodbye_at")
    def goodbye_on(self, state: WithAnnotations[UserEngagementState, LastTransition]) -> str:
        return format_goodbye(state)

    @display(description=_("Why no goodbye"))
    def why_not(self, state: WithAnnotations[UserEngagementState, LastTransition]) -> str:
        return format_block_reason(state.no_goodbye) if state.state == State.ACTIVE else ""

    @display(description=_("Next automatic change"))
    def next_date(self, state: UserEngagementState) -> str:
        if state.goodbye_expires_at:
            return _("Dormant at {time} unless the member replies").format(
                time=format_datetime(state.goodbye_expires_at)
            )
        if state.reminder_expires_at:
            return _("Dormant at {time} unless the member replies").format(
                time=format_datetime(state.reminder_expires_at)
            )
        if state.state == State.GOODBYE_SENT or state.reminder_queued_at:
            return str(_("None until the message is sent"))
        if state.remind_at:
            return _("Reminder at {time}, when the snooze ends").format(time=format_datetime(state.remind_at))
        return ""

    @display(description=_("Next goodbye"))
    def next_goodbye(self, state: UserEngagementState) -> str:
        return explain_next_goodbye(state)

    @display(description=_("Weekly review"))
    def weekly_review(self, state: UserEngagementState) -> str:
        return explain_weekly_review(state)

    @display(description=_("Valid triggers"))
    def next_moves(self, state: UserEngagementState) -> str:
        moves = possible_triggers(state.state)
        labels = ", ".join(str(TransitionTrigger(each).label) for each in moves)
        if TransitionTrigger.INACTIVITY_14D in moves and (blocked := why_no_goodbye(state.user)):
            return _("{triggers}. No goodbye would be sent: {reason}").format(triggers=labels, reason=blocked)
        return labels


@admin.register(EngagementStateTransition)
class TransitionAdmin(ReadOnlyModelAdmin[EngagementStateTransition]):
    """Every transition of every member; read-only."""

    search = MemberSearch()
    search_help_text = _("Name, e-mail or stable ID of a member")
    list_display = ("when", "member", "move", "why", "details")
    list_display_links = ("when",)
    list_select_related = ("user",)
    list_filter = (
        ("from_state", ChoicesDropdownFilter),
        ("to_state", ChoicesDropdownFilter),
        ("trigger", ChoicesDropdownFilter),
        ("created_at", PeriodFilter),
        ("user", AutocompleteSelectFilter),
    )
    sortable_by = ()
    empty_text = (_("No transitions yet"), _("Every change of an engagement state is logged here."))
    fields = ("member", "move", "why", "when", "details")
    readonly_fields = fields

    @display(description=_("When"))
    def when(self, move: EngagementStateTransition) -> str:
        return format_datetime(move.created_at)

    @display(description=_("Member"))
    def member(self, move: EngagementStateTransition) -> str:
        return link_to(move.user)

    @display(description=_("Transition"))
    def move(self, move: EngagementStateTransition) -> str:
        return str(move)

    @display(description=_("Trigger"))
    def why(self, move: EngagementStateTransition) -> str:
        return move.get_trigger_display()

    @display(description=_("Details"))
    def details(self, move: EngagementStateTransition) -> str:
        return format_details(move)

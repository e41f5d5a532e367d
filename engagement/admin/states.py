"""Where members stand in the machine, and every move they made."""

from django import forms
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import path, reverse
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget

from engagement.admin.base import MOVE, STATE, MemberSearch, details_of
from engagement.admin.machine import machine_view
from engagement.models import EngagementStateTransition, Trigger, UserEngagementState, possible
from engagement.services.blocking import why_no_goodbye
from engagement.services.machine import transition
from groups.models import Member
from missionsite.common.admin import Action, ActionForm, ReadOnlyModelAdmin, Tab
from missionsite.common.admin.filters import PeriodFilter
from missionsite.common.admin.formats import badge, format_datetime, link_to, list_url

TRANSITION_COLUMNS = (
    ("When", lambda move, request: format_datetime(move.created_at)),
    ("From", lambda move, request: badge(move.get_from_state_display(), STATE[move.from_state])),
    ("To", lambda move, request: badge(move.get_to_state_display(), STATE[move.to_state])),
    ("Why", lambda move, request: move.get_trigger_display()),
    ("Details", lambda move, request: details_of(move)),
)
TRANSITIONS_OF_STATE = Tab(
    name="transitions",
    title="Transitions",
    rows=lambda state: EngagementStateTransition.objects.filter(user=state.user_id),
    columns=TRANSITION_COLUMNS,
    permission="engagement.view_engagementstatetransition",
    empty="This member has been active since the beginning.",
    list_link=lambda state: list_url(EngagementStateTransition, user__id__exact=state.user_id),
)


class MoveForm(ActionForm):
    """Every trigger may be asked for; the machine says which are possible."""

    trigger = forms.ChoiceField(
        label="Why",
        help_text="The reason decides where they go; it is kept with the transition.",
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, data=None, *, obj: UserEngagementState | None = None, **kwargs) -> None:
        super().__init__(data, obj=obj, **kwargs)
        can = possible(obj.state) if obj else []
        here = [choice for choice in Trigger.choices if choice[0] in can]
        others = [choice for choice in Trigger.choices if choice[0] not in can]
        self.fields["trigger"].choices = (
            [("", "Choose"), ("Possible now", here), ("Rejected in this state", others)] if obj else Trigger.choices
        )


def _move(state: UserEngagementState, actor: Member, values: dict) -> None:
    transition(member=state.user, trigger=values["trigger"], metadata={"by": actor.member_id})


@admin.register(UserEngagementState)
class StateAdmin(ReadOnlyModelAdmin):
    """Where members stand in the machine; they move by one of its ten transitions."""

    search = MemberSearch()
    search_help_text = "Name, e-mail or stable ID of a member"
    list_display = ("member", "state_shown", "why", "since", "last_active", "next_date")
    list_display_links = None
    list_select_related = ("user",)
    list_filter = (("state", ChoicesDropdownFilter), ("last_activity_at", PeriodFilter))
    sortable_by = ()
    noun_plural = "members"
    empty_text = ("No one is in the machine yet", "A member comes in with the first thing they do.")
    fields = ("member", ("state_shown", "why"), ("since", "last_active"), "next_date", "next_moves")
    readonly_fields = ("member", "state_shown", "why", "since", "last_active", "next_date", "next_moves")
    tabs = (TRANSITIONS_OF_STATE,)
    object_actions = (
        Action(
            name="move",
            title="Move",
            success_message="moved",
            run=_move,
            permission=MOVE,
            form=MoveForm,
            help_text="Moves the member as if this had happened now, with the message that goes with it.",
            icon="move_down",
            bulk_title="Move",
        ),
    )

    def get_urls(self) -> list:
        view = self._wrapped(machine_view, machine_view)
        return [path("machine/", view, {"model_admin": self}, name="engagement_machine"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        last = EngagementStateTransition.objects.filter(user=OuterRef("user_id")).order_by("-created_at", "-id")
        return (
            super()
            .get_queryset(request)
            .annotate(
                last_trigger=Subquery(last.values("trigger")[:1]), last_at=Subquery(last.values("created_at")[:1])
            )
        )

    def list_buttons(self, request: HttpRequest) -> list[dict]:
        return [{"title": "Machine", "icon": "schema", "link": reverse("admin:engagement_machine")}]

    def extra_buttons(self, request: HttpRequest, obj: UserEngagementState) -> list[dict]:
        if not request.user.has_perm("groups.view_member"):
            return []
        link = reverse("admin:groups_member_engagement", args=[obj.user_id])
        return [{"title": "Member", "icon": "person", "link": link}]

    @display(description="Member")
    def member(self, state: UserEngagementState) -> str:
        return link_to(state, str(state.user)) if state.pk else ""

    @display(description="State")
    def state_shown(self, state: UserEngagementState) -> str:
        return badge(state.get_state_display(), STATE[state.state])

    @display(description="Why")
    def why(self, state: UserEngagementState) -> str:
        return Trigger(state.last_trigger).label if state.last_trigger else "Everyone begins here"

    @display(description="Since")
    def since(self, state: UserEngagementState) -> str:
        return format_datetime(state.last_at or state.created_at)

    @display(description="Last active")
    def last_active(self, state: UserEngagementState) -> str:
        return format_datetime(state.last_activity_at)

    @display(description="Next by itself")
    def next_date(self, state: UserEngagementState) -> str:
        if state.goodbye_expires_at:
            return f"Dormant without an answer until {format_datetime(state.goodbye_expires_at)}"
        if state.remind_at:
            return f"Left until {format_datetime(state.remind_at)}, then dormant"
        return ""

    @display(description="Possible moves")
    def next_moves(self, state: UserEngagementState) -> str:
        moves = possible(state.state)
        shown = ", ".join(Trigger(each).label for each in moves)
        if Trigger.INACTIVITY_14D in moves and (blocked := why_no_goodbye(state.user)):
            return f"{shown}. No goodbye would be sent: {blocked}"
        return shown


@admin.register(EngagementStateTransition)
class TransitionAdmin(ReadOnlyModelAdmin):
    """Every move of every member; a record no one can change."""

    search = MemberSearch()
    search_help_text = "Name, e-mail or stable ID of a member"
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
    empty_text = ("No one has moved yet", "Every move through the machine is written down here by itself.")
    fields = ("member", "move", "why", "when", "details")
    readonly_fields = fields

    @display(description="When")
    def when(self, move: EngagementStateTransition) -> str:
        return format_datetime(move.created_at)

    @display(description="Member")
    def member(self, move: EngagementStateTransition) -> str:
        return link_to(move.user)

    @display(description="Move")
    def move(self, move: EngagementStateTransition) -> str:
        return str(move)

    @display(description="Why")
    def why(self, move: EngagementStateTransition) -> str:
        return move.get_trigger_display()

    @display(description="Details")
    def details(self, move: EngagementStateTransition) -> str:
        return details_of(move)

"""Missions for members: the list with what each asks for, joining, leaving, and their tasks."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from groups.models import Group, Member, Membership, Task
from groups.rules import MAX_JOIN_REQUEST_TEXT, CommunityStatus
from groups.selectors.eligibility import BY_REQUEST, PLACES, join_conditions
from groups.selectors.join_requests import last_request, open_requests
from groups.selectors.missions import list_active_missions
from groups.selectors.places import place_in_line
from groups.selectors.tasks import claimed_tasks, finished_tasks, open_tasks
from groups.services.join_requests import accept_request, decline_request, request_to_join, withdraw_request
from groups.services.memberships import join_mission, leave_mission
from groups.services.tasks import claim_task, complete_task, reopen_task
from groups.services.waiting_list import join_waiting_list
from missionsite.common.errors import DomainError
from missionsite.portal.forms import ServiceErrorsMixin
from missionsite.portal.page import View, current_member, member_page, render_page
from missionsite.portal.texts import MISSIONS_CLOSED, error_message
from missionsite.portal.views import get_entry, status_of

PER_PAGE = 24
# Rows of a part of a page.
SHOWN = 50


class MissionSearchForm(forms.Form):
    """The search of the list. Invalid values are ignored."""

    q = forms.CharField(label=_("Find a mission"), max_length=100, required=False, help_text=_("The first letters."))
    show = forms.ChoiceField(
        label=_("Show"),
        required=False,
        choices=[("", _("All missions")), ("eligible", _("Missions I can join")), ("later", _("Missions for later"))],
    )


class LeaveForm(ServiceErrorsMixin):
    """Why a member leaves; the managers of the mission can read it."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        required=False,
        help_text=_("The managers of the mission can read it."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class MissionNotFound(Exception):
    """There is no such mission or task that the member can see."""


class AskForm(ServiceErrorsMixin):
    """What a member writes with a request to join."""

    message = forms.CharField(
        label=_("Message"),
        max_length=MAX_JOIN_REQUEST_TEXT,
        required=False,
        help_text=_("Why you want to join. The managers of the mission read it."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def missions_page(view: View) -> View:
    """Decorator of a page for members whose entry, if they have one, is active."""

    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        status = status_of(get_entry(current_member(request)))
        if status in ("", CommunityStatus.ACTIVE):
            try:
                return view(request, *args, **kwargs)
            except MissionNotFound:
                return render_page(request, "mission_not_found", {"here": "missions"}, status=404)
        context = {"title": _("Missions"), "reason": MISSIONS_CLOSED[status], "here": "missions"}
        return render_page(request, "closed", context, status=403)

    return member_page(wrapper)


@missions_page
@require_safe
def mission_list(request: HttpRequest) -> HttpResponse:
    """The member's missions, and all active ones with what they ask for."""
    member = current_member(request)
    form = MissionSearchForm(request.GET)
    form.is_valid()
    query = {name: value for name, value in form.cleaned_data.items() if value}
    after = request.GET.get("after", "")
    found = list_active_missions(
        member,
        prefix=query.get("q"),
        eligible={"eligible": True, "later": False}.get(query.get("show", "")),
        after=_position(after),
        at_most=PER_PAGE + 1,
    )
    shown, more = found[:PER_PAGE], len(found) > PER_PAGE
    own = Membership.objects.active().filter(member=member, group__type=Group.Type.MISSION).select_related("group")
    context = {
        "here": "missions",
        "form": form,
        "query": query,
        "filtered": "show" in query,
        "own": list(own[:SHOWN]) if not query and not after else [],
        "waiting": open_requests(member, at_most=SHOWN) if not query and not after else [],
        "rows": shown,
        "score": member.trust_score,
        "first": urlencode(query) if after else None,
        "next": urlencode({**query, "after": shown[-1]["stable_id"]}) if more else "",
    }
    return render_page(request, "missions", context)


def _position(stable_id: str) -> tuple | None:
    """The sort key of the last mission of the page before."""
    return (
        Group.objects.missions().filter(stable_id=stable_id[:20]).values_list("min_trust_score", "name", "id").first()
    )


@missions_page
@require_safe
def mission_detail(request: HttpRequest, mission_id: str) -> HttpResponse:
    """The page of one mission."""
    return _render(request, _visible(current_member(request), mission_id))


@missions_page
@require_POST
def join(request: HttpRequest, mission_id: str) -> HttpResponse:
    """Join a mission."""
    member, mission = current_member(request), _visible(current_member(request), mission_id)
    return _change(
        request,
        mission,
        lambda: join_mission(actor=member, member=member, mission=mission, own=True),
        _("You are now a member of this mission."),
    )


@missions_page
@require_POST
def ask(request: HttpRequest, mission_id: str) -> HttpResponse:
    """Ask to join a mission."""
    member, mission = current_member(request), _visible(current_member(request), mission_id)
    form = AskForm(request.POST)
    if not form.is_valid():
        return _render(request, mission, form=form, status=422)
    return _change(
        request,
        mission,
        lambda: request_to_join(actor=member, mission=mission, message=form.cleaned_data["message"]),
        _("Your request was sent. You get an e-mail when it is decided."),
    )


@missions_page
@require_POST
def wait(request: HttpRequest, mission_id: str) -> HttpResponse:
    """Enter the waiting list of a full mission."""
    member, mission = current_member(request), _visible(current_member(request), mission_id)
    return _change(
        request,
        mission,
        lambda: join_waiting_list(actor=member, mission=mission),
        _("You are on the waiting list. You get an e-mail when a place is free."),
    )


# What members do with their requests and invitations, by the last part of the address, with the message afterwards.
ANSWERS: dict[str, tuple[Callable[..., object], Promise]] = {
    "accept": (accept_request, _("You are now a member of this mission.")),
    "decline": (decline_request, _("You declined.")),
    "withdraw": (withdraw_request, _("Your request was withdrawn.")),
    "stop-waiting": (withdraw_request, _("You left the waiting list.")),
}


@missions_page
@require_POST
def answer(request: HttpRequest, mission_id: str, action: str) -> HttpResponse:
    """Accept or decline an invitation, or withdraw a request."""
    member, mission = current_member(request), _visible(current_member(request), mission_id)
    found = last_request(member, mission)
    if found is None or action not in ANSWERS:
        raise MissionNotFound
    run, message = ANSWERS[action]
    return _change(request, mission, lambda: run(actor=member, request=found, own=True), message)


@missions_page
@require_POST
def leave(request: HttpRequest, mission_id: str) -> HttpResponse:
    """Leave a mission."""
    member, mission = current_member(request), _visible(current_member(request), mission_id)
    form = LeaveForm(request.POST)
    if not form.is_valid():
        return _render(request, mission, form=form, status=422)
    return _change(
        request,
        mission,
        lambda: leave_mission(actor=member, member=member, mission=mission, reason=form.cleaned_data["reason"]),
        _("You left this mission. You can join it again."),
    )


# What members do with a task, by the last part of the address, with the message afterwards.
TASK_ACTIONS: dict[str, tuple[Callable[[Member, Task], object], Promise]] = {
    "claim": (
        lambda member, task: claim_task(actor=member, member=member, task=task),
        _("The task is yours. Finish it here when it is done."),
    ),
    "finish": (
        lambda member, task: complete_task(actor=member, task=task, own=True),
        _("The task is finished. Its points were added to your trust score."),
    ),
    "return": (
        lambda member, task: reopen_task(actor=member, task=task, own=True),
        _("The task is open again for other members."),
    ),
}


@missions_page
@require_POST
def task_action(request: HttpRequest, mission_id: str, task_id: str, action: str) -> HttpResponse:
    """Claim, finish or return a task."""
    member, mission = current_member(request), _visible(current_member(request), mission_id)
    task = Task.objects.filter(group=mission.pk, stable_id=task_id).first()
    if task is None or action not in TASK_ACTIONS:
        raise MissionNotFound
    run, message = TASK_ACTIONS[action]
    return _change(request, mission, lambda: run(member, task), message)


def _visible(member: Member, mission_id: str) -> Group:
    """Return an active mission, or an archived one of the member. Raises MissionNotFound."""
    found = Group.objects.missions().with_counts().select_related("parent_group").filter(stable_id=mission_id).first()
    if found is None or (found.is_archived and not found.memberships.filter(member=member).exists()):
        raise MissionNotFound
    return found


def _change(request: HttpRequest, mission: Group, run: Callable[[], object], message: Promise) -> HttpResponse:
    """Run a service and return to the page of the mission; with its error on the page, if it raises one."""
    try:
        run()
    except DomainError as error:
        return _render(request, mission, error=error_message(error), status=error.status)
    messages.success(request, str(message))
    return redirect("portal:mission", mission_id=mission.stable_id)


def _render(
    request: HttpRequest,
    mission: Group,
    *,
    form: forms.Form | None = None,
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    member = current_member(request)
    # The score may have changed in this request.
    score = Member.objects.values_list("trust_score", flat=True).get(pk=member.pk)
    member.trust_score = score
    membership = Membership.objects.active().filter(member=member, group=mission.pk).first()
    conditions = join_conditions(member, mission)
    missing = {condition.code for condition in conditions if not condition.is_met}
    join_request = last_request(member, mission)
    context: dict[str, Any] = {
        "here": "missions",
        "mission": mission,
        "membership": membership,
        "score": score,
        "conditions": conditions,
        "can_join": not missing,
        "can_ask": missing in ({BY_REQUEST}, {BY_REQUEST, PLACES}),
        "can_wait": missing == {PLACES},
        "open_tasks": [] if mission.is_archived else open_tasks(mission, at_most=SHOWN),
        "claimed_tasks": claimed_tasks(mission, member),
        "finished_tasks": finished_tasks(mission, member, at_most=SHOWN),
        "join_request": join_request,
        "position": place_in_line(join_request) if join_request and join_request.is_in_line else 0,
        "form": form or (LeaveForm() if membership else AskForm()),
        "error": error,
    }
    return render_page(request, "mission", context, status=status)

"""The board of a project: Todo with its Fallback area, Doing, Review, Done."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from fallback.admin.base import member_of, rights_of
from fallback.admin.formats import (
    format_acceptance,
    format_backlog,
    format_effort,
    format_last_check,
    format_schedule,
    format_skipped,
    format_status,
    format_template_state,
    quota_context,
)
from fallback.models import Mission, MissionFallbackConfig, MissionFallbackRun, MissionFallbackTemplate, Project
from fallback.models.choices import List
from fallback.rules import STALE_LISTS
from fallback.selectors.counts import count_up_to
from fallback.selectors.guardrails import guardrails_of
from fallback.selectors.items import items_to_review
from fallback.selectors.missions import CARDS, MOST_CARDS, BoardList, backlogs_of, board_list, without_movement
from fallback.selectors.planning import templates_in_turn
from fallback.selectors.rights import Right
from fallback.selectors.similar import similar_missions
from fallback.selectors.template_states import TemplateState, template_states
from fallback.services.missions import move_mission, set_ready
from fallback.services.runs import launch_template
from missionsite.common.admin.actions import post_action, valid_values
from missionsite.common.admin.form_keys import FormResult, run_once
from missionsite.common.admin.formats import format_datetime
from missionsite.common.admin.table import address_of
from missionsite.common.live import stream

_NUMBER = re.compile(r"[0-9]{1,4}")


class CardMoveForm(forms.Form):
    """The new position of a card: before or after another one, or at one end of the list."""

    list = forms.ChoiceField(choices=List)
    before = forms.CharField(max_length=26, required=False)
    after = forms.CharField(max_length=26, required=False)
    position = forms.ChoiceField(choices=[("top", _("Top")), ("bottom", _("Bottom"))], required=False)
    # The user has confirmed to move a mission with open dependencies.
    confirmed = forms.BooleanField(required=False)


def board_view(request: HttpRequest, project_id: str) -> HttpResponse:
    """The board of a project; only its columns for `X-Fragment: board`. `?show=stale`: only cards without movement."""
    project = _project(request, project_id)
    rights, at = rights_of(request), timezone.now()
    config = MissionFallbackConfig.objects.filter(project=project).first()
    rails = guardrails_of([project], at)[project.pk]
    only_stale = request.GET.get("show") == "stale"
    may_move = rights.allows(Right.CONTRIBUTE, project)
    shown = _shown(request)
    columns = [_column(project, key, at, only_stale=only_stale, cards=shown.get(key, CARDS)) for key in List]
    stale = Mission.objects.filter(without_movement(at), project=project).count()
    is_open = not project.is_archived
    waiting = items_to_review(rights.project_filter(Right.VIEW, path="project__"), at=at).filter(project=project)
    number, text = count_up_to(waiting)
    context = {
        "title": project.name,
        "subtitle": gettext("Board"),
        "project": {
            "id": project.pk,
            "name": project.name,
            "organization": project.organization.name,
            "url": reverse("admin:fallback_project_change", args=[project.pk]),
        },
        "may_move": may_move,
        "stale": stale,
        "only_stale": only_stale,
        "stale_days": project.stale_after_days,
        "may_launch": is_open and rights.allows(Right.REVIEW, project),
        "may_add": is_open and rights.allows(Right.CONTRIBUTE, project),
        "add_url": f"{reverse('admin:fallback_mission_add')}?project={project.pk}",
        "columns": columns,
        "templates": _templates(project, at),
        "waiting": number,
        "waiting_text": text,
        "review_url": f"{reverse('admin:fallback_review')}?project={project.pk}",
        "health": {
            "backlog_text": format_backlog(*backlogs_of([project.pk]).get(project.pk, (None, None))),
            "week": quota_context(rails.week),
            "month": quota_context(rails.month),
            "status_text": format_status(config, at),
            "next_check_text": capfirst(format_last_check(config)) if config else "",
        },
        "events_url": reverse("admin:fallback_board_events", args=[project.pk]),
        "empty_text": {
            "title": gettext("The board is empty"),
            "text": gettext("Add a mission, or launch one from a template in the Fallback area."),
        }
        if not (only_stale or any(column["cards"] for column in columns))
        else None,
    }
    request.current_app = admin.site.name
    if request.headers.get("X-Fragment") == "board":
        return TemplateResponse(request, "fallback/_board.html", context)
    return TemplateResponse(request, "fallback/board.html", {**admin.site.each_context(request), **context})


def events_view(request: HttpRequest, project_id: str) -> HttpResponseBase:
    """Stream the events of a project's runs and missions."""
    project = _project(request, project_id)
    return stream(request, channels=[f"project:{project.pk}:fallback", f"project:{project.pk}:board"])


def _board_of(project_id: str) -> str:
    return reverse("admin:fallback_board", args=[project_id])


def _board_of_mission(mission_id: str) -> str:
    return _board_of(Mission.objects.values_list("project_id", flat=True).get(pk=mission_id))


def _board_of_template(template_id: str) -> str:
    return _board_of(MissionFallbackTemplate.objects.values_list("project_id", flat=True).get(pk=template_id))


@post_action(back=_board_of_mission)
def move_view(request: HttpRequest, mission_id: str) -> FormResult:
    """Move a card to a position in a list."""
    mission = _mission(request, mission_id)
    values = valid_values(CardMoveForm(request.POST), with_label=True)
    moved = move_mission(
        actor=member_of(request),
        mission=mission,
        to=values["list"],
        before=values["before"],
        after=values["after"],
        first=values["position"] == "top",
        unless_blocked=not values["confirmed"],
    )
    message = gettext("{mission} moved to {list}.").format(mission=moved.title, list=moved.get_list_display())
    if mission.list != moved.list and (warning := _limit_warning(board_list(moved.project, moved.list), moved.list)):
        message = f"{message} {warning}"
    return FormResult(_board_of(moved.project_id), message, facts={"id": moved.pk})


def _limit_warning(found: BoardList, key: str) -> str:
    if not found.is_over_limit:
        return ""
    return gettext("{list} has {number} missions, more than its limit of {limit}.").format(
        list=List(key).label, number=found.text, limit=found.limit
    )


@require_GET
def similar_view(request: HttpRequest) -> HttpResponse:
    """Open missions with a similar title in a project of the user, as JSON. own: the mission that is edited."""
    given = {name: request.GET.get(name, "")[:500].replace("\x00", "") for name in ("project", "own", "title")}
    visible = Mission.objects.filter(rights_of(request).project_filter(Right.VIEW, path="project__"))
    own = visible.filter(pk=given["own"]).values_list("project_id", flat=True).first()
    missions = visible.filter(project=own or given["project"]).exclude(pk=given["own"])
    results = [
        {
            "title": each.title,
            "list": each.get_list_display(),
            "url": reverse("admin:fallback_mission_change", args=[each.pk]),
        }
        for each in similar_missions(missions, given["title"])
    ]
    return JsonResponse({"results": results})


@post_action(back=_board_of_mission)
def ready_view(request: HttpRequest, mission_id: str) -> FormResult:
    """Mark a mission as ready or not ready."""
    mission = _mission(request, mission_id)
    ready = request.POST.get("ready") == "1"
    set_ready(actor=member_of(request), mission=mission, ready=ready)
    message = gettext("{mission} marked as ready.") if ready else gettext("{mission} marked as not ready.")
    return FormResult(_board_of(mission.project_id), message.format(mission=mission.title), facts={"id": mission.pk})


@post_action(back=_board_of_template)
def launch_view(request: HttpRequest, template_id: str) -> FormResult:
    """Create a mission from a template."""
    rights = rights_of(request)
    template = (
        MissionFallbackTemplate.objects.filter(rights.project_filter(Right.VIEW, path="project__"), pk=template_id)
        .select_related("project__organization")
        .first()
    )
    if template is None:
        raise Http404(gettext("Template not found."))
    rights.check(Right.REVIEW, template.project)

    def save() -> FormResult:
        mission = launch_template(actor=member_of(request), template=template)
        address = reverse("admin:fallback_mission_change", args=[mission.pk])
        message = gettext("{mission} added to Todo.").format(mission=mission.title)
        ignored = format_skipped(MissionFallbackRun.objects.get(items__mission=mission).skipped)
        return FormResult(address, " ".join([message, *(f"{each['guardrail']}: {each['text']}" for each in ignored)]))

    saved = run_once(request, save)
    return saved._replace(location=_board_of(template.project_id), facts={"mission_url": saved.location})


def _shown(request: HttpRequest) -> dict[str, int]:
    """The number of cards by list that the page shows: `todo=50,done=100` in X-Cards; it grows as lists scroll."""
    pairs = [pair.partition("=") for pair in request.headers.get("X-Cards", "")[:200].split(",")]
    return {key: min(max(int(number), CARDS), MOST_CARDS) for key, _sign, number in pairs if _NUMBER.fullmatch(number)}


def _column(project: Project, key: List, at: datetime, *, only_stale: bool, cards: int) -> dict:
    found = board_list(project, key, stale_at=at if only_stale else None, cards=cards)
    filters = urlencode({"project__id__exact": project.pk, "list__exact": key})
    more = f"{reverse('admin:fallback_mission_changelist')}?{filters}"
    return {
        "key": str(key),
        "title": key.label,
        "count": found.text,
        "limit": found.limit,
        "is_over_limit": found.is_over_limit,
        "warning": _limit_warning(found, key),
        "more_url": more if len(found.cards) == cards else "",
        "may_grow": cards < MOST_CARDS,
        "cards": [_card(mission, _still_days(mission, project, at)) for mission in found.cards],
    }


def _still_days(mission: Mission, project: Project, at: datetime) -> int:
    """The days without movement of a mission that is marked for them; 0 for any other."""
    if mission.list not in STALE_LISTS or mission.last_event_at is None:
        return 0
    days = (at - mission.last_event_at).days
    return days if at - mission.last_event_at > timedelta(days=project.stale_after_days) else 0


def _card(mission: Mission, still_days: int) -> dict:
    actor, repository = (each.name if each else "" for each in (mission.actor, mission.repository))
    return {
        "id": mission.pk,
        "title": mission.title,
        "priority": mission.priority,
        "priority_text": mission.get_priority_display(),
        "ready": mission.ready,
        "blocked": mission.open_dependency_count,
        "still_days": still_days,
        "origin": mission.origin,
        "work_text": gettext("{actor} in {repository}").format(actor=actor, repository=repository)
        if actor and repository
        else actor or repository,
        "stage": mission.stage,
        "review_status": mission.review_status or "",
        "url": address_of("admin:fallback_mission_change", mission.pk),
        "menu_url": address_of("admin:fallback_mission_move", mission.pk),
        "move_url": address_of("admin:fallback_mission_position", mission.pk),
        "ready_url": address_of("admin:fallback_mission_ready_now", mission.pk),
    }


def _templates(project: Project, at: datetime) -> list[dict]:
    states = template_states(project, at)
    return [_template(template, states[template.pk]) for template in templates_in_turn(project)]


def _template(template: MissionFallbackTemplate, state: TemplateState) -> dict:
    return {
        "id": template.pk,
        "name": template.name,
        "description": template.description,
        "effort_text": format_effort(template.estimated_effort_minutes),
        "priority_text": template.get_priority_display(),
        "actor": template.actor.name,
        "flow": template.flow.name,
        "repository": template.repository.name,
        "acceptance_text": format_acceptance(template),
        "schedule_text": format_schedule(template) if template.schedule else "",
        "waits_text": format_template_state(template, state),
        "last_used": gettext("last used {when}").format(when=format_datetime(template.last_used_at))
        if template.last_used_at
        else "",
        "launch_url": reverse("admin:fallback_template_launch_now", args=[template.pk]),
        "url": reverse("admin:fallback_missionfallbacktemplate_change", args=[template.pk]),
    }


def _project(request: HttpRequest, pk: str) -> Project:
    rights = rights_of(request)
    if not rights.in_any_project(Right.VIEW):
        raise PermissionDenied
    project = rights.projects().select_related("organization").filter(pk=pk).first()
    if project is None:
        raise Http404(gettext("Project not found."))
    return project


def _mission(request: HttpRequest, pk: str) -> Mission:
    """A mission that the user may edit. Raises Http404, NotAllowed."""
    rights = rights_of(request)
    mission = (
        Mission.objects.filter(rights.project_filter(Right.VIEW, path="project__"), pk=pk)
        .select_related("project__organization")
        .first()
    )
    if mission is None:
        raise Http404(gettext("Mission not found."))
    rights.check(Right.CONTRIBUTE, mission.project)
    return mission

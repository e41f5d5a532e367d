"""The review page of open proposals of all projects."""

from __future__ import annotations

from datetime import datetime

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from fallback.admin.base import member_of, rights_of
from fallback.admin.formats import (
    format_acceptance,
    format_backlog,
    format_effort,
    format_run,
    format_skipped,
    format_status,
    quota_context,
)
from fallback.models import Mission, MissionFallbackConfig, MissionFallbackItem, MissionFallbackTemplate, Project
from fallback.models.choices import DiscardReason, Priority, RunStatus
from fallback.rules import UNDO_WINDOW
from fallback.selectors.counts import count_up_to
from fallback.selectors.guardrails import guardrails_of
from fallback.selectors.items import items_to_review, projects_to_review
from fallback.selectors.missions import backlogs_of
from fallback.selectors.rights import Right, Rights
from fallback.selectors.runs import latest_runs, projects_with_skipped_templates
from missionsite.common.admin.formats import format_datetime
from missionsite.common.admin.table import address_of
from missionsite.common.live import stream

PER_PAGE = 50
# What the script replaces with the id and the title of a proposal.
COPIED, COPIED_TITLE = "PROPOSAL", "TITLE"
DECIDED_SHOWN = 10


def review_view(request: HttpRequest) -> HttpResponse:
    """Open proposals of all visible projects; only the list for `X-Fragment: proposals`."""
    if not rights_of(request).in_any_project(Right.VIEW):
        raise PermissionDenied
    context = _review_context(request)
    request.current_app = admin.site.name
    if request.headers.get("X-Fragment") == "proposals":
        return TemplateResponse(request, "fallback/_proposals.html", context)
    return TemplateResponse(request, "fallback/review.html", {**admin.site.each_context(request), **context})


def _review_context(request: HttpRequest) -> dict:
    at, rights = timezone.now(), rights_of(request)
    filters = {
        "project": request.GET.get("project", "")[:26].replace("\x00", ""),
        "q": request.GET.get("q", "")[:200].replace("\x00", "").strip(),
        "show": "snoozed" if request.GET.get("show") == "snoozed" else "waiting",
    }
    visible = rights.project_filter(Right.VIEW, path="project__")
    chosen = items_to_review(visible, at=at, snoozed=filters["show"] == "snoozed")
    if filters["project"]:
        chosen = chosen.filter(project=filters["project"])
    if filters["q"]:
        chosen = chosen.filter(Q(title__icontains=filters["q"]) | Q(description__icontains=filters["q"]))
    page = _page_number(request)
    start = (page - 1) * PER_PAGE
    related = ("project__organization", "flow", "actor", "repository", "run")
    items = list(chosen.select_related(*related)[start : start + PER_PAGE + 1])
    more, items = len(items) > PER_PAGE, items[:PER_PAGE]
    groups = _project_groups(
        request, items, visible, at, with_skipped=page == 1 and filters["show"] == "waiting", **filters
    )
    return {
        "title": gettext("Review proposals"),
        "filters": filters,
        "project_choices": projects_to_review(visible, at=at),
        "counts": {
            "waiting": count_up_to(items_to_review(visible, at=at))[1],
            "snoozed": count_up_to(items_to_review(visible, at=at, snoozed=True))[1],
        },
        "events_url": reverse("admin:fallback_review_events"),
        "bulk_accept_url": reverse("admin:fallback_review_accept"),
        "bulk_discard_url": reverse("admin:fallback_review_discard"),
        "mission_choices_url": reverse("admin:fallback_review_missions"),
        "reasons": DiscardReason.of_reviewers(),
        "priorities": Priority.choices,
        "groups": groups,
        # The forms of a proposal, which the script copies and completes.
        "copied": {"id": COPIED, "title": COPIED_TITLE, **_addresses(COPIED)}
        if rights.in_any_project(Right.REVIEW)
        else None,
        "open_link": f"{_page_link(filters, page)}&open=",
        "decided": _recent_decisions(request, at),
        "empty_text": _empty_text(filters),
        "page_links": {
            "previous": _page_link(filters, page - 1) if page > 1 else "",
            "next": _page_link(filters, page + 1) if more else "",
        },
    }


def _project_groups(
    request: HttpRequest,
    items: list[MissionFallbackItem],
    visible: Q,
    at: datetime,
    *,
    with_skipped: bool,
    project: str,
    q: str,
    show: str,
) -> list[dict]:
    """Proposals by project, then projects whose latest run skipped templates."""
    ids = list(dict.fromkeys(item.project_id for item in items))
    if with_skipped and not q:
        skipped = [pk for pk in projects_with_skipped_templates(visible, at=at) if not project or pk == project]
        ids += [pk for pk in skipped if pk not in ids]
    projects = Project.objects.select_related("organization").in_bulk(ids)
    configs = {config.project_id: config for config in MissionFallbackConfig.objects.filter(project__in=ids)}
    rails, runs, backlogs = guardrails_of(projects.values(), at), latest_runs(ids), backlogs_of(ids)
    used = {item.template_id for item in items}
    templates = MissionFallbackTemplate.objects.filter(pk__in=used).with_record().in_bulk()
    rights = rights_of(request)
    groups = []
    for pk in ids:
        of_project = projects[pk]
        groups.append(
            {
                "project": {
                    "id": pk,
                    "name": of_project.name,
                    "organization": of_project.organization.name,
                    "url": reverse("admin:fallback_project_change", args=[pk]),
                    "board_url": reverse("admin:fallback_board", args=[pk]),
                },
                "status_text": format_status(configs.get(pk), at),
                "backlog_text": format_backlog(*backlogs.get(pk, (None, None))),
                "week": quota_context(rails[pk].week),
                "month": quota_context(rails[pk].month),
                "may_review": rights.allows(Right.REVIEW, of_project),
                "skipped": format_skipped(runs[pk].skipped if pk in runs else []),
                "proposals": [
                    _proposal_context(item, templates[item.template_id], request.GET.get("open", ""))
                    for item in items
                    if item.project_id == pk
                ],
            }
        )
    return groups


def _proposal_context(item: MissionFallbackItem, template: MissionFallbackTemplate, opened: str) -> dict:
    """opened: the proposal whose forms are shown without JavaScript."""
    return {
        "id": item.pk,
        "is_open": item.pk == opened,
        "title": item.title,
        "description": item.description,
        "priority": item.priority,
        "priority_text": item.get_priority_display(),
        "minutes": item.estimated_effort_minutes,
        "effort_text": format_effort(item.estimated_effort_minutes),
        "flow": item.flow.name,
        "actor": item.actor.name,
        "repository": item.repository.name,
        "template": {
            "name": template.name,
            "url": address_of("admin:fallback_missionfallbacktemplate_change", template.pk),
            "acceptance_text": format_acceptance(template),
        },
        "run": {
            "url": address_of("admin:fallback_missionfallbackrun_change", item.run_id),
            "text": format_run(item.run),
        },
        "created_at": item.created_at,
        "snoozed_until": item.snoozed_until,
        **_addresses(item.pk),
    }


def _addresses(pk: str) -> dict[str, str]:
    """The addresses of the decisions on a proposal."""
    return {
        f"{name}_url": address_of(f"admin:fallback_item_{name}", pk)
        for name in ("accept", "discard", "snooze", "duplicate", "unsnooze")
    }


def _recent_decisions(request: HttpRequest, at: datetime) -> list[dict]:
    """The user's latest decisions that can still be undone."""
    items = (
        MissionFallbackItem.objects.filter(reviewed_by=member_of(request), reviewed_at__gte=at - UNDO_WINDOW)
        .exclude(run__status=RunStatus.CANCELLED)
        .order_by("-reviewed_at")
        .select_related("project")[:DECIDED_SHOWN]
    )
    rights = rights_of(request)
    return [
        {
            "id": item.pk,
            "title": item.title,
            "text": gettext("{decision} in {project}, {when}").format(
                decision=item.get_status_display(),
                project=item.project.name,
                when=format_datetime(item.reviewed_at),
            ),
            "undo_url": reverse("admin:fallback_item_undo", args=[item.pk]),
        }
        for item in items
        if rights.allows(Right.REVIEW, item.project)
    ]


def _empty_text(filters: dict) -> dict:
    if filters["project"] or filters["q"]:
        return {"title": gettext("No matches"), "text": gettext("No proposal matches this filter.")}
    if filters["show"] == "snoozed":
        return {
            "title": gettext("No snoozed proposals"),
            "text": gettext("Snoozed proposals return to the review automatically."),
        }
    return {
        "title": gettext("No proposals to review"),
        "text": gettext("New proposals appear here when a project runs low on ready missions."),
    }


def _page_link(filters: dict, page: int) -> str:
    return "?" + urlencode({**{name: value for name, value in filters.items() if value}, "p": page})


def _page_number(request: HttpRequest) -> int:
    try:
        return min(max(int(request.GET.get("p", 1)), 1), 10_000)
    except ValueError:
        return 1


def events_view(request: HttpRequest) -> HttpResponseBase:
    """Stream the events of runs of all visible projects."""
    rights = rights_of(request)
    if not rights.in_any_project(Right.VIEW):
        raise PermissionDenied
    if Right.VIEW in rights.in_every_project:
        return stream(request, channels=["fallback"])

    def accepts(channel: str, payload: dict) -> bool:
        # Read again: the user may have left a project since the page was opened.
        return Rights(member_of(request)).projects().filter(pk=payload.get("projectId", "")).exists()

    return stream(request, channels=["fallback"], accepts=accepts)


@require_GET
def missions_view(request: HttpRequest) -> HttpResponse:
    """Missions of a project whose title contains a text, newest first; the choices of a duplicate."""
    visible = rights_of(request).project_filter(Right.VIEW, path="project__")
    project = request.GET.get("project", "")[:26].replace("\x00", "")
    term = request.GET.get("q", "")[:200].replace("\x00", "").strip()
    missions = Mission.objects.filter(visible, project=project)
    if term:
        missions = missions.filter(Q(title__icontains=term) | Q(pk=term.upper()))
    found = missions.order_by("-created_at", "-id")[:20]
    return JsonResponse(
        {"results": [{"id": each.pk, "text": f"{each.title} · {each.get_list_display()}"} for each in found]}
    )

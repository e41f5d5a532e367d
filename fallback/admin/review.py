"""The review page of proposals of all projects, with its actions."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse, reverse_lazy
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from fallback.admin.base import ITEM, KeySearch, ReadOnlyProjectModelAdmin, VisibleRelatedFilter, rights_of
from fallback.admin.formats import (
    format_acceptance,
    format_backlog,
    format_effort,
    format_instant,
    format_run,
    format_skipped,
    format_status,
    quota_context,
)
from fallback.admin.responses import answer_errors, error_response, invalid_form_response, success_response
from fallback.models import Mission, MissionFallbackConfig, MissionFallbackItem, MissionFallbackTemplate, Project
from fallback.models.choices import DiscardReason, Priority, RunStatus
from fallback.selectors.counts import count_up_to
from fallback.selectors.items import items_to_review, projects_to_review
from fallback.selectors.missions import backlogs_of
from fallback.selectors.runs import latest_runs, projects_with_skipped_templates
from fallback.services import review
from fallback.services.guardrails import guardrails_of
from fallback.services.rights import Right, Rights
from missionsite.common.admin.formats import badge, link_to
from missionsite.common.errors import DomainError
from missionsite.common.live import stream

PER_PAGE = 50
DECIDED_SHOWN = 10
BULK = 200
BACK = reverse_lazy("admin:fallback_review")


class EditForm(forms.Form):
    """The fields that a reviewer may edit before accepting."""

    title = forms.CharField(max_length=500)
    description = forms.CharField(max_length=50_000, required=False)
    priority = forms.TypedChoiceField(choices=Priority, coerce=int)
    estimated_effort_minutes = forms.IntegerField(label="Estimated effort", min_value=1, max_value=100_000)


class DiscardForm(forms.Form):
    reason = forms.ChoiceField(choices=[("", ""), *DiscardReason.choices], required=False)
    feedback = forms.CharField(max_length=5_000, required=False)


class SnoozeForm(forms.Form):
    """A date and time, or one of the presets."""

    PRESETS = {"tomorrow": timedelta(days=1), "3days": timedelta(days=3), "week": timedelta(days=7)}

    until = forms.CharField(max_length=40)

    def clean_until(self) -> datetime:
        given = self.cleaned_data["until"]
        if given in self.PRESETS:
            morning = timezone.localtime() + self.PRESETS[given]
            return morning.replace(hour=9, minute=0, second=0, microsecond=0)
        try:
            until = datetime.fromisoformat(given)
        except ValueError:
            raise forms.ValidationError("Choose a day and a time.") from None
        if not 2000 <= until.year <= 9000:
            raise forms.ValidationError("Choose an earlier date.")
        return until if until.tzinfo else timezone.make_aware(until)


class DuplicateForm(forms.Form):
    mission = forms.CharField(max_length=26, error_messages={"required": "Choose the duplicated mission."})
    feedback = forms.CharField(max_length=5_000, required=False)


@admin.register(MissionFallbackItem)
class ItemAdmin(ReadOnlyProjectModelAdmin):
    """The list of all proposals, and the review page of the open ones."""

    search = KeySearch()
    list_display = ("title", "project_link", "state", "template_link", "effort", "reviewer", "why", "created_at")
    list_select_related = ("project", "template", "reviewed_by")
    list_filter = (("status", ChoicesDropdownFilter), ("project", VisibleRelatedFilter))
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("project_link", "title", "description", ("state", "mission_link"))}),
        ("Work", {"fields": (("flow", "actor"), "repository", ("priority", "estimated_effort_minutes"))}),
        ("Decision", {"fields": (("reviewer", "reviewed_at"), "why", "duplicate_of", "snoozed_until")}),
        ("Origin", {"fields": (("template_link", "run_link"), "created_at")}),
    )
    empty_text = ("No proposals yet", "Proposals are made when a project runs low on ready missions.")

    def get_urls(self) -> list:
        view = self.admin_site.admin_view
        actions = (
            ("accept", accept_view),
            ("discard", discard_view),
            ("snooze", snooze_view),
            ("unsnooze", unsnooze_view),
            ("duplicate", duplicate_view),
            ("undo", undo_view),
        )
        return [
            path("review/", view(review_view), name="fallback_review"),
            path("review/events/", view(events_view), name="fallback_review_events"),
            path("review/missions/", view(missions_view), name="fallback_review_missions"),
            path("review/accept/", view(bulk_accept_view), name="fallback_review_accept"),
            path("review/discard/", view(bulk_discard_view), name="fallback_review_discard"),
            *(path(f"<str:item_id>/{name}/", view(action), name=f"fallback_item_{name}") for name, action in actions),
            *super().get_urls(),
        ]

    @display(description="Project")
    def project_link(self, item: MissionFallbackItem) -> str:
        return link_to(item.project)

    @display(description="Template")
    def template_link(self, item: MissionFallbackItem) -> str:
        return link_to(item.template)

    @display(description="Run")
    def run_link(self, item: MissionFallbackItem) -> str:
        return link_to(item.run, format_run(item.run))

    @display(description="Mission")
    def mission_link(self, item: MissionFallbackItem) -> str:
        return link_to(item.mission)

    @display(description="Effort")
    def effort(self, item: MissionFallbackItem) -> str:
        return format_effort(item.estimated_effort_minutes)

    @display(description="Decision")
    def state(self, item: MissionFallbackItem) -> str:
        return badge(item.get_status_display(), ITEM[item.status])

    @display(description="Decided by")
    def reviewer(self, item: MissionFallbackItem) -> str:
        return link_to(item.reviewed_by)

    @display(description="Why")
    def why(self, item: MissionFallbackItem) -> str:
        return item.feedback or item.get_reason_display() or ""


# --- The page ---------------------------------------------------------------------------------


def review_view(request: HttpRequest) -> HttpResponse:
    """Open proposals of all visible projects; only the list for `X-Fragment: proposals`."""
    if not rights_of(request).in_any_project(Right.VIEW):
        raise PermissionDenied
    context = _page(request)
    request.current_app = admin.site.name
    if request.headers.get("X-Fragment") == "proposals":
        return TemplateResponse(request, "fallback/_proposals.html", context)
    return TemplateResponse(request, "fallback/review.html", {**admin.site.each_context(request), **context})


def _page(request: HttpRequest) -> dict:
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
    page = _number(request)
    start = (page - 1) * PER_PAGE
    related = ("project__organization", "flow", "actor", "repository", "run")
    items = list(chosen.select_related(*related)[start : start + PER_PAGE + 1])
    more, items = len(items) > PER_PAGE, items[:PER_PAGE]
    groups = _groups(request, items, visible, at, with_skipped=page == 1 and filters["show"] == "waiting", **filters)
    return {
        "title": "Review proposals",
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
        "reasons": [(code, label) for code, label in DiscardReason.choices if code != DiscardReason.RUN_CANCELLED],
        "priorities": Priority.choices,
        "groups": groups,
        "decided": _decided(request, at),
        "empty_text": _empty_text(filters),
        "page_links": {
            "previous": _link(filters, page - 1) if page > 1 else "",
            "next": _link(filters, page + 1) if more else "",
        },
    }


def _groups(request, items, visible, at, *, with_skipped, project, q, show) -> list[dict]:
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
                "proposals": [_proposal(item, templates[item.template_id]) for item in items if item.project_id == pk],
            }
        )
    return groups


def _proposal(item: MissionFallbackItem, template: MissionFallbackTemplate) -> dict:
    return {
        "id": item.pk,
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
            "url": reverse("admin:fallback_missionfallbacktemplate_change", args=[template.pk]),
            "acceptance_text": format_acceptance(template),
        },
        "run": {
            "url": reverse("admin:fallback_missionfallbackrun_change", args=[item.run_id]),
            "text": format_run(item.run),
        },
        "created_at": item.created_at,
        "snoozed_until": item.snoozed_until,
        **{
            f"{name}_url": reverse(f"admin:fallback_item_{name}", args=[item.pk])
            for name in ("accept", "discard", "snooze", "duplicate", "unsnooze")
        },
    }


def _decided(request: HttpRequest, at: datetime) -> list[dict]:
    """The user's latest decisions that can still be undone."""
    items = (
        MissionFallbackItem.objects.filter(reviewed_by=request.user, reviewed_at__gte=at - review.UNDO_WINDOW)
        .exclude(run__status=RunStatus.CANCELLED)
        .order_by("-reviewed_at")
        .select_related("project")[:DECIDED_SHOWN]
    )
    rights = rights_of(request)
    return [
        {
            "id": item.pk,
            "title": item.title,
            "text": f"{item.get_status_display()} in {item.project.name}, {format_instant(item.reviewed_at)}",
            "undo_url": reverse("admin:fallback_item_undo", args=[item.pk]),
        }
        for item in items
        if rights.allows(Right.REVIEW, item.project)
    ]


def _empty_text(filters: dict) -> dict:
    if filters["project"] or filters["q"]:
        return {"title": "No matches", "text": "No proposal matches this filter."}
    if filters["show"] == "snoozed":
        return {
            "title": "No snoozed proposals",
            "text": "Snoozed proposals return to the review automatically.",
        }
    return {
        "title": "No proposals to review",
        "text": "New proposals appear here when a project runs low on ready missions.",
    }


def _link(filters: dict, page: int) -> str:
    return "?" + urlencode({**{name: value for name, value in filters.items() if value}, "p": page})


def _number(request: HttpRequest) -> int:
    try:
        return min(max(int(request.GET.get("p", 1)), 1), 10_000)
    except ValueError:
        return 1


def events_view(request: HttpRequest) -> HttpResponse:
    """Stream the events of runs of all visible projects."""
    rights = rights_of(request)
    if not rights.in_any_project(Right.VIEW):
        raise PermissionDenied
    if Right.VIEW in rights.in_every_project:
        return stream(request, channels=["fallback"])

    def accepts(channel: str, payload: dict) -> bool:
        # Read again: the user may have left a project since the page was opened.
        return Rights(request.user).projects().filter(pk=payload.get("projectId", "")).exists()

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


# --- Actions ----------------------------------------------------------------------------------


@require_POST
@answer_errors(lambda: str(BACK))
def accept_view(request: HttpRequest, item_id: str) -> HttpResponse:
    """Accept a proposal, with edits if the form has a title."""
    item = _item(request, item_id)
    edits = {}
    if "title" in request.POST:
        form = EditForm(request.POST)
        if not form.is_valid():
            return invalid_form_response(request, form, back=BACK)
        edits = form.cleaned_data
    mission = review.accept_item(item=item, actor=request.user, **edits)
    return _decision(
        request,
        item,
        f"Accepted: {mission.title} added to Todo.",
        mission_url=reverse("admin:fallback_mission_change", args=[mission.pk]),
    )


@require_POST
@answer_errors(lambda: str(BACK))
def discard_view(request: HttpRequest, item_id: str) -> HttpResponse:
    """Discard a proposal, with a reason or feedback."""
    item = _item(request, item_id)
    form = DiscardForm(request.POST)
    if not form.is_valid():
        return invalid_form_response(request, form, back=BACK)
    review.discard_item(item=item, actor=request.user, **form.cleaned_data)
    return _decision(request, item, f"Discarded: {item.title}.")


@require_POST
@answer_errors(lambda: str(BACK))
def duplicate_view(request: HttpRequest, item_id: str) -> HttpResponse:
    """Discard a proposal as a duplicate of a mission."""
    item = _item(request, item_id)
    form = DuplicateForm(request.POST)
    if not form.is_valid():
        return invalid_form_response(request, form, back=BACK)
    mission = Mission.objects.filter(pk=form.cleaned_data["mission"].strip(), project=item.project).first()
    if mission is None:
        message = "No such mission in this project. Choose one from the list."
        return error_response(request, message, back=BACK, field="mission", status=422)
    review.mark_duplicate(item=item, mission=mission, actor=request.user, feedback=form.cleaned_data["feedback"])
    return _decision(request, item, f"Discarded: {item.title} is a duplicate of {mission.title}.")


@require_POST
@answer_errors(lambda: str(BACK))
def snooze_view(request: HttpRequest, item_id: str) -> HttpResponse:
    """Snooze a proposal."""
    item = _item(request, item_id)
    form = SnoozeForm(request.POST)
    if not form.is_valid():
        return invalid_form_response(request, form, back=BACK)
    until = form.cleaned_data["until"]
    review.snooze_item(item=item, until=until, actor=request.user)
    message = f"Snoozed until {format_instant(until)}: {item.title}."
    return success_response(
        request, message, back=BACK, id=item.pk, undo_url=reverse("admin:fallback_item_unsnooze", args=[item.pk])
    )


@require_POST
@answer_errors(lambda: str(BACK))
def unsnooze_view(request: HttpRequest, item_id: str) -> HttpResponse:
    """End the snooze of a proposal."""
    item = _item(request, item_id)
    review.unsnooze_item(item=item, actor=request.user)
    return success_response(request, f"Back in review: {item.title}.", back=BACK, id=item.pk)


@require_POST
@answer_errors(lambda: str(BACK))
def undo_view(request: HttpRequest, item_id: str) -> HttpResponse:
    """Undo the user's own decision."""
    item = _item(request, item_id)
    review.undo_decision(item=item, actor=request.user)
    return success_response(request, f"Undone: {item.title} is back in review.", back=BACK, id=item.pk)


@require_POST
@answer_errors(lambda: str(BACK))
def bulk_accept_view(request: HttpRequest) -> HttpResponse:
    """Accept several proposals, each within its guardrails."""
    return _bulk(request, "accepted", lambda item: review.accept_item(item=item, actor=request.user))


@require_POST
@answer_errors(lambda: str(BACK))
def bulk_discard_view(request: HttpRequest) -> HttpResponse:
    """Discard several proposals for one reason."""
    form = DiscardForm(request.POST)
    if not form.is_valid():
        return invalid_form_response(request, form, back=BACK)
    values = form.cleaned_data
    return _bulk(request, "discarded", lambda item: review.discard_item(item=item, actor=request.user, **values))


def _bulk(request: HttpRequest, what: str, decide) -> HttpResponse:
    chosen = list(dict.fromkeys(request.POST.getlist("items")))
    if not chosen:
        return error_response(request, "Select proposals first.", back=BACK, field="items", status=422)
    if len(chosen) > BULK:
        return error_response(request, f"Select at most {BULK} proposals.", back=BACK, field="items", status=422)
    results = []
    for pk in sorted(chosen):
        try:
            item = _item(request, pk)
            decide(item)
        except (DomainError, Http404) as rejection:
            message = rejection.message if isinstance(rejection, DomainError) else str(rejection)
            results.append({"id": pk, "ok": False, "message": message, "undo_url": ""})
        else:
            undo = reverse("admin:fallback_item_undo", args=[pk])
            results.append({"id": pk, "ok": True, "message": what.capitalize(), "undo_url": undo})
    rejections = [result for result in results if not result["ok"]]
    message = f"{len(results) - len(rejections)} {what}."
    if rejections:
        message = f"{message[:-1]}, {len(rejections)} rejected: {rejections[0]['message']}"
    return success_response(request, message, back=BACK, results=results)


def _item(request: HttpRequest, pk: str) -> MissionFallbackItem:
    """A proposal that the user may decide on. Raises Http404 if it is not visible, NotAllowed without the right."""
    rights = rights_of(request)
    found: QuerySet = MissionFallbackItem.objects.select_related("project__organization", "run")
    item = found.filter(rights.project_filter(Right.VIEW, path="project__"), pk=pk.replace("\x00", "")).first()
    if item is None:
        raise Http404("Proposal not found.")
    rights.check(Right.REVIEW, item.project)
    return item


def _decision(request: HttpRequest, item: MissionFallbackItem, message: str, **facts) -> HttpResponse:
    item.run.refresh_from_db(fields=["status"])
    return success_response(
        request,
        message,
        back=BACK,
        id=item.pk,
        undo_url=reverse("admin:fallback_item_undo", args=[item.pk]),
        run_completed=item.run.status == RunStatus.COMPLETED,
        **facts,
    )

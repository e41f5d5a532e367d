"""The page that reviews proposals of all projects, and what its buttons and keys do."""

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

from fallback.admin.answers import answer_errors, done, not_valid, rejected
from fallback.admin.base import ITEM, KeySearch, OwnFilter, ReadOnlyProjectPages, rights_of
from fallback.admin.words import (
    backlog_words,
    effort_words,
    held_back_words,
    moment_words,
    record_words,
    room,
    run_words,
    status_words,
)
from fallback.models import Mission, MissionFallbackConfig, MissionFallbackItem, MissionFallbackTemplate, Project
from fallback.models.choices import DiscardReason, Priority, RunStatus
from fallback.reads import backlogs_of, count_up_to, latest_runs, projects_held_back, projects_waiting, waiting_items
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
    """What a reviewer may change before accepting."""

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
            raise forms.ValidationError("Choose a nearer date.")
        return until if until.tzinfo else timezone.make_aware(until)


class DuplicateForm(forms.Form):
    mission = forms.CharField(max_length=26, error_messages={"required": "Choose the mission it repeats."})
    feedback = forms.CharField(max_length=5_000, required=False)


@admin.register(MissionFallbackItem)
class ItemAdmin(ReadOnlyProjectPages):
    """Every proposal there ever was, as a list; and the page that reviews those that wait."""

    search = KeySearch()
    list_display = ("title", "project_link", "state", "template_link", "effort", "reviewer", "why", "created_at")
    list_select_related = ("project", "template", "reviewed_by")
    list_filter = (("status", ChoicesDropdownFilter), ("project", OwnFilter))
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("project_link", "title", "description", ("state", "mission_link"))}),
        ("Work", {"fields": (("flow", "actor"), "repository", ("priority", "estimated_effort_minutes"))}),
        ("Decision", {"fields": (("reviewer", "reviewed_at"), "why", "duplicate_of", "snoozed_until")}),
        ("Where it comes from", {"fields": (("template_link", "run_link"), "created_at")}),
    )
    empty_text = ("No proposal yet", "A run proposes missions when a project's ready work runs low.")

    def get_urls(self) -> list:
        view = self.admin_site.admin_view
        actions = (
            ("accept", accept_view),
            ("discard", discard_view),
            ("snooze", snooze_view),
            ("wake", wake_view),
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
        return link_to(item.run, run_words(item.run))

    @display(description="Mission")
    def mission_link(self, item: MissionFallbackItem) -> str:
        return link_to(item.mission)

    @display(description="Effort")
    def effort(self, item: MissionFallbackItem) -> str:
        return effort_words(item.estimated_effort_minutes)

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
    """Proposals that wait, of every project this person sees; only their list for `X-Fragment: proposals`."""
    if not rights_of(request).anywhere(Right.LOOK):
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
    visible = rights.where(Right.LOOK, path="project__")
    chosen = waiting_items(visible, at=at, snoozed=filters["show"] == "snoozed")
    if filters["project"]:
        chosen = chosen.filter(project=filters["project"])
    if filters["q"]:
        chosen = chosen.filter(Q(title__icontains=filters["q"]) | Q(description__icontains=filters["q"]))
    page = _number(request)
    start = (page - 1) * PER_PAGE
    related = ("project__organization", "flow", "actor", "repository", "run")
    items = list(chosen.select_related(*related)[start : start + PER_PAGE + 1])
    more, items = len(items) > PER_PAGE, items[:PER_PAGE]
    groups = _groups(request, items, visible, at, with_held_back=page == 1 and filters["show"] == "waiting", **filters)
    return {
        "title": "Review proposals",
        "filters": filters,
        "project_choices": projects_waiting(visible, at=at),
        "counts": {
            "waiting": count_up_to(waiting_items(visible, at=at))[1],
            "snoozed": count_up_to(waiting_items(visible, at=at, snoozed=True))[1],
        },
        "events_url": reverse("admin:fallback_review_events"),
        "bulk_accept_url": reverse("admin:fallback_review_accept"),
        "bulk_discard_url": reverse("admin:fallback_review_discard"),
        "mission_choices_url": reverse("admin:fallback_review_missions"),
        "reasons": [(code, label) for code, label in DiscardReason.choices if code != DiscardReason.RUN_CANCELLED],
        "priorities": Priority.choices,
        "groups": groups,
        "decided": _decided(request, at),
        "empty_text": _empty_words(filters),
        "page_links": {
            "previous": _link(filters, page - 1) if page > 1 else "",
            "next": _link(filters, page + 1) if more else "",
        },
    }


def _groups(request, items, visible, at, *, with_held_back, project, q, show) -> list[dict]:
    """Proposals by project, then projects where a guardrail held everything back."""
    ids = list(dict.fromkeys(item.project_id for item in items))
    if with_held_back and not q:
        held = [pk for pk in projects_held_back(visible, at=at) if not project or pk == project]
        ids += [pk for pk in held if pk not in ids]
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
                "status_words": status_words(configs.get(pk), at),
                "backlog_words": backlog_words(*backlogs.get(pk, (None, None))),
                "week": room(rails[pk].week),
                "month": room(rails[pk].month),
                "may_review": rights.allows(Right.REVIEW, of_project),
                "held_back": held_back_words(runs[pk].held_back if pk in runs else []),
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
        "priority_words": item.get_priority_display(),
        "minutes": item.estimated_effort_minutes,
        "effort_words": effort_words(item.estimated_effort_minutes),
        "flow": item.flow.name,
        "actor": item.actor.name,
        "repository": item.repository.name,
        "template": {
            "name": template.name,
            "url": reverse("admin:fallback_missionfallbacktemplate_change", args=[template.pk]),
            "record_words": record_words(template),
        },
        "run": {
            "url": reverse("admin:fallback_missionfallbackrun_change", args=[item.run_id]),
            "words": run_words(item.run),
        },
        "created_at": item.created_at,
        "snoozed_until": item.snoozed_until,
        **{
            f"{name}_url": reverse(f"admin:fallback_item_{name}", args=[item.pk])
            for name in ("accept", "discard", "snooze", "duplicate", "wake")
        },
    }


def _decided(request: HttpRequest, at: datetime) -> list[dict]:
    """The reviewer's latest decisions that may still be taken back."""
    items = (
        MissionFallbackItem.objects.filter(reviewed_by=request.user, reviewed_at__gte=at - review.SESSION)
        .exclude(run__status=RunStatus.CANCELLED)
        .order_by("-reviewed_at")
        .select_related("project")[:DECIDED_SHOWN]
    )
    rights = rights_of(request)
    return [
        {
            "id": item.pk,
            "title": item.title,
            "words": f"{item.get_status_display()} in {item.project.name}, {moment_words(item.reviewed_at)}",
            "undo_url": reverse("admin:fallback_item_undo", args=[item.pk]),
        }
        for item in items
        if rights.allows(Right.REVIEW, item.project)
    ]


def _empty_words(filters: dict) -> dict:
    if filters["project"] or filters["q"]:
        return {"title": "Nothing matches", "text": "No proposal fits this filter. Show all to see the others."}
    if filters["show"] == "snoozed":
        return {
            "title": "Nothing is snoozed",
            "text": "A snoozed proposal comes back here by itself when its time comes.",
        }
    return {
        "title": "Everything is decided",
        "text": "When ready work of a project drops below what it wants, new proposals appear here by themselves.",
    }


def _link(filters: dict, page: int) -> str:
    return "?" + urlencode({**{name: value for name, value in filters.items() if value}, "p": page})


def _number(request: HttpRequest) -> int:
    try:
        return min(max(int(request.GET.get("p", 1)), 1), 10_000)
    except ValueError:
        return 1


def events_view(request: HttpRequest) -> HttpResponse:
    """Live news of the runs of every project this person sees."""
    rights = rights_of(request)
    if not rights.anywhere(Right.LOOK):
        raise PermissionDenied
    if Right.LOOK in rights.everywhere:
        return stream(request, channels=["fallback"])

    def accepts(channel: str, payload: dict) -> bool:
        # Read anew: someone may have left a project since the page was opened.
        return Rights(request.user).projects().filter(pk=payload.get("projectId", "")).exists()

    return stream(request, channels=["fallback"], accepts=accepts)


@require_GET
def missions_view(request: HttpRequest) -> HttpResponse:
    """Missions of a project whose title contains a text, for the choice of a duplicate: newest first."""
    visible = rights_of(request).where(Right.LOOK, path="project__")
    project = request.GET.get("project", "")[:26].replace("\x00", "")
    term = request.GET.get("q", "")[:200].replace("\x00", "").strip()
    missions = Mission.objects.filter(visible, project=project)
    if term:
        missions = missions.filter(Q(title__icontains=term) | Q(pk=term.upper()))
    found = missions.order_by("-created_at", "-id")[:20]
    return JsonResponse(
        {"results": [{"id": each.pk, "text": f"{each.title} · {each.get_list_display()}"} for each in found]}
    )


# --- What is done on it -----------------------------------------------------------------------


@require_POST
@answer_errors(lambda: str(BACK))
def accept_view(request: HttpRequest, item_id: str) -> HttpResponse:
    """Accept a proposal, edited where the form brings a title."""
    item = _item(request, item_id)
    edits = {}
    if "title" in request.POST:
        form = EditForm(request.POST)
        if not form.is_valid():
            return not_valid(request, form, back=BACK)
        edits = form.cleaned_data
    mission = review.accept_item(item=item, actor=request.user, **edits)
    return _decision(
        request,
        item,
        f"Accepted: {mission.title} is in Todo.",
        mission_url=reverse("admin:fallback_mission_change", args=[mission.pk]),
    )


@require_POST
@answer_errors(lambda: str(BACK))
def discard_view(request: HttpRequest, item_id: str) -> HttpResponse:
    """Discard a proposal, with a reason or feedback."""
    item = _item(request, item_id)
    form = DiscardForm(request.POST)
    if not form.is_valid():
        return not_valid(request, form, back=BACK)
    review.discard_item(item=item, actor=request.user, **form.cleaned_data)
    return _decision(request, item, f"Discarded: {item.title}.")


@require_POST
@answer_errors(lambda: str(BACK))
def duplicate_view(request: HttpRequest, item_id: str) -> HttpResponse:
    """Discard a proposal as a repetition of a mission."""
    item = _item(request, item_id)
    form = DuplicateForm(request.POST)
    if not form.is_valid():
        return not_valid(request, form, back=BACK)
    mission = Mission.objects.filter(pk=form.cleaned_data["mission"].strip(), project=item.project).first()
    if mission is None:
        words = "There is no such mission in this project. Search for it and choose it from the list."
        return rejected(request, words, back=BACK, field="mission", status=422)
    review.mark_duplicate(item=item, mission=mission, actor=request.user, feedback=form.cleaned_data["feedback"])
    return _decision(request, item, f"Discarded: {item.title} repeats {mission.title}.")


@require_POST
@answer_errors(lambda: str(BACK))
def snooze_view(request: HttpRequest, item_id: str) -> HttpResponse:
    """Put a proposal aside for a while."""
    item = _item(request, item_id)
    form = SnoozeForm(request.POST)
    if not form.is_valid():
        return not_valid(request, form, back=BACK)
    until = form.cleaned_data["until"]
    review.snooze_item(item=item, until=until, actor=request.user)
    words = f"Snoozed until {moment_words(until)}: {item.title}."
    return done(request, words, back=BACK, id=item.pk, undo_url=reverse("admin:fallback_item_wake", args=[item.pk]))


@require_POST
@answer_errors(lambda: str(BACK))
def wake_view(request: HttpRequest, item_id: str) -> HttpResponse:
    """Bring a snoozed proposal back."""
    item = _item(request, item_id)
    review.wake_item(item=item, actor=request.user)
    return done(request, f"Back in review: {item.title}.", back=BACK, id=item.pk)


@require_POST
@answer_errors(lambda: str(BACK))
def undo_view(request: HttpRequest, item_id: str) -> HttpResponse:
    """Take one's own decision back."""
    item = _item(request, item_id)
    review.undo_decision(item=item, actor=request.user)
    return done(request, f"Taken back: {item.title} waits again.", back=BACK, id=item.pk)


@require_POST
@answer_errors(lambda: str(BACK))
def bulk_accept_view(request: HttpRequest) -> HttpResponse:
    """Accept several proposals, each as far as its guardrails let it."""
    return _bulk(request, "accepted", lambda item: review.accept_item(item=item, actor=request.user))


@require_POST
@answer_errors(lambda: str(BACK))
def bulk_discard_view(request: HttpRequest) -> HttpResponse:
    """Discard several proposals for one reason."""
    form = DiscardForm(request.POST)
    if not form.is_valid():
        return not_valid(request, form, back=BACK)
    values = form.cleaned_data
    return _bulk(request, "discarded", lambda item: review.discard_item(item=item, actor=request.user, **values))


def _bulk(request: HttpRequest, what: str, decide) -> HttpResponse:
    chosen = list(dict.fromkeys(request.POST.getlist("items")))
    if not chosen:
        return rejected(request, "Select proposals first.", back=BACK, field="items", status=422)
    if len(chosen) > BULK:
        return rejected(request, f"Choose at most {BULK} at once.", back=BACK, field="items", status=422)
    results = []
    for pk in sorted(chosen):
        try:
            item = _item(request, pk)
            decide(item)
        except (DomainError, Http404) as rejection:
            words = rejection.message if isinstance(rejection, DomainError) else str(rejection)
            results.append({"id": pk, "ok": False, "message": words, "undo_url": ""})
        else:
            undo = reverse("admin:fallback_item_undo", args=[pk])
            results.append({"id": pk, "ok": True, "message": what.capitalize(), "undo_url": undo})
    rejections = [result for result in results if not result["ok"]]
    words = f"{len(results) - len(rejections)} {what}."
    if rejections:
        words = f"{words[:-1]}, {len(rejections)} rejected: {rejections[0]['message']}"
    return done(request, words, back=BACK, results=results)


def _item(request: HttpRequest, pk: str) -> MissionFallbackItem:
    """A proposal this person may decide on. Raises Http404 where they do not see it, NotAllowed where they only do."""
    rights = rights_of(request)
    found: QuerySet = MissionFallbackItem.objects.select_related("project__organization", "run")
    item = found.filter(rights.where(Right.LOOK, path="project__"), pk=pk.replace("\x00", "")).first()
    if item is None:
        raise Http404("There is no such proposal that you may see.")
    rights.check(Right.REVIEW, item.project)
    return item


def _decision(request: HttpRequest, item: MissionFallbackItem, words: str, **facts) -> HttpResponse:
    item.run.refresh_from_db(fields=["status"])
    return done(
        request,
        words,
        back=BACK,
        id=item.pk,
        undo_url=reverse("admin:fallback_item_undo", args=[item.pk]),
        run_completed=item.run.status == RunStatus.COMPLETED,
        **facts,
    )

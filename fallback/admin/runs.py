from __future__ import annotations

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from fallback.admin.base import RUN, ProjectAction, ProjectCustomTab, ReadOnlyProjectModelAdmin, VisibleRelatedFilter
from fallback.admin.formats import format_backlog, format_run, format_skipped
from fallback.models import MissionFallbackRun
from fallback.selectors.rights import Right
from fallback.services.reports import read_report
from fallback.services.runs import cancel_run
from missionsite.common.admin.filters import PeriodFilter
from missionsite.common.admin.formats import badge, format_datetime, link_to

# Proposals shown on the page of a run.
ITEMS = 500


def _report(run: MissionFallbackRun, request: HttpRequest) -> dict:
    report = read_report(run)
    items = run.items.select_related("template", "mission", "reviewed_by").order_by("created_at", "id")[:ITEMS]
    return {
        "run": {
            "text": format_run(run),
            "status": run.status,
            "status_text": run.get_status_display(),
            "started_at": run.started_at,
            "completed_at": run.completed_at,
            "triggered_by": run.get_triggered_by_display(),
            "backlog_text": format_backlog(run.backlog_count_before, run.backlog_threshold),
            "generated": run.generated_count,
            "accepted": run.accepted_count,
            "discarded": run.discarded_count,
        },
        "items": [
            {
                "title": item.title,
                "status": item.status,
                "status_text": item.get_status_display(),
                "template": item.template.name,
                "mission_url": reverse("admin:fallback_mission_change", args=[item.mission_id])
                if item.mission_id
                else "",
                "reviewer": item.reviewed_by.display_name if item.reviewed_by else "",
                "reviewed_at": item.reviewed_at,
                "feedback": item.feedback,
                "reason_text": item.get_reason_display() or "",
            }
            for item in items
        ],
        "skipped": format_skipped(run.skipped),
        "report": report,
        "report_url": reverse("admin:fallback_run_report_file", args=[run.pk]) if report else "",
    }


@admin.register(MissionFallbackRun)
class RunAdmin(ReadOnlyProjectModelAdmin[MissionFallbackRun]):
    """Runs, with their proposals, decisions and reports."""

    # Whatever happens to a run is on its page.
    has_history = False

    list_display = (
        "started_at",
        "project_link",
        "state",
        "trigger",
        "backlog",
        "outcome",
        "guardrails_hit",
        "completed_at",
    )
    list_select_related = ("project",)
    list_filter = (
        ("project", VisibleRelatedFilter),
        ("status", ChoicesDropdownFilter),
        ("triggered_by", ChoicesDropdownFilter),
        ("started_at", PeriodFilter),
    )
    sortable_by = ()
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("project_link", "state"),
                    ("trigger", "starter"),
                    ("backlog", "outcome"),
                    "guardrails_hit",
                    "error",
                )
            },
        ),
        (_("Dates"), {"fields": (("started_at", "completed_at"),)}),
    )
    tabs = (ProjectCustomTab(name="report", title=_("Report"), template="fallback/run.html", context=_report),)
    object_actions = (
        ProjectAction(
            name="cancel",
            title=_("Cancel run"),
            success_message=_("cancelled"),
            run=lambda run, actor, values: cancel_run(actor=actor, run=run),
            permission="",
            right=Right.REVIEW,
            available=lambda run: run.is_open,
            help_text=_("Open proposals are discarded. Accepted ones stay."),
            icon="block",
            bulk_title=_("Cancel runs"),
            danger=True,
        ),
    )
    empty_text = (_("No runs yet"), _("A run starts when a project has fewer ready missions than its threshold."))

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(self.report_file)
        return [path("<str:run_id>/report.json", view, name="fallback_run_report_file"), *super().get_urls()]

    def report_file(self, request: HttpRequest, run_id: str) -> HttpResponse:
        """Download the report."""
        run = self.get_object(request, run_id)
        if run is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, run_id)
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        report = read_report(run)
        if not report:
            return TemplateResponse(request, "404.html", status=404)
        return HttpResponse(
            report,
            content_type="application/json",
            headers={
                "Content-Disposition": content_disposition_header(True, f"{run.pk}.json"),
                "X-Content-Type-Options": "nosniff",
            },
        )

    @display(description=_("Project"))
    def project_link(self, run: MissionFallbackRun) -> str:
        return link_to(run.project)

    @display(description=_("Status"))
    def state(self, run: MissionFallbackRun) -> str:
        return badge(run.get_status_display(), RUN[run.status])

    @display(description=_("Triggered"))
    def trigger(self, run: MissionFallbackRun) -> str:
        return run.get_triggered_by_display()

    @display(description=_("Started by"))
    def starter(self, run: MissionFallbackRun) -> str:
        return link_to(run.started_by)

    @display(description=_("Backlog at start"))
    def backlog(self, run: MissionFallbackRun) -> str:
        return format_backlog(run.backlog_count_before, run.backlog_threshold)

    @display(description=_("Accepted / discarded / generated"))
    def outcome(self, run: MissionFallbackRun) -> str:
        return f"{run.accepted_count} / {run.discarded_count} / {run.generated_count}"

    @display(description=_("Skipped"))
    def guardrails_hit(self, run: MissionFallbackRun) -> str:
        guardrails = dict.fromkeys(entry["guardrail"] for entry in format_skipped(run.skipped))
        return f"{len(run.skipped)}: {', '.join(str(each) for each in guardrails)}" if run.skipped else ""

    def describe(self, obj: MissionFallbackRun) -> str:
        return f"{format_run(obj)} · {format_datetime(obj.started_at)}"

from __future__ import annotations

from datetime import datetime

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSplitDateTimeWidget

from fallback.admin import replay
from fallback.admin.base import CONFIG, ProjectAction, ProjectCustomTab, ProjectModelAdmin, member_of, rights_of
from fallback.admin.formats import format_effort, format_status, plan_context
from fallback.models import MissionFallbackConfig
from fallback.models.choices import ConfigStatus, Trigger
from fallback.selectors.planning import plan_run
from fallback.selectors.rights import Right
from fallback.services.configs import create_config, pause_fallback, resume_fallback, snooze_fallback, update_config
from fallback.services.runs import CheckResult, run_fallback
from missionsite.common.admin import ActionForm, ReasonForm
from missionsite.common.admin.actions import post_action
from missionsite.common.admin.form_keys import FormResult, run_once
from missionsite.common.admin.formats import badge, format_datetime, format_number


class SnoozeFallbackForm(ActionForm):
    until = forms.SplitDateTimeField(label=_("Until"), widget=UnfoldAdminSplitDateTimeWidget)

    def clean_until(self) -> datetime:
        until = self.cleaned_data["until"]
        if until.year > 9000:
            raise forms.ValidationError(gettext("Choose an earlier date."))
        return until


def _plan(config: MissionFallbackConfig, request: HttpRequest) -> dict:
    run_url = ""
    if rights_of(request).allows(Right.REVIEW, config.project):
        run_url = reverse("admin:fallback_run_now", args=[config.pk])
    return {"plan": plan_context(plan_run(config.project, config=config)), "run_url": run_url}


def _plan_url(config_id: str) -> str:
    return reverse("admin:fallback_missionfallbackconfig_plan", args=[config_id])


@post_action(back=_plan_url)
def run_now_view(request: HttpRequest, config_id: str) -> FormResult:
    """Start a run, or show its plan (`dry_run`)."""
    rights = rights_of(request)
    visible = MissionFallbackConfig.objects.filter(rights.project_filter(Right.VIEW, path="project__"))
    config = visible.select_related("project__organization").filter(pk=config_id).first()
    if config is None:
        raise Http404(gettext("Fallback configuration not found."))
    if not rights.allows(Right.REVIEW, config.project):
        raise PermissionDenied
    if request.POST.get("dry_run"):
        plan = plan_run(config.project, config=config).summary
        return FormResult(_plan_url(config.pk), gettext("{plan} No changes were made.").format(plan=plan))

    def save() -> FormResult:
        run = run_fallback(actor=member_of(request), project=config.project, triggered_by=Trigger.MANUAL)
        return FormResult(_plan_url(config.pk), CheckResult(config.project, run=run).summary)

    return run_once(request, save)


PLAN = ProjectCustomTab(name="plan", title=_("Next run"), template="fallback/plan.html", context=_plan)


@admin.register(MissionFallbackConfig)
class ConfigAdmin(ProjectModelAdmin[MissionFallbackConfig]):
    """Fallback configurations, with the plan of the next run."""

    list_display = (
        "project_name",
        "state",
        "wanted",
        "automatic",
        "limits",
        "interval",
        "checked",
    )
    list_display_links = ("project_name",)
    list_select_related = ("project__organization",)
    list_filter = (("status", ChoicesDropdownFilter),)
    sortable_by = ()
    autocomplete_fields = ("project",)
    fieldsets = (
        (None, {"fields": ("project", ("state", "checked"))}),
        (_("Backlog"), {"fields": (("backlog_threshold", "check_cadence_minutes"), "auto_accept")}),
        (_("Guardrails"), {"fields": (("weekly_mission_cap", "monthly_target_hours"),)}),
    )
    add_fieldsets = (
        (None, {"fields": ("project",)}),
        (_("Backlog"), {"fields": (("backlog_threshold", "check_cadence_minutes"), "auto_accept")}),
        (_("Guardrails"), {"fields": (("weekly_mission_cap", "monthly_target_hours"),)}),
    )
    readonly_fields = ("state", "checked")
    about_title = _("Configuration")
    tabs = (PLAN, replay.REPLAY)
    object_actions = (
        ProjectAction(
            name="pause",
            title=_("Pause"),
            success_message=_("paused"),
            run=lambda config, actor, values: pause_fallback(actor=actor, config=config, reason=values["reason"]),
            permission="",
            form=ReasonForm,
            available=lambda config: config.status != ConfigStatus.PAUSED,
            help_text=_("No proposals are made until it is resumed."),
            icon="pause",
            bulk_title=_("Pause"),
        ),
        ProjectAction(
            name="snooze",
            title=_("Snooze"),
            success_message=_("snoozed"),
            run=lambda config, actor, values: snooze_fallback(actor=actor, config=config, until=values["until"]),
            permission="",
            form=SnoozeFallbackForm,
            help_text=_("No proposals are made until then. After that it is active again."),
            icon="snooze",
            bulk_title=_("Snooze"),
        ),
        ProjectAction(
            name="resume",
            title=_("Resume"),
            success_message=_("active again"),
            run=lambda config, actor, values: resume_fallback(actor=actor, config=config),
            permission="",
            available=lambda config: config.status != ConfigStatus.ACTIVE,
            icon="play_arrow",
            bulk_title=_("Resume"),
        ),
        *replay.ACTIONS,
    )
    empty_text = (_("No configurations yet"), _("New projects get one. Add one for a project without a configuration."))
    add_label = _("Add configuration")

    def get_urls(self) -> list:
        view = self.admin_site.admin_view(run_now_view)
        return [path("<str:config_id>/run-now/", view, name="fallback_run_now"), *super().get_urls()]

    @display(description=_("Project"))
    def project_name(self, config: MissionFallbackConfig) -> str:
        return config.project.name

    @display(description=_("Status"))
    def state(self, config: MissionFallbackConfig) -> str:
        return badge(format_status(config), CONFIG[config.status])

    @display(description=_("Ready wanted"))
    def wanted(self, config: MissionFallbackConfig) -> int:
        return config.backlog_threshold

    @display(description=_("Automatic"), boolean=True)
    def automatic(self, config: MissionFallbackConfig) -> bool:
        return config.auto_accept

    @display(description=_("Guardrails"))
    def limits(self, config: MissionFallbackConfig) -> str:
        return gettext("{missions} a week, {hours} h a month").format(
            missions=format_number(config.weekly_mission_cap), hours=format_number(config.monthly_target_hours)
        )

    @display(description=_("Checked every"))
    def interval(self, config: MissionFallbackConfig) -> str:
        return format_effort(config.check_cadence_minutes)

    @display(description=_("Checked"))
    def checked(self, config: MissionFallbackConfig) -> str:
        return format_datetime(config.last_run_at) if config.last_run_at else gettext("Not yet")

    def create(self, request: HttpRequest, values: dict) -> MissionFallbackConfig:
        return create_config(actor=member_of(request), **values)

    def update(self, request: HttpRequest, obj: MissionFallbackConfig, changes: dict) -> None:
        update_config(actor=member_of(request), config=obj, **changes)

    def extra_buttons(self, request: HttpRequest, obj: MissionFallbackConfig) -> list[dict]:
        return [
            {
                "title": gettext("Project"),
                "icon": "folder_open",
                "link": reverse("admin:fallback_project_change", args=[obj.project_id]),
            }
        ]

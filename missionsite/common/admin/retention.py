"""The page of the retention rules: periods, what is due now, the last run, and "Run now"; and the list of all runs."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from missionsite.common.admin.actions import post_action, render_page
from missionsite.common.admin.form_keys import FormResult
from missionsite.common.admin.formats import badge, format_datetime, format_number, link_to
from missionsite.common.admin.options import ReadOnlyModelAdmin
from missionsite.common.models import RetentionRun
from missionsite.common.retention import all_rules, latest_runs, rule_named, start_run

VIEW, APPLY = "common.view_retentionrun", "common.apply_retention"
STATUS = {"waiting": "info", "running": "info", "done": "success", "failed": "danger"}


def rules_url(**parts: Any) -> str:
    return reverse("admin:common_retentionrun_rules")


class RuleFilter(DropdownFilter):
    title = _("rule")
    parameter_name = "rule"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(rule.name, str(rule.label)) for rule in all_rules()]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(rule=self.value()) if self.value() else queryset


@admin.register(RetentionRun)
class RetentionRunAdmin(ReadOnlyModelAdmin):
    """When retention rules were applied; read-only."""

    list_display = ("started", "rule_name", "state", "due_rows", "treated_rows", "by", "ended")
    list_display_links = ("rule_name",)
    list_select_related = ("started_by",)
    list_filter = (RuleFilter,)
    sortable_by = ()
    fields = ("rule_name", "state", "due_rows", "treated_rows", "by", "started", "ended")
    readonly_fields = fields
    empty_text = (_("No runs yet"), _("A job applies the rules every night."))

    def list_buttons(self, request: HttpRequest) -> list[dict]:
        return [{"title": gettext("Rules"), "icon": "auto_delete", "link": rules_url()}]

    def get_urls(self) -> list:
        view = self.admin_site.admin_view
        return [
            path("rules/", view(self.rules), name="common_retentionrun_rules"),
            path("rules/<slug:rule>/run/", view(self._run_now), name="common_retentionrun_run"),
            *super().get_urls(),
        ]

    def rules(self, request: HttpRequest) -> HttpResponse:
        """Each rule with what a run would do now, and its last run."""
        if not request.user.has_perm(VIEW):
            raise PermissionDenied
        now, latest = timezone.now(), latest_runs()
        rules = [
            {
                "rule": rule,
                "days": rule.kept.days,
                "due": format_number(rule.due(now)),
                "run": (run := latest.get(rule.name)),
                "active": bool(run and run.status in ("waiting", "running")),
                "state": badge(run.get_status_display(), STATUS[run.status]) if run else "",
                "percent": min(100, 100 * run.treated // run.due) if run and run.due else 0,
            }
            for rule in all_rules()
        ]
        return render_page(
            self,
            request,
            "common/retention.html",
            title=gettext("Retention"),
            rules=rules,
            may_apply=request.user.has_perm(APPLY),
            is_active=any(each["active"] for each in rules),
        )

    @staticmethod
    @post_action(back=rules_url, once=True)
    def _run_now(request: HttpRequest, *, rule: str) -> FormResult:
        if not request.user.has_perm(APPLY):
            raise PermissionDenied
        try:
            found = rule_named(rule)
        except KeyError as error:
            raise Http404 from error
        start_run(actor=request.user, rule=found)  # type: ignore[arg-type]
        return FormResult(rules_url(), gettext("{rule}: the run is queued.").format(rule=found.label))

    @display(description=_("Rule"))
    def rule_name(self, run: RetentionRun) -> str:
        return next((str(rule.label) for rule in all_rules() if rule.name == run.rule), run.rule)

    @display(description=_("Status"))
    def state(self, run: RetentionRun) -> str:
        return badge(run.get_status_display(), STATUS[run.status])

    @display(description=_("Due"))
    def due_rows(self, run: RetentionRun) -> str:
        return format_number(run.due)

    @display(description=_("Treated"))
    def treated_rows(self, run: RetentionRun) -> str:
        return format_number(run.treated)

    @display(description=_("Started by"))
    def by(self, run: RetentionRun) -> str:
        return link_to(run.started_by)

    @display(description=_("Started"))
    def started(self, run: RetentionRun) -> str:
        return format_datetime(run.created_at)

    @display(description=_("Ended"))
    def ended(self, run: RetentionRun) -> str:
        return format_datetime(run.ended_at)

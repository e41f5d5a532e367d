"""Check the backlog of projects, and propose missions where it is low."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from fallback import rules
from fallback.errors import (
    FallbackInactive,
    MonthlyHoursReached,
    NoConfiguration,
    ProjectArchived,
    RunEnded,
    TemplateDisabled,
    WeeklyCapReached,
)
from fallback.models import (
    Mission,
    MissionFallbackConfig,
    MissionFallbackItem,
    MissionFallbackRun,
    MissionFallbackSample,
    MissionFallbackTemplate,
    Project,
)
from fallback.models.choices import (
    ConfigStatus,
    DiscardReason,
    Guardrail,
    ItemStatus,
    NotificationKind,
    ProjectRole,
    ProjectStatus,
    RunStatus,
    Trigger,
)
from fallback.selectors.planning import Plan, backlog_of, inactive_reason, plan_run
from fallback.selectors.template_states import SkippedTemplate, accepts_automatically, ignored_guardrails
from fallback.services.locks import lock_rows, lock_runs
from fallback.services.notifications import notify_people
from fallback.services.reports import write_report_when_committed
from fallback.services.review import accept_item
from groups.models import Member
from missionsite.common.audit.context import Origin, set_audit_context
from missionsite.common.audit.events import audit
from missionsite.common.errors import DomainError
from missionsite.common.ids import new_ids
from missionsite.common.sql_loader import read_sql
from missionsite.common.transactions import service

# Titles of notifications, stored in English and translated when they are shown.
_WAITING = gettext_noop("Proposals wait for review")
_FAILED = gettext_noop("A fallback run failed")
_REACHED = gettext_noop("A guardrail is reached")


@dataclass(frozen=True)
class CheckResult:
    """The result of one check of a project. run: None if no run was needed."""

    project: Project
    run: MissionFallbackRun | None = None
    rejection: DomainError | None = None

    @property
    def summary(self) -> str:
        """The result as a sentence."""
        if self.rejection:
            return str(self.rejection.message)
        if self.run is None:
            return gettext(
                "No proposals needed: enough missions are ready or proposed, or the same guardrails apply as before."
            )
        if self.run.error:
            return gettext(self.run.error)
        parts = [gettext("{number} proposed").format(number=self.run.generated_count)]
        if self.run.accepted_count:
            parts.append(gettext("{number} accepted automatically").format(number=self.run.accepted_count))
        if self.run.skipped:
            parts.append(gettext("{number} skipped").format(number=len(self.run.skipped)))
        return ", ".join(parts) + "."


@service
def run_fallback(
    *,
    actor: Member,
    project: Project,
    triggered_by: str = Trigger.MANUAL,
    at: datetime | None = None,
) -> MissionFallbackRun | None:
    """Propose the missing missions of a project, within its guardrails. Returns None if none are missing.

    triggered_by: of Trigger. at: aware datetime; now by default.
    Raises NoConfiguration, FallbackInactive, and RunInProgress while another run of the project is in progress.
    """
    at = at or timezone.now()
    set_audit_context(actor, origin=Origin.FALLBACK)
    lock_rows()
    lock_runs(project.pk)
    project = Project.objects.select_related("organization").get(pk=project.pk)
    config = MissionFallbackConfig.objects.filter(project=project).select_for_update().first()
    if config is None:
        raise NoConfiguration
    if off := inactive_reason(project, config, at):
        raise FallbackInactive(off)
    # A run is one transaction, and the lock allows one at a time: a pending run here is a leftover.
    for stale in MissionFallbackRun.objects.filter(project=project, status=RunStatus.PENDING):
        cancel_run(actor=actor, run=stale)
    plan = plan_run(project, config=config, at=at)
    _record_check(plan)
    # The job would otherwise record the same skipped templates every few minutes.
    repeats = triggered_by == Trigger.AUTOMATIC and not plan.picks and _repeats_latest_run(plan)
    if not plan.is_needed or repeats:
        return None
    run = MissionFallbackRun.objects.create(
        project=project,
        triggered_by=triggered_by,
        started_by=actor,
        backlog_count_before=plan.backlog,
        backlog_threshold=config.backlog_threshold,
        status=RunStatus.PENDING,
        started_at=at,
    )
    items = _propose(run, plan.picks)
    # Each scheduled day is tried once, also when a guardrail skips the template.
    today = at.astimezone(ZoneInfo(project.organization.timezone)).date()
    scheduled = MissionFallbackTemplate.objects.filter(pk__in=[template.pk for template in plan.scheduled])
    scheduled.update(last_scheduled_on=today)
    automatic = {template.pk for template in plan.picks if config.auto_accept or accepts_automatically(template)}
    skipped = plan.skipped + _accept_all([item for item in items if item.template_id in automatic], actor, at)
    run.skipped = [each.as_json() for each in skipped]
    run.status = RunStatus.AWAITING_REVIEW if items else RunStatus.COMPLETED
    if any(each.guardrail == Guardrail.TEMPLATES for each in skipped):
        run.status, run.error = RunStatus.ERRORED, gettext_noop("No template is enabled. Enable one to get proposals.")
    run.save(update_fields=["skipped", "status", "error"])
    run.refresh_from_db()
    write_report_when_committed(run.pk)
    _notify_of_run(actor, run)
    return run


def _notify_of_run(actor: Member, run: MissionFallbackRun) -> None:
    """Notify reviewers of proposals to review, and maintainers of a failed run or a reached guardrail."""
    reviewers, maintainers = (ProjectRole.REVIEWER, ProjectRole.MAINTAINER), (ProjectRole.MAINTAINER,)
    reached = {entry["guardrail"] for entry in run.skipped} & {Guardrail.WEEK, Guardrail.MONTH}
    for happened, kind, roles, title in (
        (run.status == RunStatus.AWAITING_REVIEW, NotificationKind.PROPOSAL_WAITING, reviewers, _WAITING),
        (run.status == RunStatus.ERRORED, NotificationKind.RUN_FAILED, maintainers, _FAILED),
        (bool(reached), NotificationKind.GUARDRAIL_REACHED, maintainers, _REACHED),
    ):
        if happened:
            notify_people(
                actor=actor, project=run.project, roles=roles, kind=kind, title=title, payload={"run": run.pk}
            )


def run_due(*, actor: Member, at: datetime | None = None) -> Iterator[CheckResult]:
    """Check all due projects: one statement finds the deficits, then each project with a deficit or a scheduled
    template gets a run.

    at: aware datetime; now by default. Each run is a transaction of its own. Yields a result per run.
    """
    at = at or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT project_id, backlog_threshold, backlog_count, deficit FROM due_fallback_projects(%s)", [at]
        )
        rows = cursor.fetchall()
        cursor.execute("SELECT DISTINCT project_id FROM due_fallback_schedules(%s)", [at])
        needed = {row[0] for row in rows if row[3]} | {project for (project,) in cursor.fetchall()}
    _record_checks([row for row in rows if row[0] not in needed], at)
    lacking = Project.objects.in_bulk(sorted(needed))
    for project in lacking.values():
        try:
            run = run_fallback(actor=actor, project=project, triggered_by=Trigger.AUTOMATIC, at=at)
        except DomainError as rejection:
            yield CheckResult(project, rejection=rejection)
        else:
            yield CheckResult(project, run=run)


@service
def launch_template(
    *,
    actor: Member,
    template: MissionFallbackTemplate,
    triggered_by: str = Trigger.MANUAL,
    at: datetime | None = None,
) -> Mission:
    """Create a mission from a template, within the guardrails of the week and the month.

    Recorded as a run with one accepted proposal. The template is launched also while it rests or is open already, which
    the run records in `skipped`, with "ignored".
    Raises TemplateDisabled, ProjectArchived, WeeklyCapReached, MonthlyHoursReached.
    """
    at = at or timezone.now()
    set_audit_context(actor, origin=Origin.FALLBACK)
    lock_rows()
    template = MissionFallbackTemplate.objects.select_related("project__organization").get(pk=template.pk)
    if not template.enabled:
        raise TemplateDisabled
    if template.project.status == ProjectStatus.ARCHIVED:
        raise ProjectArchived
    config = MissionFallbackConfig.objects.filter(project=template.project_id).first()
    threshold = config.backlog_threshold if config else None
    backlog = None if threshold is None else backlog_of(template.project, up_to=threshold)
    run = MissionFallbackRun.objects.create(
        project=template.project,
        triggered_by=triggered_by,
        started_by=actor,
        backlog_count_before=backlog,
        backlog_threshold=threshold,
        skipped=ignored_guardrails(template, at),
        started_at=at,
    )
    (item,) = _propose(run, [template])
    return accept_item(actor=actor, item=item, at=at)


@service
def cancel_run(*, actor: Member, run: MissionFallbackRun) -> MissionFallbackRun:
    """Cancel an open run and discard its open proposals; accepted ones stay. Raises RunEnded.

    The templates of the discarded proposals rest for a day.
    """
    at = timezone.now()
    set_audit_context(actor)
    lock_rows()
    # Items are locked before their run, as in decisions.
    waiting = list(MissionFallbackItem.objects.proposed().filter(run=run).order_by("pk").select_for_update())
    run = MissionFallbackRun.objects.lock(run.pk)
    if not run.is_open:
        raise RunEnded
    run.status = RunStatus.CANCELLED
    run.save(update_fields=["status"])
    audit("fallback.run_cancelled", actor=actor, project=run.project, run=run.pk, discarded=len(waiting))
    MissionFallbackItem.objects.filter(pk__in=[item.pk for item in waiting]).update(
        status=ItemStatus.DISCARDED,
        reason=DiscardReason.RUN_CANCELLED,
        reviewed_by=actor,
        reviewed_at=at,
        rest_until=at + rules.REST_AFTER[DiscardReason.RUN_CANCELLED],
        snoozed_until=None,
    )
    run.refresh_from_db()
    write_report_when_committed(run.pk)
    return run


def _record_check(plan: Plan) -> None:
    """Record a check with a sample of the backlog, and end a snooze that has passed."""
    config = plan.config
    config.last_run_at = plan.at
    if config.status == ConfigStatus.SNOOZED:
        config.status, config.snoozed_until = ConfigStatus.ACTIVE, None
    config.save(update_fields=["last_run_at", "status", "snoozed_until"])
    MissionFallbackSample.objects.create(
        project=plan.project,
        backlog_count=plan.backlog,
        backlog_threshold=config.backlog_threshold,
        sampled_at=plan.at,
    )


def _record_checks(rows: list[tuple[Any, ...]], at: datetime) -> None:
    """Record the checks of projects without a deficit, in one statement. rows: of due_fallback_projects()."""
    if not rows:
        return
    ids, thresholds, backlogs = ([row[number] for row in rows] for number in range(3))
    with transaction.atomic(), connection.cursor() as cursor:
        lock_rows()
        cursor.execute(
            read_sql("fallback/queries/record_checks"),
            {"project_ids": ids, "thresholds": thresholds, "backlogs": backlogs, "at": at},
        )


def _repeats_latest_run(plan: Plan) -> bool:
    """Whether the latest run made no proposals either, for the same reasons."""
    latest = MissionFallbackRun.objects.filter(project=plan.project).order_by("-started_at", "-id").first()
    if latest is None or latest.generated_count:
        return False
    before = {(each["guardrail"], each["template"]) for each in latest.skipped}
    return before == {(each.as_json()["guardrail"], each.as_json()["template"]) for each in plan.skipped}


def _propose(run: MissionFallbackRun, templates: list[MissionFallbackTemplate]) -> list[MissionFallbackItem]:
    ids = new_ids(len(templates))
    return MissionFallbackItem.objects.bulk_create(
        [_build_item(pk, run, template) for pk, template in zip(ids, templates, strict=True)]
    )


def _build_item(pk: str, run: MissionFallbackRun, template: MissionFallbackTemplate) -> MissionFallbackItem:
    description = template.description
    if template.acceptance_criteria:
        heading = gettext_noop("Acceptance criteria:")
        description = f"{description}\n\n{heading}\n{template.acceptance_criteria}".strip()
    return MissionFallbackItem(
        pk=pk,
        run=run,
        template=template,
        project_id=template.project_id,
        title=template.name,
        description=description,
        flow_id=template.flow_id,
        actor_id=template.actor_id,
        repository_id=template.repository_id,
        priority=template.priority,
        estimated_effort_minutes=template.estimated_effort_minutes,
    )


def _accept_all(items: list[MissionFallbackItem], actor: Member, at: datetime) -> list[SkippedTemplate]:
    """Accept proposals within the guardrails. Another transaction may have used the quota since the plan."""
    skipped = []
    for item in items:
        try:
            accept_item(actor=actor, item=item, at=at)
        except (WeeklyCapReached, MonthlyHoursReached) as rejection:
            skipped.append(SkippedTemplate(Guardrail(rejection.code), item.template, rejection.resets_at))
    return skipped

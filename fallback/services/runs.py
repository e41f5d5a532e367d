"""Check the backlog of projects, and propose missions where it is low."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from fallback.errors import (
    FallbackInactive,
    MonthlyHoursReached,
    NoConfiguration,
    ProjectArchived,
    RunEnded,
    RunInProgress,
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
    EventOrigin,
    Guardrail,
    ItemStatus,
    ProjectStatus,
    RunStatus,
    Trigger,
)
from fallback.services.audit import record_activity, set_audit_context
from fallback.services.planning import Plan, SkippedTemplate, backlog_of, inactive_reason, plan_run
from fallback.services.reports import write_report_when_committed
from fallback.services.review import accept_item
from groups.models import Member
from missionsite.common.errors import DomainError
from missionsite.common.ids import new_ids
from missionsite.common.transactions import service


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
            return self.rejection.message
        if self.run is None:
            return "No proposals needed: enough missions are ready or proposed, or the same guardrails apply as before."
        if self.run.error:
            return self.run.error
        made = f"{self.run.generated_count} proposed"
        if self.run.accepted_count:
            made += f", {self.run.accepted_count} accepted automatically"
        return made + (f", {len(self.run.skipped)} skipped" if self.run.skipped else "") + "."


@service
def run_fallback(
    *,
    project: Project,
    triggered_by: str = Trigger.MANUAL,
    actor: Member | None = None,
    at: datetime | None = None,
) -> MissionFallbackRun | None:
    """Propose the missing missions of a project, within its guardrails. Returns None if none are missing.

    triggered_by: of Trigger. at: aware datetime; now by default.
    Raises NoConfiguration, FallbackInactive, and RunInProgress while another run of the project is in progress.
    """
    at = at or timezone.now()
    set_audit_context(actor, EventOrigin.FALLBACK)
    _lock_runs(project)
    project = Project.objects.select_related("organization").get(pk=project.pk)
    config = MissionFallbackConfig.objects.filter(project=project).select_for_update().first()
    if config is None:
        raise NoConfiguration
    if off := inactive_reason(project, config, at):
        raise FallbackInactive(off)
    # A run is one transaction, and the lock allows one at a time: a pending run here is a leftover.
    for stale in MissionFallbackRun.objects.filter(project=project, status=RunStatus.PENDING):
        cancel_run(run=stale, actor=actor)
    plan = plan_run(project, config=config, at=at)
    _record_check(plan)
    # The job would otherwise record the same skipped templates every few minutes.
    repeats = triggered_by == Trigger.AUTOMATIC and not plan.picks and _repeats_latest_run(plan)
    if not plan.deficit or repeats:
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
    skipped = list(plan.skipped)
    if config.auto_accept:
        skipped += _accept_all(items, actor, at)
    run.skipped = [each.as_json() for each in skipped]
    run.status = RunStatus.AWAITING_REVIEW if items else RunStatus.COMPLETED
    if any(each.guardrail == Guardrail.TEMPLATES for each in skipped):
        run.status, run.error = RunStatus.ERRORED, "No template is enabled. Enable one to get proposals."
    run.save(update_fields=["skipped", "status", "error"])
    run.refresh_from_db()
    write_report_when_committed(run.pk)
    return run


def run_due(*, at: datetime | None = None) -> Iterator[CheckResult]:
    """Check all due projects: one statement finds the deficits, then each project with a deficit gets a run.

    at: aware datetime; now by default. Each run is a transaction of its own. Yields a result per run.
    """
    at = at or timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT project_id, backlog_threshold, backlog_count, deficit FROM due_fallback_projects(%s)", [at]
        )
        rows = cursor.fetchall()
    _record_checks([row for row in rows if not row[3]], at)
    lacking = Project.objects.in_bulk([row[0] for row in rows if row[3]])
    for project in lacking.values():
        try:
            run = run_fallback(project=project, triggered_by=Trigger.AUTOMATIC, at=at)
        except DomainError as rejection:
            yield CheckResult(project, rejection=rejection)
        else:
            yield CheckResult(project, run=run)


@service
def launch_template(
    *,
    template: MissionFallbackTemplate,
    actor: Member | None = None,
    triggered_by: str = Trigger.MANUAL,
    at: datetime | None = None,
) -> Mission:
    """Create a mission from a template, within the guardrails.

    Recorded as a run with one accepted proposal.
    Raises TemplateDisabled, ProjectArchived, WeeklyCapReached, MonthlyHoursReached.
    """
    at = at or timezone.now()
    set_audit_context(actor, EventOrigin.FALLBACK)
    template = MissionFallbackTemplate.objects.select_related("project__organization").get(pk=template.pk)
    if not template.enabled:
        raise TemplateDisabled
    if template.project.status == ProjectStatus.ARCHIVED:
        raise ProjectArchived
    config = MissionFallbackConfig.objects.filter(project=template.project_id).first()
    threshold = config.backlog_threshold if config else None
    run = MissionFallbackRun.objects.create(
        project=template.project,
        triggered_by=triggered_by,
        started_by=actor,
        backlog_count_before=backlog_of(template.project, up_to=threshold) if config else None,
        backlog_threshold=threshold,
        started_at=at,
    )
    (item,) = _propose(run, [template])
    return accept_item(item=item, actor=actor, at=at)


@service
def cancel_run(*, run: MissionFallbackRun, actor: Member | None = None) -> MissionFallbackRun:
    """Cancel an open run and discard its open proposals; accepted ones stay. Raises RunEnded."""
    set_audit_context(actor)
    # Items are locked before their run, as in decisions.
    waiting = list(MissionFallbackItem.objects.proposed().filter(run=run).order_by("pk").select_for_update())
    run = MissionFallbackRun.objects.select_for_update().get(pk=run.pk)
    if not run.is_open:
        raise RunEnded
    run.status = RunStatus.CANCELLED
    run.save(update_fields=["status"])
    record_activity("fallback.run_cancelled", project=run.project, actor=actor, run=run.pk, discarded=len(waiting))
    MissionFallbackItem.objects.filter(pk__in=[item.pk for item in waiting]).update(
        status=ItemStatus.DISCARDED,
        reason=DiscardReason.RUN_CANCELLED,
        reviewed_by=actor,
        reviewed_at=timezone.now(),
        snoozed_until=None,
    )
    run.refresh_from_db()
    write_report_when_committed(run.pk)
    return run


def _lock_runs(project: Project) -> None:
    """Allow one run of a project at a time. Raises RunInProgress without waiting."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('fallback_run:' || %s, 0))", [project.pk])
        if not cursor.fetchone()[0]:
            raise RunInProgress


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


def _record_checks(rows: list[tuple], at: datetime) -> None:
    """Record the checks of projects without a deficit, in one statement."""
    if not rows:
        return
    ids, thresholds, backlogs = ([row[number] for row in rows] for number in range(3))
    with transaction.atomic(), connection.cursor() as cursor:
        set_audit_context(None)
        cursor.execute(
            """
            WITH checked AS (
                SELECT * FROM unnest(%s::text[], %s::integer[], %s::integer[]) AS l (project_id, threshold, backlog)
            ), locked AS (
                -- A configuration that is locked or has been snoozed again is checked in the next minute.
                SELECT c.id FROM mission_fallback_configs c JOIN checked l ON l.project_id = c.project_id
                WHERE c.status <> 'snoozed' OR c.snoozed_until <= %s
                ORDER BY c.id FOR UPDATE OF c SKIP LOCKED
            ), recorded AS (
                UPDATE mission_fallback_configs c SET last_run_at = %s, snoozed_until = NULL,
                    status = CASE WHEN c.status = 'snoozed' THEN 'active' ELSE c.status END
                FROM locked WHERE c.id = locked.id RETURNING c.project_id
            )
            INSERT INTO mission_fallback_samples (project_id, backlog_count, backlog_threshold, sampled_at)
            SELECT l.project_id, l.backlog, l.threshold, %s
            FROM checked l JOIN recorded n ON n.project_id = l.project_id
            """,
            [ids, thresholds, backlogs, at, at, at],
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
        description = f"{description}\n\nAcceptance criteria:\n{template.acceptance_criteria}".strip()
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


def _accept_all(items: list[MissionFallbackItem], actor: Member | None, at: datetime) -> list[SkippedTemplate]:
    """Accept proposals within the guardrails. Another transaction may have used the quota since the plan."""
    skipped = []
    for item in items:
        try:
            accept_item(item=item, actor=actor, at=at)
        except (WeeklyCapReached, MonthlyHoursReached) as rejection:
            skipped.append(SkippedTemplate(Guardrail(rejection.code), item.template, rejection.resets_at))
    return skipped

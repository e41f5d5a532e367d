"""Runs: looking at a project's backlog, and proposing missions where it is low."""

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
    """What became of looking at one project. run: None where nothing had to be made."""

    project: Project
    run: MissionFallbackRun | None = None
    rejection: DomainError | None = None

    @property
    def summary(self) -> str:
        """The outcome in a sentence."""
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
    """Propose what a project's backlog lacks, within its guardrails; None where nothing is lacking.

    triggered_by: of Trigger. at: aware datetime; now when left out.
    Raises NoConfiguration, FallbackInactive, and RunInProgress while another run of the project is being made.
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
    # Runs are made whole or not at all, and one at a time: a pending one here was left by something else.
    for left in MissionFallbackRun.objects.filter(project=project, status=RunStatus.PENDING):
        cancel_run(run=left, actor=actor)
    plan = plan_run(project, config=config, at=at)
    _record_check(plan)
    # Every few minutes the same would be said again; who asks by hand is told.
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
    """Look at every project that is due: one statement finds what each lacks, then those that lack get a run.

    at: aware datetime; now when left out. Each run is a transaction of its own; yields an outcome for each.
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
    """Make a mission of a template at once, within the guardrails; the template stays where it is.

    It is a run of one proposal that is accepted, so that the history knows of it.
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
    """End a run that is open: what of it still waits is discarded, what was accepted stays. Raises RunEnded."""
    set_audit_context(actor)
    # Items before their run, as everyone who decides on them.
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
    """Make one run of a project at a time; whoever comes second is told so at once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('fallback_run:' || %s, 0))", [project.pk])
        if not cursor.fetchone()[0]:
            raise RunInProgress


def _record_check(plan: Plan) -> None:
    """Write down that the backlog was looked at, and what it was; a snooze that has passed ends here."""
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
    """The same for every project that lacks nothing, in one statement."""
    if not rows:
        return
    ids, thresholds, backlogs = ([row[number] for row in rows] for number in range(3))
    with transaction.atomic(), connection.cursor() as cursor:
        set_audit_context(None)
        cursor.execute(
            """
            WITH looked AS (
                SELECT * FROM unnest(%s::text[], %s::integer[], %s::integer[]) AS l (project_id, threshold, backlog)
            ), mine AS (
                -- A configuration someone is changing, or has snoozed anew, is looked at again in a minute.
                SELECT c.id FROM mission_fallback_configs c JOIN looked l ON l.project_id = c.project_id
                WHERE c.status <> 'snoozed' OR c.snoozed_until <= %s
                ORDER BY c.id FOR UPDATE OF c SKIP LOCKED
            ), noted AS (
                UPDATE mission_fallback_configs c SET last_run_at = %s, snoozed_until = NULL,
                    status = CASE WHEN c.status = 'snoozed' THEN 'active' ELSE c.status END
                FROM mine WHERE c.id = mine.id RETURNING c.project_id
            )
            INSERT INTO mission_fallback_samples (project_id, backlog_count, backlog_threshold, sampled_at)
            SELECT l.project_id, l.backlog, l.threshold, %s FROM looked l JOIN noted n ON n.project_id = l.project_id
            """,
            [ids, thresholds, backlogs, at, at, at],
        )


def _repeats_latest_run(plan: Plan) -> bool:
    """Whether the latest run says the same already: nothing could be made, for the same reasons."""
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
    """Accept what the guardrails let through; someone may have spent the room since it was planned."""
    skipped = []
    for item in items:
        try:
            accept_item(item=item, actor=actor, at=at)
        except (WeeklyCapReached, MonthlyHoursReached) as rejection:
            skipped.append(SkippedTemplate(Guardrail(rejection.code), item.template, rejection.resets_at))
    return skipped

"""The plan of a run, without writing. A run carries out its plan; a dry run shows it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db.models import QuerySet, Sum
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from fallback import rules
from fallback.models import (
    Mission,
    MissionFallbackConfig,
    MissionFallbackItem,
    MissionFallbackTemplate,
    Organization,
    Project,
)
from fallback.models.choices import ConfigStatus, Guardrail, ProjectStatus
from fallback.selectors.guardrails import Guardrails, guardrails_of
from fallback.selectors.replay import current_scores, score_of
from fallback.selectors.template_states import (
    SkippedTemplate,
    open_duplicates,
    scheduled_templates,
    template_states,
)


@dataclass
class Plan:
    """The plan of the next run of a project.

    backlog: ready, unblocked missions, counted up to the threshold. deficit: threshold minus backlog minus open
    proposals and missions in Todo that proposals were duplicates of. scheduled: the templates whose day it is.
    """

    project: Project
    config: MissionFallbackConfig
    at: datetime
    backlog: int
    proposed: int
    deficit: int
    guardrails: Guardrails
    inactive_reason: str = ""
    picks: list[MissionFallbackTemplate] = field(default_factory=list)
    skipped: list[SkippedTemplate] = field(default_factory=list)
    scheduled: list[MissionFallbackTemplate] = field(default_factory=list)

    @property
    def is_needed(self) -> bool:
        """Whether missions are missing, or a template is scheduled for today."""
        return bool(self.deficit or self.scheduled)

    @property
    def summary(self) -> str:
        """The plan as a sentence."""
        if self.inactive_reason:
            return self.inactive_reason
        if not self.is_needed:
            return gettext("Enough missions are ready or proposed. No proposals needed.")
        made = ngettext("{number} proposal would be made", "{number} proposals would be made", len(self.picks)).format(
            number=len(self.picks)
        )
        if self.skipped:
            return gettext("{made}, {skipped} skipped.").format(made=made, skipped=len(self.skipped))
        return f"{made}."


def backlog_of(project: Project, *, up_to: int) -> int:
    """The number of ready, unblocked missions of a project, counted up to a limit."""
    ready = Mission.objects.filter(project=project, **rules.BACKLOG)
    return ready.order_by().values("pk")[:up_to].count()


def inactive_reason(project: Project, config: MissionFallbackConfig, at: datetime) -> str:
    """Why a project gets no proposals; empty if it gets them."""
    organization: Organization = project.organization
    if project.status == ProjectStatus.ARCHIVED:
        return gettext("The project is archived.")
    if not organization.fallback_enabled:
        return gettext("The fallback is switched off for the organisation.")
    if not project.fallback_enabled:
        return gettext("The fallback is switched off for this project.")
    if project.rollout_bucket >= organization.fallback_rollout_percent:
        return gettext("The fallback is rolled out to {percent} % of projects, not to this one.").format(
            percent=organization.fallback_rollout_percent
        )
    if config.status == ConfigStatus.PAUSED:
        return gettext("The fallback is paused. Resume it first.")
    if not config.is_active(at):
        until = date_format(timezone.localtime(config.snoozed_until), "j F Y H:i T")
        return gettext("The fallback is snoozed until {when}. Resume it first.").format(when=until)
    return ""


def plan_run(project: Project, *, config: MissionFallbackConfig | None = None, at: datetime | None = None) -> Plan:
    """Plan a run of a project.

    at: aware datetime; now by default. Raises MissionFallbackConfig.DoesNotExist without a configuration.
    """
    at = at or timezone.now()
    config = config or MissionFallbackConfig.objects.get(project=project)
    waiting = MissionFallbackItem.objects.proposed().filter(project=project)
    backlog = backlog_of(project, up_to=config.backlog_threshold)
    proposed = waiting.count()
    plan = Plan(
        project=project,
        config=config,
        at=at,
        backlog=backlog,
        proposed=proposed,
        deficit=max(0, config.backlog_threshold - backlog - proposed),
        guardrails=guardrails_of([project], at)[project.pk],
        inactive_reason=inactive_reason(project, config, at),
    )
    if not plan.inactive_reason:
        turn = templates_by_score(project, at) if config.by_score else templates_in_turn(project)
        due = set(scheduled_templates(project, at))
        plan.scheduled = [template for template in turn if template.pk in due]
        if plan.deficit:
            _reduce_deficit(plan, waiting)
        if plan.is_needed:
            minutes = waiting.aggregate(minutes=Sum("estimated_effort_minutes"))["minutes"] or 0
            _choose(plan, turn, minutes)
    return plan


def templates_in_turn(project: Project) -> list[MissionFallbackTemplate]:
    """Enabled templates in order of use: longest unused first, then by priority, then by acceptance rate."""
    templates = (
        MissionFallbackTemplate.objects.enabled()
        .filter(project=project)
        .select_related("flow", "actor", "repository")
        .with_record()
    )
    never = datetime.min.replace(tzinfo=UTC)
    return sorted(templates, key=lambda t: (t.last_used_at or never, -t.priority, -acceptance(t), t.pk))


def templates_by_score(project: Project, at: datetime) -> list[MissionFallbackTemplate]:
    """Enabled templates by their decaying acceptance score, the best first; then in order of use."""
    found = current_scores(project, at)
    return sorted(templates_in_turn(project), key=lambda template: -found.get(template.pk, score_of(0, 0)))


def acceptance(template: MissionFallbackTemplate) -> float:
    """The accepted share of a template's decided proposals; 0.5 if none is decided."""
    decided = template.accepted_count + template.discarded_count
    return template.accepted_count / decided if decided else 0.5


def _reduce_deficit(plan: Plan, waiting: QuerySet[MissionFallbackItem]) -> None:
    """Record the proposals that a mission in Todo or a snooze stands for. Only the former are not counted yet."""
    duplicates = open_duplicates(plan.project)
    plan.deficit = max(0, plan.deficit - len(duplicates))
    plan.skipped += [SkippedTemplate(Guardrail.DUPLICATE, item.template) for item in duplicates]
    snoozed = waiting.filter(snoozed_until__gt=plan.at).select_related("template").order_by("pk")
    plan.skipped += [SkippedTemplate(Guardrail.SNOOZED, item.template, item.snoozed_until) for item in snoozed]


def _choose(plan: Plan, templates: list[MissionFallbackTemplate], proposed_minutes: int) -> None:
    """Pick the scheduled templates, then one for each missing mission, and record what the guardrails skip."""
    if not templates:
        plan.skipped.append(SkippedTemplate(Guardrail.TEMPLATES))
        return
    quota = _Quota(plan, proposed_minutes)
    states = template_states(plan.project, plan.at)
    room = {template.pk: template.max_open - states[template.pk].open_count for template in templates}
    turn: deque[MissionFallbackTemplate] = deque()
    for template in templates:
        if template.schedule and template not in plan.scheduled:
            continue
        if states[template.pk].rests:
            plan.skipped.append(SkippedTemplate(Guardrail.REST, template, states[template.pk].rests_until))
        elif room[template.pk] <= 0:
            plan.skipped.append(SkippedTemplate(Guardrail.MAX_OPEN, template))
        elif template.schedule:
            quota.pick(template)
        else:
            turn.append(template)
    for _number in range(plan.deficit - len(plan.picks)):
        if not turn:
            break
        if quota.missions_left <= 0:
            plan.skipped.append(SkippedTemplate(Guardrail.WEEK, turn[0], plan.guardrails.week.resets_at))
            turn.rotate(-1)
            continue
        fitting = next((template for template in turn if quota.fits(template)), None)
        for template in turn:
            if template is fitting:
                break
            quota.skip_too_long(template)
        if fitting is None:
            break
        quota.pick(fitting)
        turn.remove(fitting)
        room[fitting.pk] -= 1
        if room[fitting.pk]:
            turn.append(fitting)
        elif len(plan.picks) < plan.deficit and not turn:
            plan.skipped.append(SkippedTemplate(Guardrail.MAX_OPEN, fitting))
    plan.skipped += quota.too_long.values()


class _Quota:
    """What is left of both guardrails while a plan is made. Open proposals count as used: they may be accepted."""

    def __init__(self, plan: Plan, proposed_minutes: int) -> None:
        self.plan = plan
        self.missions_left = max(0, plan.guardrails.week.left - plan.proposed)
        self.minutes_left = max(0, plan.guardrails.month.left - proposed_minutes)
        self.too_long: dict[str, SkippedTemplate] = {}

    def fits(self, template: MissionFallbackTemplate) -> bool:
        return template.estimated_effort_minutes <= self.minutes_left

    def pick(self, template: MissionFallbackTemplate) -> None:
        """Pick a template, or record the guardrail that prevents it."""
        if self.missions_left <= 0:
            week = self.plan.guardrails.week
            self.plan.skipped.append(SkippedTemplate(Guardrail.WEEK, template, week.resets_at))
        elif not self.fits(template):
            self.skip_too_long(template)
        else:
            self.plan.picks.append(template)
            self.missions_left -= 1
            self.minutes_left -= template.estimated_effort_minutes

    def skip_too_long(self, template: MissionFallbackTemplate) -> None:
        month = self.plan.guardrails.month
        self.too_long.setdefault(template.pk, SkippedTemplate(Guardrail.MONTH, template, month.resets_at))

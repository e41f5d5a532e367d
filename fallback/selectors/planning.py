"""The plan of a run, without writing. A run carries out its plan; a dry run shows it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db.models import Sum
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


@dataclass
class SkippedTemplate:
    """A template that was not proposed, with the guardrail that prevented it."""

    guardrail: Guardrail
    template: MissionFallbackTemplate | None = None
    resets_at: datetime | None = None

    def as_json(self) -> dict:
        return {
            "template": self.template.pk if self.template else None,
            "name": self.template.name if self.template else None,
            "guardrail": str(self.guardrail),
            "resetsAt": self.resets_at.isoformat() if self.resets_at else None,
        }


@dataclass
class Plan:
    """The plan of the next run of a project.

    backlog: ready, unblocked missions, counted up to the threshold. deficit: threshold minus backlog minus open
    proposals.
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

    @property
    def summary(self) -> str:
        """The plan as a sentence."""
        if self.inactive_reason:
            return self.inactive_reason
        if not self.deficit:
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
    if plan.deficit and not plan.inactive_reason:
        _choose(plan, waiting.aggregate(minutes=Sum("estimated_effort_minutes"))["minutes"] or 0)
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


def acceptance(template: MissionFallbackTemplate) -> float:
    """The accepted share of a template's decided proposals; 0.5 if none is decided."""
    decided = template.accepted_count + template.discarded_count
    return template.accepted_count / decided if decided else 0.5


def _choose(plan: Plan, proposed_minutes: int) -> None:
    """Pick a template for each missing mission, and record what the guardrails skip."""
    turn = deque(templates_in_turn(plan.project))
    if not turn:
        plan.skipped.append(SkippedTemplate(Guardrail.TEMPLATES))
        return
    week, month = plan.guardrails.week, plan.guardrails.month
    # Open proposals count as used: they may still be accepted.
    missions_left = max(0, week.left - plan.proposed)
    minutes_left = max(0, month.left - proposed_minutes)
    too_long: dict[str, SkippedTemplate] = {}
    for _number in range(plan.deficit):
        if missions_left <= 0:
            plan.skipped.append(SkippedTemplate(Guardrail.WEEK, turn[0], week.resets_at))
            turn.rotate(-1)
            continue
        fitting = next((t for t in turn if t.estimated_effort_minutes <= minutes_left), None)
        for template in turn:
            if template is fitting:
                break
            too_long.setdefault(template.pk, SkippedTemplate(Guardrail.MONTH, template, month.resets_at))
        if fitting is None:
            break
        plan.picks.append(fitting)
        missions_left -= 1
        minutes_left -= fitting.estimated_effort_minutes
        turn.remove(fitting)
        turn.append(fitting)
    plan.skipped += too_long.values()

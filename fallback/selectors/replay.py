"""The order of templates by a decaying acceptance score, and what it would have proposed in the past."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from fallback.models import MissionFallbackItem, MissionFallbackRun, MissionFallbackTemplate, Project
from fallback.models.choices import DiscardReason, ItemStatus, Trigger
from fallback.rules import REPLAY_PERIOD, SCORE_HALF_LIFE, SCORE_PRIOR

# Runs that are replayed, the latest ones.
RUNS = 100


class Decision(NamedTuple):
    """A decision on a proposal of a template."""

    template: str
    accepted: bool
    at: datetime


@dataclass(frozen=True)
class ReplayedRun:
    """A run of the past. proposed: the templates that it proposed. chosen: those that the score would have chosen.

    kept: proposals of templates in both. is_accepted: by template, whether the proposal was accepted; None undecided.
    """

    run: MissionFallbackRun
    proposed: list[MissionFallbackTemplate]
    chosen: list[MissionFallbackTemplate]
    is_accepted: dict[str, bool | None]

    @property
    def dropped(self) -> list[MissionFallbackTemplate]:
        """Proposed, but not chosen by the score."""
        return [template for template in self.proposed if template not in self.chosen]

    @property
    def added(self) -> list[MissionFallbackTemplate]:
        """Chosen by the score, but not proposed: whether they would have been accepted is not known."""
        return [template for template in self.chosen if template not in self.proposed]


class Replay(NamedTuple):
    """What the score would have changed.

    accepted, decided: of all proposals. kept_accepted, kept_decided: of those that the score would have made too.
    """

    runs: list[ReplayedRun]
    accepted: int
    decided: int
    kept_accepted: int
    kept_decided: int

    @property
    def changed(self) -> int:
        """Runs with another choice."""
        return sum(bool(each.dropped) for each in self.runs)


def scores(decisions: Iterable[Decision], at: datetime) -> dict[str, float]:
    """The score of each template with decisions before an instant, from 0 to 1.

    The accepted share of its decisions, each counted half after SCORE_HALF_LIFE, and SCORE_PRIOR decisions at one half.
    """
    accepted: dict[str, float] = defaultdict(float)
    decided: dict[str, float] = defaultdict(float)
    for each in decisions:
        if each.at < at:
            weight = 0.5 ** ((at - each.at) / SCORE_HALF_LIFE)
            decided[each.template] += weight
            accepted[each.template] += weight * each.accepted
    return {key: score_of(accepted[key], decided[key]) for key in decided}


def score_of(accepted: float, decided: float) -> float:
    """The score of a template with these weighted numbers; one half without decisions."""
    return (accepted + SCORE_PRIOR / 2) / (decided + SCORE_PRIOR)


def decisions_of(project: Project, *, since: datetime) -> list[Decision]:
    """The decisions on the proposals of a project since an instant, oldest first."""
    rows = (
        MissionFallbackItem.objects.filter(
            project=project, status__in=(ItemStatus.ACCEPTED, ItemStatus.DISCARDED), reviewed_at__gte=since
        )
        .exclude(reason=DiscardReason.RUN_CANCELLED)
        .order_by("reviewed_at", "pk")
        .values_list("template_id", "status", "reviewed_at")
    )
    return [Decision(template, status == ItemStatus.ACCEPTED, at) for template, status, at in rows if at]


def current_scores(project: Project, at: datetime) -> dict[str, float]:
    """The scores of a project's templates now."""
    return scores(decisions_of(project, since=at - REPLAY_PERIOD), at)


def replay(project: Project, at: datetime) -> Replay:
    """Choose the templates of the runs of the last REPLAY_PERIOD by their score at that time.

    Each run chooses as many of its candidates: enabled templates without a schedule that existed then, and what it
    proposed. Rests, limits of open missions and guardrails of that time are not known any more.
    """
    since = at - REPLAY_PERIOD
    decisions = decisions_of(project, since=since - REPLAY_PERIOD)
    templates = {each.pk: each for each in MissionFallbackTemplate.objects.filter(project=project)}
    runs = list(
        MissionFallbackRun.objects.filter(project=project, started_at__gte=since, triggered_by=Trigger.AUTOMATIC)
        .prefetch_related("items")
        .order_by("-started_at", "-pk")[:RUNS]
    )
    found = [_replayed(run, templates, decisions) for run in runs]
    found = [each for each in found if each.proposed]
    known = [
        (accepted, template in {each.pk for each in row.chosen})
        for row in found
        for template, accepted in row.is_accepted.items()
        if accepted is not None
    ]
    return Replay(
        found,
        accepted=sum(accepted for accepted, _kept in known),
        decided=len(known),
        kept_accepted=sum(accepted for accepted, kept in known if kept),
        kept_decided=sum(kept for _accepted, kept in known),
    )


def _replayed(
    run: MissionFallbackRun, templates: dict[str, MissionFallbackTemplate], decisions: list[Decision]
) -> ReplayedRun:
    items = sorted(run.items.all(), key=lambda item: (item.created_at, item.pk))
    proposed = list(dict.fromkeys(templates[item.template_id] for item in items if item.template_id in templates))
    candidates = [
        each
        for each in templates.values()
        if each in proposed or (each.enabled and not each.schedule and each.created_at <= run.started_at)
    ]
    by_score = scores(decisions, run.started_at)
    candidates.sort(key=lambda each: (-by_score.get(each.pk, score_of(0, 0)), -each.priority, each.pk))
    decided = {item.template_id: item.status for item in items if item.status != ItemStatus.PROPOSED}
    return ReplayedRun(
        run,
        proposed,
        candidates[: len(proposed)],
        {each.pk: decided[each.pk] == ItemStatus.ACCEPTED if each.pk in decided else None for each in proposed},
    )

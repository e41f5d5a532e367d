"""The replay of the order by score: a tab of a project's configuration, and switching the order on and off."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from fallback.admin.base import ProjectAction, ProjectCustomTab
from fallback.models import MissionFallbackConfig
from fallback.rules import REPLAY_PERIOD, SCORE_HALF_LIFE
from fallback.selectors.planning import templates_in_turn
from fallback.selectors.replay import current_scores, replay, score_of
from fallback.services.configs import order_by_score
from missionsite.common.admin.formats import format_datetime


def _percent(part: int, whole: int) -> str:
    return f"{round(100 * part / whole)} %" if whole else "-"


def _context(config: MissionFallbackConfig, request: HttpRequest) -> dict:
    at = timezone.now()
    found, by_score = replay(config.project, at), current_scores(config.project, at)
    return {
        "config": config,
        "days": REPLAY_PERIOD.days,
        "half_life": SCORE_HALF_LIFE.days,
        "replayed": len(found.runs),
        "changed": found.changed,
        "accepted": _percent(found.accepted, found.decided),
        "kept_accepted": _percent(found.kept_accepted, found.kept_decided),
        "decided": found.decided,
        "kept_decided": found.kept_decided,
        "runs": [
            {
                "started": format_datetime(each.run.started_at),
                "proposed": [
                    {"name": template.name, "accepted": each.is_accepted[template.pk]} for template in each.proposed
                ],
                "added": [template.name for template in each.added],
                "dropped": [template.name for template in each.dropped],
            }
            for each in found.runs
        ],
        "templates": [
            {"name": each.name, "score": round(100 * by_score.get(each.pk, score_of(0, 0)))}
            for each in sorted(
                templates_in_turn(config.project), key=lambda each: -by_score.get(each.pk, score_of(0, 0))
            )
        ],
    }


REPLAY: ProjectCustomTab[MissionFallbackConfig] = ProjectCustomTab(
    name="replay", title=_("Order by score"), template="fallback/replay.html", context=_context
)
ACTIONS: tuple[ProjectAction[MissionFallbackConfig], ...] = (
    ProjectAction(
        name="order-by-score",
        title=_("Order templates by score"),
        success_message=_("orders templates by score"),
        run=lambda config, actor, values: order_by_score(actor=actor, config=config, enabled=True),
        permission="",
        available=lambda config: not config.by_score,
        help_text=_(
            "Templates with the best acceptance score come first. “Order by score” shows what that would have changed."
        ),
        icon="trending_up",
    ),
    ProjectAction(
        name="order-by-turn",
        title=_("Order templates by turn"),
        success_message=_("orders templates by turn"),
        run=lambda config, actor, values: order_by_score(actor=actor, config=config, enabled=False),
        permission="",
        available=lambda config: config.by_score,
        help_text=_("The template that was not used for the longest time comes first."),
        icon="sort",
    ),
)

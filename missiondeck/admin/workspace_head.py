"""The head of a workspace: how a mission stands, what it is, and how it moved."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest

from missiondeck.admin.workspace_runs import RUN_TONES
from missiondeck.admin.workspace_words import days_words, missing_parts, number, person, verdict
from missiondeck.models import BACK, FORWARD, DeckMission, DeckStatus, DeckStatusChange, TestRun

MOVES = 50
STATUS_TONES = {DeckStatus.ACTIVE: "info", DeckStatus.QA: "warn", DeckStatus.COMPLETE: "good"}
_STEPS = {
    (DeckStatus.ACTIVE, DeckStatus.QA): "Move to QA",
    (DeckStatus.QA, DeckStatus.COMPLETE): "Complete",
    (DeckStatus.QA, DeckStatus.ACTIVE): "Back to active",
    (DeckStatus.COMPLETE, DeckStatus.QA): "Back to QA",
}


def moves(mission: DeckMission) -> dict:
    """How a mission moved, the latest first."""
    changes = list(DeckStatusChange.objects.filter(mission=mission).select_related("by")[: MOVES + 1])
    return {
        "rows": [
            {
                "from": each.get_from_status_display(),
                "to": each.get_to_status_display(),
                "tone": STATUS_TONES[each.to_status],
                "by": str(each.by) if each.by else "",
                "at": each.created_at,
                "reason": each.reason,
                "is_override": each.is_override,
                "missing": missing_parts(each.missing),
            }
            for each in changes[:MOVES]
        ],
        "has_more": len(changes) > MOVES,
        "latest": changes[0] if changes else None,
    }


def head(
    request: HttpRequest,
    mission: DeckMission,
    *,
    missing: list[dict],
    latest: TestRun | None,
    history: dict,
    at: datetime,
) -> dict:
    """How a mission stands at a moment, and the steps it can take. latest: its latest run."""
    is_complete = mission.status == DeckStatus.COMPLETE
    last = history["latest"]
    overridden = last if is_complete and last and last.is_override else None
    forward, back = FORWARD.get(mission.status), BACK.get(mission.status)
    return {
        "verdict": verdict(mission, missing=missing, latest=latest, overridden=overridden, at=at),
        "status_words": mission.get_status_display(),
        "status_tone": STATUS_TONES[mission.status],
        "budget": f"{mission.currency} {number(mission.budget)}",
        "is_complete": is_complete,
        "is_late": not is_complete and mission.deadline < at,
        "was_late": is_complete and mission.deadline < mission.completed_at,
        "days": "" if is_complete else days_words(mission.deadline, at),
        "assignee": person(request, mission.assignee),
        "completed_by": person(request, mission.completed_by),
        "repository": mission.github_url.removeprefix("https://github.com/").rstrip("/"),
        "missing": missing_parts(missing),
        "run_tone": RUN_TONES[latest.status] if latest else "",
        "forward": {"to": forward, "words": _STEPS[mission.status, forward]} if forward else None,
        "back": {"to": back, "words": _STEPS[mission.status, back]} if back else None,
    }

"""The head of a workspace: summary, details and status history of a mission."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from missiondeck.admin.workspace_formats import (
    format_days_left,
    member_link,
    missing_parts,
    mission_summary,
    shown_use,
)
from missiondeck.admin.workspace_runs import RUN_TONES
from missiondeck.models import DeckMission, DeckStatus, DeckStatusChange, TestRun
from missiondeck.rules import BACK, FORWARD
from missiondeck.selectors.costs import budget_use
from missionsite.common.admin.formats import format_number
from missionsite.common.annotations import StrOrPromise

CHANGES_SHOWN = 50
STATUS_TONES: dict[str, str] = {DeckStatus.ACTIVE: "info", DeckStatus.QA: "warn", DeckStatus.COMPLETE: "good"}
_STATUS_BUTTONS: dict[tuple[str, str], StrOrPromise] = {
    (DeckStatus.ACTIVE, DeckStatus.QA): _("Move to QA"),
    (DeckStatus.QA, DeckStatus.COMPLETE): pgettext_lazy("action", "Complete"),
    (DeckStatus.QA, DeckStatus.ACTIVE): _("Move back to active"),
    (DeckStatus.COMPLETE, DeckStatus.QA): _("Move back to QA"),
}


def status_changes(mission: DeckMission) -> dict:
    """The status changes of a mission, latest first."""
    changes = list(DeckStatusChange.objects.filter(mission=mission).select_related("by")[: CHANGES_SHOWN + 1])
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
            for each in changes[:CHANGES_SHOWN]
        ],
        "has_more": len(changes) > CHANGES_SHOWN,
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
    """The summary and details of a mission at a point in time, and its next steps. latest: the latest run."""
    is_complete = mission.status == DeckStatus.COMPLETE
    last = history["latest"]
    overridden = last if is_complete and last and last.is_override else None
    forward, back = FORWARD.get(mission.status), BACK.get(mission.status)
    return {
        "summary": mission_summary(mission, missing=missing, latest=latest, overridden=overridden, at=at),
        "status_label": mission.get_status_display(),
        "status_tone": STATUS_TONES[mission.status],
        "budget": f"{mission.currency} {format_number(mission.budget)}",
        "use": shown_use(budget_use(mission)),
        "is_complete": is_complete,
        "is_late": not is_complete and mission.deadline < at,
        "was_late": mission.completed_at is not None and mission.deadline < mission.completed_at,
        "days": "" if is_complete else format_days_left(mission.deadline, at),
        "assignee": member_link(request, mission.assignee),
        "completed_by": member_link(request, mission.completed_by),
        "repository": mission.github_url.removeprefix("https://").rstrip("/"),
        "missing": missing_parts(missing),
        "run_tone": RUN_TONES[latest.status] if latest else "",
        "forward": {"to": forward, "text": _STATUS_BUTTONS[mission.status, forward]} if forward else None,
        "back": {"to": back, "text": _STATUS_BUTTONS[mission.status, back]} if back else None,
    }

"""Client missions: create, update and change the status.

The history of the missions records every change with its changeset, and so its actor; a trigger records the changes of
the status.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from groups.models import Member
from missiondeck.errors import NotDone
from missiondeck.models import DeckMission, DeckStatus
from missiondeck.selectors.missions import missing_of
from missionsite.common.audit.context import set_audit_context
from missionsite.common.changes import apply_changes, check_fields
from missionsite.common.errors import violated
from missionsite.common.transactions import service

EDITABLE = ("title", "client", "budget", "currency", "deadline", "assigned_to", "github_url")


@service
def create_deck_mission(
    *,
    actor: Member,
    title: str,
    client: str,
    budget: int,
    deadline: datetime,
    assigned_to: str,
    currency: str = "USD",
    github_url: str = "",
) -> DeckMission:
    """Create an active client mission with the next number. budget: whole units of the currency."""
    made = DeckMission.objects.create(
        title=title.strip(),
        client=client.strip(),
        budget=budget,
        deadline=deadline,
        assigned_to=assigned_to.strip(),
        currency=currency,
        github_url=github_url,
    )
    # A trigger sets the assignee.
    made.refresh_from_db()
    return made


@service
def update_deck_mission(*, actor: Member, mission: DeckMission, **changes: Any) -> DeckMission:
    """Change fields listed in EDITABLE."""
    check_fields(changes, *EDITABLE)
    current = DeckMission.objects.lock(mission.pk)
    if apply_changes(current, changes):
        current.refresh_from_db()
    return current


def change_status(
    *, actor: Member, mission: DeckMission, to: str, reason: str = "", override: bool = False
) -> DeckMission:
    """Change the status one step: to QA, to complete, or back with a reason.

    override: complete it although something is missing; `reason` is then required and recorded.
    Raises StatusChangeRejected, StepBackReasonMissing, NotDone (lists what is missing),
    ConstraintViolated (override_reason_missing).
    """
    if override and not reason.strip():
        raise violated("deck_missions_override_reason_required", field="reason")
    try:
        return _change(actor=actor, mission=mission, to=DeckStatus(to), reason=reason.strip(), override=override)
    except NotDone as rejection:
        raise NotDone(missing=missing_of(mission)) from rejection


@service
def _change(*, actor: Member, mission: DeckMission, to: DeckStatus, reason: str, override: bool) -> DeckMission:
    current = DeckMission.objects.lock(mission.pk)
    if current.status == to:
        return current
    set_audit_context(actor, reason=reason)
    changes: dict[str, Any] = {"status": to}
    if to == DeckStatus.COMPLETE:
        changes |= {"completed_at": timezone.now(), "completed_by": actor}
        # An override is recorded only if something is missing.
        if override and missing_of(mission):
            changes["override_reason"] = reason
    DeckMission.objects.filter(pk=current.pk).update(**changes)
    current.refresh_from_db()
    return current

"""Decide on proposals: accept, discard, mark as duplicate, snooze, undo."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from fallback.errors import (
    AlreadyDecided,
    FeedbackMissing,
    MissionChanged,
    MonthlyHoursReached,
    NotDecided,
    OtherProject,
    ProjectArchived,
    RestInThePast,
    SnoozeInThePast,
    UndoWindowPassed,
    WeeklyCapReached,
)
from fallback.models import Mission, MissionFallbackItem
from fallback.models.choices import DiscardReason, ItemStatus, List, MissionOrigin, ProjectStatus, RunStatus
from fallback.rules import REST_AFTER, UNDO_WINDOW
from fallback.selectors.guardrails import guardrails_of
from fallback.services.locks import lock_rows
from fallback.services.missions import list_order_at_end
from fallback.services.reports import write_report_when_committed
from groups.models import Member
from missionsite.common.audit.context import Origin, set_audit_context
from missionsite.common.audit.events import audit
from missionsite.common.changes import as_json, check_fields
from missionsite.common.errors import NotAllowed, translate_db_errors, violated
from missionsite.common.transactions import service

EDITABLE = ("title", "description", "priority", "estimated_effort_minutes")


@service
def accept_item(*, actor: Member, item: MissionFallbackItem, at: datetime | None = None, **edits: Any) -> Mission:
    """Accept a proposal: create its mission in Todo, ready, linked to the proposal.

    edits: any of EDITABLE, applied first. at: aware datetime of the decision; now by default.
    Raises AlreadyDecided, WeeklyCapReached, MonthlyHoursReached (both with the time of reset), ProjectArchived.
    """
    check_fields(edits, *EDITABLE)
    set_audit_context(actor, origin=Origin.FALLBACK)
    lock_rows()
    item = _lock_proposed(item, "project", "flow", "repository")
    project = item.project
    if project.status == ProjectStatus.ARCHIVED:
        raise ProjectArchived
    for name, value in edits.items():
        setattr(item, name, value)
    # The allowance row is locked last, because all acceptances of the project wait for it.
    mission = Mission.objects.create(
        project=project,
        title=item.title,
        description=item.description,
        priority=item.priority,
        flow=item.flow,
        stage=(item.flow.stages or ["clarify"])[0],
        actor_id=item.actor_id,
        repository=item.repository,
        target_branch=item.repository.default_branch,
        ready=True,
        origin=MissionOrigin.FALLBACK,
        fallback_item=item,
        list_order=list_order_at_end(project, List.TODO),
    )
    _set_decision(item, ItemStatus.ACCEPTED, actor, at, mission=mission)
    try:
        with translate_db_errors(), transaction.atomic():
            item.save(update_fields=[*edits, *_DECISION])
    except (WeeklyCapReached, MonthlyHoursReached) as reached:
        guardrails = guardrails_of([project], item.reviewed_at)[project.pk]
        quota = guardrails.week if isinstance(reached, WeeklyCapReached) else guardrails.month
        raise type(reached)(quota.reached_text, resets_at=quota.resets_at) from None
    write_report_when_committed(item.run_id)
    return mission


@service
def discard_item(
    *,
    actor: Member,
    item: MissionFallbackItem,
    reason: str | None = None,
    feedback: str = "",
    rest_until: datetime | None = None,
    at: datetime | None = None,
) -> MissionFallbackItem:
    """Discard a proposal, and let its template rest. reason: of DiscardReason; reason or feedback is required.

    rest_until: with the reason "wrong time", when the template may be proposed again.
    Raises AlreadyDecided, FeedbackMissing, RestInThePast, and the errors of the constraints.
    """
    at = at or timezone.now()
    set_audit_context(actor)
    lock_rows()
    item = _lock_proposed(item)
    if not reason and not feedback.strip():
        raise violated("mission_fallback_items_discard_has_reason")
    if reason == DiscardReason.OTHER and not feedback.strip():
        raise FeedbackMissing
    item.feedback, item.reason = feedback.strip(), reason or None
    item.rest_until = _rest_until(item.reason, rest_until, at)
    _set_decision(item, ItemStatus.DISCARDED, actor, at)
    item.save()
    write_report_when_committed(item.run_id)
    return item


@service
def mark_duplicate(
    *, actor: Member, item: MissionFallbackItem, mission: Mission, feedback: str = ""
) -> MissionFallbackItem:
    """Discard a proposal as a duplicate of a mission of its project. Raises AlreadyDecided, OtherProject."""
    if mission.project_id != item.project_id:
        raise OtherProject(gettext("The duplicated mission must belong to the same project."), field="mission")
    discarded = discard_item(actor=actor, item=item, reason=DiscardReason.DUPLICATE, feedback=feedback)
    discarded.duplicate_of = mission
    discarded.save(update_fields=["duplicate_of"])
    return discarded


@service
def snooze_item(*, actor: Member, item: MissionFallbackItem, until: datetime) -> MissionFallbackItem:
    """Hide a proposal from the review until an aware datetime; it stays open and counts. Raises AlreadyDecided,
    SnoozeInThePast.
    """
    set_audit_context(actor)
    lock_rows()
    item = _lock_proposed(item, "project")
    if until <= timezone.now():
        raise SnoozeInThePast
    item.snoozed_until = until
    item.save(update_fields=["snoozed_until"])
    audit("fallback.item_snoozed", actor=actor, project=item.project, item=item.pk, until=until.isoformat())
    return item


@service
def unsnooze_item(*, actor: Member, item: MissionFallbackItem) -> MissionFallbackItem:
    """End the snooze of a proposal. Raises AlreadyDecided."""
    set_audit_context(actor)
    lock_rows()
    item = _lock_proposed(item, "project")
    if item.snoozed_until is None:
        return item
    changed = {"snoozed_until": [as_json(item.snoozed_until), None]}
    item.snoozed_until = None
    item.save(update_fields=["snoozed_until"])
    audit("fallback.item_unsnoozed", actor=actor, project=item.project, item=item.pk, changed=changed)
    return item


@service
def undo_decision(*, actor: Member, item: MissionFallbackItem, at: datetime | None = None) -> MissionFallbackItem:
    """Undo the actor's own decision of the last hour; the proposal is open again.

    The mission of an acceptance is deleted, and its quota is released.
    Raises NotDecided, UndoWindowPassed, NotAllowed, MissionChanged if the mission has changed since.
    """
    set_audit_context(actor)
    lock_rows(deleting=True)
    item = MissionFallbackItem.objects.lock(item.pk, "project", "run", "mission")
    if item.status == ItemStatus.PROPOSED or item.run.status == RunStatus.CANCELLED:
        raise NotDecided
    if item.reviewed_by_id != actor.pk:
        raise NotAllowed(gettext("Only the reviewer who decided can undo the decision."))
    # A decided proposal has a time, by a constraint.
    decided_at = cast("datetime", item.reviewed_at)
    if decided_at < (at or timezone.now()) - UNDO_WINDOW:
        raise UndoWindowPassed
    mission = item.mission
    if mission and not is_unchanged(mission):
        raise MissionChanged
    previous = item.status
    item.status, item.mission, item.reviewed_by, item.reviewed_at = ItemStatus.PROPOSED, None, None, None
    item.reason, item.feedback, item.duplicate_of, item.rest_until = None, "", None, None
    item.save()
    if mission:
        Mission.objects.filter(pk=mission.pk).delete()
    audit(
        "fallback.decision_undone", actor=actor, project=item.project, item=item.pk, was=str(previous), title=item.title
    )
    return item


def is_unchanged(mission: Mission) -> bool:
    """Whether a mission is as it was created, and nothing refers to it."""
    return mission.list == List.TODO and not (
        mission.events.exclude(type="mission.created").exists()
        or mission.dependents.exists()
        or mission.agent_sessions.exists()
        or mission.pull_requests.exists()
        or mission.worktrees.exists()
        or mission.duplicate_items.exists()
    )


def _rest_until(reason: str | None, until: datetime | None, at: datetime) -> datetime | None:
    """Until when a template rests after a discard; None if it does not rest, or rests until it is edited."""
    if reason == DiscardReason.WRONG_TIME:
        if until is None:
            raise violated("mission_fallback_items_wrong_time_has_end")
        if until <= at:
            raise RestInThePast
        return until
    rest = REST_AFTER.get(reason)
    return at + rest if rest else None


def _lock_proposed(item: MissionFallbackItem, *related: str) -> MissionFallbackItem:
    """Lock an open proposal. related: what the caller needs of it; planning a join of eight tables takes 5 ms."""
    item = MissionFallbackItem.objects.lock(item.pk, *related)
    if item.status != ItemStatus.PROPOSED:
        raise AlreadyDecided(
            gettext("This proposal is already {status}.").format(status=item.get_status_display().lower())
        )
    return item


# The fields of _set_decision.
_DECISION = ("status", "mission", "reviewed_by", "reviewed_at", "snoozed_until")


def _set_decision(
    item: MissionFallbackItem,
    status: ItemStatus,
    actor: Member,
    at: datetime | None,
    *,
    mission: Mission | None = None,
) -> None:
    item.status, item.mission = status, mission
    item.reviewed_by, item.reviewed_at = actor, at or timezone.now()
    item.snoozed_until = None

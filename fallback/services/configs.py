"""Configuration of the fallback of a project: create, change, pause, resume, snooze."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from fallback.errors import SnoozeInThePast
from fallback.models import MissionFallbackConfig, Project
from fallback.models.choices import ConfigStatus
from fallback.services.audit import record_activity, set_audit_context
from groups.models import Member
from missionsite.common.changes import apply_changes, as_json, check_fields
from missionsite.common.transactions import service

EDITABLE = (
    "backlog_threshold",
    "check_cadence_minutes",
    "auto_accept",
    "monthly_target_hours",
    "weekly_mission_cap",
)


@service
def create_config(*, project: Project, actor: Member | None = None, **values) -> MissionFallbackConfig:
    """Create the configuration of a project. values: any of EDITABLE, in the units of the model."""
    check_fields(values, *EDITABLE)
    set_audit_context(actor)
    config = MissionFallbackConfig.objects.create(project=project, **values)
    changed = {field: [None, as_json(value)] for field, value in values.items()}
    record_activity("fallback.configured", project=project, actor=actor, changed=changed)
    return config


@service
def update_config(*, config: MissionFallbackConfig, actor: Member | None = None, **changes) -> MissionFallbackConfig:
    """Change any of EDITABLE. Accepted proposals stay, also above a lowered guardrail."""
    check_fields(changes, *EDITABLE)
    return _change(config, actor, "fallback.config_changed", changes)


@service
def pause_fallback(
    *, config: MissionFallbackConfig, actor: Member | None = None, reason: str = ""
) -> MissionFallbackConfig:
    """Stop proposals until they are resumed."""
    changes = {"status": ConfigStatus.PAUSED, "snoozed_until": None}
    return _change(config, actor, "fallback.paused", changes, reason=reason)


@service
def resume_fallback(*, config: MissionFallbackConfig, actor: Member | None = None) -> MissionFallbackConfig:
    """Allow proposals again, from the next check on."""
    return _change(config, actor, "fallback.resumed", {"status": ConfigStatus.ACTIVE, "snoozed_until": None})


@service
def snooze_fallback(
    *, config: MissionFallbackConfig, until: datetime, actor: Member | None = None
) -> MissionFallbackConfig:
    """Stop proposals until an aware datetime, after which the configuration is active again. Raises SnoozeInThePast."""
    if until <= timezone.now():
        raise SnoozeInThePast
    return _change(config, actor, "fallback.snoozed", {"status": ConfigStatus.SNOOZED, "snoozed_until": until})


def _change(config, actor, type_, changes, **payload) -> MissionFallbackConfig:
    set_audit_context(actor)
    current = MissionFallbackConfig.objects.select_for_update(of=("self",)).select_related("project").get(pk=config.pk)
    if changed := apply_changes(current, changes):
        record_activity(type_, project=current.project, actor=actor, changed=changed, **payload)
    return current

"""Configuration of the fallback of a project: create, change, pause, resume, snooze."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from fallback.errors import SnoozeInThePast
from fallback.models import MissionFallbackConfig, Project
from fallback.models.choices import ConfigStatus
from fallback.services.locks import lock_rows
from groups.models import Member
from missionsite.common.audit.events import audit, audit_changes
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
def create_config(*, actor: Member, project: Project, **values: Any) -> MissionFallbackConfig:
    """Create the configuration of a project. values: any of EDITABLE, in the units of the model."""
    check_fields(values, *EDITABLE)
    config = MissionFallbackConfig.objects.create(project=project, **values)
    changed = {field: [None, as_json(value)] for field, value in values.items()}
    audit("fallback.configured", actor=actor, project=project, changed=changed)
    return config


@service
def update_config(*, actor: Member, config: MissionFallbackConfig, **changes: Any) -> MissionFallbackConfig:
    """Change any of EDITABLE. Accepted proposals stay, also above a lowered guardrail."""
    check_fields(changes, *EDITABLE)
    return _change(actor, config, "fallback.config_changed", changes)


@service
def order_by_score(*, actor: Member, config: MissionFallbackConfig, enabled: bool) -> MissionFallbackConfig:
    """Order the templates of a project by their acceptance score, or let them take turns again."""
    return _change(actor, config, "fallback.config_changed", {"by_score": enabled})


@service
def pause_fallback(*, actor: Member, config: MissionFallbackConfig, reason: str = "") -> MissionFallbackConfig:
    """Stop proposals until they are resumed."""
    changes = {"status": ConfigStatus.PAUSED, "snoozed_until": None}
    return _change(actor, config, "fallback.paused", changes, reason=reason)


@service
def resume_fallback(*, actor: Member, config: MissionFallbackConfig) -> MissionFallbackConfig:
    """Allow proposals again, from the next check on."""
    return _change(actor, config, "fallback.resumed", {"status": ConfigStatus.ACTIVE, "snoozed_until": None})


@service
def snooze_fallback(*, actor: Member, config: MissionFallbackConfig, until: datetime) -> MissionFallbackConfig:
    """Stop proposals until an aware datetime, after which the configuration is active again. Raises SnoozeInThePast."""
    if until <= timezone.now():
        raise SnoozeInThePast
    return _change(actor, config, "fallback.snoozed", {"status": ConfigStatus.SNOOZED, "snoozed_until": until})


def _change(
    actor: Member, config: MissionFallbackConfig, type_: str, changes: dict[str, Any], **payload: Any
) -> MissionFallbackConfig:
    lock_rows()
    current = MissionFallbackConfig.objects.lock(config.pk, "project")
    audit_changes(type_, actor=actor, project=current.project, changed=apply_changes(current, changes), **payload)
    return current

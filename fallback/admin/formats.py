"""Text and template context of this app's pages."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format

from fallback.models import MissionEvent, MissionFallbackConfig, MissionFallbackRun
from fallback.models.choices import AgentStatus, ConfigStatus, Guardrail, List, Priority, ReviewStatus, Trigger
from fallback.services.guardrails import Quota, format_hours
from fallback.services.planning import Plan

EVENT_LABELS = {
    "mission.created": "Created",
    "mission.moved": "Moved",
    "mission.reviewed": "Reviewed",
    "mission.ready": "Ready to start",
    "mission.not_ready": "No longer ready",
    "mission.stage_changed": "Stage changed",
    "mission.agent_changed": "Agent",
    "mission.blocked": "Blocked by another mission",
    "mission.unblocked": "Unblocked",
    "mission.changed": "Edited",
    "mission.dependency_added": "Dependency added",
    "mission.dependency_removed": "Dependency removed",
    "fallback.run_completed": "Fallback run completed",
    "fallback.configured": "Fallback configured",
    "fallback.config_changed": "Fallback configuration changed",
    "fallback.paused": "Fallback paused",
    "fallback.resumed": "Fallback resumed",
    "fallback.snoozed": "Fallback snoozed",
    "fallback.item_snoozed": "Proposal snoozed",
    "fallback.item_unsnoozed": "Snooze of a proposal ended",
    "fallback.decision_undone": "Decision undone",
    "fallback.run_cancelled": "Fallback run cancelled",
    "project.created": "Project created",
    "project.changed": "Project edited",
    "project.archived": "Project archived",
    "project.restored": "Project restored",
    "project.role_set": "Project role changed",
    "project.member_removed": "Member removed from the project",
}
GUARDRAIL_TEXTS = {
    Guardrail.WEEK: "The weekly cap is reached, counting open proposals.",
    Guardrail.MONTH: "Its estimated hours exceed the hours left this month.",
    Guardrail.TEMPLATES: "No template is enabled. Enable one to get proposals.",
}
_CHOICES = {
    "list": List,
    "review_status": ReviewStatus,
    "agent_session_status": AgentStatus,
    "priority": Priority,
}


def format_event_type(type_: str) -> str:
    return EVENT_LABELS.get(type_, type_.replace(".", ": ").replace("_", " ").capitalize())


def format_changes(payload: dict) -> list[tuple[str, str, str]]:
    """The changes of an event: label, old and new value."""
    rows = []
    for name, change in sorted((payload.get("changed") or {}).items()):
        if isinstance(change, list) and len(change) == 2:
            before, after = (_value(name, each) for each in change)
            rows.append((name.removesuffix("_id").replace("_", " ").capitalize(), before, after))
    return rows


def _value(name: str, value) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in _CHOICES:
        return dict(_CHOICES[name].choices).get(value, str(value))
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


def format_effort(minutes: int) -> str:
    return f"{minutes} min" if minutes < 60 else f"{format_hours(minutes)} h"


def format_acceptance(template) -> str:
    """The acceptance record of a template from with_record()."""
    decided = template.accepted_count + template.discarded_count
    return f"accepted {template.accepted_count} of {decided}" if decided else "no decisions yet"


def quota_context(quota: Quota) -> dict:
    """The context of `fallback/_figure.html`."""
    is_month = quota.guardrail == Guardrail.MONTH
    return {
        "used": format_hours(quota.used) if is_month else quota.used,
        "cap": format_hours(quota.allowed) if is_month else quota.allowed,
        "ratio_percent": min(100, round(100 * quota.used / quota.allowed)) if quota.allowed else 100,
        "text": quota.usage_text,
    }


def format_backlog(backlog: int | None, threshold: int | None) -> str:
    """ "2 of 5 ready"; counting stops at the threshold."""
    if backlog is None or threshold is None:
        return "Not counted"
    return f"{threshold} or more ready" if backlog >= threshold else f"{backlog} of {threshold} ready"


def format_status(config: MissionFallbackConfig | None, at: datetime | None = None) -> str:
    if config is None:
        return "Not configured"
    if config.status == ConfigStatus.SNOOZED and not config.is_active(at or timezone.now()):
        return f"Snoozed until {format_instant(config.snoozed_until)}"
    return ConfigStatus.PAUSED.label if config.status == ConfigStatus.PAUSED else ConfigStatus.ACTIVE.label


def format_instant(instant: datetime) -> str:
    return date_format(timezone.localtime(instant), "DATETIME_FORMAT")


def format_run(run: MissionFallbackRun) -> str:
    return f"Run of {format_instant(run.started_at)}, {Trigger(run.triggered_by).label.lower()}"


def format_skipped(entries: list[dict]) -> list[dict]:
    """The skipped templates of a run, as context of `fallback/_skipped_list.html`."""
    shown = []
    for entry in entries:
        guardrail = entry.get("guardrail") or ""
        until = entry.get("resetsAt")
        shown.append(
            {
                "template": entry.get("name") or "Any template",
                "guardrail": dict(Guardrail.choices).get(guardrail, guardrail),
                "text": GUARDRAIL_TEXTS.get(guardrail, ""),
                "resets": format_instant(datetime.fromisoformat(until)) if until else "",
            }
        )
    return shown


def plan_context(plan: Plan) -> dict:
    """The context of `fallback/plan.html`."""
    return {
        "project": plan.project,
        "last_check_text": format_last_check(plan.config),
        "backlog_text": format_backlog(plan.backlog, plan.config.backlog_threshold),
        "proposed": plan.proposed,
        "deficit": plan.deficit,
        "summary": plan.summary,
        "items": [
            {
                "template": template.name,
                "title": template.name,
                "effort_text": format_effort(template.estimated_effort_minutes),
                "why": f"last used {format_instant(template.last_used_at)}, {format_acceptance(template)}"
                if template.last_used_at
                else "not used yet",
            }
            for template in plan.picks
        ],
        "skipped": format_skipped([entry.as_json() for entry in plan.skipped]),
    }


def format_last_check(config: MissionFallbackConfig) -> str:
    if config.last_run_at is None:
        return "not checked yet; next check within a minute"
    return f"last checked {format_instant(config.last_run_at)}; checked every {config.check_cadence_minutes} minutes"


def timeline_context(event: MissionEvent) -> dict:
    """The context of an event in `fallback/timeline.html`."""
    return {
        "when": event.occurred_at,
        "origin": event.origin,
        "origin_text": event.get_origin_display(),
        "text": format_event_type(event.type),
        "who": event.actor.display_name if event.actor else "",
        "changed": format_changes(event.payload),
    }

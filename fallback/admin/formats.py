"""Text and template context of this app's pages."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from fallback.models import MissionEvent, MissionFallbackConfig, MissionFallbackRun, MissionFallbackTemplate
from fallback.models.choices import ConfigStatus, Guardrail, Schedule, Trigger
from fallback.selectors.guardrails import Quota, format_hours
from fallback.selectors.planning import Plan
from fallback.selectors.template_states import TemplateState
from groups.models import Member
from missionsite.common.admin.formats import format_datetime
from missionsite.common.annotations import StrOrPromise
from missionsite.common.audit.events import event_changes

EVENT_LABELS = {
    "mission.created": _("Created"),
    "mission.moved": _("Moved"),
    "mission.reviewed": _("Reviewed"),
    "mission.ready": _("Ready to start"),
    "mission.not_ready": _("No longer ready"),
    "mission.stage_changed": _("Stage changed"),
    "mission.agent_changed": _("Agent"),
    "mission.blocked": _("Blocked by another mission"),
    "mission.unblocked": _("Unblocked"),
    "mission.changed": _("Edited"),
    "mission.dependency_added": _("Dependency added"),
    "mission.dependency_removed": _("Dependency removed"),
    "fallback.run_completed": _("Fallback run completed"),
    "fallback.configured": _("Fallback configured"),
    "fallback.config_changed": _("Fallback configuration changed"),
    "fallback.paused": _("Fallback paused"),
    "fallback.resumed": _("Fallback resumed"),
    "fallback.snoozed": _("Fallback snoozed"),
    "fallback.item_snoozed": _("Proposal snoozed"),
    "fallback.item_unsnoozed": _("Snooze of a proposal ended"),
    "fallback.decision_undone": _("Decision undone"),
    "fallback.run_cancelled": _("Fallback run cancelled"),
    "access.requested": _("Access requested"),
    "access.approved": _("Access granted"),
    "access.declined": _("Access request declined"),
    "access.expired": _("Access request expired"),
    "document.saved": _("Document saved"),
    "document.text_removed": _("Text of a document removed"),
    "agent_session.started": _("Agent started"),
    "agent_session.ended": _("Agent ended"),
    "assignment.changed": _("Assignment changed"),
    "assignment.handed_over": _("Assignment handed over"),
    "pull_request.linked": _("Pull request linked"),
    "pull_request.merged": _("Pull request merged"),
    "template.published": _("Template published in the library"),
    "template.withdrawn": _("Template withdrawn from the library"),
    "template.copied": _("Template copied from the library"),
    "template.updated_from_origin": _("Changes of the origin taken over"),
    "project.created": _("Project created"),
    "project.changed": _("Project edited"),
    "project.archived": _("Project archived"),
    "project.restored": _("Project restored"),
    "project.role_set": _("Project role changed"),
    "project.member_removed": _("Member removed from the project"),
}
GUARDRAIL_TEXTS: dict[str, StrOrPromise] = {
    Guardrail.WEEK: _("The weekly cap is reached, counting open proposals."),
    Guardrail.MONTH: _("Its estimated hours exceed the hours left this month."),
    Guardrail.TEMPLATES: _("No template is enabled. Enable one to get proposals."),
    Guardrail.REST: _("It rests after a discard, until the time shown or until it is edited."),
    Guardrail.MAX_OPEN: _("As many of its proposals and missions are open as the template allows."),
    Guardrail.DUPLICATE: _("A proposal was a duplicate of a mission in Todo, which takes its place."),
    Guardrail.SNOOZED: _("Its proposal is snoozed and still counts."),
}

WEEKDAYS = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))


def format_event_type(type_: str) -> str:
    return str(EVENT_LABELS.get(type_) or type_.replace(".", ": ").replace("_", " ").capitalize())


def format_effort(minutes: int) -> str:
    if minutes < 60:
        return gettext("{number} min").format(number=minutes)
    return gettext("{number} h").format(number=format_hours(minutes))


def format_acceptance(template: MissionFallbackTemplate) -> str:
    """The acceptance record of a template from with_record()."""
    decided = template.accepted_count + template.discarded_count
    if not decided:
        return gettext("no decisions yet")
    return gettext("accepted {accepted} of {decided}").format(accepted=template.accepted_count, decided=decided)


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
        return gettext("Not counted")
    if backlog >= threshold:
        return gettext("{threshold} or more ready").format(threshold=threshold)
    return gettext("{backlog} of {threshold} ready").format(backlog=backlog, threshold=threshold)


def format_status(config: MissionFallbackConfig | None, at: datetime | None = None) -> str:
    if config is None:
        return gettext("Not configured")
    if config.status == ConfigStatus.SNOOZED and not config.is_active(at or timezone.now()):
        return gettext("Snoozed until {when}").format(when=format_datetime(config.snoozed_until))
    return str(ConfigStatus.PAUSED.label if config.status == ConfigStatus.PAUSED else ConfigStatus.ACTIVE.label)


def format_run(run: MissionFallbackRun) -> str:
    return gettext("Run of {when}, {trigger}").format(
        when=format_datetime(run.started_at), trigger=Trigger(run.triggered_by).label.lower()
    )


def format_skipped(entries: list[dict]) -> list[dict]:
    """The skipped templates of a run, as context of `fallback/_skipped_list.html`."""
    shown = []
    for entry in entries:
        guardrail = entry.get("guardrail") or ""
        until = entry.get("resetsAt")
        shown.append(
            {
                "template": entry.get("name") or gettext("Any template"),
                "guardrail": dict(Guardrail.choices).get(guardrail, guardrail),
                "text": gettext("Ignored, because it was launched by hand.")
                if entry.get("ignored")
                else GUARDRAIL_TEXTS.get(guardrail, ""),
                "resets": format_datetime(datetime.fromisoformat(until)) if until else "",
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
                "why": _why(plan, template),
            }
            for template in plan.picks
        ],
        "skipped": format_skipped([entry.as_json() for entry in plan.skipped]),
    }


def _why(plan: Plan, template: MissionFallbackTemplate) -> str:
    if template in plan.scheduled:
        return gettext("scheduled for today")
    if not template.last_used_at:
        return gettext("not used yet")
    return gettext("last used {when}, {acceptance}").format(
        when=format_datetime(template.last_used_at), acceptance=format_acceptance(template)
    )


def format_template_state(template: MissionFallbackTemplate, state: TemplateState) -> str:
    """Why a template would not be proposed now; empty if it would."""
    if state.rests_until:
        return gettext("rests until {when}").format(when=format_datetime(state.rests_until))
    if state.rests_until_edited:
        return gettext("rests until it is edited")
    if state.open_count >= template.max_open:
        return ngettext("{number} open already", "{number} open already", state.open_count).format(
            number=state.open_count
        )
    return ""


def format_schedule(template: MissionFallbackTemplate) -> str:
    if template.schedule_day and template.schedule == Schedule.WEEKLY:
        return gettext("every {weekday}").format(weekday=WEEKDAYS[template.schedule_day - 1])
    if template.schedule == Schedule.MONTHLY:
        return gettext("on day {number} of the month").format(number=template.schedule_day)
    return gettext("when work runs low")


def format_last_check(config: MissionFallbackConfig) -> str:
    if config.last_run_at is None:
        return gettext("not checked yet; next check within a minute")
    return ngettext(
        "last checked {when}; checked every {number} minute",
        "last checked {when}; checked every {number} minutes",
        config.check_cadence_minutes,
    ).format(when=format_datetime(config.last_run_at), number=config.check_cadence_minutes)


def is_automatic(actor: Member | None) -> bool:
    """Whether a job caused an event. Its origin then says more than its actor."""
    return actor is None or actor.is_system


def timeline_context(event: MissionEvent) -> dict:
    """The context of an event in `fallback/timeline.html`."""
    return {
        "when": event.occurred_at,
        "origin": event.origin,
        "origin_text": event.get_origin_display(),
        "text": format_event_type(event.type),
        "who": "" if event.actor is None or event.actor.is_system else event.actor.display_name,
        "changed": event_changes(event.payload),
    }

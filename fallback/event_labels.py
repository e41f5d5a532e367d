"""The labels of the event types of this app in the log of the community, and of the fields of all its events."""

from django.utils.translation import gettext_lazy as _

from fallback.models.choices import (
    AgentStatus,
    ItemStatus,
    List,
    MissionOrigin,
    OrganizationRole,
    Priority,
    Privacy,
    PrMode,
    ProjectRole,
    ReviewStatus,
    Schedule,
)
from missionsite.common.audit.events import EventField

EVENT_LABELS = {
    "notification.created": _("Notification created"),
    "organization.changed": _("Organisation edited"),
    "organization.created": _("Organisation created"),
    "organization.role_set": _("Role in the organisation set"),
}

EVENT_FIELDS: dict[str, EventField] = {
    "accepted": _("Accepted"),
    "acceptance_criteria": _("Acceptance criteria"),
    "actor": _("Actor"),
    "actor_id": _("Actor"),
    "agent_session_status": (_("Agent"), AgentStatus),
    "auto_accept": _("Accept automatically"),
    "backlog_threshold": _("Ready missions wanted"),
    "branch": _("Branch of the pull request"),
    "check_cadence_minutes": _("Check interval (minutes)"),
    "clarification": _("Clarification"),
    "default_branch": _("Default branch"),
    "discarded": _("Discarded"),
    "enabled": _("Enabled"),
    "estimated_effort_minutes": _("Estimated effort (minutes)"),
    "fallback_enabled": _("Fallback on"),
    "fallback_rollout_percent": _("Rolled out to (% of projects)"),
    "flow": _("Flow"),
    "flow_id": _("Flow"),
    "generated": _("Generated"),
    "list": (_("List"), List),
    "maintainer": _("Maintainer"),
    "max_open": _("Open at a time"),
    "member": _("Member"),
    "monthly_target_hours": _("Hours per month"),
    "open_dependency_count": _("Open dependencies"),
    "organization_name": _("Organisation"),
    "origin": (_("Origin"), MissionOrigin),
    "pr_branch_name": _("Branch of the pull request"),
    "pr_mode": (_("Pull request"), PrMode),
    "priority": (_("Priority"), Priority),
    "privacy": (_("Privacy"), Privacy),
    "ready": _("Ready"),
    "repository": _("Repository"),
    "repository_id": _("Repository"),
    "requires_review": _("Requires review"),
    "review_feedback": _("Feedback"),
    "review_status": (_("Review"), ReviewStatus),
    "reviewed_by_id": _("Reviewed by"),
    # Of a project or an organisation; the role in a mission is free text.
    "role": (_("Role"), {**dict(OrganizationRole.choices), **dict(ProjectRole.choices)}),
    "schedule": (_("Schedule"), Schedule),
    "schedule_day": _("Day of the schedule"),
    "slug": _("Short name"),
    "snoozed_until": _("Snoozed until"),
    "stage": _("Stage"),
    "stages": _("Stages"),
    "status": _("Status"),
    "tags": _("Tags"),
    "target_branch": _("Target branch"),
    "timezone": _("Time zone"),
    "until": _("Until"),
    "url": _("Address"),
    "was": (_("Decision"), ItemStatus),
    "weekly_mission_cap": _("Missions per week"),
}
# Keys of rows.
HIDDEN_FIELDS = ("dependsOn", "id", "item", "mission", "notification", "organization", "run", "runId")

"""The errors of this app. The docstring of a class is its message."""

from datetime import datetime

from missionsite.common.errors import DomainError


class TimezoneUnknown(DomainError):
    """Unknown time zone. Enter one like Europe/Lisbon."""

    code = "timezone_unknown"
    constraint = "organizations_timezone_valid"
    field = "timezone"
    status = 422


class SlugTaken(DomainError):
    """Another project of the organisation already has this short name."""

    code = "slug_taken"
    constraint = "projects_slug_once"
    field = "slug"


class AlreadyInProject(DomainError):
    """This member already belongs to the project."""

    code = "already_in_project"
    constraint = "project_members_once"
    field = "member"


class AlreadyInOrganization(DomainError):
    """This member already belongs to the organisation."""

    code = "already_in_organization"
    constraint = "organization_memberships_once"
    field = "member"


class FlowNameTaken(DomainError):
    """The project already has a flow with this name."""

    code = "flow_name_taken"
    constraint = "flows_name_once"
    field = "name"


class ActorNameTaken(DomainError):
    """The project already has an actor with this name."""

    code = "actor_name_taken"
    constraint = "actors_name_once"
    field = "name"


class RepositoryTaken(DomainError):
    """The project already has this repository."""

    code = "repository_taken"
    constraint = "project_repositories_once"
    field = "name"


class ProjectArchived(DomainError):
    """This project is archived. Restore it first."""

    code = "project_archived"


class OtherProject(DomainError):
    """Flow, actor and repository must belong to the same project."""

    code = "other_project"
    status = 422


class FlowOfOtherProject(OtherProject):
    """This flow belongs to another project."""

    code = "flow_of_other_project"
    constraint = "missions_flow_of_project"
    field = "flow"


class ActorOfOtherProject(OtherProject):
    """This actor belongs to another project."""

    code = "actor_of_other_project"
    constraint = "missions_actor_of_project"
    field = "actor"


class RepositoryOfOtherProject(OtherProject):
    """This repository belongs to another project."""

    code = "repository_of_other_project"
    constraint = "missions_repository_of_project"
    field = "repository"


class TemplateFlowOfOtherProject(FlowOfOtherProject):
    """This flow belongs to another project."""

    code = "template_flow_of_other_project"
    constraint = "fallback_templates_flow_of_project"


class TemplateActorOfOtherProject(ActorOfOtherProject):
    """This actor belongs to another project."""

    code = "template_actor_of_other_project"
    constraint = "fallback_templates_actor_of_project"


class TemplateRepositoryOfOtherProject(RepositoryOfOtherProject):
    """This repository belongs to another project."""

    code = "template_repository_of_other_project"
    constraint = "fallback_templates_repository_of_project"


# --- Missions ---------------------------------------------------------------------------------


class DependencyCycle(DomainError):
    """This would create a cycle: that mission already depends on this one."""

    code = "dependency_cycle"
    constraint = "mission_dependencies_no_cycle"
    field = "depends_on"


class DependsOnItself(DomainError):
    """A mission cannot depend on itself."""

    code = "depends_on_itself"
    constraint = "mission_dependencies_not_itself"
    field = "depends_on"


class DependencyExists(DomainError):
    """The mission already depends on this one."""

    code = "dependency_exists"
    constraint = "mission_dependencies_once"
    field = "depends_on"


class DependencyOfOtherProject(DomainError):
    """A mission can only depend on missions of its own project."""

    code = "dependency_of_other_project"
    constraint = "mission_dependencies_within_project"
    field = "depends_on"


class NeighbourNotFound(DomainError):
    """The neighbouring mission is no longer in that list. Reload the board."""

    code = "neighbour_not_found"
    status = 409


class OriginImmutable(DomainError):
    """The origin of a mission cannot be changed."""

    code = "origin_immutable"
    constraint = "missions_origin_immutable"


class ProjectImmutable(DomainError):
    """A mission cannot be moved to another project."""

    code = "project_immutable"
    constraint = "missions_project_immutable"
    field = "project"


class NotAccepted(DomainError):
    """A fallback mission needs an accepted proposal."""

    code = "not_accepted"
    constraint = "missions_fallback_was_accepted"


# --- Guardrails -------------------------------------------------------------------------------


class GuardrailReached(DomainError):
    """A guardrail of this project is reached."""

    resets_at: datetime | None = None

    def __init__(self, quota=None) -> None:
        """quota: the services.guardrails.Quota that is reached."""
        if quota is not None:
            self.resets_at = quota.resets_at
        super().__init__(quota.reached_text if quota else None)


class WeeklyCapReached(GuardrailReached):
    """The weekly cap of this project is reached."""

    code = "weekly_mission_cap"
    constraint = "fallback_weekly_mission_cap"


class MonthlyHoursReached(GuardrailReached):
    """The monthly hours of this project are used up."""

    code = "monthly_target_hours"
    constraint = "fallback_monthly_target_hours"


# --- Proposals and runs -----------------------------------------------------------------------


class AlreadyDecided(DomainError):
    """This proposal has already been decided."""

    code = "already_decided"


class NotDecided(DomainError):
    """There is no decision to undo."""

    code = "not_decided"


class MissionChanged(DomainError):
    """The mission has changed since, so its acceptance cannot be undone."""

    code = "mission_changed"


class ReasonMissing(DomainError):
    """Choose a reason or enter feedback."""

    code = "reason_missing"
    constraint = "mission_fallback_items_discard_has_reason"
    field = "feedback"
    status = 422


class SnoozeInThePast(DomainError):
    """Choose a time in the future."""

    code = "snooze_in_the_past"
    field = "until"
    status = 422


class SnoozeNeedsEnd(DomainError):
    """Only a snoozed configuration has an end of snooze."""

    code = "snooze_needs_end"
    constraint = "mission_fallback_configs_snooze_has_end"
    field = "snoozed_until"


class RunInProgress(DomainError):
    """A run of this project is in progress. Try again in a few seconds."""

    code = "run_in_progress"
    constraint = "mission_fallback_runs_one_pending"


class RunEnded(DomainError):
    """This run has already ended."""

    code = "run_ended"


class FallbackInactive(DomainError):
    """The fallback is not active for this project."""

    code = "fallback_inactive"


class NoConfiguration(DomainError):
    """This project has no fallback configuration. Add one first."""

    code = "no_configuration"


class TemplateDisabled(DomainError):
    """This template is disabled. Enable it to launch it."""

    code = "template_disabled"

"""Every rejection of this app in words."""

from datetime import datetime

from missionsite.common.errors import DomainError


class TimezoneUnknown(DomainError):
    """This is no time zone; they look like Europe/Lisbon."""

    code = "timezone_unknown"
    constraint = "organizations_timezone_valid"
    field = "timezone"
    status = 422


class SlugTaken(DomainError):
    """This short name is taken."""

    code = "slug_taken"
    constraint = "projects_slug_once"
    field = "slug"


class AlreadyInProject(DomainError):
    """This person is in the project already."""

    code = "already_in_project"
    constraint = "project_members_once"
    field = "member"


class AlreadyInOrganization(DomainError):
    """This person is in the organisation already."""

    code = "already_in_organization"
    constraint = "organization_memberships_once"
    field = "member"


class FlowNameTaken(DomainError):
    """The project has a flow of this name already."""

    code = "flow_name_taken"
    constraint = "flows_name_once"
    field = "name"


class ActorNameTaken(DomainError):
    """The project has an actor of this name already."""

    code = "actor_name_taken"
    constraint = "actors_name_once"
    field = "name"


class RepositoryTaken(DomainError):
    """The project has this repository already."""

    code = "repository_taken"
    constraint = "project_repositories_once"
    field = "name"


class ProjectArchived(DomainError):
    """This project is archived: nothing is added to it until it is restored."""

    code = "project_archived"


class OtherProject(DomainError):
    """Flow, actor and repository belong to the project itself."""

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
    """These missions would wait for each other: the other one waits for this one already."""

    code = "dependency_cycle"
    constraint = "mission_dependencies_no_cycle"
    field = "depends_on"


class DependsOnItself(DomainError):
    """A mission does not wait for itself."""

    code = "depends_on_itself"
    constraint = "mission_dependencies_not_itself"
    field = "depends_on"


class DependencyExists(DomainError):
    """The mission waits for this one already."""

    code = "dependency_exists"
    constraint = "mission_dependencies_once"
    field = "depends_on"


class DependencyOfOtherProject(DomainError):
    """A mission waits only for missions of its own project."""

    code = "dependency_of_other_project"
    constraint = "mission_dependencies_within_project"
    field = "depends_on"


class NeighbourNotFound(DomainError):
    """The mission next to it is not in that list any more. Reload the board."""

    code = "neighbour_not_found"
    status = 409


class OriginImmutable(DomainError):
    """Where a mission comes from never changes."""

    code = "origin_immutable"
    constraint = "missions_origin_immutable"


class ProjectImmutable(DomainError):
    """A mission stays in its project."""

    code = "project_immutable"
    constraint = "missions_project_immutable"
    field = "project"


class NotAccepted(DomainError):
    """A mission comes from the fallback only through an accepted proposal."""

    code = "not_accepted"
    constraint = "missions_fallback_was_accepted"


# --- Guardrails -------------------------------------------------------------------------------


class GuardrailReached(DomainError):
    """A guardrail of this project leaves no quota."""

    resets_at: datetime | None = None

    def __init__(self, quota=None) -> None:
        """quota: a services.guardrails.Quota; it says how much was used, and when there is more."""
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
    """Someone has decided on this proposal already."""

    code = "already_decided"


class NotDecided(DomainError):
    """There is no decision to take back."""

    code = "not_decided"


class MissionChanged(DomainError):
    """The mission has been worked on since, so its acceptance cannot be taken back."""

    code = "mission_changed"


class ReasonMissing(DomainError):
    """Say why: give feedback or pick a reason."""

    code = "reason_missing"
    constraint = "mission_fallback_items_discard_has_reason"
    field = "feedback"
    status = 422


class SnoozeInThePast(DomainError):
    """A snooze ends in the future."""

    code = "snooze_in_the_past"
    field = "until"
    status = 422


class SnoozeNeedsEnd(DomainError):
    """A snooze has an end; nothing else has one."""

    code = "snooze_needs_end"
    constraint = "mission_fallback_configs_snooze_has_end"
    field = "snoozed_until"


class RunInProgress(DomainError):
    """Proposals are being made for this project at this moment. Try again in a few seconds."""

    code = "run_in_progress"
    constraint = "mission_fallback_runs_one_pending"


class RunEnded(DomainError):
    """This run has ended already."""

    code = "run_ended"


class FallbackInactive(DomainError):
    """The fallback is not active for this project."""

    code = "fallback_inactive"


class NoConfiguration(DomainError):
    """This project has no fallback configuration yet; add one first."""

    code = "no_configuration"


class TemplateDisabled(DomainError):
    """This template is switched off; switch it on to launch it."""

    code = "template_disabled"

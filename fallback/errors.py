"""The errors of rules that Python, a trigger or a foreign key checks; other constraints have their own message."""

from datetime import datetime
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from fallback.rules import ABSENCE_LONGEST
from missionsite.common.errors import DomainError


class TimezoneUnknown(DomainError):
    message = _("Enter a time zone of the IANA database, such as Europe/Lisbon.")
    code = "timezone_unknown"
    constraint = "organizations_timezone_valid"
    field = "timezone"
    status = 422


class ProjectArchived(DomainError):
    message = _("This project is archived. Restore it first.")
    code = "project_archived"


class OtherProject(DomainError):
    message = _("Flow, actor and repository must belong to the same project.")
    code = "other_project"
    status = 422


class FlowOfOtherProject(OtherProject):
    message = _("This flow belongs to another project.")
    code = "flow_of_other_project"
    constraint = "missions_flow_of_project"
    field = "flow"


class ActorOfOtherProject(OtherProject):
    message = _("This actor belongs to another project.")
    code = "actor_of_other_project"
    constraint = "missions_actor_of_project"
    field = "actor"


class RepositoryOfOtherProject(OtherProject):
    message = _("This repository belongs to another project.")
    code = "repository_of_other_project"
    constraint = "missions_repository_of_project"
    field = "repository"


class TemplateFlowOfOtherProject(FlowOfOtherProject):
    code = "template_flow_of_other_project"
    constraint = "fallback_templates_flow_of_project"


class TemplateActorOfOtherProject(ActorOfOtherProject):
    code = "template_actor_of_other_project"
    constraint = "fallback_templates_actor_of_project"


class TemplateRepositoryOfOtherProject(RepositoryOfOtherProject):
    code = "template_repository_of_other_project"
    constraint = "fallback_templates_repository_of_project"


# --- Missions ---------------------------------------------------------------------------------


class DependencyCycle(DomainError):
    message = _("That mission already depends on this one, so this would create a cycle. Choose another mission.")
    code = "dependency_cycle"
    constraint = "mission_dependencies_no_cycle"
    field = "depends_on"


class DependencyOfOtherProject(DomainError):
    message = _("Choose a mission of the same project.")
    code = "dependency_of_other_project"
    constraint = "mission_dependencies_within_project"
    field = "depends_on"


class MissionBlocked(DomainError):
    message = _("This mission depends on missions that are not done. Confirm that you want to move it anyway.")
    code = "mission_blocked"
    field = "confirmed"


class NeighbourNotFound(DomainError):
    message = _("The board has changed. Reload it and move the mission again.")
    code = "neighbour_not_found"
    status = 409


class OriginImmutable(DomainError):
    message = _("The origin of a mission cannot be changed.")
    code = "origin_immutable"
    constraint = "missions_origin_immutable"


class ProjectImmutable(DomainError):
    message = _("A mission cannot be moved to another project.")
    code = "project_immutable"
    constraint = "missions_project_immutable"
    field = "project"


class NotAccepted(DomainError):
    message = _("A fallback mission needs an accepted proposal.")
    code = "not_accepted"
    constraint = "missions_fallback_was_accepted"


# --- Guardrails -------------------------------------------------------------------------------


class GuardrailReached(DomainError):
    """A guardrail would be exceeded. resets_at: when the week or month begins in which it is free again."""

    message = _("A guardrail of this project is reached.")

    def __init__(self, message: str | None = None, *, resets_at: datetime | None = None) -> None:
        self.resets_at = resets_at
        super().__init__(message)


class WeeklyCapReached(GuardrailReached):
    message = _("The weekly cap of this project is reached.")
    code = "weekly_mission_cap"
    constraint = "fallback_weekly_mission_cap"


class MonthlyHoursReached(GuardrailReached):
    message = _("The monthly hours of this project are used up.")
    code = "monthly_target_hours"
    constraint = "fallback_monthly_target_hours"


# --- Proposals and runs -----------------------------------------------------------------------


class AlreadyDecided(DomainError):
    message = _("This proposal has already been decided.")
    code = "already_decided"


class NotDecided(DomainError):
    message = _("There is no decision to undo.")
    code = "not_decided"


class MissionChanged(DomainError):
    message = _("The mission has changed since, so its acceptance cannot be undone.")
    code = "mission_changed"


class FeedbackMissing(DomainError):
    message = _("Enter feedback that explains the other reason.")
    code = "reason_missing"
    field = "feedback"
    status = 422


class UndoWindowPassed(DomainError):
    message = _("A decision can be undone within an hour. This one is older.")
    code = "not_decided"


class SnoozeInThePast(DomainError):
    message = _("Choose a time in the future.")
    code = "snooze_in_the_past"
    field = "until"
    status = 422


class RestInThePast(DomainError):
    message = _("Choose a date in the future.")
    code = "rest_in_the_past"
    field = "rest_until"
    status = 422


class RecordTooWeak(DomainError):
    message = _("The acceptance record of this template is not good enough yet to accept its proposals automatically.")
    code = "record_too_weak"
    field = "auto_accept"


class RunInProgress(DomainError):
    message = _("A run of this project is in progress. Try again in a few seconds.")
    code = "run_in_progress"
    constraint = "mission_fallback_runs_one_pending"


class RunEnded(DomainError):
    message = _("This run has already ended.")
    code = "run_ended"


class FallbackInactive(DomainError):
    message = _("The fallback is not active for this project.")
    code = "fallback_inactive"


class NoConfiguration(DomainError):
    message = _("This project has no fallback configuration. Add one first.")
    code = "no_configuration"


class TemplateDisabled(DomainError):
    message = _("This template is disabled. Enable it to launch it.")
    code = "template_disabled"


# --- Access requests --------------------------------------------------------------------------


class AccessNotNeeded(DomainError):
    message = _("You maintain this project already.")
    code = "access_not_needed"


class RequestDecided(DomainError):
    message = _("This access request has already been decided or has expired.")
    code = "request_decided"


class RequestOwn(DomainError):
    message = _("Someone else has to decide on your own access request.")
    code = "request_own"
    status = 403


# --- Comments ---------------------------------------------------------------------------------


class CommentOfOther(DomainError):
    message = _("Only the author can change a comment.")
    code = "comment_of_other"
    status = 403


class CommentTooOld(DomainError):
    message = _("A comment can be changed within 15 minutes. Add another one.")
    code = "comment_too_old"


class CommentRemoved(DomainError):
    message = _("This comment was removed.")
    code = "comment_removed"


# --- Documents of missions --------------------------------------------------------------------


class DocumentChanged(DomainError):
    """Another version was saved since this one was opened. latest: that version, None if there is no document."""

    message = _("Another person saved this document in the meantime. Compare both texts, and save again.")
    code = "document_changed"
    field = "content"

    def __init__(self, latest: Any) -> None:
        self.latest = latest
        super().__init__()


class DocumentIsLatest(DomainError):
    message = _("This is the current text. Edit the document instead.")
    code = "document_is_latest"


# --- Workstations and agents ------------------------------------------------------------------


class WorkstationOfOther(DomainError):
    message = _("Only the member who registered this workstation can use it. Choose another name.")
    code = "workstation_of_other"
    field = "name"
    status = 403


class WorkstationOffline(DomainError):
    message = _("This workstation is not registered at present. Register it again.")
    code = "workstation_offline"


class NotInOrganization(DomainError):
    message = _("You can only name projects and repositories of this organisation that you work on.")
    code = "not_in_organization"
    status = 422


class SessionEnded(DomainError):
    message = _("This session has ended. Claim a mission again.")
    code = "session_ended"


class LogOffsetWrong(DomainError):
    """size: bytes of the log, from which the next part continues."""

    message = _("The part of the log does not begin where the log ends.")
    code = "log_offset_wrong"
    field = "offset"

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(_("The log has {size} bytes. Continue from there.").format(size=size))


class PullRequestsDisabled(DomainError):
    message = _("Pull requests are disabled for this mission.")
    code = "pull_requests_disabled"


class PullRequestMissing(DomainError):
    message = _("This mission needs a pull request. Open one before the session ends.")
    code = "pull_request_missing"


class MissionWithoutRepository(DomainError):
    message = _("This mission has no repository for a pull request.")
    code = "mission_without_repository"


# --- Library of templates ---------------------------------------------------------------------


class TemplateNotPublished(DomainError):
    message = _("This template is no longer in the library. Choose another one.")
    code = "template_not_published"


class TemplateNeedsParts(DomainError):
    message = _("A template needs a flow, an actor and a repository. Add them to the project first.")
    code = "template_needs_parts"
    field = "project"


class NoChangeAtOrigin(DomainError):
    message = _("The origin has no change that this template does not have.")
    code = "no_change_at_origin"


# --- Absences and assignments -----------------------------------------------------------------


class AbsenceInThePast(DomainError):
    message = _("The last day has passed. Choose a later one.")
    code = "absence_in_the_past"
    field = "last"
    status = 422


class AbsenceTooLong(DomainError):
    message = format_lazy(_("An absence has at most {days} days."), days=ABSENCE_LONGEST.days)
    code = "absence_too_long"
    field = "last"
    status = 422


class AssigneeLacksRight(DomainError):
    message = _("This member has no role in the project that allows this. Give the member a role first.")
    code = "assignee_lacks_right"
    field = "member"


class HandOverToSame(DomainError):
    message = _("Choose another member to take over the work.")
    code = "hand_over_to_same"
    field = "to"
    status = 422


# --- Pull requests ----------------------------------------------------------------------------


class PullRequestUrlInvalid(DomainError):
    message = _("Enter the address of a pull request, such as https://github.com/acme/site/pull/7.")
    code = "pull_request_url_invalid"
    field = "url"
    status = 422


class RepositoryNotFound(DomainError):
    message = _("The project does not have this repository. Add it to the project first.")
    code = "repository_not_found"
    field = "url"


class MissionOfPullRequestNotFound(DomainError):
    message = _("No mission names this pull request. Choose the mission to link it to.")
    code = "mission_of_pull_request_not_found"
    field = "mission"

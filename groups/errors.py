"""The errors that Python, triggers and policies of this app raise. A constraint's message is on the constraint."""

from collections.abc import Iterable

from django.utils.text import format_lazy
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from groups.rules import EARLIEST_PARTICIPATION, MINUTES_A_DAY
from missionsite.common.errors import DomainError

# --- Members and missions -----------------------------------------------------------------------


class MissionArchived(DomainError):
    message = _("This mission is archived. Restore it before adding members.")
    code = "mission_archived"
    constraint = "memberships_open_group"
    field = "group"


class TrustTooLow(DomainError):
    """missing: the trust score points that the member still needs."""

    message = _("This member does not have the trust score that the mission requires.")
    code = "trust_too_low"
    field = "member"

    def __init__(self, *, score: int, required: int) -> None:
        self.missing = required - score
        super().__init__(
            gettext(
                "The mission requires a trust score of %(required)d; this member has %(score)d, %(missing)d too few."
            )
            % {"required": required, "score": score, "missing": self.missing}
        )


class MemberInactive(DomainError):
    message = _("This member is deactivated. Activate them first.")
    code = "member_inactive"
    field = "member"


class NotAMember(DomainError):
    message = _("This member does not belong to the mission.")
    code = "not_a_member"
    field = "member"


class MembershipEnded(DomainError):
    message = _("This membership has ended. Use Re-join to add the member again.")
    code = "membership_ended"


class RoleTermPast(DomainError):
    message = _("The end of a role must be in the future.")
    code = "role_term_past"
    field = "until"


class StableIdFixed(DomainError):
    message = _("A stable ID cannot be changed.")
    code = "stable_id_fixed"
    constraint = "stable_id_never_changes"


class StableIdReused(DomainError):
    message = _("This stable ID was used before and cannot be reused.")
    code = "stable_id_reused"
    constraint = "stable_id_never_reused"


class GroupTypeFixed(DomainError):
    message = _("The type of a group cannot be changed.")
    code = "group_type_fixed"
    constraint = "groups_type_never_changes"
    field = "type"


class ParentIsNoColony(DomainError):
    message = _("The parent of a mission must be a colony.")
    code = "parent_is_no_colony"
    constraint = "groups_parent_is_colony"
    field = "parent_group"


class ColonyArchived(DomainError):
    message = _("The colony is archived. Restore it first.")
    code = "colony_archived"
    constraint = "groups_colony_is_open"
    field = "parent_group"


class ColonyHasActiveMissions(DomainError):
    message = _("The colony still has active missions. Archive them first.")
    code = "colony_has_active_missions"
    constraint = "groups_colony_has_active_missions"


class CountsReadOnly(DomainError):
    message = _("The database updates the counts. They cannot be set.")
    code = "counts_read_only"
    constraint = "groups_counts_read_only"


class GroupIsArchived(DomainError):
    message = _("It is already archived.")
    code = "group_is_archived"


class GroupIsActive(DomainError):
    message = _("It is active. There is nothing to restore.")
    code = "group_is_active"


class TaskMissionArchived(DomainError):
    message = _("The mission is archived. Restore it before opening tasks.")
    code = "task_mission_archived"
    constraint = "tasks_open_group"
    field = "group"


class TaskStateRejected(DomainError):
    message = _("This is not possible in the current state of the task.")
    code = "task_state_rejected"

    def __init__(self, *, state: str, needed: Iterable[str]) -> None:
        """state, needed: labels of the current state and of those that allow the action."""
        super().__init__(
            gettext("This task is “%(state)s”. The action needs a task that is %(needed)s.")
            % {"state": state, "needed": _alternatives(needed)}
        )


class TaskNotYours(DomainError):
    message = _("Another member claimed this task.")
    code = "task_not_yours"


class EventsAppendOnly(DomainError):
    message = _("Events cannot be changed or removed.")
    code = "events_append_only"
    constraint = "events_append_only"


class ReplayRejected(DomainError):
    message = _("These membership events cannot be replayed.")
    code = "replay_rejected"
    status = 422


# --- Directory ----------------------------------------------------------------------------------


class CheckPending(DomainError):
    message = _("A GitHub check is already queued. Its result will appear on this page.")
    code = "check_pending"


class StatusMoveRejected(DomainError):
    message = _("This status change is not allowed.")
    code = "status_move_rejected"
    constraint = "community_members_status_moves"

    def __init__(self, *, status: str = "", possible: Iterable[str] = ()) -> None:
        """status, possible: labels of the current status and of those that can follow it."""
        if not status:
            super().__init__()
        elif targets := _alternatives(possible):
            super().__init__(
                gettext("The status of this member is “%(status)s”. It can only change to %(targets)s.")
                % {"status": status, "targets": targets}
            )
        else:
            super().__init__(gettext("The status of this member is “%(status)s”, which is final.") % {"status": status})


class FeeMissing(DomainError):
    message = _("The registration fee of this member is not recorded. Record it on their page, then approve them.")
    code = "fee_missing"
    field = "registration_fee_paid"


class NumberFixed(DomainError):
    message = _("A member's number cannot be changed.")
    code = "number_fixed"
    constraint = "community_members_number_never_changes"


class EntryErased(DomainError):
    message = _("The personal data of this member was erased. The entry cannot be changed.")
    code = "entry_erased"
    constraint = "community_members_erased_stays"


class EntryRemoved(DomainError):
    message = _("This member was removed from the directory. Restore them first.")
    code = "entry_removed"


class EntryNotRemoved(DomainError):
    message = _("This member is in the directory. There is nothing to restore.")
    code = "entry_not_removed"


class StaffNotErased(DomainError):
    message = _("This account has back-office access. Remove its rights before erasing it.")
    code = "staff_not_erased"


class InviterNotActive(DomainError):
    message = _("Only an active member of the directory can invite.")
    code = "inviter_not_active"
    field = "created_by"


class TooManyInvitations(DomainError):
    """left: the number of invitations that are still possible now."""

    message = _("The limit of invitations in 24 hours is reached.")
    code = "too_many_invitations"
    status = 429

    def __init__(self, *, cap: int, left: int) -> None:
        self.left = left
        limit = ngettext("At most %(cap)d invitation in 24 hours.", "At most %(cap)d invitations in 24 hours.", cap)
        rest = (
            ngettext("%(left)d more is possible now.", "%(left)d more are possible now.", left)
            if left
            else gettext("Try again tomorrow.")
        )
        super().__init__(f"{limit} {rest}" % {"cap": cap, "left": left})


class InvitationEnded(DomainError):
    message = _("This invitation was used, has expired or was cancelled. It cannot be changed.")
    code = "invitation_ended"
    constraint = "community_invitations_status_moves"


class RecipientRejected(DomainError):
    message = _("This is no e-mail address.")
    code = "recipient_rejected"
    field = "invited_email"
    status = 422


class RecipientMissing(DomainError):
    message = _("This invitation has no e-mail. Enter one first.")
    code = "recipient_missing"
    field = "email"


class MailNotSent(DomainError):
    message = _("The mail server did not take the e-mail. Try again later, or send the address yourself.")
    code = "mail_not_sent"
    field = "email"
    status = 503


class CodeRejected(DomainError):
    """One message for every reason, so that guessing reveals nothing; the log has the real reason."""

    message = _("This invitation code is not valid. Ask the person who invited you for a new one.")
    code = "code_rejected"
    field = "code"
    status = 404


# --- Returning people and passwords ------------------------------------------------------------


class ReturnLinkRejected(DomainError):
    """One message for every reason, so that guessing reveals nothing."""

    message = _("This link is not valid any more. Register again with your invitation.")
    code = "return_link_rejected"
    status = 404


class ReturnDecided(DomainError):
    message = _("This was decided already. Reload the page.")
    code = "return_decided"
    constraint = "community_returns_decided_once"


class ReturnTargetFixed(DomainError):
    message = _("Whom a return is about cannot be changed.")
    code = "return_target_fixed"
    constraint = "community_returns_target_never_changes"


class StaffNotReturned(DomainError):
    message = _("This account has back-office access. An administrator must open it instead.")
    code = "staff_not_returned"


class PasswordLinkRejected(DomainError):
    message = _("This account is deactivated. Activate it first.")
    code = "password_link_rejected"


class JobEnded(DomainError):
    message = _("This job has ended. There is nothing to cancel.")
    code = "job_ended"


class DownloadGone(DomainError):
    message = _("This download is not there any more.")
    code = "download_gone"
    status = 404


class JobNotWaiting(DomainError):
    message = _("This job does not wait for an approval.")
    code = "job_not_waiting"


class ImportCancelled(DomainError):
    message = _("The import was cancelled. Nothing was written.")
    code = "import_cancelled"


class NoOneToMail(DomainError):
    message = _("Everyone in this list has a password, is deactivated, or has access to the back office.")
    code = "no_one_to_mail"


class TooManyPeople(DomainError):
    message = _("These are too many people for one job. Filter the list.")
    code = "too_many_people"

    def __init__(self, *, most: int) -> None:
        super().__init__(gettext("One job is for at most %(most)d people. Filter the list.") % {"most": most})


# --- Import -------------------------------------------------------------------------------------


class ImportRunning(DomainError):
    message = _("Another import is running. Try again when it has finished.")
    code = "import_running"


class ImportConflict(DomainError):
    message = _("The same members were changed during the import. Nothing was written. Import the file again.")
    code = "import_conflict"

    def __init__(self, rejection: DomainError | None = None) -> None:
        if rejection is None:
            super().__init__()
        else:
            error = gettext("Database error: %(message)s") % {"message": rejection.message}
            super().__init__(f"{self.message} {error}")


class NoSuchImport(DomainError):
    message = _("There is no such import.")
    code = "no_such_import"
    status = 404


class ImportUndone(DomainError):
    message = _("This import has already been undone.")
    code = "import_undone"


# --- Participation ------------------------------------------------------------------------------


class ParticipationRejected(DomainError):
    message = _("This event cannot be recorded.")
    code = "participation_rejected"
    status = 422


class ParticipationCounted(DomainError):
    message = _("This event was already counted and cannot be changed.")
    code = "participation_counted"
    constraint = "member_participation_is_counted"


class MessageAlreadyRecorded(DomainError):
    message = _("This platform message was already recorded.")
    code = "message_already_recorded"
    constraint = "member_participation_pkey"


class MinutesDoNotFit(DomainError):
    message = format_lazy(
        _("The minutes of a voice event must be a whole number from 0 to {most}."), most=MINUTES_A_DAY
    )
    code = "minutes_do_not_fit"
    constraint = "member_participation_minutes_fit"
    field = "event_metadata"
    status = 422


class TimeDoesNotFit(DomainError):
    message = format_lazy(
        _("The time must not be before the year {year} or in the far future."), year=EARLIEST_PARTICIPATION.year
    )
    code = "time_does_not_fit"
    constraint = "member_participation_time_fits"
    field = "occurred_at"
    status = 422


class PointsRejected(DomainError):
    message = _("Points and the daily cap must be whole numbers of zero or more, for known types of participation.")
    code = "points_rejected"
    constraint = "highlights_points_fit"
    status = 422


class DaysReversed(DomainError):
    message = _("The last day must not be before the first day.")
    code = "days_reversed"
    field = "last_day"
    status = 422


def _alternatives(labels: Iterable[str]) -> str:
    """Return labels as a list with “or”; empty for none."""
    quoted = [f"“{label}”" for label in labels]
    if len(quoted) < 2:
        return "".join(quoted)
    return gettext("%(others)s or %(last)s") % {"others": ", ".join(quoted[:-1]), "last": quoted[-1]}

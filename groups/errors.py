"""Every refusal of this app in words."""

from collections.abc import Iterable

from missionsite.common.errors import DomainError


class AlreadyMember(DomainError):
    """This member already belongs to the mission."""

    code = "already_member"
    constraint = "idx_memberships_active_unique"
    field = "member"


class MissionArchived(DomainError):
    """This mission is archived: nobody can join it until it is restored."""

    code = "mission_archived"
    constraint = "memberships_open_group"
    field = "group"


class TrustTooLow(DomainError):
    """The trust score is too low for this mission."""

    code = "trust_too_low"
    field = "member"

    def __init__(self, *, score: int, required: int) -> None:
        self.missing = required - score
        super().__init__(
            f"The mission asks for a trust score of {required}; this member has {score}, {self.missing} too few."
        )


class MemberInactive(DomainError):
    """This member is deactivated; activate them first."""

    code = "member_inactive"
    field = "member"


class NotAMember(DomainError):
    """This member is not in the mission, so there is no seat to leave or change."""

    code = "not_a_member"
    field = "member"


class StayEnded(DomainError):
    """This stay has ended; a return is a new one."""

    code = "stay_ended"


class LeftBeforeJoining(DomainError):
    """Nobody leaves before they joined."""

    code = "left_before_joining"
    constraint = "memberships_left_after_joining"
    field = "left_at"


class LeftAtDoesNotFit(DomainError):
    """A stay that ended has a date of leaving; one that runs has none."""

    code = "left_at_does_not_fit"
    constraint = "memberships_left_at_fits_status"
    field = "left_at"


class RoleMissing(DomainError):
    """Name the role of this seat."""

    code = "role_missing"
    constraint = "memberships_role_not_empty"
    field = "role"


class EmailTaken(DomainError):
    """Another member has this e-mail."""

    code = "email_taken"
    constraint = "members_email_unique"
    field = "email"


class TrustScoreNegative(DomainError):
    """A trust score is zero or more."""

    code = "trust_score_negative"
    constraint = "members_trust_score_not_negative"
    field = "trust_score"


class SystemMemberLocked(DomainError):
    """The system member cannot log in and has no rights."""

    code = "system_member_locked"
    constraint = "members_system_cannot_log_in"


class StableIdFixed(DomainError):
    """A stable ID never changes."""

    code = "stable_id_fixed"
    constraint = "stable_id_never_changes"


class StableIdReused(DomainError):
    """This stable ID was given before and is never given again."""

    code = "stable_id_reused"
    constraint = "stable_id_never_reused"


class StableIdDoesNotFit(DomainError):
    """A stable ID looks like FE-M-00001 for a mission and FE-G-00001 for a colony."""

    code = "stable_id_does_not_fit"
    constraint = "groups_stable_id_fits_type"


class GroupTypeFixed(DomainError):
    """A colony stays a colony and a mission a mission."""

    code = "group_type_fixed"
    constraint = "groups_type_never_changes"
    field = "type"


class ParentDoesNotFit(DomainError):
    """A mission belongs to a colony; a colony belongs to nothing."""

    code = "parent_does_not_fit"
    constraint = "groups_parent_fits_type"
    field = "parent_group"


class ParentIsNoColony(DomainError):
    """A mission belongs to a colony, not to another mission."""

    code = "parent_is_no_colony"
    constraint = "groups_parent_is_colony"
    field = "parent_group"


class ColonyArchived(DomainError):
    """The colony is archived; restore it first."""

    code = "colony_archived"
    constraint = "groups_colony_is_open"
    field = "parent_group"


class ColonyHasActiveMissions(DomainError):
    """The colony still has active missions; archive them first."""

    code = "colony_has_active_missions"
    constraint = "groups_colony_has_active_missions"


class ThresholdNegative(DomainError):
    """The trust score to join is zero or more."""

    code = "threshold_negative"
    constraint = "groups_threshold_not_negative"
    field = "min_trust_score"


class ColonyHasNoThreshold(DomainError):
    """Joining a colony asks for no trust score."""

    code = "colony_has_no_threshold"
    constraint = "groups_colony_has_no_threshold"
    field = "min_trust_score"


class CountsAreCounted(DomainError):
    """Counts are kept by the database; they cannot be set."""

    code = "counts_are_counted"
    constraint = "groups_counts_are_counted"


class GroupIsArchived(DomainError):
    """It is archived already."""

    code = "group_is_archived"


class GroupIsActive(DomainError):
    """It is active; there is nothing to restore."""

    code = "group_is_active"


class TaskMissionArchived(DomainError):
    """The mission is archived: no task opens in it until it is restored."""

    code = "task_mission_archived"
    constraint = "tasks_open_group"
    field = "group"


class TaskStateRefused(DomainError):
    """The task is not in a state that allows this."""

    code = "task_state_refused"


class RewardNegative(DomainError):
    """A reward is zero or more."""

    code = "reward_negative"
    constraint = "tasks_reward_not_negative"
    field = "reward_points"


class EventsAppendOnly(DomainError):
    """Events are a record: they cannot be changed or removed."""

    code = "events_append_only"
    constraint = "events_append_only"


class LaterChange(DomainError):
    """A later edit changed the same thing; it is not overwritten."""

    code = "later_change"


class NothingToRevert(DomainError):
    """This entry holds no change that could be taken back."""

    code = "nothing_to_revert"


# --- The community directory --------------------------------------------------------------------


class TelegramIdTaken(DomainError):
    """Another member has this Telegram ID."""

    code = "telegram_id_taken"
    constraint = "member_telegram_id_idx"
    field = "telegram_id"


class GitHubAccountTaken(DomainError):
    """Another member has proven that this GitHub account is theirs."""

    code = "github_account_taken"
    constraint = "community_members_github_once"
    field = "github_username"


class GitHubNameMissing(DomainError):
    """There is no GitHub name to verify; enter it first."""

    code = "github_name_missing"
    constraint = "community_members_verified_fits"
    field = "github_username"


class StatusMoveRefused(DomainError):
    """A member does not go from this status to that one."""

    code = "status_move_refused"
    constraint = "community_members_status_moves"

    def __init__(self, *, status: str = "", possible: Iterable[str] = ()) -> None:
        possible = list(possible)
        if not status:
            super().__init__()
        elif possible:
            super().__init__(f"This member is {status}. From there it goes to {' or '.join(possible)} only.")
        else:
            super().__init__(f"This member is {status}, and that is final.")


class NumberFixed(DomainError):
    """A member's number never changes."""

    code = "number_fixed"
    constraint = "community_members_number_never_changes"


class EntryErased(DomainError):
    """The personal data of this member was erased; the entry stays as it is."""

    code = "entry_erased"
    constraint = "community_members_erased_stays"


class EntryRemoved(DomainError):
    """This member was removed from the directory; restore them first."""

    code = "entry_removed"


class EntryNotRemoved(DomainError):
    """This member is in the directory; there is nothing to restore."""

    code = "entry_not_removed"


class StaffNotErased(DomainError):
    """This account may open the back office; take its rights away before erasing it."""

    code = "staff_not_erased"


class NameMissing(DomainError):
    """Say what this person is called."""

    code = "name_missing"
    constraint = "community_members_name_not_empty"
    field = "name"


class TelegramIdMissing(DomainError):
    """Give the Telegram ID."""

    code = "telegram_id_missing"
    constraint = "community_members_telegram_id_not_empty"
    field = "telegram_id"


class InvitedBySelf(DomainError):
    """Nobody invites themselves."""

    code = "invited_by_self"
    constraint = "community_members_not_invited_by_self"
    field = "invited_by"


class InviterNotActive(DomainError):
    """Only an active member of the directory invites."""

    code = "inviter_not_active"
    field = "created_by"


class TooManyInvitations(DomainError):
    """That is more than one person may invite in a day."""

    code = "too_many_invitations"
    status = 429

    def __init__(self, *, cap: int, left: int) -> None:
        self.left = left
        rest = f"{left} more are possible today" if left else "try again tomorrow"
        super().__init__(f"At most {cap} invitations in 24 hours: {rest}.")


class InvitationEnded(DomainError):
    """This invitation was used, has expired or was cancelled; that stays so."""

    code = "invitation_ended"
    constraint = "community_invitations_status_moves"


class InvitationExpiresBefore(DomainError):
    """An invitation expires after it was made."""

    code = "invitation_expires_before"
    constraint = "community_invitations_expires_later"
    field = "expires_at"


class CodeRefused(DomainError):
    """This invitation code is not valid. Ask the person who invited you for a new one."""

    # One sentence for every reason, so that guessing teaches nothing; the log has the true one.
    code = "code_refused"
    field = "code"
    status = 404


class RelationshipWithSelf(DomainError):
    """A relationship is between two."""

    code = "relationship_with_self"
    constraint = "member_relationships_not_with_self"


class RelationshipKnown(DomainError):
    """This relationship is written down already."""

    code = "relationship_known"
    constraint = "member_relationships_once"


# --- Import -------------------------------------------------------------------------------------


class ImportUnderWay(DomainError):
    """Another import is being written; try again when it has ended."""

    code = "import_under_way"


class ImportOvertaken(DomainError):
    """Somebody changed the same members while the file was imported. Nothing was written; import it again."""

    code = "import_overtaken"

    def __init__(self, refusal: DomainError | None = None) -> None:
        super().__init__()
        if refusal is not None:
            self.message = f"{self.message} The database said: {refusal.message}"


# --- Participation ------------------------------------------------------------------------------


class ParticipationRefused(DomainError):
    """This event cannot be recorded."""

    code = "participation_refused"
    status = 422


class ParticipationCounted(DomainError):
    """This was counted already; it does not change any more."""

    code = "participation_counted"
    constraint = "member_participation_is_counted"


class PointsRefused(DomainError):
    """Points are whole numbers from 0 for the known kinds of participation, and so is their daily cap."""

    code = "points_refused"
    constraint = "highlights_points_fit"
    status = 422


class DaysReversed(DomainError):
    """The last day lies before the first."""

    code = "days_reversed"
    field = "last_day"
    status = 422

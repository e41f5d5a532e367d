"""Errors about members, missions, memberships and tasks."""

from missionsite.common.errors import DomainError


class AlreadyMember(DomainError):
    """This member already belongs to the mission."""

    code = "already_member"
    constraint = "idx_memberships_active_unique"
    field = "member"


class MissionArchived(DomainError):
    """This mission is archived. Restore it before adding members."""

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
            f"The mission requires a trust score of {required}; this member has {score}, {self.missing} too few."
        )


class MemberInactive(DomainError):
    """This member is deactivated. Activate them first."""

    code = "member_inactive"
    field = "member"


class NotAMember(DomainError):
    """This member does not belong to the mission."""

    code = "not_a_member"
    field = "member"


class MembershipEnded(DomainError):
    """This membership has ended. Use Re-join to add the member again."""

    code = "membership_ended"


class LeftBeforeJoining(DomainError):
    """The leaving date must not be before the joining date."""

    code = "left_before_joining"
    constraint = "memberships_left_after_joining"
    field = "left_at"


class LeftAtDoesNotFit(DomainError):
    """An ended membership has a leaving date; an active one has none."""

    code = "left_at_does_not_fit"
    constraint = "memberships_left_at_fits_status"
    field = "left_at"


class RoleMissing(DomainError):
    """Enter a role."""

    code = "role_missing"
    constraint = "memberships_role_not_empty"
    field = "role"


class EmailTaken(DomainError):
    """Another member has this e-mail."""

    code = "email_taken"
    constraint = "members_email_unique"
    field = "email"


class TrustScoreNegative(DomainError):
    """The trust score must be zero or more."""

    code = "trust_score_negative"
    constraint = "members_trust_score_not_negative"
    field = "trust_score"


class SystemMemberLocked(DomainError):
    """The system member cannot log in and has no rights."""

    code = "system_member_locked"
    constraint = "members_system_cannot_log_in"


class StableIdFixed(DomainError):
    """A stable ID cannot be changed."""

    code = "stable_id_fixed"
    constraint = "stable_id_never_changes"


class StableIdReused(DomainError):
    """This stable ID was used before and cannot be reused."""

    code = "stable_id_reused"
    constraint = "stable_id_never_reused"


class StableIdDoesNotFit(DomainError):
    """A stable ID looks like FE-M-00001 for a mission and FE-G-00001 for a colony."""

    code = "stable_id_does_not_fit"
    constraint = "groups_stable_id_fits_type"


class GroupTypeFixed(DomainError):
    """The type of a group cannot be changed."""

    code = "group_type_fixed"
    constraint = "groups_type_never_changes"
    field = "type"


class ParentDoesNotFit(DomainError):
    """A mission must belong to a colony; a colony has no parent."""

    code = "parent_does_not_fit"
    constraint = "groups_parent_fits_type"
    field = "parent_group"


class ParentIsNoColony(DomainError):
    """The parent of a mission must be a colony."""

    code = "parent_is_no_colony"
    constraint = "groups_parent_is_colony"
    field = "parent_group"


class ColonyArchived(DomainError):
    """The colony is archived. Restore it first."""

    code = "colony_archived"
    constraint = "groups_colony_is_open"
    field = "parent_group"


class ColonyHasActiveMissions(DomainError):
    """The colony still has active missions. Archive them first."""

    code = "colony_has_active_missions"
    constraint = "groups_colony_has_active_missions"


class ThresholdNegative(DomainError):
    """The trust score to join must be zero or more."""

    code = "threshold_negative"
    constraint = "groups_threshold_not_negative"
    field = "min_trust_score"


class ColonyHasNoThreshold(DomainError):
    """A colony has no trust score to join."""

    code = "colony_has_no_threshold"
    constraint = "groups_colony_has_no_threshold"
    field = "min_trust_score"


class CountsReadOnly(DomainError):
    """Counts are kept by the database; they cannot be set."""

    code = "counts_read_only"
    constraint = "groups_counts_read_only"


class GroupIsArchived(DomainError):
    """It is already archived."""

    code = "group_is_archived"


class GroupIsActive(DomainError):
    """It is active. There is nothing to restore."""

    code = "group_is_active"


class TaskMissionArchived(DomainError):
    """The mission is archived. Restore it before opening tasks."""

    code = "task_mission_archived"
    constraint = "tasks_open_group"
    field = "group"


class TaskStateRejected(DomainError):
    """The task is not in a state that allows this."""

    code = "task_state_rejected"


class RewardNegative(DomainError):
    """The reward must be zero or more."""

    code = "reward_negative"
    constraint = "tasks_reward_not_negative"
    field = "reward_points"


class EventsAppendOnly(DomainError):
    """Events cannot be changed or removed."""

    code = "events_append_only"
    constraint = "events_append_only"

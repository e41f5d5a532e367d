"""Errors about the community directory."""

from collections.abc import Iterable

from missionsite.common.errors import DomainError


class TelegramIdTaken(DomainError):
    """Another member has this Telegram ID."""

    code = "telegram_id_taken"
    constraint = "member_telegram_id_idx"
    field = "telegram_id"


class GitHubAccountTaken(DomainError):
    """Another member has verified this GitHub account."""

    code = "github_account_taken"
    constraint = "community_members_github_once"
    field = "github_username"


class GitHubNameMissing(DomainError):
    """Enter a GitHub name first."""

    code = "github_name_missing"
    constraint = "community_members_verified_fits"
    field = "github_username"


class CheckPending(DomainError):
    """A GitHub check is already queued. Its result will appear on this page."""

    code = "check_pending"


class StatusMoveRejected(DomainError):
    """This status change is not allowed."""

    code = "status_move_rejected"
    constraint = "community_members_status_moves"

    def __init__(self, *, status: str = "", possible: Iterable[str] = ()) -> None:
        possible = list(possible)
        if not status:
            super().__init__()
        elif possible:
            super().__init__(f"This member is {status}. The status can only change to {' or '.join(possible)}.")
        else:
            super().__init__(f"This member is {status}; this status is final.")


class NumberFixed(DomainError):
    """A member's number never changes."""

    code = "number_fixed"
    constraint = "community_members_number_never_changes"


class EntryErased(DomainError):
    """The personal data of this member was erased. The entry cannot be changed."""

    code = "entry_erased"
    constraint = "community_members_erased_stays"


class EntryRemoved(DomainError):
    """This member was removed from the directory. Restore them first."""

    code = "entry_removed"


class EntryNotRemoved(DomainError):
    """This member is in the directory; there is nothing to restore."""

    code = "entry_not_removed"


class StaffNotErased(DomainError):
    """This account has back-office access. Remove its rights before erasing it."""

    code = "staff_not_erased"


class NameMissing(DomainError):
    """Enter a name."""

    code = "name_missing"
    constraint = "community_members_name_not_empty"
    field = "name"


class TelegramIdMissing(DomainError):
    """Enter the Telegram ID."""

    code = "telegram_id_missing"
    constraint = "community_members_telegram_id_not_empty"
    field = "telegram_id"


class InvitedBySelf(DomainError):
    """Members cannot invite themselves."""

    code = "invited_by_self"
    constraint = "community_members_not_invited_by_self"
    field = "invited_by"


class InviterNotActive(DomainError):
    """Only an active member of the directory can invite."""

    code = "inviter_not_active"
    field = "created_by"


class TooManyInvitations(DomainError):
    """The daily limit of invitations is reached."""

    code = "too_many_invitations"
    status = 429

    def __init__(self, *, cap: int, left: int) -> None:
        self.left = left
        rest = f"{left} more are possible today" if left else "try again tomorrow"
        super().__init__(f"At most {cap} invitations in 24 hours: {rest}.")


class InvitationEnded(DomainError):
    """This invitation was used, has expired or was cancelled. It cannot be changed."""

    code = "invitation_ended"
    constraint = "community_invitations_status_moves"


class InvitationExpiresBefore(DomainError):
    """An invitation must expire after it is created."""

    code = "invitation_expires_before"
    constraint = "community_invitations_expires_later"
    field = "expires_at"


class CodeRejected(DomainError):
    """This invitation code is not valid. Ask the person who invited you for a new one."""

    # One message for every reason, so that guessing reveals nothing; the log has the real reason.
    code = "code_rejected"
    field = "code"
    status = 404


class RelationshipWithSelf(DomainError):
    """A relationship needs two different sides."""

    code = "relationship_with_self"
    constraint = "member_relationships_not_with_self"


class RelationshipExists(DomainError):
    """This relationship already exists."""

    code = "relationship_exists"
    constraint = "member_relationships_once"


# --- Import -------------------------------------------------------------------------------------


class ImportRunning(DomainError):
    """Another import is running. Try again when it has finished."""

    code = "import_running"


class ImportConflict(DomainError):
    """The same members were changed during the import. Nothing was written. Import the file again."""

    code = "import_conflict"

    def __init__(self, rejection: DomainError | None = None) -> None:
        text = type(self).__doc__
        super().__init__(f"{text} Database error: {rejection.message}" if rejection else text)


# --- Participation ------------------------------------------------------------------------------


class ParticipationRejected(DomainError):
    """This event cannot be recorded."""

    code = "participation_rejected"
    status = 422


class ParticipationCounted(DomainError):
    """This event was already counted and cannot be changed."""

    code = "participation_counted"
    constraint = "member_participation_is_counted"


class MessageAlreadyRecorded(DomainError):
    """This platform message was already recorded."""

    code = "message_already_recorded"
    constraint = "member_participation_pkey"


class MinutesDoNotFit(DomainError):
    """The minutes of a voice event must be a whole number from 0 to 1440."""

    code = "minutes_do_not_fit"
    constraint = "member_participation_minutes_fit"
    field = "event_metadata"


class TimeDoesNotFit(DomainError):
    """The time must not be before the year 2000 or in the far future."""

    code = "time_does_not_fit"
    constraint = "member_participation_time_fits"
    field = "occurred_at"


class PointsRejected(DomainError):
    """Points and the daily cap must be whole numbers from 0 up, for known types of participation."""

    code = "points_rejected"
    constraint = "highlights_points_fit"
    status = 422


class DaysReversed(DomainError):
    """The last day must not be before the first day."""

    code = "days_reversed"
    field = "last_day"
    status = 422

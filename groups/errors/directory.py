"""Rejections about the community directory."""

from collections.abc import Iterable

from missionsite.common.errors import DomainError


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


class CheckPending(DomainError):
    """GitHub is about to be asked already; the answer will show on the page."""

    code = "check_pending"


class StatusMoveRejected(DomainError):
    """A member does not go from this status to that one."""

    code = "status_move_rejected"
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
    """No one invites themselves."""

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


class CodeRejected(DomainError):
    """This invitation code is not valid. Ask the person who invited you for a new one."""

    # One sentence for every reason, so that guessing teaches nothing; the log has the true one.
    code = "code_rejected"
    field = "code"
    status = 404


class RelationshipWithSelf(DomainError):
    """A relationship is between two."""

    code = "relationship_with_self"
    constraint = "member_relationships_not_with_self"


class RelationshipExists(DomainError):
    """This relationship is written down already."""

    code = "relationship_exists"
    constraint = "member_relationships_once"


# --- Import -------------------------------------------------------------------------------------


class ImportRunning(DomainError):
    """Another import is being written; try again when it has ended."""

    code = "import_running"


class ImportConflict(DomainError):
    """Someone changed the same members while the file was imported. Nothing was written; import it again."""

    code = "import_conflict"

    def __init__(self, rejection: DomainError | None = None) -> None:
        words = type(self).__doc__
        super().__init__(f"{words} The database says: {rejection.message}" if rejection else words)


# --- Participation ------------------------------------------------------------------------------


class ParticipationRejected(DomainError):
    """This event cannot be recorded."""

    code = "participation_rejected"
    status = 422


class ParticipationCounted(DomainError):
    """This was counted already; it does not change any more."""

    code = "participation_counted"
    constraint = "member_participation_is_counted"


class MessageAlreadyRecorded(DomainError):
    """This platform message was counted before."""

    code = "message_already_recorded"
    constraint = "member_participation_pkey"


class MinutesDoNotFit(DomainError):
    """The minutes of a voice event are a whole number from 0 to 1440."""

    code = "minutes_do_not_fit"
    constraint = "member_participation_minutes_fit"
    field = "event_metadata"


class TimeDoesNotFit(DomainError):
    """The time lies before the year 2000 or far in the future."""

    code = "time_does_not_fit"
    constraint = "member_participation_time_fits"
    field = "occurred_at"


class PointsRejected(DomainError):
    """Points are whole numbers from 0 for the known kinds of participation, and so is their daily cap."""

    code = "points_rejected"
    constraint = "highlights_points_fit"
    status = 422


class DaysReversed(DomainError):
    """The last day lies before the first."""

    code = "days_reversed"
    field = "last_day"
    status = 422

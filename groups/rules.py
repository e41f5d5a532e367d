"""The rules of this app that are data: states and the moves between them, tiers, points, limits, and user names.

Models, forms, services, the API and the README take them from here. Where a trigger has a copy,
tests/groups/test_rules.py compares both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

# --- Groups, memberships and tasks --------------------------------------------------------------


class GroupType(TextChoices):
    COLONY = "colony", _("Colony")
    MISSION = "mission", _("Mission")


class GroupStatus(TextChoices):
    ACTIVE = "active", _("Active")
    ARCHIVED = "archived", _("Archived")


# The role of a new membership; free text that members see.
DEFAULT_ROLE = "Member"


class MembershipStatus(TextChoices):
    ACTIVE = "active", _("Active")
    LEFT = "left", _("Left")


class JoinPolicy(TextChoices):
    OPEN = "open", _("Open: eligible members join by themselves")
    REQUEST = "request", _("By request: members ask, staff decide")
    INVITATION = "invitation", _("By invitation: staff invite, members answer")


class JoinRequestKind(TextChoices):
    REQUEST = "request", pgettext_lazy("joining", "Request")
    INVITATION = "invitation", _("Invitation")
    WAITING = "waiting", _("Waiting list")


class JoinRequestStatus(TextChoices):
    OPEN = "open", _("Open")
    OFFERED = "offered", _("Place offered")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    EXPIRED = "expired", _("Expired")


# The states of a join request that is not decided.
UNDECIDED = (JoinRequestStatus.OPEN, JoinRequestStatus.OFFERED)


# Characters of the message of a join request, and of the reason of its decision.
MAX_JOIN_REQUEST_TEXT = 500


class TaskState(TextChoices):
    OPEN = "open", _("Open")
    CLAIMED = "claimed", _("Claimed")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")


@dataclass(frozen=True)
class Move:
    """A move from any of the sources to the target. event: the type of its event; empty if no service makes it."""

    sources: tuple[str, ...]
    target: str
    event: str = ""


def targets_of(moves: Mapping[str, Move], state: str) -> list[str]:
    """Return the states that can follow a state, in the order of the moves."""
    return [move.target for move in moves.values() if state in move.sources]


# A finished task cannot be reopened: its reward was paid.
TASK_MOVES = {
    "claim": Move((TaskState.OPEN,), TaskState.CLAIMED, "task.claimed"),
    "complete": Move((TaskState.CLAIMED,), TaskState.DONE, "task.done"),
    "reopen": Move((TaskState.CLAIMED, TaskState.CANCELLED), TaskState.OPEN, "task.reopened"),
    "cancel": Move((TaskState.OPEN, TaskState.CLAIMED), TaskState.CANCELLED, "task.cancelled"),
}

# The trigger guard_join_requests has the same moves.
JOIN_REQUEST_MOVES = {
    "accept": Move(UNDECIDED, JoinRequestStatus.ACCEPTED, "join_request.accepted"),
    "decline": Move(UNDECIDED, JoinRequestStatus.DECLINED, "join_request.declined"),
    "withdraw": Move(UNDECIDED, JoinRequestStatus.WITHDRAWN, "join_request.withdrawn"),
    "offer": Move((JoinRequestStatus.OPEN,), JoinRequestStatus.OFFERED, "join_request.offered"),
    "expire": Move((JoinRequestStatus.OFFERED,), JoinRequestStatus.EXPIRED, "join_request.expired"),
}

# --- Tags, notes and custom fields --------------------------------------------------------------

# Characters of a tag, a note, and the value of a custom field.
MAX_TAG, MAX_NOTE, MAX_CUSTOM_VALUE = 50, 4_000, 500


class CustomFieldTarget(TextChoices):
    MEMBER = "member", _("Members")
    MISSION = "mission", _("Missions")


class CustomFieldKind(TextChoices):
    TEXT = "text", _("Text")
    NUMBER = "number", _("Number")
    DATE = "date", _("Date")
    CHOICE = "choice", _("Choice")
    YES_NO = "yes_no", _("Yes or no")


# --- Directory ----------------------------------------------------------------------------------


class CommunityStatus(TextChoices):
    NOT_MEMBER = "not_member", _("Not a member")
    PENDING = "pending", _("Waiting for approval")
    ACTIVE = "active", _("Active")
    SUSPENDED = "suspended", _("Suspended")
    BANNED = "banned", _("Banned")


# The trigger guard_community_members has the same moves.
ENTRY_MOVES = {
    "apply": Move((CommunityStatus.NOT_MEMBER,), CommunityStatus.PENDING),
    "approve": Move((CommunityStatus.PENDING,), CommunityStatus.ACTIVE, "directory.approved"),
    "suspend": Move((CommunityStatus.ACTIVE,), CommunityStatus.SUSPENDED, "directory.suspended"),
    "reinstate": Move((CommunityStatus.SUSPENDED,), CommunityStatus.ACTIVE, "directory.reinstated"),
    "ban": Move(
        tuple(status for status in CommunityStatus if status != CommunityStatus.BANNED),
        CommunityStatus.BANNED,
        "directory.banned",
    ),
}


class Tier(TextChoices):
    NOVICE = "Novice", _("Novice")
    CONTRIBUTOR = "Contributor", _("Contributor")
    ACTIVE_DEVELOPER = "Active Developer", _("Active Developer")
    EXPERIENCED = "Experienced", _("Experienced")
    EXPERT = "Expert", _("Expert")


# The lowest score of each tier, highest first. A generated column derives the tier from it.
TIERS = (
    (2501, Tier.EXPERT),
    (1001, Tier.EXPERIENCED),
    (501, Tier.ACTIVE_DEVELOPER),
    (101, Tier.CONTRIBUTOR),
    (0, Tier.NOVICE),
)
# Points for each figure of a GitHub profile.
REPUTATION_POINTS = {"public_repos": 5, "followers": 3, "total_stars": 2, "contributions_last_year": 1}
# The largest values of their columns.
MAX_REPUTATION = 2**31 - 1
MAX_TRUST_SCORE = 2**31 - 1

# Fields that members edit themselves; staff edit the identifiers, other services the decisions.
OWN_FIELDS = ("name", "primary_role", "organization", "country", "phone")
USERNAME_FIELDS = ("telegram_username", "github_username")
STAFF_FIELDS = (*OWN_FIELDS, "telegram_id", *USERNAME_FIELDS, "registration_fee_paid", "registration_fee_tx_hash")


# Telegram's rule for user names; older ones have four characters.
TELEGRAM_NAME = r"[A-Za-z0-9_]{4,32}"


# A phone number as it is stored (E.164).
PHONE = r"^\+[1-9][0-9]{6,14}$"


def normalize_username(typed: str | None) -> str:
    """Return a user name of Telegram or GitHub without blanks around it and without the @ before it."""
    return (typed or "").strip().removeprefix("@").strip()


# --- Merges -------------------------------------------------------------------------------------

# Days in which a merge of two people can be undone.
MERGE_UNDO_DAYS = 90

# --- Invitations --------------------------------------------------------------------------------


class InvitationStatus(TextChoices):
    PENDING = "pending", _("Pending")
    ACCEPTED = "accepted", _("Accepted")
    EXPIRED = "expired", _("Expired")
    CANCELLED = "cancelled", _("Cancelled")


# The trigger guard_community_invitations has the same moves.
INVITATION_MOVES = {
    "accept": Move((InvitationStatus.PENDING,), InvitationStatus.ACCEPTED, "invitation.accepted"),
    "expire": Move((InvitationStatus.PENDING,), InvitationStatus.EXPIRED),
    "extend": Move((InvitationStatus.EXPIRED,), InvitationStatus.PENDING, "invitation.changed"),
    "cancel": Move((InvitationStatus.PENDING,), InvitationStatus.CANCELLED, "invitation.cancelled"),
}
MAX_INVITATION_DAYS = 90
# Registrations with one invitation.
MAX_USES = 500
# User names in one request.
MAX_INVITATIONS = 500
# The period of the settings INVITATIONS_PER_DAY and INVITATIONS_PER_DAY_BY_STAFF.
INVITATION_PERIOD = timedelta(hours=24)

# --- Participation ------------------------------------------------------------------------------

# The constraint member_participation_minutes_fit has the same limit.
MINUTES_A_DAY = 1440
# The constraint member_participation_time_fits has the same limit.
EARLIEST_PARTICIPATION = datetime(2000, 1, 1, tzinfo=UTC)
# Tolerance for platforms whose clock is ahead.
MAX_CLOCK_SKEW = timedelta(hours=1)
MAX_METADATA_CHARACTERS = 8_000
# The database writes spaces between the values, and numbers without exponents.
MAX_STORED_METADATA_CHARACTERS = 100_000
# Events in one request to the API.
MAX_PARTICIPATION_EVENTS = 5_000

# --- People without Telegram --------------------------------------------------------------------

# The column of the Telegram ID must not be empty: without one it has this and the stable ID, which is never shown.
NO_TELEGRAM = "none-"


def no_telegram_id(stable_id: str) -> str:
    """Return what the column of the Telegram ID has for a person without one."""
    return f"{NO_TELEGRAM}{stable_id}"


def shown_telegram_id(stored: str) -> str:
    """Return a Telegram ID as people see it: empty for a person without one."""
    return "" if stored.startswith(NO_TELEGRAM) else stored


# --- Returning people ---------------------------------------------------------------------------

# How long the link to an old entry works, and how soon another one is sent for the same registration.
RETURN_LINK_LASTS = timedelta(days=3)
# Members who are mailed a link to set a password in one job.
MAX_PASSWORD_LINKS = 10_000

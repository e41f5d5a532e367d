"""Adding, editing, approving, removing and restoring directory entries."""

from collections.abc import Mapping

from django.utils import timezone

from groups.errors import (
    EntryErased,
    EntryNotRemoved,
    EntryRemoved,
    GitHubNameMissing,
    NameMissing,
    StatusMoveRejected,
)
from groups.models import CommunityMember, Member
from groups.models.directory import MOVES, CommunityStatus
from missionsite.common.audit.events import audit, audit_changes
from missionsite.common.changes import apply_changes
from missionsite.common.transactions import service

# Fields that members edit themselves; staff edit the identifiers, other services the decisions.
OWN_FIELDS = frozenset({"name", "primary_role", "organization", "country"})
STAFF_FIELDS = OWN_FIELDS | {
    "telegram_id",
    "telegram_username",
    "github_username",
    "registration_fee_paid",
    "registration_fee_tx_hash",
}
# Fields whose values an event may contain. Of others it names the field only: events outlive personal data.
_RECORDED_WITH_VALUES = frozenset({"primary_role", "registration_fee_paid"})


def reputation_of(profile: Mapping) -> int:
    """Return the points of a GitHub profile.

    5 per public repository, 3 per follower, 2 per star, 1 per contribution of the last year.
    """
    return (
        5 * profile.get("public_repos", 0)
        + 3 * profile.get("followers", 0)
        + 2 * profile.get("total_stars", 0)
        + profile.get("contributions_last_year", 0)
    )


@service
def create_entry(*, actor: Member, person: Member | None = None, **fields) -> CommunityMember:
    """Add an entry without an invitation; its status is pending.

    fields: as in STAFF_FIELDS; name, primary_role and telegram_id are required. Raises TelegramIdTaken, NameMissing.
    """
    entry = CommunityMember.objects.create(person=person, status=CommunityStatus.PENDING, **_normalize(fields))
    entry.refresh_from_db()
    _record_event("directory.added", entry, actor)
    return entry


@service
def update_entry(*, actor: Member, entry: CommunityMember, own: bool = False, **changes) -> CommunityMember:
    """Edit an entry. own: edited by the member, who may change OWN_FIELDS only.

    A new GitHub name is not verified and has no points. Raises TelegramIdTaken, NameMissing, EntryErased.
    """
    if unknown := set(changes) - (OWN_FIELDS if own else STAFF_FIELDS):
        raise TypeError(f"cannot change {', '.join(sorted(unknown))} here")
    current = _lock_entry(entry)
    changes = _normalize(changes)
    if "name" in changes and not changes["name"]:
        raise NameMissing
    before = current.github_username or ""
    if "github_username" in changes and before.lower() != (changes["github_username"] or "").lower():
        changes |= {
            "github_verified": False,
            "github_verified_at": None,
            "github_profile_data": None,
            "reputation_score": 0,
            # The check of the old name, and the time of its retry, no longer apply.
            "profile_data": {k: v for k, v in (current.profile_data or {}).items() if k != "github_check"} or None,
        }
    changed = apply_changes(current, changes)
    recorded = {name: values if name in _RECORDED_WITH_VALUES else "changed" for name, values in changed.items()}
    audit_changes("directory.changed", actor=actor, member=current.person, number=current.member_id, changed=recorded)
    return current


@service
def approve(*, actor: Member, entry: CommunityMember, reason: str = "") -> CommunityMember:
    """Approve a pending member. Raises StatusMoveRejected, which names the possible moves."""
    return _move(entry, CommunityStatus.ACTIVE, "approved", actor, reason, only_from=CommunityStatus.PENDING)


@service
def suspend(*, actor: Member, entry: CommunityMember, reason: str = "") -> CommunityMember:
    """Suspend an active member, which hides them. Raises StatusMoveRejected."""
    return _move(entry, CommunityStatus.SUSPENDED, "suspended", actor, reason)


@service
def reinstate(*, actor: Member, entry: CommunityMember, reason: str = "") -> CommunityMember:
    """Make a suspended member active again. Raises StatusMoveRejected."""
    return _move(entry, CommunityStatus.ACTIVE, "reinstated", actor, reason, only_from=CommunityStatus.SUSPENDED)


@service
def ban(*, actor: Member, entry: CommunityMember, reason: str = "") -> CommunityMember:
    """Ban a member. No status follows. Raises StatusMoveRejected."""
    return _move(entry, CommunityStatus.BANNED, "banned", actor, reason)


@service
def verify_manually(*, actor: Member, entry: CommunityMember, how: str) -> CommunityMember:
    """Mark a GitHub account as verified. how: the evidence, stored with the event.

    The reputation does not change: it is calculated from GitHub's figures only. Raises GitHubNameMissing,
    GitHubAccountTaken.
    """
    current = _lock_entry(entry)
    if not current.github_username:
        raise GitHubNameMissing
    current.github_verified = True
    current.github_verified_at = timezone.now()
    current.save(update_fields=["github_verified", "github_verified_at"])
    _record_event("directory.verified", current, actor, by="staff", how=how)
    return current


@service
def remove_entry(*, actor: Member, entry: CommunityMember, reason: str = "") -> CommunityMember:
    """Remove an entry from every list. The row is kept and can be restored. Raises EntryRemoved."""
    current = _lock_entry(entry)
    current.deleted_at = timezone.now()
    current.save(update_fields=["deleted_at"])
    _record_event("directory.removed", current, actor, reason=reason)
    return current


@service
def restore_entry(*, actor: Member, entry: CommunityMember, reason: str = "") -> CommunityMember:
    """Restore a removed entry. Raises EntryNotRemoved, EntryErased."""
    current = _lock_entry(entry, removed=True)
    if not current.is_removed:
        raise EntryNotRemoved
    current.deleted_at = None
    current.save(update_fields=["deleted_at"])
    _record_event("directory.restored", current, actor, reason=reason)
    return current


def _lock_entry(entry: CommunityMember, *, removed: bool = False) -> CommunityMember:
    """Lock and return the current row of an entry. removed: also a removed one. Raises EntryErased, EntryRemoved."""
    current = CommunityMember.objects.select_for_update(of=("self",)).select_related("person").get(pk=entry.pk)
    if current.erased_at:
        raise EntryErased
    if current.is_removed and not removed:
        raise EntryRemoved
    return current


def _move(
    entry: CommunityMember, to: str, what: str, actor: Member, reason: str, *, only_from: str | None = None
) -> CommunityMember:
    current = _lock_entry(entry)
    possible = MOVES[current.status]
    if to not in possible or only_from not in (None, current.status):
        raise StatusMoveRejected(
            status=current.get_status_display().lower(),
            possible=[CommunityStatus(each).label.lower() for each in possible],
        )
    current.status = to
    current.save(update_fields=["status"])
    _record_event(f"directory.{what}", current, actor, reason=reason)
    return current


def _record_event(type_: str, entry: CommunityMember, actor: Member, **payload) -> None:
    audit(type_, actor=actor, member=entry.person, number=entry.member_id, **payload)


def _normalize(fields: dict) -> dict:
    """Strip texts, remove the @ of user names, and make empty optional texts None."""
    normalized = {}
    for name, value in fields.items():
        if isinstance(value, str):
            value = value.strip()
            if name in ("telegram_username", "github_username"):
                value = value.removeprefix("@")
            if name not in ("name", "primary_role", "telegram_id"):
                value = value or None
        normalized[name] = value
    return normalized

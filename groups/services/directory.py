"""Adding, editing, approving, removing and restoring directory entries."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils import timezone

from groups.errors import (
    EntryErased,
    EntryNotRemoved,
    EntryRemoved,
    FeeMissing,
    StatusMoveRejected,
)
from groups.models import CommunityMember, Member
from groups.rules import (
    ENTRY_MOVES,
    OWN_FIELDS,
    REPUTATION_POINTS,
    STAFF_FIELDS,
    USERNAME_FIELDS,
    CommunityStatus,
    normalize_username,
    targets_of,
)
from missionsite.common.audit.events import audit, audit_changes
from missionsite.common.changes import apply_changes, check_fields
from missionsite.common.countries import normalize_phone
from missionsite.common.errors import violated
from missionsite.common.transactions import service

# Fields whose values an event may contain. Of others it names the field only: events outlive personal data.
_RECORDED_WITH_VALUES = frozenset({"primary_role", "registration_fee_paid"})


def reputation_of(profile: Mapping) -> int:
    """Return the points of a GitHub profile."""
    return sum(points * profile.get(figure, 0) for figure, points in REPUTATION_POINTS.items())


@service
def create_entry(*, actor: Member, person: Member | None = None, **fields: Any) -> CommunityMember:
    """Add an entry without an invitation; its status is pending.

    fields: as in STAFF_FIELDS; name, primary_role and telegram_id are required. Raises the errors of the
    constraints.
    """
    entry = CommunityMember.objects.create(person=person, status=CommunityStatus.PENDING, **_normalize(fields))
    entry.refresh_from_db()
    _record_event("directory.added", entry, actor)
    return entry


@service
def update_entry(*, actor: Member, entry: CommunityMember, own: bool = False, **changes: Any) -> CommunityMember:
    """Edit an entry. own: edited by the member, who may change OWN_FIELDS only.

    A new GitHub name is not verified and has no points. Raises EntryErased, EntryRemoved, and the
    errors of the constraints.
    """
    check_fields(changes, *(OWN_FIELDS if own else STAFF_FIELDS))
    current = _lock_entry(entry)
    changes = _normalize(changes, current.country)
    if "name" in changes and not changes["name"]:
        raise violated("community_members_name_not_empty")
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
    """Approve a pending member. Raises StatusMoveRejected, which names the possible moves, and FeeMissing.

    With REGISTRATION_FEE_REQUIRED, the fee must be recorded first.
    """
    if settings.REGISTRATION_FEE_REQUIRED and not _lock_entry(entry).registration_fee_paid:
        raise FeeMissing
    return _move_entry(entry, "approve", actor, reason)


@service
def suspend(*, actor: Member, entry: CommunityMember, reason: str = "") -> CommunityMember:
    """Suspend an active member, which hides them. Raises StatusMoveRejected."""
    return _move_entry(entry, "suspend", actor, reason)


@service
def reinstate(*, actor: Member, entry: CommunityMember, reason: str = "") -> CommunityMember:
    """Make a suspended member active again. Raises StatusMoveRejected."""
    return _move_entry(entry, "reinstate", actor, reason)


@service
def ban(*, actor: Member, entry: CommunityMember, reason: str = "") -> CommunityMember:
    """Ban a member. No status follows. Raises StatusMoveRejected."""
    return _move_entry(entry, "ban", actor, reason)


@service
def verify_manually(*, actor: Member, entry: CommunityMember, how: str) -> CommunityMember:
    """Mark a GitHub account as verified. how: the evidence, stored with the event.

    The reputation does not change: it is calculated from GitHub's figures only. Raises the errors of
    the constraints: without a GitHub name, or with one that another member has verified.
    """
    current = _lock_entry(entry)
    if not current.github_username:
        raise violated("community_members_verified_fits")
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
    current = CommunityMember.objects.lock(entry.pk, "person")
    if current.erased_at:
        raise EntryErased
    if current.is_removed and not removed:
        raise EntryRemoved
    return current


def _move_entry(entry: CommunityMember, move: str, actor: Member, reason: str) -> CommunityMember:
    """Change the status. move: a key of ENTRY_MOVES."""
    rule = ENTRY_MOVES[move]
    current = _lock_entry(entry)
    if current.status not in rule.sources:
        raise StatusMoveRejected(
            status=current.get_status_display(),
            possible=[str(CommunityStatus(status).label) for status in targets_of(ENTRY_MOVES, current.status)],
        )
    current.status = rule.target
    current.save(update_fields=["status"])
    _record_event(rule.event, current, actor, reason=reason)
    return current


def _record_event(type_: str, entry: CommunityMember, actor: Member, **payload: Any) -> None:
    audit(type_, actor=actor, member=entry.person, number=entry.member_id, **payload)


def checked_phone(typed: str | None, country: str | None) -> str | None:
    """Return a typed phone number as it is stored, None for none. Raises ConstraintViolated."""
    try:
        return normalize_phone(typed, country) or None
    except ValueError:
        raise violated("community_members_phone_format") from None


def _normalize(fields: dict, country: str | None = None) -> dict:
    """Strip texts, remove the @ of user names, and make empty optional texts None.

    country: that of the entry, for a phone number without prefix, if the fields have none.
    """
    normalized: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, str):
            value = value.strip()
            if name in USERNAME_FIELDS:
                value = normalize_username(value)
            if name == "phone":
                value = checked_phone(value, fields.get("country", country))
            if name not in ("name", "primary_role", "telegram_id"):
                value = value or None
        normalized[name] = value
    return normalized

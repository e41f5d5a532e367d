"""Creating and editing members."""

from collections.abc import Collection
from typing import Any, cast

from groups.models import Member
from missionsite.common.accounts.addresses import add_unconfirmed_address
from missionsite.common.accounts.sessions import end_access
from missionsite.common.audit.events import audit, audit_changes
from missionsite.common.audit.history import Change, revert_change
from missionsite.common.audit.security import record_security_event
from missionsite.common.changes import apply_changes, check_fields
from missionsite.common.transactions import service

# Fields that staff edit; administrators set the rights (is_staff, is_superuser, roles).
EDITABLE = ("email", "display_name", "trust_score", "is_active")
RIGHTS = ("is_staff", "is_superuser")
# Fields whose values an event does not contain: events outlive personal data.
_PERSONAL = ("email", "display_name")


@service
def create_member(
    *,
    actor: Member,
    email: str,
    display_name: str,
    trust_score: int = 0,
    password: str | None = None,
    is_staff: bool = False,
) -> Member:
    """Create a member; without a password the account cannot log in."""
    member = Member.objects.create_user(
        email, password, display_name=display_name, trust_score=trust_score, is_staff=is_staff
    )
    audit("member.created", actor=actor, member=member, stable_id=member.member_id)
    return member


@service
def update_member(*, actor: Member, member: Member, **changes: Any) -> Member:
    """Change e-mail, name, trust score, rights, or whether the member is active."""
    check_fields(changes, *EDITABLE, *RIGHTS)
    current = Member.objects.lock(member.pk)
    changed = apply_changes(current, changes)
    recorded = {name: "changed" if name in _PERSONAL else values for name, values in changed.items()}
    audit_changes("member.changed", actor=actor, member=current, changed=recorded)
    _follow(actor, current, changed)
    return current


@service
def revert_member(*, actor: Member, change: Change) -> Member:
    """Revert one change of a member, with the same consequences for their access as an edit.

    Raises NothingToRevert, LaterChange.
    """
    member = cast(Member, revert_change(actor=actor, change=change))
    fields = {field.name: field for field in change.fields}
    if not fields.keys().isdisjoint(("email", "is_active", *RIGHTS)):
        recorded = {
            name: "changed" if name in _PERSONAL else [field.after, field.before] for name, field in fields.items()
        }
        record_security_event("member.changed", actor=actor, member=member, changed=recorded)
    _follow(actor, member, fields)
    return member


def _follow(actor: Member, member: Member, changed: Collection[str]) -> None:
    """Let a new address wait for its confirmation, and end the access of a member who lost a right."""
    if "email" in changed:
        add_unconfirmed_address(member)
    if lost := [name for name in ("is_active", *RIGHTS) if name in changed and not getattr(member, name)]:
        end_access(actor=actor, member=member, reason=", ".join(lost))

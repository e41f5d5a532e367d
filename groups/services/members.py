"""Creating and editing members."""

from typing import Any

from groups.models import Member
from missionsite.common.accounts.addresses import add_unconfirmed_address
from missionsite.common.accounts.sessions import end_access
from missionsite.common.audit.events import audit, audit_changes
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
    if "email" in changed:
        add_unconfirmed_address(current)
    if lost := [name for name in ("is_active", *RIGHTS) if name in changed and not getattr(current, name)]:
        end_access(actor=actor, member=current, reason=", ".join(lost))
    return current

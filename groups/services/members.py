"""Creating and editing members."""

from groups.models import Member
from missionsite.common.audit.events import audit, audit_changes
from missionsite.common.changes import apply_changes
from missionsite.common.transactions import service

# Fields that staff edit; administrators set the rights (is_staff, is_superuser, roles).
EDITABLE = frozenset({"email", "display_name", "trust_score", "is_active"})
RIGHTS = frozenset({"is_staff", "is_superuser"})


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
    """Create a member; without a password the account cannot log in. Raises EmailTaken, TrustScoreNegative."""
    member = Member.objects.create_user(
        email, password, display_name=display_name, trust_score=trust_score, is_staff=is_staff
    )
    audit("member.created", actor=actor, member=member, stable_id=member.member_id)
    return member


@service
def update_member(*, actor: Member, member: Member, **changes) -> Member:
    """Change e-mail, name, trust score, rights, or whether the member is active.

    The event names the changed fields, without copies of e-mail and name: events outlive personal data.
    Raises EmailTaken, TrustScoreNegative.
    """
    if unknown := set(changes) - EDITABLE - RIGHTS:
        raise TypeError(f"cannot change {', '.join(sorted(unknown))} here")
    current = Member.objects.select_for_update().get(pk=member.pk)
    changed = apply_changes(current, changes)
    for personal in ("email", "display_name"):
        if personal in changed:
            changed[personal] = "changed"
    audit_changes("member.changed", actor=actor, member=current, changed=changed)
    return current

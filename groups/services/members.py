"""Making and editing members."""

from groups.models import Member
from groups.services.events import record, record_changes
from missionsite.common.changes import apply_changes
from missionsite.common.transactions import service

# What staff may edit; rights (is_staff, is_superuser, roles) are given by administrators alone, at their own door.
EDITABLE = frozenset({"email", "display_name", "trust_score", "is_active"})
RIGHTS = frozenset({"is_staff", "is_superuser"})


@service
def create_member(
    *,
    email: str,
    display_name: str,
    trust_score: int = 0,
    password: str | None = None,
    is_staff: bool = False,
    actor: Member | None = None,
) -> Member:
    """Add a person; without a password no one can log in as them. Raises EmailTaken, TrustScoreNegative."""
    member = Member.objects.create_user(
        email, password, display_name=display_name, trust_score=trust_score, is_staff=is_staff
    )
    record("member.created", actor=actor, member=member, stable_id=member.member_id)
    return member


@service
def update_member(*, member: Member, actor: Member | None = None, **changes) -> Member:
    """Change e-mail, name, trust score, rights, or whether the member is active.

    The event names what changed; of an e-mail or a name it keeps no copy, since events outlive a person's data.
    Raises EmailTaken, TrustScoreNegative.
    """
    if unknown := set(changes) - EDITABLE - RIGHTS:
        raise TypeError(f"cannot change {', '.join(sorted(unknown))} here")
    current = Member.objects.select_for_update().get(pk=member.pk)
    changed = apply_changes(current, changes)
    for personal in ("email", "display_name"):
        if personal in changed:
            changed[personal] = "changed"
    record_changes("member.changed", actor=actor, member=current, changed=changed)
    return current

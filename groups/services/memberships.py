"""Joining and leaving missions, and changing roles."""

from datetime import datetime

from django.utils import timezone

from groups.errors import MemberInactive, MembershipEnded, MissionArchived, NotAMember, TrustTooLow
from groups.models import Group, Member, Membership
from groups.rules import DEFAULT_ROLE
from missionsite.common.audit.events import audit
from missionsite.common.errors import violated
from missionsite.common.transactions import service


@service
def join_mission(
    *,
    actor: Member,
    member: Member,
    mission: Group,
    role: str = DEFAULT_ROLE,
    joined_at: datetime | None = None,
    reason: str = "",
) -> Membership:
    """Add a member to a mission, or to a colony, which has no minimum trust score.

    joined_at: aware datetime; now by default. Raises MissionArchived, MemberInactive, TrustTooLow (carries the missing
    points), and ConstraintViolated for a second active membership or an empty role.
    """
    # Read again: the caller's objects may be outdated. The database checks the archived status once more, under a
    # lock.
    mission = Group.objects.get(pk=mission.pk)
    current = Member.objects.only("trust_score", "is_active").get(pk=member.pk)
    if mission.is_archived:
        raise MissionArchived
    if not current.is_active:
        raise MemberInactive
    required = mission.min_trust_score or 0
    if current.trust_score < required:
        raise TrustTooLow(score=current.trust_score, required=required)
    if not role.strip():
        raise violated("memberships_role_not_empty")
    times = {"joined_at": joined_at} if joined_at else {}
    membership = Membership.objects.create(member=member, group=mission, role=role.strip(), **times)
    audit(
        "membership.created",
        actor=actor,
        member=member,
        group=mission,
        membership=str(membership.pk),
        role=membership.role,
        reason=reason,
    )
    return membership


@service
def leave_mission(
    *, actor: Member, member: Member, mission: Group, left_at: datetime | None = None, reason: str = ""
) -> Membership:
    """End a member's active membership. The row is kept; re-joining adds another.

    left_at: aware datetime; now by default. Raises NotAMember, and ConstraintViolated for a time before joined_at.
    """
    membership = Membership.objects.active().filter(member=member, group=mission).first()
    if membership is None:
        raise NotAMember
    # joined_at comes from the database's clock, which may be ahead of this one.
    left_at = left_at or max(timezone.now(), membership.joined_at)
    # One conditional UPDATE: of two concurrent calls, one ends the membership and the other updates no row.
    ended = Membership.objects.active().filter(pk=membership.pk).update(status=Membership.Status.LEFT, left_at=left_at)
    if not ended:
        raise NotAMember
    membership.status, membership.left_at = Membership.Status.LEFT, left_at
    audit(
        "membership.ended",
        actor=actor,
        member=member,
        group=mission,
        membership=str(membership.pk),
        reason=reason,
    )
    return membership


@service
def change_role(*, actor: Member, membership: Membership, role: str, reason: str = "") -> Membership:
    """Change the role of an active membership. Raises MembershipEnded, and ConstraintViolated for an empty role."""
    role = role.strip()
    if not role:
        raise violated("memberships_role_not_empty")
    current = Membership.objects.lock(membership.pk, "member", "group")
    if not current.is_active:
        raise MembershipEnded
    before = current.role
    membership.role = role
    if role == before:
        return membership
    Membership.objects.filter(pk=current.pk).update(role=role)
    audit(
        "membership.role_changed",
        actor=actor,
        member=current.member,
        group=current.group,
        membership=str(current.pk),
        changed={"role": [before, role]},
        reason=reason,
    )
    return membership

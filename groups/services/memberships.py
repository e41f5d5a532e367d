"""Joining and leaving missions, and changing roles."""

from datetime import datetime
from typing import Any, cast

from django.db.models import Subquery
from django.utils import timezone
from django.utils.translation import gettext

from groups.errors import (
    MemberInactive,
    MembershipEnded,
    MissionArchived,
    NotAMember,
    RoleTermPast,
    TrustTooLow,
)
from groups.join_errors import JoinByInvitation, JoinByRequest, MissionFull
from groups.models import Group, JoinRequest, Member, Membership
from groups.rules import DEFAULT_ROLE, JOIN_REQUEST_MOVES, JoinPolicy, JoinRequestKind
from groups.selectors.places import is_full
from missionsite.common.audit.events import audit
from missionsite.common.errors import DomainError, violated
from missionsite.common.transactions import service

# joined_at comes from the database's clock, which may be ahead of this one.
_END = """
UPDATE memberships SET status = 'left', left_at = coalesce(%(left_at)s, greatest(%(now)s, joined_at))
WHERE member_id = %(member)s AND group_id = %(group)s AND status = 'active' RETURNING *
"""


@service
def join_mission(
    *,
    actor: Member,
    member: Member,
    mission: Group,
    role: str = DEFAULT_ROLE,
    joined_at: datetime | None = None,
    reason: str = "",
    own: bool = False,
) -> Membership:
    """Add a member to a mission, or to a colony, which has no minimum trust score.

    joined_at: aware datetime; now by default. own: a member who joins by themselves, so the mission must be open.
    Raises MissionArchived, MemberInactive, TrustTooLow (carries the missing points), JoinByRequest, JoinByInvitation,
    MissionFull, and ConstraintViolated for a second active membership or an empty role.
    """
    # Read again: the caller's objects may be outdated. The database checks the archived status once more, under a
    # lock.
    current = Member.objects.filter(pk=member.pk).order_by()
    fields: dict[str, Any] = {name: Subquery(current.values(name)) for name in ("trust_score", "is_active")}
    mission = Group.objects.annotate(**fields).get(pk=mission.pk)
    _check_eligible(mission, trust_score=cast(Any, mission).trust_score, is_active=cast(Any, mission).is_active)
    if own and mission.join_policy != JoinPolicy.OPEN:
        already = Membership.objects.active().filter(member=member, group=mission).exists()
        raise violated("idx_memberships_active_unique") if already else not_open(mission)
    # The database checks the maximum for every client. Newcomers also do not overtake the waiting list.
    if own and mission.max_members is not None and is_full(mission):
        raise MissionFull
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
    _close_request(actor, membership, reason, by_themselves=own)
    return membership


@service
def add_past_membership(
    *,
    actor: Member,
    member: Member,
    mission: Group,
    role: str = DEFAULT_ROLE,
    joined_at: datetime,
    left_at: datetime,
    reason: str = "",
) -> Membership:
    """Add a membership that has ended, for the records; what members need to join a mission is not checked.

    joined_at, left_at: aware datetimes. Raises ConstraintViolated for an empty role and for times that do not fit.
    """
    ended = Membership.Status.LEFT
    membership = Membership.objects.create(
        member=member, group=mission, role=role.strip(), joined_at=joined_at, left_at=left_at, status=ended
    )
    links = {"member": member, "group": mission, "membership": str(membership.pk)}
    audit("membership.created", actor=actor, role=membership.role, reason=reason, **links)
    audit("membership.ended", actor=actor, reason=reason, **links)
    return membership


def _close_request(actor: Member, membership: Membership, reason: str, *, by_themselves: bool) -> None:
    """End an open request or invitation of a member who now belongs to the mission."""
    request = JoinRequest.objects.undecided().filter(member=membership.member_id, group=membership.group_id).first()
    if request is None:
        return
    # Members cannot accept their own request, which is no longer needed.
    move = "withdraw" if by_themselves and request.kind == JoinRequestKind.REQUEST else "accept"
    request.member, request.group = membership.member, membership.group
    move_request(request, move, actor, reason)


def move_request(request: JoinRequest, move: str, actor: Member, reason: str = "") -> JoinRequest:
    """Record a decision or answer. move: a key of JOIN_REQUEST_MOVES."""
    rule = JOIN_REQUEST_MOVES[move]
    request.status, request.reason = rule.target, reason.strip()
    request.decided_by, request.decided_at = actor, timezone.now()
    request.save(update_fields=["status", "reason", "decided_by", "decided_at"])
    audit(
        rule.event,
        actor=actor,
        member=request.member,
        group=request.group,
        join_request=str(request.pk),
        request_kind=request.kind,
        reason=request.reason,
    )
    return request


def check_eligible(member: Member, mission: Group) -> None:
    """Check what a member needs however they join. Raises MissionArchived, MemberInactive, TrustTooLow."""
    current = Member.objects.only("trust_score", "is_active").get(pk=member.pk)
    _check_eligible(mission, trust_score=current.trust_score, is_active=current.is_active)


def _check_eligible(mission: Group, *, trust_score: int, is_active: bool) -> None:
    if mission.is_archived:
        raise MissionArchived
    if not is_active:
        raise MemberInactive
    required = mission.min_trust_score or 0
    if trust_score < required:
        raise TrustTooLow(score=trust_score, required=required)


def not_open(mission: Group) -> DomainError:
    """Return the error of a member who tries to join a mission that is not open."""
    return JoinByRequest() if mission.join_policy == JoinPolicy.REQUEST else JoinByInvitation()


@service
def leave_mission(
    *, actor: Member, member: Member, mission: Group, left_at: datetime | None = None, reason: str = ""
) -> Membership:
    """End a member's active membership. The row is kept; re-joining adds another.

    left_at: aware datetime; now by default. Raises NotAMember, and ConstraintViolated for a time before joined_at.
    """
    # Of two concurrent calls, one ends the membership and the other updates no row.
    ended = Membership.objects.raw(
        _END, {"member": member.pk, "group": mission.pk, "left_at": left_at, "now": timezone.now()}
    )
    membership = next(iter(ended), None)
    if membership is None:
        raise NotAMember
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
def change_role(
    *, actor: Member, membership: Membership, role: str, until: datetime | None = None, reason: str = ""
) -> Membership:
    """Change the role of an active membership.

    until: the end of its term; then the member has the default role, which has no term itself. Raises MembershipEnded,
    RoleTermPast, and ConstraintViolated for an empty role.
    """
    role = role.strip()
    if not role:
        raise violated("memberships_role_not_empty")
    current = Membership.objects.lock(membership.pk, "member", "group")
    if not current.is_active:
        raise MembershipEnded
    if until is not None and until <= timezone.now():
        raise RoleTermPast
    if role == DEFAULT_ROLE:
        until = None
    before, until_before = current.role, current.role_until
    membership.role, membership.role_until = role, until
    if (role, until) == (before, until_before):
        return membership
    Membership.objects.filter(pk=current.pk).update(role=role, role_until=until)
    changed: dict[str, list] = {"role": [before, role]} if role != before else {}
    if until != until_before:
        changed["role_until"] = [each and each.isoformat() for each in (until_before, until)]
    audit(
        "membership.role_changed",
        actor=actor,
        member=current.member,
        group=current.group,
        membership=str(current.pk),
        changed=changed,
        reason=reason,
    )
    return membership


@service
def end_role_terms(*, actor: Member, at: datetime | None = None) -> int:
    """Give the default role to active members whose role has ended; returns how many. at: aware; now by default."""
    ended = Membership.objects.active().filter(role_until__lte=at or timezone.now()).order_by("role_until", "id")
    rows = list(ended.select_for_update(skip_locked=True, of=("self",)).select_related("member", "group"))
    reason = gettext("The term of the role ended.")
    for membership in rows:
        change_role(actor=actor, membership=membership, role=DEFAULT_ROLE, reason=reason)
    return len(rows)

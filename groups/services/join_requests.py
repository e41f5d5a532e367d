"""Requests to join a mission, which staff decide, and invitations to missions, which members answer."""

from collections.abc import Set

from django.utils.timezone import now

from groups.join_errors import (
    JoinByInvitation,
    JoinRequestAnswerRejected,
    JoinRequestDecided,
    OfferMissing,
    RequestNotNeeded,
)
from groups.models import Group, JoinRequest, Member, Membership
from groups.rules import JoinPolicy, JoinRequestKind
from groups.selectors.places import is_full
from groups.services.memberships import check_eligible, join_mission, move_request
from missionsite.common.audit.events import audit
from missionsite.common.errors import violated
from missionsite.common.transactions import service

# What members accept and decline, and what they withdraw; staff do it with the others.
MEMBERS_ACCEPT = frozenset({JoinRequestKind.INVITATION, JoinRequestKind.WAITING})
MEMBERS_WITHDRAW = frozenset({JoinRequestKind.REQUEST, JoinRequestKind.WAITING})


@service
def request_to_join(*, actor: Member, mission: Group, message: str = "") -> JoinRequest:
    """Ask to join a mission. The actor asks for themselves; with an open invitation they accept it.

    Raises MissionArchived, MemberInactive, TrustTooLow, RequestNotNeeded, JoinByInvitation, and ConstraintViolated for
    a member of the mission, for a second open request and for a long message.
    """
    mission = Group.objects.get(pk=mission.pk)
    check_eligible(actor, mission)
    if invitation := _open(actor, mission, JoinRequestKind.INVITATION):
        accept_request(actor=actor, request=invitation, own=True)
        invitation.refresh_from_db(fields=["status", "decided_at"])
        return invitation
    if mission.join_policy == JoinPolicy.OPEN:
        raise RequestNotNeeded
    if mission.join_policy == JoinPolicy.INVITATION:
        raise JoinByInvitation
    return create_request(JoinRequestKind.REQUEST, "join_request.created", actor, actor, mission, message)


@service
def invite_to_mission(*, actor: Member, member: Member, mission: Group, message: str = "") -> JoinRequest:
    """Invite a member to a mission, whatever its policy. The member answers; an open request of theirs is accepted.

    Raises MissionArchived, MemberInactive, TrustTooLow, and ConstraintViolated as in request_to_join.
    """
    mission = Group.objects.get(pk=mission.pk)
    check_eligible(member, mission)
    if request := _open(member, mission, JoinRequestKind.REQUEST):
        accept_request(actor=actor, request=request, reason=message)
        request.refresh_from_db()
        return request
    return create_request(JoinRequestKind.INVITATION, "join_request.invited", actor, member, mission, message)


@service
def accept_request(*, actor: Member, request: JoinRequest, reason: str = "", own: bool = False) -> Membership | None:
    """Accept a request (staff), an invitation or an offered place (own: the member), and add the member to the mission.

    An accepted request for a full mission becomes the last entry of its waiting list; then None is returned. Raises
    JoinRequestDecided, JoinRequestAnswerRejected, OfferMissing, and the errors of join_mission, such as MissionFull.
    """
    current = _lock(request, actor, own=own, answers=MEMBERS_ACCEPT)
    if current.is_waiting and not (current.is_offered and current.offered_until and current.offered_until > now()):
        raise OfferMissing
    if current.kind == JoinRequestKind.REQUEST and is_full(current.group):
        check_eligible(current.member, current.group)
        _queue(current, actor, reason)
        return None
    # Ends the request too. Adding comes first: the policy of the database for members looks for an open invitation.
    return join_mission(actor=actor, member=current.member, mission=current.group, reason=reason)


@service
def decline_request(*, actor: Member, request: JoinRequest, reason: str = "", own: bool = False) -> JoinRequest:
    """Decline a request, with a reason that the member reads (staff), or an invitation or offer (own: the member).

    Raises JoinRequestDecided, JoinRequestAnswerRejected, and ConstraintViolated without a reason.
    """
    current = _lock(request, actor, own=own, answers=MEMBERS_ACCEPT)
    if not own and not reason.strip():
        raise violated("join_requests_declined_with_reason")
    return move_request(current, "decline", actor, reason)


@service
def withdraw_request(*, actor: Member, request: JoinRequest, reason: str = "", own: bool = False) -> JoinRequest:
    """Withdraw a request (own: the member) or an invitation (staff); both remove an entry of a waiting list.

    Raises JoinRequestDecided, JoinRequestAnswerRejected.
    """
    answers = MEMBERS_WITHDRAW if own else MEMBERS_WITHDRAW - {JoinRequestKind.WAITING}
    current = _lock(request, actor, own=own, answers=answers)
    return move_request(current, "withdraw", actor, reason)


def _open(member: Member, mission: Group, kind: str) -> JoinRequest | None:
    return JoinRequest.objects.undecided().filter(member=member, group=mission, kind=kind).first()


def create_request(kind: str, event: str, actor: Member, member: Member, mission: Group, message: str) -> JoinRequest:
    """Add a request, an invitation or an entry of a waiting list, with its event."""
    # The database checks again that the member is not in the mission and has no other open request.
    if Membership.objects.active().filter(member=member, group=mission).exists():
        raise violated("idx_memberships_active_unique")
    made = JoinRequest.objects.create(
        member=member, group=mission, kind=kind, message=message.strip(), created_by=actor
    )
    audit(event, actor=actor, member=member, group=mission, join_request=str(made.pk), message=made.message)
    return made


def _queue(request: JoinRequest, actor: Member, reason: str) -> None:
    """Make an accepted request the last entry of the waiting list."""
    request.kind, request.queued_at, request.reason = JoinRequestKind.WAITING, now(), reason.strip()
    request.save(update_fields=["kind", "queued_at", "reason"])
    audit(
        "join_request.queued",
        actor=actor,
        member=request.member,
        group=request.group,
        join_request=str(request.pk),
        reason=request.reason,
    )


def _lock(request: JoinRequest, actor: Member, *, own: bool, answers: Set[str]) -> JoinRequest:
    """Return the current row, locked. own: the actor is its member. answers: the kinds that members answer this way."""
    if own and request.member_id != actor.pk:
        raise JoinRequestAnswerRejected
    if own != (request.kind in answers):
        raise JoinRequestAnswerRejected
    try:
        current = JoinRequest.objects.lock(request.pk)
    except JoinRequest.DoesNotExist:
        # Members lock open ones only.
        raise JoinRequestDecided from None
    if not current.is_open:
        raise JoinRequestDecided
    if own:
        # The member role cannot read every column of members.
        current.member = actor
    return current

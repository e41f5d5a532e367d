"""The waiting list of a full mission: entering it, and offering free places in its order."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from groups.join_errors import JoinByInvitation, JoinByRequest, PlacesFree
from groups.models import Group, JoinRequest, Member
from groups.rules import JOIN_REQUEST_MOVES, JoinPolicy, JoinRequestKind, JoinRequestStatus
from groups.selectors.places import is_full
from groups.services.join_requests import create_request
from groups.services.memberships import check_eligible, move_request
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service


@service
def join_waiting_list(*, actor: Member, mission: Group, message: str = "") -> JoinRequest:
    """Enter the waiting list of a full, open mission at its end. The actor does it for themselves.

    Raises MissionArchived, MemberInactive, TrustTooLow, PlacesFree, JoinByRequest, JoinByInvitation, and
    ConstraintViolated for a member of the mission and for a second open request.
    """
    mission = Group.objects.get(pk=mission.pk)
    check_eligible(actor, mission)
    if mission.join_policy == JoinPolicy.REQUEST:
        raise JoinByRequest
    if mission.join_policy == JoinPolicy.INVITATION:
        raise JoinByInvitation
    if not is_full(mission):
        raise PlacesFree
    made = create_request(JoinRequestKind.WAITING, "join_request.queued", actor, actor, mission, message)
    # The database sets it, so that no one enters but at the end.
    made.refresh_from_db(fields=["queued_at"])
    return made


@service
def offer_places(*, actor: Member, mission: Group, at: datetime | None = None) -> int:
    """End the offers of a mission that have expired, and offer its free places to the first of its waiting list.

    Members who were deactivated or lack the trust score now are passed over and stay on the list. An archived mission
    offers nothing. Returns the number of new offers. at: aware datetime; now by default.
    """
    at = at or timezone.now()
    with connection.cursor() as cursor:
        # Before anything is read: two runs, and those who join, come one after the other.
        cursor.execute("SELECT lock_places(%s)", [mission.pk])
    late = JoinRequest.objects.filter(group=mission.pk, status=JoinRequestStatus.OFFERED, offered_until__lte=at)
    for request in late.select_related("member", "group").order_by("queued_at", "id"):
        move_request(request, "expire", actor)
    mission = Group.objects.get(pk=mission.pk)
    if mission.is_archived:
        return 0
    waiting = JoinRequest.objects.filter(
        group=mission,
        kind=JoinRequestKind.WAITING,
        status=JoinRequestStatus.OPEN,
        member__is_active=True,
        member__trust_score__gte=mission.min_trust_score or 0,
    ).order_by("queued_at", "id")
    if mission.max_members is not None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT taken_places(%s)", [mission.pk])
            waiting = waiting[: max(mission.max_members - cursor.fetchone()[0], 0)]
    offers = list(waiting.select_related("member", "group"))
    for request in offers:
        _offer(request, actor, at + timedelta(hours=settings.WAITING_LIST_OFFER_HOURS))
    return len(offers)


def _offer(request: JoinRequest, actor: Member, until: datetime) -> None:
    rule = JOIN_REQUEST_MOVES["offer"]
    request.status, request.offered_until = rule.target, until
    request.save(update_fields=["status", "offered_until"])
    audit(
        rule.event,
        actor=actor,
        member=request.member,
        group=request.group,
        join_request=str(request.pk),
        offered_until=until.isoformat(),
    )

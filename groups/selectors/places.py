"""The places of missions with a maximum number of members."""

from datetime import datetime

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from groups.models import Group, JoinRequest
from groups.rules import JoinRequestKind, JoinRequestStatus


def free_places(mission: Group) -> int | None:
    """Return the number of places that a newcomer can take, 0 if none; None for a mission without a maximum."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT free_places(%s)", [mission.pk])
        free = cursor.fetchone()[0]
    return None if free is None else max(free, 0)


def is_full(mission: Group) -> bool:
    """Whether a newcomer has to wait for a place."""
    return free_places(mission) == 0


def place_in_line(request: JoinRequest) -> int:
    """Return the position of an entry of a waiting list, from 1."""
    ahead = JoinRequest.objects.filter(
        Q(queued_at__lt=request.queued_at) | Q(queued_at=request.queued_at, id__lt=request.pk),
        group=request.group_id,
        kind=JoinRequestKind.WAITING,
        status=JoinRequestStatus.OPEN,
    )
    return ahead.count() + 1


def missions_to_offer(at: datetime | None = None) -> list[Group]:
    """Return the missions with an offer that has expired, or with a waiting list."""
    at = at or timezone.now()
    late = JoinRequest.objects.filter(status=JoinRequestStatus.OFFERED, offered_until__lte=at)
    waiting = JoinRequest.objects.filter(kind=JoinRequestKind.WAITING, status=JoinRequestStatus.OPEN)
    either = late.values("group").union(waiting.values("group")).order_by()
    return list(Group.objects.filter(pk__in=either).order_by("id"))

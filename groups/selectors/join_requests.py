"""Reads of join requests: lists, and what a member asked for or was invited to."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import Q

from groups.models import Group, JoinRequest, Member


def list_join_requests(
    *, member: Member | None, status: str | None, after: Sequence | None, at_most: int
) -> list[JoinRequest]:
    """Return up to `at_most` join requests, newest first, with their missions.

    member: only theirs, without their row of members; None for all, with it. after: (created_at, id) of the last one
    before the page.
    """
    rows = JoinRequest.objects.select_related("group")
    rows = rows.select_related("member") if member is None else rows.filter(member=member.pk)
    if status:
        rows = rows.filter(status=status)
    if after is not None:
        created_at, last = after
        rows = rows.filter(Q(created_at__lt=created_at) | Q(created_at=created_at, id__lt=last))
    return list(rows.order_by("-created_at", "-id")[:at_most])


def find_join_request(pk: UUID, *, member: Member | None) -> JoinRequest | None:
    """Return a join request with its mission. member: only if it is theirs; None for any, with its member."""
    rows = JoinRequest.objects.select_related("group")
    rows = rows.select_related("member") if member is None else rows.filter(member=member.pk)
    return rows.filter(pk=pk).first()


def last_request(member: Member, mission: Group) -> JoinRequest | None:
    """Return the member's newest request or invitation for a mission."""
    return JoinRequest.objects.filter(member=member, group=mission.pk).order_by("-created_at", "-id").first()


def open_requests(member: Member, *, at_most: int) -> list[JoinRequest]:
    """Return the member's open requests and invitations, newest first, of missions that are not archived."""
    rows = (
        JoinRequest.objects.undecided().filter(member=member, group__status=Group.Status.ACTIVE).select_related("group")
    )
    return list(rows.order_by("-created_at", "-id")[:at_most])

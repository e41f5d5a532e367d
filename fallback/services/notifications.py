"""Notifications of members. Other apps call missionsite.common.interfaces.notify()."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.contrib.postgres.functions import TransactionNow
from django.db.models import Q
from django.utils import timezone

from fallback.errors import OtherProject, SnoozeInThePast
from fallback.models import Mission, Notification, OrganizationMembership, Project, ProjectMember
from fallback.models.choices import Channel, NotificationKind, OrganizationRole, ProjectRole
from fallback.selectors.absences import deputies_of
from fallback.selectors.preferences import channels_of, email_due_at, settings_of
from fallback.selectors.rights import Right, Rights
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service

# Kinds that also go to deputies: what someone has to do or to know in a project.
FOR_DEPUTIES = (
    NotificationKind.PROPOSAL_WAITING,
    NotificationKind.RUN_FAILED,
    NotificationKind.GUARDRAIL_REACHED,
    NotificationKind.ACCESS_REQUESTED,
    NotificationKind.MENTION,
    NotificationKind.MISSION_ASSIGNED,
    NotificationKind.REVIEW_REQUESTED,
    NotificationKind.TEMPLATE_UPDATED,
)
# Kinds of which a member has at most one unread notification of a project.
_ONE_UNREAD = (NotificationKind.PROPOSAL_WAITING, NotificationKind.RUN_FAILED, NotificationKind.GUARDRAIL_REACHED)


@service
def notify(
    *,
    actor: Member,
    member: Member,
    kind: str,
    title: str,
    project: Project | None = None,
    mission: Mission | None = None,
    payload: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> Notification:
    """Notify a member by the channels that the member, or the organisation of the project, has chosen for the kind.

    The event is one of the member. Without the inbox among the channels, the notification is archived at once.
    kind: such as `proposal.accepted`. title: one line of at most 500 characters. project: by default the mission's.
    payload: JSON values. at: aware datetime; now by default. What is about a project also goes to the deputies of an
    absent member. Raises OtherProject if the mission is of another project, NotOneLine.
    """
    if mission and project and mission.project_id != project.pk:
        raise OtherProject
    if mission and not project:
        project = mission.project
    given = _Given(kind, title, project, mission, dict(payload or {}), at or timezone.now())
    notification = _create(actor, member, given)
    _notify_deputies(actor, member, given)
    return notification


class _Given(NamedTuple):
    """What a notification is about."""

    kind: str
    title: str
    project: Project | None
    mission: Mission | None
    payload: dict[str, Any]
    at: datetime


def _create(actor: Member, member: Member, given: _Given) -> Notification:
    project, at = given.project, given.at
    channels = channels_of([member.pk], given.kind, project.organization_id if project else None)[member.pk]
    channel = next((str(each) for each in (Channel.EMAIL, Channel.DIGEST) if each in channels), "")
    zone = ZoneInfo(project.organization.timezone if project else timezone.get_current_timezone_name())
    notification = Notification.objects.create(
        member=member,
        kind=given.kind,
        title=given.title,
        project=project,
        mission=given.mission,
        payload=given.payload,
        read_at=None if Channel.IN_APP in channels else at,
        archived_at=None if Channel.IN_APP in channels else at,
        email_channel=channel,
        email_due_at=email_due_at(settings_of(member), channel, at, zone) if channel else None,
    )
    audit("notification.created", actor=actor, member=member, notification=notification.pk, kind=given.kind)
    return notification


def _notify_deputies(actor: Member, member: Member, given: _Given) -> None:
    """Notify the deputies of an absent member, each once of an event, if they can view its project."""
    if given.project is None or given.kind not in FOR_DEPUTIES:
        return
    known = Notification.objects.filter(kind=given.kind, project=given.project)
    # Of this event, or an unread one of a kind of which there is only one.
    same = Q(created_at=TransactionNow(), mission=given.mission)
    if given.kind in _ONE_UNREAD:
        same |= Q(read_at=None)
    for deputy in deputies_of(member):
        if deputy.pk == actor.pk or not Rights(deputy).allows(Right.VIEW, given.project):
            continue
        if not known.filter(same, member=deputy).exists():
            payload = given.payload | {"deputy_for": member.member_id}
            _create(actor, deputy, given._replace(payload=payload))


def people_of(project: Project, *roles: str) -> list[Member]:
    """Active members with one of these roles in a project; owners and administrators of its organisation count as
    maintainers unless they have a role of their own in the project.
    """
    in_project = ProjectMember.objects.filter(project=project)
    people = Q(pk__in=in_project.filter(role__in=roles).values("member"))
    if ProjectRole.MAINTAINER in roles:
        owners = OrganizationMembership.objects.filter(
            organization=project.organization_id, role__in=(OrganizationRole.OWNER, OrganizationRole.ADMIN)
        )
        people |= Q(pk__in=owners.values("member")) & ~Q(pk__in=in_project.values("member"))
    return list(Member.objects.filter(people, is_active=True).order_by("pk"))


def notify_people(
    *, actor: Member, project: Project, roles: tuple[str, ...], kind: str, title: str, payload: Mapping[str, Any]
) -> list[Notification]:
    """Notify the people of a project with one of these roles, but not the actor. Returns the new notifications.

    Of some kinds, a member who has not read the one before gets no second one.
    """
    people = [member for member in people_of(project, *roles) if member.pk != actor.pk]
    if kind in _ONE_UNREAD:
        unread = Notification.objects.filter(member__in=people, project=project, kind=kind, read_at=None)
        informed = set(unread.values_list("member_id", flat=True))
        people = [member for member in people if member.pk not in informed]
    given = _Given(kind, title, project, None, dict(payload), timezone.now())
    created = [_create(actor, member, given) for member in people]
    # Afterwards, so that a deputy who is one of the people gets no second one.
    for member in people:
        _notify_deputies(actor, member, given)
    return created


@service
def mark_notifications_read(*, actor: Member, keys: Collection[str] | None = None) -> int:
    """Mark notifications of the actor as read; all if `keys` is None. Returns how many were unread."""
    unread = Notification.objects.filter(member=actor, read_at=None)
    if keys is not None:
        unread = unread.filter(pk__in=list(keys))
    number = unread.update(read_at=timezone.now())
    if number:
        audit("notification.read", actor=actor, member=actor, number=number)
    return number


@service
def snooze_notification(*, actor: Member, key: str, until: datetime) -> int:
    """Hide a notification of the actor from the inbox until an aware datetime. Returns 1, or 0 if it has none such.

    Raises SnoozeInThePast.
    """
    if until <= timezone.now():
        raise SnoozeInThePast
    number = Notification.objects.filter(member=actor, pk=key).update(snoozed_until=until)
    if number:
        audit("notification.snoozed", actor=actor, member=actor, until=until.isoformat())
    return number

"""Requests of members for a role in a project: asked, decided, expired."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext_noop

from fallback.errors import AccessNotNeeded, ProjectArchived, RequestDecided, RequestOwn
from fallback.models import AccessRequest, Project
from fallback.models.choices import AccessRequestStatus, NotificationKind, ProjectRole
from fallback.rules import ACCESS_REQUEST_EXPIRES_AFTER
from fallback.selectors.rights import Right, Rights
from fallback.services.locks import lock_rows
from fallback.services.notifications import notify, notify_people
from fallback.services.projects import set_project_role
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service


@service
def request_access(*, actor: Member, project: Project, message: str = "") -> AccessRequest:
    """Ask the maintainers of a project for a role in it. Repeating it while one is pending returns that one.

    Raises ProjectArchived, and AccessNotNeeded for maintainers.
    """
    lock_rows()
    # The lock makes requests for a project sequential.
    project = Project.objects.select_related("organization").select_for_update(of=("self",)).get(pk=project.pk)
    if project.is_archived:
        raise ProjectArchived
    if Rights(actor).allows(Right.MAINTAIN, project):
        raise AccessNotNeeded
    at = timezone.now()
    pending = AccessRequest.objects.filter(project=project, member=actor, status=AccessRequestStatus.PENDING).first()
    if pending:
        return pending
    made = AccessRequest.objects.create(
        project=project, member=actor, message=message.strip(), expires_at=at + ACCESS_REQUEST_EXPIRES_AFTER
    )
    audit("access.requested", actor=actor, project=project, request=made.pk)
    notify_people(
        actor=actor,
        project=project,
        roles=(ProjectRole.MAINTAINER,),
        kind=NotificationKind.ACCESS_REQUESTED,
        title=gettext_noop("Access to a project is requested"),
        payload={"request": made.pk},
    )
    return made


@service
def decide_access_request(*, actor: Member, request: AccessRequest, role: str = "") -> AccessRequest:
    """Approve a pending request with a role (of ProjectRole), or decline it without one; the member is notified.

    Raises RequestDecided, and RequestOwn for one's own request.
    """
    lock_rows()
    current = AccessRequest.objects.lock(request.pk, "project", "member")
    if current.status != AccessRequestStatus.PENDING:
        raise RequestDecided
    if current.member_id == actor.pk:
        raise RequestOwn
    current.status = AccessRequestStatus.APPROVED if role else AccessRequestStatus.DECLINED
    current.decided_by, current.decided_at = actor, timezone.now()
    current.save(update_fields=["status", "decided_by", "decided_at"])
    if role:
        set_project_role(actor=actor, project=current.project, member=current.member, role=role)
    audit(
        "access.approved" if role else "access.declined",
        actor=actor,
        project=current.project,
        request=current.pk,
        member=current.member.member_id,
    )
    notify(
        actor=actor,
        member=current.member,
        kind=NotificationKind.ACCESS_DECIDED,
        title=gettext_noop("Your access request was approved")
        if role
        else gettext_noop("Your access request was declined"),
        project=current.project,
    )
    return current


@service
def expire_access_requests(*, actor: Member, at: datetime | None = None) -> int:
    """Expire pending requests whose time has passed. Returns how many. at: aware datetime; now by default."""
    at = at or timezone.now()
    lock_rows()
    due = AccessRequest.objects.filter(status=AccessRequestStatus.PENDING, expires_at__lte=at)
    found = list(due.select_related("project").order_by("pk").select_for_update(of=("self",)))
    for request in found:
        request.status, request.decided_at = AccessRequestStatus.EXPIRED, at
        request.save(update_fields=["status", "decided_at"])
        audit("access.expired", actor=actor, project=request.project, request=request.pk)
    return len(found)

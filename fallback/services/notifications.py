"""Notifications of members. Other apps call missionsite.common.interfaces.notify()."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fallback.errors import OtherProject
from fallback.models import Mission, Notification, Project
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service


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
) -> Notification:
    """Add a notification to a member's list. The event is one of the member.

    kind: such as `proposal.accepted`. title: one line of at most 500 characters. project: by default the mission's.
    payload: JSON values. Raises OtherProject if the mission is of another project, NotOneLine.
    """
    if mission and project and mission.project_id != project.pk:
        raise OtherProject
    if mission and not project:
        project = mission.project
    notification = Notification.objects.create(
        member=member,
        kind=kind,
        title=title,
        project=project,
        mission=mission,
        payload=dict(payload or {}),
    )
    audit("notification.created", actor=actor, member=member, notification=notification.pk, kind=kind)
    return notification

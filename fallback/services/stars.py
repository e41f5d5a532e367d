"""Stars of members on projects and board missions."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop

from fallback.models import Mission, MissionStar, Project, ProjectStar
from fallback.models.choices import NotificationKind
from fallback.selectors.rights import Right, Rights
from fallback.services.notifications import notify
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service


@service
def set_star(*, actor: Member, subject: Project | Mission, starred: bool) -> bool:
    """Star a project or mission for the actor, or remove the star. Returns whether that changed anything."""
    is_project = isinstance(subject, Project)
    model: Any = ProjectStar if is_project else MissionStar
    key = {"project" if is_project else "mission": subject, "member": actor}
    if starred:
        _star, changed = model.objects.get_or_create(**key)
    else:
        changed = bool(model.objects.filter(**key).delete()[0])
    if changed:
        type_ = "star.added" if starred else "star.removed"
        audit(type_, actor=actor, member=actor, **{"project" if is_project else "mission": subject.pk})
    return bool(changed)


def notify_starrers(*, actor: Member, mission: Mission) -> None:
    """Notify those who starred a mission that it was moved to another list, except the actor."""
    stars = MissionStar.objects.filter(mission=mission, member__is_active=True).exclude(member=actor)
    for star in stars.select_related("member").order_by("member"):
        if Rights(star.member).allows(Right.VIEW, mission.project):
            notify(
                actor=actor,
                member=star.member,
                kind=NotificationKind.STARRED_MOVED,
                title=gettext_noop("A mission that you starred was moved"),
                mission=mission,
                payload={"list": mission.list},
            )

"""Comments on missions and proposals, with mentions of the people of their project."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext_noop

from fallback import rules
from fallback.errors import CommentOfOther, CommentRemoved, CommentTooOld
from fallback.models import Mission, MissionComment, MissionFallbackItem, Project
from fallback.models.choices import NotificationKind, ProjectRole
from fallback.services.notifications import notify, people_of
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.rendering import mentioned_people
from missionsite.common.transactions import service


@service
def add_comment(
    *, actor: Member, body: str, mission: Mission | None = None, item: MissionFallbackItem | None = None
) -> MissionComment:
    """Comment on a mission or a proposal, and notify the people of its project that the text mentions.

    Raises the errors of the constraints for a blank text.
    """
    comment = MissionComment.objects.create(author=actor, mission=mission, item=item, body=body.strip())
    audit("comment.added", actor=actor, project=project_of(comment), comment=comment.pk)
    _notify_mentioned(actor, comment, already=())
    return comment


@service
def edit_comment(*, actor: Member, comment: MissionComment, body: str, at: datetime | None = None) -> MissionComment:
    """Change one's own comment within COMMENT_EDIT_WINDOW; people who are mentioned now only are notified.

    Raises CommentOfOther, CommentRemoved, CommentTooOld.
    """
    at = at or timezone.now()
    current = MissionComment.objects.lock(comment.pk)
    if current.author_id != actor.pk:
        raise CommentOfOther
    if current.removed_at:
        raise CommentRemoved
    if at - current.created_at > rules.COMMENT_EDIT_WINDOW:
        raise CommentTooOld
    before = mentioned_people(current.body, people_of_project(project_of(current)))
    current.body, current.edited_at = body.strip(), at
    current.save(update_fields=["body", "edited_at"])
    audit("comment.edited", actor=actor, project=project_of(current), comment=current.pk)
    _notify_mentioned(actor, current, already=[member.pk for member in before])
    return current


@service
def remove_comment(*, actor: Member, comment: MissionComment) -> MissionComment:
    """Remove a comment: its place stays, its text is no longer shown. Raises CommentRemoved."""
    current = MissionComment.objects.lock(comment.pk)
    if current.removed_at:
        raise CommentRemoved
    current.removed_at = timezone.now()
    current.save(update_fields=["removed_at"])
    audit("comment.removed", actor=actor, project=project_of(current), comment=current.pk)
    return current


def project_of(comment: MissionComment) -> Project:
    """The project of the mission or proposal."""
    subject = comment.mission or comment.item
    if subject is None:
        raise AssertionError("mission_comments_of_one")
    return Project.objects.select_related("organization").get(pk=subject.project_id)


def people_of_project(project: Project) -> list[Member]:
    """Everyone who can be mentioned: the people with a role in the project, and owners of its organisation."""
    return people_of(project, *ProjectRole.values)


def _notify_mentioned(actor: Member, comment: MissionComment, *, already: Collection) -> None:
    project = project_of(comment)
    for member in mentioned_people(comment.body, people_of_project(project)):
        if member.pk == actor.pk or member.pk in already:
            continue
        notify(
            actor=actor,
            member=member,
            kind=NotificationKind.MENTION,
            title=gettext_noop("You are mentioned in a comment"),
            project=project,
            mission=comment.mission,
            payload={"item": comment.item_id} if comment.item_id else {},
        )

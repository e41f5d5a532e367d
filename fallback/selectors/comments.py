"""Comments of missions and proposals, and who may remove one."""

from __future__ import annotations

from datetime import datetime

from fallback.models import MissionComment, Project
from fallback.rules import COMMENT_EDIT_WINDOW
from fallback.selectors.rights import Right, Rights


def may_edit(rights: Rights, comment: MissionComment, project: Project, at: datetime) -> bool:
    """Whether a member may change a comment: its author, for COMMENT_EDIT_WINDOW."""
    return (
        comment.author_id == rights.member.pk
        and comment.removed_at is None
        and at - comment.created_at <= COMMENT_EDIT_WINDOW
        and rights.allows(Right.CONTRIBUTE, project)
    )


def may_remove(rights: Rights, comment: MissionComment, project: Project, at: datetime) -> bool:
    """Whether a member may remove a comment: who may change it, and maintainers."""
    if comment.removed_at:
        return False
    return rights.allows(Right.MAINTAIN, project) or may_edit(rights, comment, project, at)

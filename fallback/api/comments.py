"""The API of the comments of missions and proposals."""

from datetime import datetime

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from ninja import Path, Schema, Status
from pydantic import Field

from fallback.api.base import (
    ULID,
    Key,
    ProjectKey,
    StrictSchema,
    fields_of,
    find_in,
    find_project,
    page_response,
    router,
)
from fallback.models import Mission, MissionComment, MissionFallbackItem
from fallback.rules import COMMENT_LENGTH
from fallback.scopes import FALLBACK_READ, FALLBACK_REVIEW, PROJECTS_READ, PROJECTS_WRITE
from fallback.selectors.comments import may_remove
from fallback.selectors.rights import Right, Rights
from fallback.services.comments import add_comment, remove_comment
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Cursor, Limit, needs
from missionsite.common.api.pagination import PER_PAGE, PageCursor
from missionsite.common.errors import NotAllowed

CommentKey = Path(..., description="Id of the comment.", examples=[ULID], max_length=26)


class CommentOut(Schema):
    """A comment. body: empty for a removed one."""

    id: str = Field(examples=[ULID])
    author: str = Field(description="Member ID.", examples=["FE-P-00007"])
    body: str = Field(examples=["@FE-P-00009: is this ready?"])
    created_at: datetime = Field(examples=["2026-11-20T09:30:00Z"])
    edited_at: datetime | None = Field(examples=[None])
    removed_at: datetime | None = Field(examples=[None])


class CommentPage(Schema):
    items: list[CommentOut]
    next: str | None = Field(examples=[None])


class NewComment(StrictSchema):
    body: str = Field(
        min_length=1,
        max_length=COMMENT_LENGTH,
        pattern=r"\S",
        description="Plain text. @ and a member ID or whole name notifies a person of the project.",
        examples=["@FE-P-00009: is this ready?"],
    )


@router.get(
    "/projects/{project}/missions/{mission}/comments", response=CommentPage, summary="List the comments of a mission"
)
@needs(PROJECTS_READ, checks_rights=True)
def list_mission_comments(
    request: SiteRequest,
    response: HttpResponse,
    project: str = ProjectKey,
    mission: str = Key,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
) -> dict:
    """The comments of a mission, newest first."""
    found = find_in(Mission, find_project(request, project), mission)
    return _page(request, response, found, cursor, limit)


@router.post(
    "/projects/{project}/missions/{mission}/comments", response={201: CommentOut}, summary="Comment on a mission"
)
@needs(PROJECTS_WRITE, checks_rights=True)
def add_mission_comment(
    request: SiteRequest, body: NewComment, project: str = ProjectKey, mission: str = Key
) -> Status:
    """Add a comment to a mission, and notify the people whom it mentions."""
    found = find_in(Mission, find_project(request, project, Right.CONTRIBUTE), mission)
    comment = add_comment(actor=request.auth.member, mission=found, body=body.body)
    comment.refresh_from_db()
    return Status(201, _out(comment))


@router.post(
    "/projects/{project}/missions/{mission}/comments/{comment}/remove",
    response=CommentOut,
    summary="Remove a comment of a mission",
)
@needs(PROJECTS_WRITE, checks_rights=True)
def remove_mission_comment(
    request: SiteRequest, project: str = ProjectKey, mission: str = Key, comment: str = CommentKey
) -> dict:
    """Remove one's own comment within 15 minutes, or any as a maintainer. Its place stays."""
    found = find_in(Mission, find_project(request, project, Right.CONTRIBUTE), mission)
    return _remove(request, found, comment)


@router.get(
    "/projects/{project}/fallback/items/{item}/comments",
    response=CommentPage,
    summary="List the comments of a proposal",
)
@needs(FALLBACK_READ, checks_rights=True)
def list_item_comments(
    request: SiteRequest,
    response: HttpResponse,
    project: str = ProjectKey,
    item: str = Key,
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
) -> dict:
    """The comments of a proposal, newest first."""
    found = find_in(MissionFallbackItem, find_project(request, project), item)
    return _page(request, response, found, cursor, limit)


@router.post(
    "/projects/{project}/fallback/items/{item}/comments", response={201: CommentOut}, summary="Comment on a proposal"
)
@needs(FALLBACK_REVIEW, checks_rights=True)
def add_item_comment(request: SiteRequest, body: NewComment, project: str = ProjectKey, item: str = Key) -> Status:
    """Add a comment to a proposal, and notify the people whom it mentions."""
    found = find_in(MissionFallbackItem, find_project(request, project, Right.REVIEW), item)
    comment = add_comment(actor=request.auth.member, item=found, body=body.body)
    comment.refresh_from_db()
    return Status(201, _out(comment))


@router.post(
    "/projects/{project}/fallback/items/{item}/comments/{comment}/remove",
    response=CommentOut,
    summary="Remove a comment of a proposal",
)
@needs(FALLBACK_REVIEW, checks_rights=True)
def remove_item_comment(
    request: SiteRequest, project: str = ProjectKey, item: str = Key, comment: str = CommentKey
) -> dict:
    """Remove one's own comment within 15 minutes, or any as a maintainer. Its place stays."""
    found = find_in(MissionFallbackItem, find_project(request, project, Right.REVIEW), item)
    return _remove(request, found, comment)


def _page(
    request: SiteRequest,
    response: HttpResponse,
    subject: Mission | MissionFallbackItem,
    cursor: str | None,
    limit: int,
) -> dict:
    position = PageCursor("comments", (subject.pk,))
    rows = subject.comments.select_related("author")
    return page_response(request, response, position, rows, cursor, limit, "created_at", _out)


def _remove(request: SiteRequest, subject: Mission | MissionFallbackItem, key: str) -> dict:
    comment = subject.comments.filter(pk=key).first()
    if comment is None:
        raise Http404(gettext("Comment not found."))
    rights = Rights(request.auth.member)
    # A removed one raises CommentRemoved.
    if comment.removed_at is None and not may_remove(rights, comment, subject.project, timezone.now()):
        raise NotAllowed(gettext("Only maintainers remove the comments of others, and older ones."))
    return _out(remove_comment(actor=request.auth.member, comment=comment))


def _out(comment: MissionComment) -> dict:
    return {
        **fields_of(comment, "id", "created_at", "edited_at", "removed_at"),
        "author": comment.author.member_id,
        "body": "" if comment.removed_at else comment.body,
    }

"""The API of the caller's inbox: notifications, read and snoozed."""

from datetime import datetime

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from ninja import Path, Query, Schema
from pydantic import AwareDatetime, Field

from fallback.api.base import ULID, StrictSchema, fields_of, page_response, router
from fallback.models import Notification
from fallback.models.choices import NotificationKind
from fallback.scopes import INBOX_READ, INBOX_WRITE
from fallback.selectors.inbox import awake, notifications_in_inbox
from fallback.services.notifications import mark_notifications_read, snooze_notification
from missionsite.common.annotations import SiteRequest
from missionsite.common.api import Cursor, Limit, needs
from missionsite.common.api.pagination import PER_PAGE, PageCursor

NotificationKey = Path(..., description="Id of the notification.", examples=[ULID], max_length=26)
# Marked as read by one request.
MOST_READ = 500


class NotificationOut(Schema):
    """A notification. title: in the language of the request."""

    id: str = Field(examples=[ULID])
    kind: str = Field(examples=["proposal.waiting"])
    title: str = Field(examples=["Proposals wait for review"])
    project: str | None = Field(description="Id of the project.", examples=[ULID])
    mission: str | None = Field(description="Id of the mission.", examples=[None])
    deputy_for: str | None = Field(description="Member ID of the absent member.", examples=[None])
    created_at: datetime = Field(examples=["2026-11-20T09:30:00Z"])
    read_at: datetime | None = Field(examples=[None])
    snoozed_until: datetime | None = Field(examples=[None])


class NotificationPage(Schema):
    items: list[NotificationOut]
    next: str | None = Field(examples=[None])


class ReadNotifications(StrictSchema):
    notifications: list[str] | None = Field(max_length=MOST_READ, description="Ids; null for all.", examples=[[ULID]])


class NumberRead(Schema):
    read: int = Field(description="How many were unread.", examples=[1])


class SnoozeNotification(StrictSchema):
    until: AwareDatetime = Field(examples=["2999-01-01T00:00:00Z"])


@router.get("/inbox", response=NotificationPage, tags=["inbox"], summary="List your notifications")
@needs(INBOX_READ, checks_rights=True)
def list_notifications(
    request: SiteRequest,
    response: HttpResponse,
    unread: bool = Query(False, description="Only unread ones."),
    limit: Limit = PER_PAGE,
    cursor: Cursor = None,
) -> dict:
    """The notifications in your inbox that are not snoozed, newest first."""
    found = awake(notifications_in_inbox(request.auth.member), timezone.now())
    if unread:
        found = found.filter(read_at=None)
    position = PageCursor("inbox", (str(request.auth.member.pk), unread))
    return page_response(request, response, position, found, cursor, limit, "created_at", _out)


@router.post("/inbox/read", response=NumberRead, tags=["inbox"], summary="Mark notifications as read")
@needs(INBOX_WRITE, checks_rights=True)
def read_notifications(request: SiteRequest, body: ReadNotifications) -> dict:
    """Mark notifications of yours as read. Ids of others are ignored."""
    return {"read": mark_notifications_read(actor=request.auth.member, keys=body.notifications)}


@router.post("/inbox/{notification}/snooze", response=NotificationOut, tags=["inbox"], summary="Snooze a notification")
@needs(INBOX_WRITE, checks_rights=True)
def snooze_one_notification(
    request: SiteRequest, body: SnoozeNotification, notification: str = NotificationKey
) -> dict:
    """Hide a notification from the inbox until a time."""
    member = request.auth.member
    if not snooze_notification(actor=member, key=notification, until=body.until):
        raise Http404(gettext("Notification not found."))
    return _out(Notification.objects.get(pk=notification))


def _out(notification: Notification) -> dict:
    own = notification.kind in NotificationKind.values
    return {
        **fields_of(notification, "id", "kind", "created_at", "read_at", "snoozed_until"),
        # Titles of this app are stored in English.
        "title": gettext(notification.title) if own else notification.title,
        "project": notification.project_id,
        "mission": notification.mission_id,
        "deputy_for": notification.payload.get("deputy_for"),
    }

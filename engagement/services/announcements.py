"""Announcements: one queued message for each member of a filtered directory list."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from engagement.errors import AnnouncementAlreadyCancelled, AnnouncementNotWaiting, AudienceChanged, NoRecipients
from engagement.models import Announcement, MessageTemplate
from engagement.rules import MessageType, Topic
from engagement.selectors.announcements import audience_of, with_reason
from groups.models import CommunityMember, Member
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service


@service
def announce(
    *,
    actor: Member,
    entries: QuerySet[CommunityMember],
    title: str,
    texts: Mapping[str, tuple[str, str]],
    topic: str = Topic.NEWS,
    audience: str = "",
    expected: int | None = None,
    scheduled_for: datetime | None = None,
    per_hour: int | None = None,
) -> Announcement:
    """Queue a message to every recipient among these entries, in one statement.

    texts: subject and body by locale. expected: the number of recipients the author was shown; a different number is
    rejected. per_hour: spreads the messages over time. Above ENGAGEMENT_APPROVAL_ABOVE recipients the messages are
    queued when a second person approves. Raises NoRecipients, AudienceChanged.
    """
    counts = audience_of(entries, topic=topic)
    if not counts.recipients:
        raise NoRecipients
    if expected is not None and counts.recipients != expected:
        raise AudienceChanged(expected=expected, found=counts.recipients)
    announcement = Announcement.objects.create(
        title=title,
        topic=topic,
        audience=audience,
        skipped=counts.skipped,
        scheduled_for=scheduled_for or timezone.now(),
        per_hour=per_hour,
        created_by=actor,
    )
    for locale, (subject, body) in texts.items():
        MessageTemplate.objects.create(
            key=key_of(announcement), locale=locale, subject=subject, body=body, announcement=announcement
        )
    people = with_reason(entries.order_by(), topic=topic).filter(reason="").values_list("person_id", flat=True)
    if settings.ENGAGEMENT_APPROVAL_ABOVE and counts.recipients > settings.ENGAGEMENT_APPROVAL_ABOVE:
        announcement.needs_approval, announcement.waiting_ids = True, list(people)
        announcement.recipients = len(announcement.waiting_ids)
    else:
        announcement.recipients = _queue(announcement, list(people))
    announcement.save(update_fields=["recipients", "needs_approval", "waiting_ids"])
    audit("announcement.made", actor=actor, title=title, recipients=announcement.recipients)
    return announcement


@service
def approve_announcement(*, actor: Member, announcement: Announcement) -> Announcement:
    """Queue the messages of an announcement that waits for approval. Members blocked meanwhile are left out when due.

    Raises AnnouncementAlreadyCancelled, AnnouncementNotWaiting, and the error of the author's own approval.
    """
    current = Announcement.objects.lock(announcement.pk)
    if current.cancelled_at:
        raise AnnouncementAlreadyCancelled
    if not current.is_waiting:
        raise AnnouncementNotWaiting
    waiting, current.waiting_ids = current.waiting_ids, []
    current.approved_by, current.approved_at = actor, timezone.now()
    current.scheduled_for = max(current.scheduled_for, current.approved_at)
    current.save(update_fields=["approved_by", "approved_at", "waiting_ids", "scheduled_for"])
    current.recipients = _queue(current, waiting)
    current.save(update_fields=["recipients"])
    audit("announcement.approved", actor=actor, title=current.title, recipients=current.recipients)
    return current


def _queue(announcement: Announcement, people: Sequence[UUID]) -> int:
    """Queue the messages of an announcement in one statement; return their number."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO engagement_message_queue (user_id, message_type, message_key, destination, destination_jid,
                scheduled_for, idempotency_key, announcement_id, topic)
            SELECT p.user_id, %(type)s, %(key)s, p.preferred_destination,
                   CASE p.preferred_destination WHEN 'group' THEN p.group_jid ELSE p.individual_jid END,
                   %(due)s + coalesce(
                       (row_number() OVER (ORDER BY p.user_id) - 1) * interval '1 hour' / %(per_hour)s, interval '0'
                   ), p.user_id || ':announcement:' || %(id)s, %(id)s, %(topic)s
            FROM user_profiles p WHERE p.user_id = ANY (%(people)s)
            ORDER BY p.user_id
            """,
            {
                "type": MessageType.ANNOUNCEMENT,
                "key": key_of(announcement),
                "due": announcement.scheduled_for,
                "per_hour": announcement.per_hour,
                "id": announcement.pk,
                "topic": announcement.topic,
                "people": list(people),
            },
        )
        return cursor.rowcount


@service
def cancel_announcement(*, actor: Member, announcement: Announcement) -> Announcement:
    """Cancel the unsent messages of an announcement. Raises AnnouncementAlreadyCancelled.

    The sender of a claimed message cancels it before sending.
    """
    current = Announcement.objects.lock(announcement.pk)
    if current.cancelled_at:
        raise AnnouncementAlreadyCancelled
    current.cancelled_at, current.waiting_ids = timezone.now(), []
    current.save(update_fields=["cancelled_at", "waiting_ids"])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT cancel_announcement_messages(%s, engagement_block_text('announcement_cancelled'))", [current.pk]
        )
        [withdrawn] = cursor.fetchone()
    audit("announcement.cancelled", actor=actor, title=current.title, withdrawn=withdrawn)
    return current


def key_of(announcement: Announcement) -> str:
    """Return the template key of an announcement."""
    return f"announcement-{announcement.pk}"

"""Announcements: one queued message for each member of a filtered directory list."""

from collections.abc import Mapping
from datetime import datetime

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from engagement.errors import AnnouncementAlreadyCancelled, AudienceChanged, NoRecipients
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
) -> Announcement:
    """Queue a message to every recipient among these entries, in one statement.

    texts: subject and body by locale. expected: the number of recipients the author was shown; a different number is
    rejected. Raises NoRecipients, AudienceChanged.
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
        created_by=actor,
    )
    for locale, (subject, body) in texts.items():
        MessageTemplate.objects.create(
            key=key_of(announcement), locale=locale, subject=subject, body=body, announcement=announcement
        )
    people = with_reason(entries.order_by(), topic=topic).filter(reason="").values("person_id")
    sql, params = people.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO engagement_message_queue (user_id, message_type, message_key, destination, destination_jid,
                scheduled_for, idempotency_key, announcement_id, topic)
            SELECT p.user_id, %s, %s, p.preferred_destination,
                   CASE p.preferred_destination WHEN 'group' THEN p.group_jid ELSE p.individual_jid END,
                   %s, p.user_id || ':announcement:' || %s, %s, %s
            FROM user_profiles p WHERE p.user_id IN ({sql})
            ORDER BY p.user_id
            """,  # noqa: S608
            [
                MessageType.ANNOUNCEMENT,
                key_of(announcement),
                announcement.scheduled_for,
                announcement.pk,
                announcement.pk,
                topic,
                *params,
            ],
        )
        announcement.recipients = cursor.rowcount
    announcement.save(update_fields=["recipients"])
    audit("announcement.made", actor=actor, title=title, recipients=announcement.recipients)
    return announcement


@service
def cancel_announcement(*, actor: Member, announcement: Announcement) -> Announcement:
    """Cancel the unsent messages of an announcement. Raises AnnouncementAlreadyCancelled.

    The sender of a claimed message cancels it before sending.
    """
    current = Announcement.objects.lock(announcement.pk)
    if current.cancelled_at:
        raise AnnouncementAlreadyCancelled
    current.cancelled_at = timezone.now()
    current.save(update_fields=["cancelled_at"])
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

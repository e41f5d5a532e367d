"""Announcements: one queued message for each member of a filtered directory list, and the reasons for skipped ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, QuerySet, TextField, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from engagement.errors import AnnouncementAlreadyCancelled, AudienceChanged, NoRecipients
from engagement.models import Announcement, MessageTemplate, MessageType
from engagement.services.blocking import block_reason
from groups.models import CommunityMember, Member
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service

# Reasons for skipping an entry. not_active: in announcements from before the reasons were more specific.
SKIP_REASONS = {
    "no_account": "No account (not registered)",
    "locked": "Account locked",
    "banned": "Banned",
    "suspended": "Suspended",
    "removed": "Removed from the directory",
    "not_approved": "Not approved yet",
    "not_active": "Not an active member of the directory",
    "opted_out": "Opted out",
    "dormant": "Dormant",
}


@dataclass(frozen=True)
class Audience:
    """Number of members an announcement reaches, and of those it skips, by reason."""

    recipients: int
    skipped: dict[str, int]

    @property
    def total(self) -> int:
        return self.recipients + sum(self.skipped.values())


def with_reason(entries: QuerySet[CommunityMember]) -> QuerySet[CommunityMember]:
    """Annotate the entries with `reason`: why they are skipped; empty for recipients."""
    blocked = block_reason(
        message_type=Value(MessageType.ANNOUNCEMENT), is_transactional=Value(False), person="person__", entry=""
    )
    return entries.annotate(
        reason=Case(
            When(person=None, then=Value("no_account")),
            default=Coalesce(blocked, Value("")),
            output_field=TextField(),
        )
    )


def audience_of(entries: QuerySet[CommunityMember]) -> Audience:
    """Count the recipients and skipped entries of an announcement, in one statement."""
    reasons = with_reason(entries.order_by()).values("reason")
    try:
        sql, params = reasons.query.sql_with_params()
    except EmptyResultSet:
        # The filters exclude every row.
        return Audience(0, {})
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT reason, count(*) FROM ({sql}) AS each GROUP BY reason", params)  # noqa: S608
        counts = dict(cursor.fetchall())
    return Audience(counts.pop("", 0), counts)


@service
def announce(
    *,
    actor: Member,
    entries: QuerySet[CommunityMember],
    title: str,
    texts: Mapping[str, tuple[str, str]],
    audience: str = "",
    expected: int | None = None,
    scheduled_for: datetime | None = None,
) -> Announcement:
    """Queue a message to every recipient among these entries, in one statement.

    texts: subject and body by locale. expected: the number of recipients the author was shown; a different number is
    rejected. Raises NoRecipients, AudienceChanged.
    """
    counts = audience_of(entries)
    if not counts.recipients:
        raise NoRecipients
    if expected is not None and counts.recipients != expected:
        raise AudienceChanged(
            f"The number of recipients changed from {expected} to {counts.recipients}. Review the list and send again."
        )
    announcement = Announcement.objects.create(
        title=title,
        audience=audience,
        skipped=counts.skipped,
        scheduled_for=scheduled_for or timezone.now(),
        created_by=actor,
    )
    for locale, (subject, body) in texts.items():
        MessageTemplate.objects.create(
            key=key_of(announcement), locale=locale, subject=subject, body=body, announcement=announcement
        )
    people = with_reason(entries.order_by()).filter(reason="").values("person_id")
    sql, params = people.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO engagement_message_queue (user_id, message_type, message_key, destination, destination_jid,
                scheduled_for, idempotency_key, announcement_id)
            SELECT p.user_id, %s, %s, p.preferred_destination,
                   CASE p.preferred_destination WHEN 'group' THEN p.group_jid ELSE p.individual_jid END,
                   %s, p.user_id || ':announcement:' || %s, %s
            FROM user_profiles p WHERE p.user_id IN ({sql})
            ORDER BY p.user_id
            """,  # noqa: S608
            [
                MessageType.ANNOUNCEMENT,
                key_of(announcement),
                announcement.scheduled_for,
                announcement.pk,
                announcement.pk,
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
    current = Announcement.objects.select_for_update().get(pk=announcement.pk)
    if current.cancelled_at:
        raise AnnouncementAlreadyCancelled
    current.cancelled_at = timezone.now()
    current.save(update_fields=["cancelled_at"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT cancel_announcement_messages(%s, %s)", [current.pk, "The announcement was cancelled."])
        [withdrawn] = cursor.fetchone()
    audit("announcement.cancelled", actor=actor, title=current.title, withdrawn=withdrawn)
    return current


def key_of(announcement: Announcement) -> str:
    """Return the template key of an announcement."""
    return f"announcement-{announcement.pk}"

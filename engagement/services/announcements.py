"""Announcements: from a filtered directory to one queued message a person, and who is left out and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, QuerySet, TextField, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from engagement.errors import AnnouncementOver, AudienceChanged, NoRecipients
from engagement.models import Announcement, MessageTemplate, MessageType
from engagement.services.blocking import block_reason
from groups.models import CommunityMember, Member
from groups.services.events import record
from missionsite.common.transactions import service

# Why people are left out. not_active: of announcements made when it was not said more exactly.
REASONS = {
    "no_account": "No account: they have not registered",
    "locked": "The account is locked",
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
    """How many an announcement would reach, and how many it leaves out by reason."""

    recipients: int
    skipped: dict[str, int]

    @property
    def total(self) -> int:
        return self.recipients + sum(self.skipped.values())


def with_reason(entries: QuerySet[CommunityMember]) -> QuerySet[CommunityMember]:
    """The entries with `reason`: why they are left out, empty for who is written to."""
    blocked = block_reason(
        message_type=Value(MessageType.ANNOUNCEMENT), is_answer=Value(False), person="person__", entry=""
    )
    return entries.annotate(
        reason=Case(
            When(person=None, then=Value("no_account")),
            default=Coalesce(blocked, Value("")),
            output_field=TextField(),
        )
    )


def audience_of(entries: QuerySet[CommunityMember]) -> Audience:
    """Count whom an announcement to these entries reaches, in one statement."""
    reasons = with_reason(entries.order_by()).values("reason")
    try:
        sql, params = reasons.query.sql_with_params()
    except EmptyResultSet:
        # A list that can hold no one is not even asked for.
        return Audience(0, {})
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT reason, count(*) FROM ({sql}) AS each GROUP BY reason", params)  # noqa: S608
        counts = dict(cursor.fetchall())
    return Audience(counts.pop("", 0), counts)


@service
def announce(
    *,
    entries: QuerySet[CommunityMember],
    title: str,
    texts: Mapping[str, tuple[str, str]],
    audience: str = "",
    expected: int | None = None,
    scheduled_for: datetime | None = None,
    actor: Member | None = None,
) -> Announcement:
    """Queue a message to everyone of these entries who may be written to, in one statement.

    texts: subject and body by locale. expected: how many people the sender was shown; another number is rejected, so
    that no one is written to unseen. Raises NoRecipients, AudienceChanged.
    """
    told = audience_of(entries)
    if not told.recipients:
        raise NoRecipients
    if expected is not None and told.recipients != expected:
        raise AudienceChanged(
            f"The list changed: it was {expected} people, now it is {told.recipients}. Look again, then send."
        )
    announcement = Announcement.objects.create(
        title=title,
        audience=audience,
        skipped=told.skipped,
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
    record("announcement.made", actor=actor, title=title, recipients=announcement.recipients)
    return announcement


@service
def cancel_announcement(*, announcement: Announcement, actor: Member | None = None) -> Announcement:
    """Take back what was not sent yet. Raises AnnouncementOver.

    Messages a sender has in hand are withdrawn by it.
    """
    current = Announcement.objects.select_for_update().get(pk=announcement.pk)
    if current.cancelled_at:
        raise AnnouncementOver
    current.cancelled_at = timezone.now()
    current.save(update_fields=["cancelled_at"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT withdraw_announcement(%s, %s)", [current.pk, "The announcement was cancelled."])
        [withdrawn] = cursor.fetchone()
    record("announcement.cancelled", actor=actor, title=current.title, withdrawn=withdrawn)
    return current


def key_of(announcement: Announcement) -> str:
    """The templates an announcement's messages are made with."""
    return f"announcement-{announcement.pk}"

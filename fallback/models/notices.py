"""Notifications, access requests and the audit log. Only the schema: nothing writes these tables yet."""

from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q

from fallback.models.base import BY_DATABASE, TimestampedModel
from fallback.models.choices import AccessRequestStatus, Channel
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check, one_line_checks
from missionsite.common.ids import UlidField


class Notification(models.Model):
    """A notification for a member."""

    id = UlidField()
    member = models.ForeignKey("groups.Member", models.CASCADE, related_name="notifications", db_index=False)
    project = models.ForeignKey("fallback.Project", BY_DATABASE, null=True, blank=True, related_name="notifications")
    mission = models.ForeignKey("fallback.Mission", BY_DATABASE, null=True, blank=True, related_name="notifications")
    kind = models.TextField()
    title = models.CharField(max_length=500)
    payload = models.JSONField(default=dict, db_default={}, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        db_table = "notifications"
        constraints = [*one_line_checks("notifications", "title")]
        ordering = [F("created_at").desc(), F("id").desc()]
        indexes = [
            models.Index(F("member"), F("created_at").desc(), name="notifications_of_member"),
            # The number of unread notifications of a member.
            models.Index(fields=["member"], name="notifications_unread", condition=Q(read_at__isnull=True)),
        ]


class NotificationPreference(TimestampedModel):
    """Whether a kind of notification is sent by a channel, for an organisation or one member of it."""

    organization = models.ForeignKey(
        "fallback.Organization", BY_DATABASE, related_name="notification_preferences", db_index=False
    )
    member = models.ForeignKey(
        "groups.Member", models.CASCADE, null=True, blank=True, related_name="notification_preferences"
    )
    kind = models.TextField()
    channel = models.TextField(choices=Channel, default=Channel.IN_APP, db_default=Channel.IN_APP)
    is_enabled = models.BooleanField(default=True, db_default=True)

    class Meta:
        db_table = "notification_preferences"
        constraints = [
            choices_check("notification_preferences", "channel", Channel),
            UniqueConstraint(
                fields=["organization", "member", "kind", "channel"],
                name="notification_preferences_once",
                nulls_distinct=False,
            ),
        ]


class AccessRequest(TimestampedModel):
    """A member's request to join a project."""

    project = models.ForeignKey("fallback.Project", BY_DATABASE, related_name="access_requests", db_index=False)
    member = models.ForeignKey("groups.Member", models.CASCADE, related_name="access_requests")
    message = models.TextField(blank=True, default="", db_default="")
    status = models.TextField(
        choices=AccessRequestStatus, default=AccessRequestStatus.PENDING, db_default=AccessRequestStatus.PENDING
    )
    decided_by = models.ForeignKey(
        "groups.Member", models.PROTECT, null=True, blank=True, related_name="decided_access_requests"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "access_requests"
        constraints = [
            choices_check("access_requests", "status", AccessRequestStatus),
            UniqueConstraint(
                fields=["project", "member"], name="access_requests_one_pending", condition=Q(status="pending")
            ),
            CheckConstraint(
                condition=Q(status="pending", decided_at__isnull=True) | ~Q(status="pending"),
                name="access_requests_decision_fits_status",
            ),
        ]


class AuditEvent(models.Model):
    """An entry of the compliance log. The actor is a pseudonym, never personal data."""

    id = models.BigAutoField(primary_key=True)
    action = models.TextField()
    actor_token = models.TextField(blank=True, default="", db_default="")
    organization = models.ForeignKey(
        "fallback.Organization", models.PROTECT, null=True, blank=True, related_name="audit_events"
    )
    project = models.ForeignKey("fallback.Project", models.PROTECT, null=True, blank=True, related_name="audit_events")
    payload = models.JSONField(default=dict, db_default={}, blank=True)
    occurred_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        db_table = "audit_events"
        ordering = [F("occurred_at").desc(), F("id").desc()]
        indexes = [models.Index(F("occurred_at").desc(), F("id").desc(), name="audit_events_newest")]

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q

from engagement.models.choices import Destination, MessageType, Status, WaitingFor
from engagement.models.rules import BY_DATABASE
from missionsite.common.constraints import choices_check, one_line_checks


class EngagementMessage(models.Model):
    """One message to one member, from the moment it is meant to be sent.

    idempotency_key says what it is about (`{user}:{event}:{YYYY-MM-DD}`): a second one of the same key does not come
    to be, and the provider gets the key, so that a message sent again after a crash arrives once. Which sender has it
    in hand stands in EngagementClaim, so a claim writes no message (see decisions/0022).
    """

    # Indexed together with attempted_at.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, BY_DATABASE, related_name="engagement_messages", db_index=False)
    message_type = models.TextField("what", choices=MessageType)
    message_key = models.CharField("template", max_length=100)
    message_params = models.JSONField("parameters", default=dict, db_default={}, blank=True)
    destination = models.TextField(
        choices=Destination, default=Destination.INDIVIDUAL, db_default=Destination.INDIVIDUAL
    )
    destination_jid = models.CharField("address", max_length=255, default="", db_default="", blank=True)
    scheduled_for = models.DateTimeField("due", db_default=TransactionNow())
    sent_at = models.DateTimeField("sent", null=True, blank=True)
    status = models.TextField(choices=Status, default=Status.PENDING, db_default=Status.PENDING)
    retry_count = models.PositiveSmallIntegerField("failed tries", default=0, db_default=0)
    error_message = models.TextField("error", default="", db_default="", blank=True)
    idempotency_key = models.CharField(max_length=255, unique=True)
    created_at = models.DateTimeField("queued", db_default=TransactionNow(), editable=False)

    # When the last attempt was made that may have arrived: what the attention budget counts.
    attempted_at = models.DateTimeField("last tried", null=True, blank=True)
    provider_message_id = models.CharField(max_length=255, default="", db_default="", blank=True)
    delivered_at = models.DateTimeField("delivered", null=True, blank=True)
    waiting_for = models.TextField(
        choices=WaitingFor, default=WaitingFor.NOTHING, db_default=WaitingFor.NOTHING, blank=True
    )
    announcement = models.ForeignKey(
        "engagement.Announcement", models.PROTECT, null=True, blank=True, related_name="messages", db_index=False
    )

    class Meta:
        db_table = "engagement_message_queue"
        verbose_name = "message"
        ordering = [F("id").desc()]
        constraints = [
            *one_line_checks(
                "engagement_message_queue", "message_key", "destination_jid", "idempotency_key", "provider_message_id"
            ),
            choices_check("engagement_message_queue", "message_type", MessageType),
            choices_check("engagement_message_queue", "status", Status),
            choices_check("engagement_message_queue", "destination", Destination),
            choices_check("engagement_message_queue", "waiting_for", WaitingFor),
            models.CheckConstraint(
                condition=Q(retry_count__gte=0), name="engagement_message_queue_retry_count_not_negative"
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.SENT) | Q(sent_at__isnull=False), name="engagement_message_queue_sent_dated"
            ),
        ]
        indexes = [
            models.Index(fields=["status"], name="engagement_queue_pending", condition=Q(status=Status.PENDING)),
            # What senders walk: due messages in their order.
            models.Index(
                fields=["scheduled_for", "id"], name="engagement_queue_due", condition=Q(status=Status.PENDING)
            ),
            # What of a member's attention was taken, and all of a member's messages.
            models.Index(fields=["user", "attempted_at"], name="engagement_queue_attention"),
            models.Index(fields=["id"], name="engagement_queue_failed", condition=Q(status=Status.FAILED)),
            # Receipts name messages by it.
            models.Index(
                fields=["provider_message_id"],
                name="engagement_queue_provider_id",
                condition=~Q(provider_message_id=""),
            ),
            models.Index(
                fields=["announcement", "id"],
                name="engagement_queue_announcement",
                condition=Q(announcement__isnull=False),
            ),
        ]
        permissions = [
            ("handle_engagementmessage", "Can retry, cancel and postpone messages"),
        ]

    def __str__(self) -> str:
        return f"{self.get_message_type_display()} to {self.user}"


class EngagementClaim(models.Model):
    """Messages a sender has in hand: who, until when, and in which attempt. One row a batch, gone when it is done.

    message_ids: what it has not said yet what became of. user_ids: in the same order, whose attention each will take;
    empty for an answer. attempted_at: when it was claimed. No message is in two of them: engagement_claims_apart.
    """

    attempt_token = models.UUIDField(primary_key=True)
    claimed_by = models.CharField(max_length=100)
    lease_expires_at = models.DateTimeField()
    attempted_at = models.DateTimeField()
    message_ids = ArrayField(models.BigIntegerField(), default=list)
    user_ids = ArrayField(models.UUIDField(null=True), default=list)

    class Meta:
        db_table = "engagement_claims"


class EngagementTransport(models.Model):
    """How a way of sending does: whether its circuit is open, and how fast it may catch up.

    failures: in a row. retry_at: when an open circuit is tried again. normal_per_minute: what was sent in a minute
    before it went down. allowance, allowed_at: messages that may still be sent while it catches up, and as of when.
    """

    name = models.CharField(max_length=50, primary_key=True)
    failures = models.PositiveIntegerField(default=0, db_default=0)
    opened_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)
    last_error = models.TextField(default="", db_default="")
    normal_per_minute = models.FloatField(default=0, db_default=0)
    counted_at = models.DateTimeField(db_default=TransactionNow())
    catching_up = models.BooleanField(default=False, db_default=False)
    allowance = models.FloatField(default=0, db_default=0)
    allowed_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        db_table = "engagement_transports"
        constraints = [*one_line_checks("engagement_transports", "name")]

    def __str__(self) -> str:
        return self.name

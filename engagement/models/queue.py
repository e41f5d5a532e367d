from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from engagement.models.base import BY_DATABASE
from engagement.rules import SENDING_CHANNELS, Channel, Destination, MessageType, Status, Topic, WaitingFor
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check, one_line_checks
from missionsite.common.querysets import QuerySet


class EngagementMessage(models.Model):
    """One message to one member, from the time it is queued.

    idempotency_key (`{user}:{event}:{YYYY-MM-DD}`) is unique and passed to the provider, so that a message sent again
    after a crash is delivered once. EngagementClaim records which sender has claimed a message, so that a claim does
    not update this row (see decisions/0022).
    """

    # Indexed with attempted_at.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        BY_DATABASE,
        related_name="engagement_messages",
        db_index=False,
        verbose_name=_("member"),
    )
    message_type = models.TextField(_("type"), choices=MessageType)
    message_key = models.CharField(_("template"), max_length=100)
    message_params = models.JSONField(_("parameters"), default=dict, db_default={}, blank=True)
    destination = models.TextField(
        _("destination"), choices=Destination, default=Destination.INDIVIDUAL, db_default=Destination.INDIVIDUAL
    )
    destination_jid = models.CharField(_("address"), max_length=255, default="", db_default="", blank=True)
    scheduled_for = models.DateTimeField(_("due"), db_default=TransactionNow())
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    status = models.TextField(_("status"), choices=Status, default=Status.PENDING, db_default=Status.PENDING)
    retry_count = models.PositiveSmallIntegerField(_("failed attempts"), default=0, db_default=0)
    error_message = models.TextField(_("error"), default="", db_default="", blank=True)
    idempotency_key = models.CharField(_("idempotency key"), max_length=255, unique=True)
    created_at = models.DateTimeField(_("queued"), db_default=TransactionNow(), editable=False)

    # Time of the last attempt that may have been delivered: the frequency cap counts these.
    attempted_at = models.DateTimeField(_("last attempt"), null=True, blank=True)
    provider_message_id = models.CharField(
        _("provider's message ID"), max_length=255, default="", db_default="", blank=True
    )
    # Of the last attempt that may have been accepted; then no other channel is used. Empty with one transport.
    channel = models.TextField(_("channel"), choices=Channel, default="", db_default="", blank=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    waiting_for = models.TextField(
        _("waiting for"), choices=WaitingFor, default=WaitingFor.NOTHING, db_default=WaitingFor.NOTHING, blank=True
    )
    topic = models.TextField(_("topic"), choices=Topic, default="", db_default="", blank=True)
    announcement = models.ForeignKey(
        "engagement.Announcement",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="messages",
        db_index=False,
        verbose_name=_("announcement"),
    )
    step = models.ForeignKey(
        "engagement.SequenceStep",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="messages",
        db_index=False,
        verbose_name=_("step of a sequence"),
    )

    objects = QuerySet["EngagementMessage"].as_manager()

    class Meta:
        db_table = "engagement_message_queue"
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering = [F("id").desc()]
        constraints = [
            *one_line_checks(
                "engagement_message_queue", "message_key", "destination_jid", "idempotency_key", "provider_message_id"
            ),
            choices_check("engagement_message_queue", "message_type", MessageType),
            choices_check("engagement_message_queue", "status", Status),
            choices_check("engagement_message_queue", "destination", Destination),
            choices_check("engagement_message_queue", "waiting_for", WaitingFor),
            # Each step is sent to a member once at most.
            UniqueConstraint(
                fields=["step", "user"],
                condition=Q(step__isnull=False),
                name="engagement_message_queue_step_once",
                violation_error_message=_("This step was sent to the member already."),
                violation_error_code="step_sent_already",
            ),
            models.CheckConstraint(
                condition=Q(topic__in=["", *Topic.values]), name="engagement_message_queue_topic_known"
            ),
            models.CheckConstraint(
                condition=Q(channel__in=["", *SENDING_CHANNELS]), name="engagement_message_queue_channel_known"
            ),
            CheckConstraint(condition=Q(retry_count__gte=0), name="engagement_message_queue_retry_count_not_negative"),
            CheckConstraint(
                condition=~Q(status=Status.SENT) | Q(sent_at__isnull=False),
                name="engagement_message_queue_sent_at_required",
                violation_error_message=_("A sent message needs the time it was sent."),
                violation_error_code="sent_date_missing",
            ),
        ]
        indexes = [
            models.Index(fields=["status"], name="engagement_queue_pending", condition=Q(status=Status.PENDING)),
            # Claims: due messages, oldest first.
            models.Index(
                fields=["scheduled_for", "id"], name="engagement_queue_due", condition=Q(status=Status.PENDING)
            ),
            # The frequency cap, and the list of a member's messages.
            models.Index(fields=["user", "attempted_at"], name="engagement_queue_frequency"),
            models.Index(fields=["id"], name="engagement_queue_failed", condition=Q(status=Status.FAILED)),
            # Receipts look messages up by it.
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
            ("handle_engagementmessage", _("Can retry, cancel and postpone messages")),
        ]

    def __str__(self) -> str:
        return _("{type} to {member}").format(type=self.get_message_type_display(), member=self.user)


class EngagementClaim(models.Model):
    """The messages a sender has claimed, and when its lease expires. One row per batch; deleted when the batch is done.

    message_ids: messages without a recorded result. user_ids: in the same order, the member whose frequency cap each
    counts towards; NULL for a transactional message. attempted_at: time of the claim. channel: that of the sender,
    empty with one transport. A message is in at most one claim (engagement_claims_exclusive).
    """

    attempt_token = models.UUIDField(primary_key=True)
    claimed_by = models.CharField(max_length=100)
    lease_expires_at = models.DateTimeField()
    attempted_at = models.DateTimeField()
    message_ids = ArrayField(models.BigIntegerField(), default=list)
    user_ids = ArrayField(models.UUIDField(null=True), default=list)
    channel = models.TextField(default="", db_default="")

    class Meta:
        db_table = "engagement_claims"
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__in=["", *SENDING_CHANNELS]), name="engagement_claims_channel_known"
            )
        ]


class EngagementTransport(models.Model):
    """Circuit breaker and send rate of a transport.

    failures: consecutive. retry_at: time of the next probe while the circuit is open. normal_per_minute: send rate
    before the circuit opened. allowance: messages that may be sent during recovery, as of allowed_at.
    """

    name = models.CharField(max_length=50, primary_key=True)
    failures = models.PositiveIntegerField(default=0, db_default=0)
    opened_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)
    last_error = models.TextField(default="", db_default="")
    normal_per_minute = models.FloatField(default=0, db_default=0)
    counted_at = models.DateTimeField(db_default=TransactionNow())
    is_recovering = models.BooleanField(default=False, db_default=False)
    allowance = models.FloatField(default=0, db_default=0)
    allowed_at = models.DateTimeField(db_default=TransactionNow())

    objects = QuerySet["EngagementTransport"].as_manager()

    class Meta:
        db_table = "engagement_transports"
        constraints = [*one_line_checks("engagement_transports", "name")]

    def __str__(self) -> str:
        return self.name

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from missiondeck.models.base import BY_DATABASE, TimestampedModel
from missiondeck.models.choices import DeliveryChannel, DeliveryStatus, NoticeKind
from missionsite.common.constraints import (
    CheckConstraint,
    UniqueConstraint,
    choices_check,
    one_line_checks,
)
from missionsite.common.querysets import QuerySet


class Notice(models.Model):
    """Something that people and other systems are told about a mission; a job sends it.

    subject: what it is about, such as the id of a run; a mission has one notice of a kind about a subject. payload:
    JSON values. processed_at: when notifications and deliveries were made. Triggers write those about runs,
    evidence and status.
    """

    id = models.BigAutoField(primary_key=True)
    mission = models.ForeignKey(
        "missiondeck.DeckMission",
        BY_DATABASE,
        related_name="notices",
        db_index=False,
        verbose_name=_("client mission"),
    )
    kind = models.TextField(_("kind"), choices=NoticeKind)
    subject = models.CharField(_("subject"), max_length=200)
    payload = models.JSONField(_("payload"), default=dict, db_default={}, blank=True)
    created_at = models.DateTimeField(_("time"), db_default=TransactionNow(), editable=False)
    processed_at = models.DateTimeField(_("processed"), null=True, blank=True, editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "deck_notices"
        verbose_name = _("notice of a mission")
        verbose_name_plural = _("notices of missions")
        ordering = [F("id").desc()]
        constraints = [
            *one_line_checks("deck_notices", "subject"),
            choices_check("deck_notices", "kind", NoticeKind),
            UniqueConstraint(
                fields=["mission", "kind", "subject"],
                name="deck_notices_unique",
                violation_error_message=_("This notice exists already."),
                violation_error_code="notice_taken",
            ),
        ]
        indexes = [
            # What the job has to process.
            models.Index(fields=["id"], name="deck_notices_waiting", condition=Q(processed_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class Webhook(TimestampedModel):
    """An address that receives the notices of a mission as signed JSON."""

    mission = models.ForeignKey(
        "missiondeck.DeckMission",
        BY_DATABASE,
        related_name="webhooks",
        db_index=False,
        verbose_name=_("client mission"),
    )
    url = models.CharField(_("URL"), max_length=500)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        db_index=False,
        editable=False,
        verbose_name=_("created by"),
    )
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "deck_webhooks"
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            CheckConstraint(
                condition=Q(url__regex="^https://[!-~]+$"),
                name="deck_webhooks_url_form",
                violation_error_message=_("Enter a URL that starts with https://."),
                violation_error_code="webhook_url_invalid",
                field="url",
            ),
            UniqueConstraint(
                fields=["mission", "url"],
                name="deck_webhooks_unique",
                condition=Q(revoked_at=None),
                violation_error_message=_("The mission has this webhook already."),
                violation_error_code="webhook_taken",
                field="url",
            ),
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def secret(self) -> str:
        """Signs the deliveries. Derived from SECRET_KEY, so that none is stored."""
        return salted_hmac("missiondeck.webhook", str(self.pk), algorithm="sha256").hexdigest()


class Delivery(TimestampedModel):
    """A request that tells another system about a notice, with its retries.

    body: of a webhook, as it is sent; of a commit status empty, because the state is read when it is sent. next_at:
    when a pending one is tried next. answer: the last status or error.
    """

    notice = models.ForeignKey(
        Notice, BY_DATABASE, related_name="deliveries", db_index=False, verbose_name=_("notice of a mission")
    )
    channel = models.TextField(_("channel"), choices=DeliveryChannel)
    webhook = models.ForeignKey(
        Webhook,
        BY_DATABASE,
        null=True,
        blank=True,
        related_name="deliveries",
        db_index=False,
        verbose_name=_("webhook"),
    )
    body = models.TextField(_("body"), default="", db_default="", blank=True)
    status = models.TextField(
        _("status"), choices=DeliveryStatus, default=DeliveryStatus.PENDING, db_default=DeliveryStatus.PENDING
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, db_default=0)
    next_at = models.DateTimeField(_("next attempt"), null=True, blank=True)
    answer = models.CharField(_("answer"), max_length=300, default="", db_default="", blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "deck_deliveries"
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            *one_line_checks("deck_deliveries", "answer"),
            choices_check("deck_deliveries", "channel", DeliveryChannel),
            choices_check("deck_deliveries", "status", DeliveryStatus),
            CheckConstraint(
                condition=Q(channel=DeliveryChannel.WEBHOOK, webhook__isnull=False)
                | (~Q(channel=DeliveryChannel.WEBHOOK) & Q(webhook=None)),
                name="deck_deliveries_webhook_consistent",
                violation_error_message=_("Only a delivery to a webhook names one."),
                violation_error_code="delivery_inconsistent",
            ),
            CheckConstraint(
                condition=Q(status=DeliveryStatus.PENDING, next_at__isnull=False)
                | (~Q(status=DeliveryStatus.PENDING) & Q(next_at=None)),
                name="deck_deliveries_next_attempt_consistent",
                violation_error_message=_("Only a pending delivery has a next attempt."),
                violation_error_code="delivery_inconsistent",
            ),
            UniqueConstraint(
                fields=["notice", "channel", "webhook"],
                name="deck_deliveries_unique",
                nulls_distinct=False,
                violation_error_message=_("This delivery exists already."),
                violation_error_code="delivery_taken",
            ),
        ]
        indexes = [
            models.Index(fields=["next_at"], name="deck_deliveries_due", condition=Q(status="pending")),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.status}"

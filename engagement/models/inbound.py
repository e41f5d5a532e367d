from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.db import models

from engagement.models.base import BY_DATABASE
from missionsite.common.constraints import UniqueConstraint, one_line_checks


class InboundMessage(models.Model):
    """A received message and its effect; the text is not stored. The platform's message ID is unique."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, BY_DATABASE, related_name="+")
    platform = models.CharField(max_length=50)
    message_id = models.CharField(max_length=255)
    effect = models.CharField(max_length=50, default="", db_default="")
    received_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        db_table = "engagement_inbound_messages"
        constraints = [
            *one_line_checks("engagement_inbound_messages", "platform", "message_id"),
            UniqueConstraint(fields=["platform", "message_id"], name="engagement_inbound_messages_unique"),
        ]

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.db import models

from engagement.models.base import BY_DATABASE
from missionsite.common.constraints import UniqueConstraint, one_line_checks


class InboundMessage(models.Model):
    """A received message and its effect; the text is not stored. The platform's message ID is unique.

    text_digest: keyed digest of the text, by which a program that answers every message is recognised. follows_ours:
    whether it came within minutes of a message to the member.
    """

    # The index below begins with it.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, BY_DATABASE, related_name="+", db_index=False)
    platform = models.CharField(max_length=50)
    message_id = models.CharField(max_length=255)
    effect = models.CharField(max_length=50, default="", db_default="")
    text_digest = models.CharField(max_length=64, default="", db_default="")
    follows_ours = models.BooleanField(default=False, db_default=False)
    received_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        db_table = "engagement_inbound_messages"
        constraints = [
            *one_line_checks("engagement_inbound_messages", "platform", "message_id"),
            UniqueConstraint(fields=["platform", "message_id"], name="engagement_inbound_messages_unique"),
        ]
        indexes = [
            # The last messages of a member, which identify a program that answers every message.
            models.Index(fields=["user", "received_at"], name="inbound_messages_of_member"),
        ]

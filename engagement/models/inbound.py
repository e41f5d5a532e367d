from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from engagement.models.base import BY_DATABASE
from engagement.rules import UnassignedReason
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check, one_line_checks
from missionsite.common.querysets import QuerySet


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


class UnassignedMessage(models.Model):
    """A received message that no member could be found for. Staff assign it to a member or dismiss it.

    text: what the sender wrote, cut; removed when the message is handled. user: the member it was assigned to. Rows are
    deleted some weeks after they were received.
    """

    platform = models.CharField(_("platform"), max_length=50)
    message_id = models.CharField(_("message ID"), max_length=255)
    sender = models.CharField(_("sender"), max_length=255, default="", db_default="")
    sender_name = models.CharField(_("name"), max_length=200, default="", db_default="")
    text = models.TextField(_("text"), default="", db_default="")
    reason = models.TextField(_("reason"), choices=UnassignedReason)
    received_at = models.DateTimeField(_("received"), db_default=TransactionNow())
    handled_at = models.DateTimeField(_("handled"), null=True, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, BY_DATABASE, related_name="+", null=True, blank=True, verbose_name=_("member")
    )

    objects = QuerySet["UnassignedMessage"].as_manager()

    class Meta:
        db_table = "unassigned_messages"
        verbose_name = _("unassigned message")
        verbose_name_plural = _("unassigned messages")
        ordering = [F("received_at").desc(), F("id").desc()]
        constraints = [
            *one_line_checks("unassigned_messages", "platform", "message_id", "sender", "sender_name"),
            choices_check("unassigned_messages", "reason", UnassignedReason),
            UniqueConstraint(fields=["platform", "message_id"], name="unassigned_messages_unique"),
            CheckConstraint(
                condition=Q(handled_at__isnull=True) | Q(text=""),
                name="unassigned_messages_text_removed",
                violation_error_message=_("The text of a handled message must be removed."),
                violation_error_code="text_not_removed",
                field="text",
            ),
            CheckConstraint(
                condition=Q(user__isnull=True) | Q(handled_at__isnull=False),
                name="unassigned_messages_member_handled",
                violation_error_message=_("A message that is assigned to a member is handled: enter the time."),
                violation_error_code="time_missing",
                field="handled_at",
            ),
        ]
        indexes = [
            # The list of all messages, newest first, and the deletion of old ones.
            models.Index(fields=["received_at", "id"], name="unassigned_messages_received"),
        ]

    def __str__(self) -> str:
        return _("Message from {sender}").format(sender=self.sender or _("an unknown sender"))


class Mailbox(models.Model):
    """How far a mailbox was read, so that each message is read once.

    name: user, server and folder. uid_validity: RFC 9051, 2.3.1.1: when it changes, UIDs have another meaning.
    last_uid: the UID of the last message that was read.
    """

    name = models.CharField(max_length=255, primary_key=True)
    uid_validity = models.BigIntegerField()
    last_uid = models.BigIntegerField(default=0, db_default=0)
    read_at = models.DateTimeField(db_default=TransactionNow())

    objects = QuerySet["Mailbox"].as_manager()

    class Meta:
        db_table = "engagement_mailboxes"
        constraints = [*one_line_checks("engagement_mailboxes", "name")]

    def __str__(self) -> str:
        return self.name

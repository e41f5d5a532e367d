from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from missiondeck import rules
from missiondeck.models.base import BY_DATABASE, TimestampedModel
from missiondeck.models.choices import ChatSender
from missionsite.common.constraints import (
    CheckConstraint,
    choices_check,
    not_blank_check,
    not_future_check,
    one_line_checks,
)
from missionsite.common.querysets import QuerySet


class ChatMessage(TimestampedModel):
    """A message between the team of a mission and one of its citizens.

    citizen: the key of a `Citizen`, a foreign key (sql/tables/chat_messages_citizen.sql). message: CommonMark.
    code_blocks: [{"language", "code"}]. author: the member who wrote or recorded it; None for messages from before
    authors were stored. author_name: the author that the source of the message states, such as the client; "" if the
    member wrote it.
    """

    mission = models.ForeignKey(
        "missiondeck.DeckMission",
        BY_DATABASE,
        related_name="chat_messages",
        db_index=False,
        verbose_name=_("client mission"),
    )
    citizen = models.TextField(_("citizen"), default=rules.DEFAULT_CITIZEN, db_default=rules.DEFAULT_CITIZEN)
    sender = models.TextField(_("sender"), choices=ChatSender)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        editable=False,
        verbose_name=_("written by"),
    )
    author_name = models.CharField(
        _("author in the source"), max_length=rules.AUTHOR_LENGTH, default="", db_default="", blank=True
    )
    message = models.TextField(_("message"))
    code_blocks = models.JSONField(_("code"), default=list, db_default=[], blank=True)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "chat_messages"
        verbose_name = _("chat message")
        verbose_name_plural = _("chat messages")
        ordering = ["created_at", "id"]
        constraints = [
            *one_line_checks("chat_messages", "author_name"),
            choices_check("chat_messages", "sender", ChatSender),
            not_blank_check("chat_messages", "message", _("Enter a message."), code="message_empty"),
            CheckConstraint(
                condition=LessThanOrEqual(Length("message"), rules.MESSAGE_LENGTH),
                name="chat_messages_message_length",
                violation_error_message=format_lazy(
                    _("A message can have at most {limit:,} characters."), limit=rules.MESSAGE_LENGTH
                ),
                violation_error_code="message_too_long",
                field="message",
            ),
            not_future_check(
                "chat_messages", "created_at", _("A message cannot be from the future."), code="message_in_future"
            ),
        ]
        indexes = [models.Index(fields=["mission", "citizen"], name="idx_chat_mission_citizen")]

    def __str__(self) -> str:
        return f"{self.citizen}: {self.message[:60]}"

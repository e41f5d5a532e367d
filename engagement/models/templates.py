from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q

from engagement.models.choices import Locale
from missionsite.common.constraints import choices_check, one_line_checks


class Announcement(models.Model):
    """Something told to many members at once, and to whom."""

    title = models.CharField(max_length=200, help_text="For the back office; members do not see it.")
    # The filters of the directory it was composed from, as its address has them.
    audience = models.TextField(default="", db_default="", blank=True)
    recipients = models.PositiveIntegerField(default=0, db_default=0)
    # How many of the filtered people were left out, by reason.
    skipped = models.JSONField(default=dict, db_default={})
    scheduled_for = models.DateTimeField("due", db_default=TransactionNow())
    cancelled_at = models.DateTimeField("cancelled", null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="by"
    )
    created_at = models.DateTimeField("composed", db_default=TransactionNow(), editable=False)

    class Meta:
        db_table = "engagement_announcements"
        constraints = [*one_line_checks("engagement_announcements", "title")]
        ordering = [F("id").desc()]

    def __str__(self) -> str:
        return self.title


class MessageTemplate(models.Model):
    """The words of a message in one language; `{{ name }}` is replaced by a parameter."""

    made_by_database = True

    key = models.CharField("message", max_length=100)
    locale = models.TextField("language", choices=Locale)
    subject = models.CharField(max_length=200, help_text="Of an e-mail; other ways of sending leave it out.")
    body = models.TextField(help_text="Write {{ name }} where the member's name goes.")
    announcement = models.ForeignKey(
        Announcement, models.CASCADE, null=True, blank=True, editable=False, related_name="texts"
    )
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)
    updated_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    class Meta:
        db_table = "message_templates"
        verbose_name = "template"
        ordering = ["key", "locale"]
        constraints = [
            *one_line_checks("message_templates", "key", "subject"),
            choices_check("message_templates", "locale", Locale),
            models.UniqueConstraint(
                fields=["key", "locale"],
                name="message_templates_key_once",
                violation_error_message="This message has a template in this language already.",
            ),
            models.CheckConstraint(
                condition=~Q(body__regex=r"^\s*$") & ~Q(subject__regex=r"^\s*$"),
                name="message_templates_not_empty",
                violation_error_message="A message has a subject and a text.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.locale})"

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from engagement.rules import PARAMETERS, UNKNOWN_PARAMETER, Locale, MessageType, Topic
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check, one_line_checks
from missionsite.common.querysets import QuerySet


class Announcement(models.Model):
    """A message to many members at once, with the filters that selected them."""

    title = models.CharField(_("title"), max_length=200, help_text=_("Shown in the back office only."))
    topic = models.TextField(
        _("topic"),
        choices=Topic,
        default=Topic.NEWS,
        db_default=Topic.NEWS,
        help_text=_("Members who do not want this topic are skipped."),
    )
    # Query string of the directory list it was composed from.
    audience = models.TextField(_("audience"), default="", db_default="", blank=True)
    recipients = models.PositiveIntegerField(_("recipients"), default=0, db_default=0)
    # Number of filtered members who were skipped, by reason.
    skipped = models.JSONField(_("skipped"), default=dict, db_default={})
    scheduled_for = models.DateTimeField(_("due"), db_default=TransactionNow())
    per_hour = models.PositiveIntegerField(
        _("messages per hour"),
        null=True,
        blank=True,
        help_text=_("Spreads the messages over time. If empty, all are due at once."),
    )
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)
    # Until a second person approves it, the recipients are here and not in the queue.
    needs_approval = models.BooleanField(_("needs approval"), default=False, db_default=False)
    waiting_ids = ArrayField(models.UUIDField(), verbose_name=_("recipients to be"), default=list, db_default=[])
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("approved by"),
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("composed"), db_default=TransactionNow(), editable=False)

    objects = QuerySet["Announcement"].as_manager()

    class Meta:
        db_table = "engagement_announcements"
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        constraints = [
            *one_line_checks("engagement_announcements", "title"),
            choices_check("engagement_announcements", "topic", Topic),
            CheckConstraint(
                condition=Q(per_hour=None) | Q(per_hour__gt=0),
                name="engagement_announcements_per_hour_positive",
                violation_error_message=_("Enter at least one message per hour."),
                violation_error_code="per_hour_not_positive",
                field="per_hour",
            ),
            CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("created_by")),
                name="engagement_announcements_second_person",
                violation_error_message=_("Someone other than the author must approve the announcement."),
                violation_error_code="second_person_needed",
            ),
        ]
        ordering = [F("id").desc()]

    def __str__(self) -> str:
        return self.title

    @property
    def is_waiting(self) -> bool:
        """Whether a second person must approve it before its messages are queued."""
        return self.needs_approval and self.approved_at is None and self.cancelled_at is None


class ParametersKnown(CheckConstraint):
    """Left to the service in forms: it knows the parameters of each message, and names them."""

    def validate(self, *args: Any, **options: Any) -> None:
        """Nothing: see services/templates.py."""


class MessageTemplate(models.Model):
    """Text of a message in one language; `{{ name }}` is replaced by a parameter."""

    made_by_database = True

    key = models.CharField(_("message"), max_length=100)
    locale = models.TextField(_("language"), choices=Locale)
    subject = models.CharField(_("subject"), max_length=200, help_text=_("Used for e-mail only."))
    body = models.TextField(_("text"), help_text=_("Use {{ name }} for the member's name."))
    announcement = models.ForeignKey(
        Announcement,
        models.CASCADE,
        null=True,
        blank=True,
        editable=False,
        related_name="texts",
        verbose_name=_("announcement"),
    )
    created_at = models.DateTimeField(_("created"), db_default=TransactionNow(), editable=False)
    updated_at = models.DateTimeField(_("changed"), db_default=TransactionNow(), editable=False)

    objects = QuerySet["MessageTemplate"].as_manager()

    class Meta:
        db_table = "message_templates"
        verbose_name = _("message template")
        verbose_name_plural = _("message templates")
        ordering = ["key", "locale"]
        constraints = [
            *one_line_checks("message_templates", "key", "subject"),
            choices_check("message_templates", "locale", Locale),
            UniqueConstraint(
                fields=["key", "locale"],
                name="message_templates_key_unique",
                violation_error_message=_("A template for this message and language already exists."),
                violation_error_code="template_taken",
                field="locale",
            ),
            CheckConstraint(
                condition=~Q(body__regex=r"^\s*$") & ~Q(subject__regex=r"^\s*$"),
                name="message_templates_not_empty",
                violation_error_message=_("A template needs a subject and a text."),
                violation_error_code="template_empty",
                field="body",
            ),
            ParametersKnown(
                condition=~Q(body__regex=UNKNOWN_PARAMETER) & ~Q(subject__regex=UNKNOWN_PARAMETER),
                name="message_templates_parameters_known",
                violation_error_message=format_lazy(
                    _("A text can contain only these parameters: {names}."), names=", ".join(PARAMETERS)
                ),
                violation_error_code="parameter_unknown",
                field="body",
            ),
        ]

    def __str__(self) -> str:
        name = dict(MessageType.choices).get(self.key, self.key)
        return f"{name} ({self.get_locale_display()})"

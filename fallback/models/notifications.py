from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fallback import rules
from fallback.models.base import BY_DATABASE, TimestampedModel, range_check
from fallback.models.choices import Channel
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check, one_line_checks
from missionsite.common.ids import UlidField


class Notification(models.Model):
    """A notification for a member."""

    id = UlidField()
    member = models.ForeignKey(
        "groups.Member", models.CASCADE, related_name="notifications", db_index=False, verbose_name=_("member")
    )
    project = models.ForeignKey(
        "fallback.Project", BY_DATABASE, null=True, blank=True, related_name="notifications", verbose_name=_("project")
    )
    mission = models.ForeignKey(
        "fallback.Mission", BY_DATABASE, null=True, blank=True, related_name="notifications", verbose_name=_("mission")
    )
    kind = models.TextField(_("kind"))
    title = models.CharField(_("title"), max_length=500)
    payload = models.JSONField(_("payload"), default=dict, db_default={}, blank=True)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    snoozed_until = models.DateTimeField(_("snoozed until"), null=True, blank=True)
    # The channel of its e-mail, when that is due, and when it was sent.
    email_channel = models.TextField(_("e-mail"), choices=Channel, blank=True, default="", db_default="")
    email_due_at = models.DateTimeField(_("e-mail due"), null=True, blank=True)
    emailed_at = models.DateTimeField(_("e-mail sent"), null=True, blank=True)
    # Sendings of which the outcome is not known, and those that failed.
    email_unconfirmed = models.SmallIntegerField(_("unconfirmed e-mails"), default=0, db_default=0)
    email_failures = models.SmallIntegerField(_("failed e-mails"), default=0, db_default=0)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=TransactionNow(), editable=False)

    class Meta:
        db_table = "notifications"
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints = [
            *one_line_checks("notifications", "title"),
            CheckConstraint(
                condition=Q(email_channel__in=["", Channel.EMAIL, Channel.DIGEST]),
                name="notifications_email_channel_known",
                violation_error_message=_("Choose e-mail at once, a daily e-mail, or none."),
                field="email_channel",
            ),
        ]
        ordering = [F("created_at").desc(), F("id").desc()]
        indexes = [
            models.Index(F("member"), F("created_at").desc(), name="notifications_of_member"),
            # The number of unread notifications of a member.
            models.Index(fields=["member"], name="notifications_unread", condition=Q(read_at__isnull=True)),
            # The e-mails that are due.
            models.Index(
                fields=["email_due_at"], name="notifications_email_due", condition=Q(email_due_at__isnull=False)
            ),
        ]


class NotificationPreference(TimestampedModel):
    """Whether a kind of notification is sent by a channel: the default of an organisation, or the choice of a member.

    is_enabled: NULL for no choice.
    """

    organization = models.ForeignKey(
        "fallback.Organization",
        BY_DATABASE,
        null=True,
        blank=True,
        related_name="notification_preferences",
        db_index=False,
        verbose_name=_("organisation"),
    )
    member = models.ForeignKey(
        "groups.Member",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="notification_preferences",
        verbose_name=_("member"),
    )
    kind = models.TextField(_("kind"))
    channel = models.TextField(_("channel"), choices=Channel, default=Channel.IN_APP, db_default=Channel.IN_APP)
    is_enabled = models.BooleanField(_("enabled"), null=True, blank=True, default=True, db_default=True)

    class Meta:
        db_table = "notification_preferences"
        verbose_name = _("notification preference")
        verbose_name_plural = _("notification preferences")
        constraints = [
            choices_check("notification_preferences", "channel", Channel),
            UniqueConstraint(
                fields=["organization", "member", "kind", "channel"],
                name="notification_preferences_once",
                nulls_distinct=False,
                violation_error_message=_("There is a preference for this kind and channel already."),
            ),
            CheckConstraint(
                condition=Q(organization__isnull=True, member__isnull=False)
                | Q(organization__isnull=False, member__isnull=True),
                name="notification_preferences_of_one",
                violation_error_message=_("A preference belongs to an organisation or to a member."),
            ),
        ]


class NotificationSettings(models.Model):
    """When e-mails about notifications are sent to a member. A member without a row has the defaults."""

    member = models.OneToOneField(
        "groups.Member",
        models.CASCADE,
        primary_key=True,
        related_name="notification_settings",
        verbose_name=_("member"),
    )
    quiet_from = models.TimeField(_("no e-mail from"), default=rules.QUIET_FROM, db_default=rules.QUIET_FROM)
    quiet_to = models.TimeField(_("until"), default=rules.QUIET_TO, db_default=rules.QUIET_TO)
    digest_hour = models.IntegerField(
        _("hour of the daily e-mail"), default=rules.DEFAULT_DIGEST_HOUR, db_default=rules.DEFAULT_DIGEST_HOUR
    )

    class Meta:
        db_table = "notification_settings"
        verbose_name = _("times of notifications")
        verbose_name_plural = _("times of notifications")
        constraints = [
            range_check(
                "digest_hour",
                rules.DIGEST_HOUR,
                name="notification_settings_hour_in_range",
                message=_("Enter an hour between {low} and {high}."),
            ),
        ]

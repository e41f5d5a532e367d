from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from engagement.models.base import BY_DATABASE
from engagement.rules import SENDING_CHANNELS, TIERS, Channel, Destination, Locale, Topic
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check, one_line_checks
from missionsite.common.querysets import QuerySet


class UserProfile(models.Model):
    """Message preferences and onboarding progress of a member. A trigger on `members` creates the row."""

    # `loaddata seeds` does not take such rows as a sign that the examples are loaded.
    made_by_database = True

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        BY_DATABASE,
        primary_key=True,
        related_name="engagement_profile",
        verbose_name=_("member"),
    )
    preferred_destination = models.TextField(
        _("messages go to"), choices=Destination, default=Destination.INDIVIDUAL, db_default=Destination.INDIVIDUAL
    )
    reengagement_opt_out = models.BooleanField(
        _("opted out"),
        default=False,
        db_default=False,
        help_text=_("Unsolicited messages are not sent. Replies to the member's own actions still are."),
    )
    muted_topics = ArrayField(
        models.TextField(choices=Topic),
        verbose_name=_("unwanted topics"),
        default=list,
        db_default=[],
        blank=True,
        help_text=_("Announcements, sequences and reviews on these topics are not sent."),
    )
    channels = ArrayField(
        models.TextField(choices=Channel),
        verbose_name=_("channels"),
        default=list,
        db_default=[],
        blank=True,
        help_text=_("In this order: the next one is used if the one before has no verified address, or it bounced."),
    )
    onboarding_tier = models.IntegerField(
        _("tier"), default=0, db_default=0, help_text=_("Completed tiers, from 0 to 3.")
    )
    # {"1": {"join_mission": "2026-03-01T…", "completed_at": "…"}}
    onboarding_tier_progress = models.JSONField(_("progress"), default=dict, db_default={}, blank=True)
    magic_moment_at = models.DateTimeField(
        _("magic moment"), null=True, blank=True, help_text=_("When they joined their first mission.")
    )
    locale = models.TextField(_("language"), choices=Locale, default=Locale.EN, db_default=Locale.EN)
    timezone = models.CharField(
        _("time zone"), max_length=64, default="UTC", db_default="UTC", help_text=_("For example America/Sao_Paulo.")
    )
    individual_jid = models.CharField(
        _("individual address"),
        max_length=255,
        default="",
        db_default="",
        blank=True,
        help_text=_("Gateway address of the member's own chat. Messages from it are attributed to the member."),
    )
    group_jid = models.CharField(
        _("group address"),
        max_length=255,
        default="",
        db_default="",
        blank=True,
        help_text=_("Gateway address of the group chat that receives the member's messages."),
    )
    created_at = models.DateTimeField(_("created"), db_default=TransactionNow(), editable=False)
    updated_at = models.DateTimeField(_("changed"), db_default=TransactionNow(), editable=False)

    objects = QuerySet["UserProfile"].as_manager()

    class Meta:
        db_table = "user_profiles"
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")
        constraints = [
            *one_line_checks("user_profiles", "timezone", "individual_jid", "group_jid"),
            choices_check("user_profiles", "preferred_destination", Destination),
            choices_check("user_profiles", "locale", Locale),
            CheckConstraint(
                condition=Q(muted_topics__contained_by=Topic.values),
                name="user_profiles_muted_topics_known",
                violation_error_message=_("This topic does not exist. Choose topics of the list."),
                violation_error_code="topic_unknown",
                field="muted_topics",
            ),
            CheckConstraint(
                condition=Q(channels__contained_by=list(SENDING_CHANNELS))
                & Q(channels__len__lte=len(SENDING_CHANNELS)),
                name="user_profiles_channels_known",
                violation_error_message=_("This channel does not exist. Choose channels of the list, each once."),
                violation_error_code="channel_unknown",
                field="channels",
            ),
            CheckConstraint(
                condition=Q(onboarding_tier__gte=0, onboarding_tier__lte=TIERS),
                name="user_profiles_onboarding_tier_range",
                violation_error_message=_("The tier must be a number from 0 to 3."),
                violation_error_code="tier_out_of_range",
                field="onboarding_tier",
            ),
            UniqueConstraint(
                fields=["individual_jid"],
                name="user_profiles_individual_jid_unique",
                condition=~Q(individual_jid=""),
                violation_error_message=_("Another member already has this address."),
                violation_error_code="address_taken",
                field="individual_jid",
            ),
        ]

    def __str__(self) -> str:
        return str(self.user)

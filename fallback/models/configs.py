from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fallback import rules
from fallback.models.base import BY_DATABASE, TimestampedModel, range_check
from fallback.models.choices import ConfigStatus, Period
from missionsite.common.constraints import CheckConstraint, choices_check


class MissionFallbackConfig(TimestampedModel):
    """When a project gets proposals, and how many."""

    project = models.OneToOneField(
        "fallback.Project", BY_DATABASE, related_name="fallback_config", verbose_name=_("project")
    )
    backlog_threshold = models.IntegerField(
        _("ready missions wanted"),
        default=rules.DEFAULT_BACKLOG_THRESHOLD,
        db_default=rules.DEFAULT_BACKLOG_THRESHOLD,
        help_text=_("Proposals are made when fewer missions are ready."),
    )
    check_cadence_minutes = models.IntegerField(
        _("check interval (minutes)"),
        default=rules.DEFAULT_CHECK_CADENCE_MINUTES,
        db_default=rules.DEFAULT_CHECK_CADENCE_MINUTES,
    )
    auto_accept = models.BooleanField(
        _("accept automatically"),
        default=False,
        db_default=False,
        help_text=_("Proposals become missions immediately, within the guardrails."),
    )
    monthly_target_hours = models.IntegerField(
        _("hours per month"),
        default=rules.DEFAULT_MONTHLY_TARGET_HOURS,
        db_default=rules.DEFAULT_MONTHLY_TARGET_HOURS,
        help_text=_("Maximum of estimated hours accepted in a calendar month."),
    )
    weekly_mission_cap = models.IntegerField(
        _("missions per week"),
        default=rules.DEFAULT_WEEKLY_MISSION_CAP,
        db_default=rules.DEFAULT_WEEKLY_MISSION_CAP,
        help_text=_("Maximum accepted from Monday to Sunday, in the organisation's time zone."),
    )
    by_score = models.BooleanField(
        _("order by score"),
        default=False,
        db_default=False,
        editable=False,
        help_text=_("Templates with the best acceptance score come first, instead of taking turns."),
    )
    status = models.TextField(
        _("status"), choices=ConfigStatus, default=ConfigStatus.ACTIVE, db_default=ConfigStatus.ACTIVE
    )
    snoozed_until = models.DateTimeField(_("snoozed until"), null=True, blank=True)
    last_run_at = models.DateTimeField(_("last checked"), null=True, blank=True, editable=False)

    class Meta:
        db_table = "mission_fallback_configs"
        verbose_name = _("fallback configuration")
        verbose_name_plural = _("fallback configurations")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            choices_check("mission_fallback_configs", "status", ConfigStatus),
            range_check(
                "backlog_threshold",
                rules.BACKLOG_THRESHOLD,
                name="mission_fallback_configs_threshold_in_range",
                message=_("Enter a number of missions between {low} and {high}."),
            ),
            range_check(
                "check_cadence_minutes",
                rules.CHECK_CADENCE_MINUTES,
                name="mission_fallback_configs_cadence_in_range",
                message=_("Enter a check interval between {low} and {high} minutes (one week)."),
            ),
            range_check(
                "monthly_target_hours",
                rules.MONTHLY_TARGET_HOURS,
                name="mission_fallback_configs_hours_in_range",
                message=_("Enter hours between {low} and {high}."),
            ),
            range_check(
                "weekly_mission_cap",
                rules.WEEKLY_MISSION_CAP,
                name="mission_fallback_configs_cap_in_range",
                message=_("Enter a number of missions between {low} and {high}."),
            ),
            CheckConstraint(
                condition=Q(status="snoozed", snoozed_until__isnull=False)
                | (~Q(status="snoozed") & Q(snoozed_until__isnull=True)),
                name="mission_fallback_configs_snooze_has_end",
                violation_error_code="snooze_needs_end",
                violation_error_message=_("Only a snoozed configuration has an end of snooze."),
                field="snoozed_until",
            ),
        ]

    def __str__(self) -> str:
        return gettext("Fallback of {project}").format(project=self.project)

    def is_active(self, at: datetime) -> bool:
        """Whether proposals are made at a given time. A snooze that has passed counts as active."""
        if self.status == ConfigStatus.SNOOZED:
            return self.snoozed_until is not None and self.snoozed_until <= at
        return self.status == ConfigStatus.ACTIVE


class MissionFallbackAllowance(models.Model):
    """How much of a guardrail a project has used in one week or month; written by a trigger.

    used and allowed: missions for a week, minutes for a month.
    """

    pk = models.CompositePrimaryKey("project", "period", "starts_on")
    project = models.ForeignKey(
        "fallback.Project", BY_DATABASE, related_name="allowances", db_index=False, verbose_name=_("project")
    )
    period = models.TextField(_("period"), choices=Period)
    starts_on = models.DateField(_("starts on"))
    used = models.IntegerField(_("used"), default=0, db_default=0)
    # The guardrail when something was last accepted.
    allowed = models.IntegerField(_("allowed"))

    class Meta:
        db_table = "mission_fallback_allowances"
        verbose_name = _("used guardrail")
        verbose_name_plural = _("used guardrails")
        constraints = [
            choices_check("mission_fallback_allowances", "period", Period),
            CheckConstraint(
                condition=Q(used__gte=0, used__lte=F("allowed")), name="mission_fallback_allowances_not_overdrawn"
            ),
        ]


class MissionFallbackSample(models.Model):
    """The backlog of a project at a check."""

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(
        "fallback.Project", BY_DATABASE, related_name="backlog_samples", db_index=False, verbose_name=_("project")
    )
    # Counted up to the threshold.
    backlog_count = models.IntegerField(_("ready"))
    backlog_threshold = models.IntegerField(_("wanted"))
    sampled_at = models.DateTimeField(_("checked"), db_default=TransactionNow())

    class Meta:
        db_table = "mission_fallback_samples"
        verbose_name = _("backlog sample")
        verbose_name_plural = _("backlog samples")
        indexes = [models.Index(F("project"), F("sampled_at").desc(), name="mission_fallback_samples_of")]

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fallback.models.base import BY_DATABASE, TimestampedModel
from fallback.models.choices import ConfigStatus, Period
from missionsite.common.constraints import CheckConstraint, choices_check


class MissionFallbackConfig(TimestampedModel):
    """When a project gets proposals, and how many."""

    project = models.OneToOneField("fallback.Project", BY_DATABASE, related_name="fallback_config")
    backlog_threshold = models.IntegerField(
        _("ready missions wanted"),
        default=5,
        db_default=5,
        help_text=_("Proposals are made when fewer missions are ready."),
    )
    check_cadence_minutes = models.IntegerField(_("check interval (minutes)"), default=15, db_default=15)
    auto_accept = models.BooleanField(
        _("accept automatically"),
        default=False,
        db_default=False,
        help_text=_("Proposals become missions immediately, within the guardrails."),
    )
    monthly_target_hours = models.IntegerField(
        _("hours per month"),
        default=120,
        db_default=120,
        help_text=_("Maximum of estimated hours accepted in a calendar month."),
    )
    weekly_mission_cap = models.IntegerField(
        _("missions per week"),
        default=20,
        db_default=20,
        help_text=_("Maximum accepted from Monday to Sunday, in the organisation's time zone."),
    )
    status = models.TextField(choices=ConfigStatus, default=ConfigStatus.ACTIVE, db_default=ConfigStatus.ACTIVE)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    last_run_at = models.DateTimeField(_("last checked"), null=True, blank=True, editable=False)

    class Meta:
        db_table = "mission_fallback_configs"
        verbose_name = _("fallback configuration")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            choices_check("mission_fallback_configs", "status", ConfigStatus),
            CheckConstraint(
                condition=Q(backlog_threshold__range=(0, 1000)),
                name="mission_fallback_configs_threshold_in_range",
                violation_error_message=_("Enter a number of missions between 0 and 1,000."),
            ),
            CheckConstraint(
                condition=Q(check_cadence_minutes__range=(1, 10080)),
                name="mission_fallback_configs_cadence_in_range",
                violation_error_message=_("Enter a check interval between 1 and 10,080 minutes (one week)."),
            ),
            CheckConstraint(
                condition=Q(monthly_target_hours__range=(0, 100_000)),
                name="mission_fallback_configs_hours_in_range",
                violation_error_message=_("Enter hours between 0 and 100,000."),
            ),
            CheckConstraint(
                condition=Q(weekly_mission_cap__range=(0, 10_000)),
                name="mission_fallback_configs_cap_in_range",
                violation_error_message=_("Enter a number of missions between 0 and 10,000."),
            ),
            CheckConstraint(
                condition=Q(status="snoozed", snoozed_until__isnull=False)
                | (~Q(status="snoozed") & Q(snoozed_until__isnull=True)),
                name="mission_fallback_configs_snooze_has_end",
                violation_error_message=_("Only a snoozed configuration has an end of snooze."),
            ),
        ]

    def __str__(self) -> str:
        return f"Fallback of {self.project}"

    def is_active(self, at: datetime) -> bool:
        """Whether proposals are made at a given time. A snooze that has passed counts as active."""
        if self.status == ConfigStatus.SNOOZED:
            return self.snoozed_until <= at
        return self.status == ConfigStatus.ACTIVE


class MissionFallbackAllowance(models.Model):
    """How much of a guardrail a project has used in one week or month; written by a trigger.

    used and allowed: missions for a week, minutes for a month.
    """

    pk = models.CompositePrimaryKey("project", "period", "starts_on")
    project = models.ForeignKey("fallback.Project", BY_DATABASE, related_name="allowances", db_index=False)
    period = models.TextField(choices=Period)
    starts_on = models.DateField()
    used = models.IntegerField(default=0, db_default=0)
    # The guardrail when something was last accepted.
    allowed = models.IntegerField()

    class Meta:
        db_table = "mission_fallback_allowances"
        constraints = [
            choices_check("mission_fallback_allowances", "period", Period),
            CheckConstraint(
                condition=Q(used__gte=0, used__lte=F("allowed")), name="mission_fallback_allowances_not_overdrawn"
            ),
        ]


class MissionFallbackSample(models.Model):
    """The backlog of a project at a check."""

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey("fallback.Project", BY_DATABASE, related_name="backlog_samples", db_index=False)
    # Counted up to the threshold.
    backlog_count = models.IntegerField()
    backlog_threshold = models.IntegerField()
    sampled_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        db_table = "mission_fallback_samples"
        indexes = [models.Index(F("project"), F("sampled_at").desc(), name="mission_fallback_samples_of")]

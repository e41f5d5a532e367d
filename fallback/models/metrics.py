from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fallback.models.base import BY_DATABASE
from missionsite.common.constraints import CheckConstraint, UniqueConstraint


class ProposalRollup(models.Model):
    """A part of the proposals of a template on one day: made, accepted, discarded. The figures are the sums.

    A trigger adds rows and locks none, so decisions in any order cannot deadlock; the refresh merges the rows of a day.
    Rows outlive the runs. day: in the time zone of the organisation; a decision counts on its own day.
    """

    project = models.ForeignKey(
        "fallback.Project", BY_DATABASE, related_name="proposal_rollups", db_index=False, verbose_name=_("project")
    )
    # No foreign key: the figures outlive the template, too.
    template_id = models.CharField(_("template"), max_length=26, db_collation="C")
    day = models.DateField(_("day"))
    generated = models.IntegerField(_("generated"), db_default=0)
    accepted = models.IntegerField(_("accepted"), db_default=0)
    discarded = models.IntegerField(_("discarded"), db_default=0)

    class Meta:
        db_table = "fallback_proposal_rollups"
        verbose_name = _("proposals of a day")
        verbose_name_plural = _("proposals by day")
        indexes = [models.Index(fields=["project", "day", "template_id"], name="fallback_proposal_rollups_day")]


class BacklogRollup(models.Model):
    """The samples of a project's backlog on one day, summed. Written by a trigger; outlives the samples."""

    pk = models.CompositePrimaryKey("project", "day")
    project = models.ForeignKey(
        "fallback.Project", BY_DATABASE, related_name="backlog_rollups", db_index=False, verbose_name=_("project")
    )
    day = models.DateField(_("day"))
    samples = models.IntegerField(_("samples"), db_default=0)
    # Samples with at least as many ready missions as wanted.
    enough = models.IntegerField(_("samples with enough ready missions"), db_default=0)
    backlog_sum = models.BigIntegerField(_("sum of ready missions"), db_default=0)
    threshold_sum = models.BigIntegerField(_("sum of wanted missions"), db_default=0)

    class Meta:
        db_table = "fallback_backlog_rollups"
        verbose_name = _("backlog of a day")
        verbose_name_plural = _("backlog by day")


class MissionForecast(models.Model):
    """The forecast of one day for the ready missions of a project, with its outcome once that is known.

    p50_on, p85_on: the days by which they are finished in half and in 85 % of the simulations. emptied_on: the day on
    which as many missions were finished as were ready. closed_on: P85 passed without that.
    """

    project = models.ForeignKey(
        "fallback.Project", BY_DATABASE, related_name="forecasts", db_index=False, verbose_name=_("project")
    )
    made_on = models.DateField(_("made on"))
    made_at = models.DateTimeField(_("made"), db_default=TransactionNow(), editable=False)
    backlog = models.IntegerField(_("ready missions"))
    p50_on = models.DateField(_("P50"))
    p85_on = models.DateField(_("P85"))
    emptied_on = models.DateField(_("reached zero on"), null=True, blank=True)
    closed_on = models.DateField(_("closed on"), null=True, blank=True)

    class Meta:
        db_table = "mission_forecasts"
        verbose_name = _("forecast")
        verbose_name_plural = _("forecasts")
        constraints = [
            # A project has one forecast a day.
            UniqueConstraint(
                fields=["project", "made_on"],
                name="mission_forecasts_once_a_day",
                violation_error_message=_("The project already has a forecast of this day."),
            ),
            CheckConstraint(
                condition=Q(backlog__gt=0, p50_on__gte=F("made_on"), p85_on__gte=F("p50_on"))
                & (Q(emptied_on__isnull=True) | Q(closed_on__isnull=True)),
                name="mission_forecasts_in_order",
                violation_error_message=_("P50 comes before P85, and a forecast has one outcome."),
            ),
        ]
        indexes = [
            # The forecasts whose outcome is not known yet.
            models.Index(
                fields=["project"],
                name="mission_forecasts_open",
                condition=Q(emptied_on__isnull=True, closed_on__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project} {self.made_on}"


class MetricsRefresh(models.Model):
    """When the materialized views were last refreshed. One row."""

    id = models.SmallIntegerField(primary_key=True)
    refreshed_at = models.DateTimeField(_("refreshed"), db_default=TransactionNow())

    class Meta:
        db_table = "fallback_metrics_refreshes"
        verbose_name = _("refresh of the metrics")
        verbose_name_plural = _("refreshes of the metrics")

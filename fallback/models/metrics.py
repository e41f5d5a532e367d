from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.utils.translation import gettext_lazy as _

from fallback.models.base import BY_DATABASE


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


class MetricsRefresh(models.Model):
    """When the materialized views were last refreshed. One row."""

    id = models.SmallIntegerField(primary_key=True)
    refreshed_at = models.DateTimeField(_("refreshed"), db_default=TransactionNow())

    class Meta:
        db_table = "fallback_metrics_refreshes"
        verbose_name = _("refresh of the metrics")
        verbose_name_plural = _("refreshes of the metrics")

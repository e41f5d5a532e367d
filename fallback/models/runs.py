from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fallback import rules
from fallback.models.base import BY_DATABASE, NamedIndex, TimestampedModel, name_check, range_check, within_project
from fallback.models.choices import DiscardReason, ItemStatus, Priority, RunStatus, Trigger
from missionsite.common.constraints import (
    CheckConstraint,
    UniqueConstraint,
    choices_check,
    not_before_check,
    not_future_check,
    one_line_checks,
)
from missionsite.common.ids import UlidField
from missionsite.common.querysets import QuerySet


class MissionFallbackRun(models.Model):
    """One generation of proposals for a project, with its result. The counts are set by triggers."""

    id = UlidField()
    project = models.ForeignKey(
        "fallback.Project", BY_DATABASE, related_name="fallback_runs", db_index=False, verbose_name=_("project")
    )
    triggered_by = models.TextField(_("triggered"), choices=Trigger)
    started_by = models.ForeignKey(
        "groups.Member",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="fallback_runs",
        editable=False,
        verbose_name=_("started by"),
    )
    backlog_count_before = models.IntegerField(_("ready before"), null=True, blank=True)
    backlog_threshold = models.IntegerField(_("wanted"), null=True, blank=True)
    generated_count = models.IntegerField(_("generated"), default=0, db_default=0)
    accepted_count = models.IntegerField(_("accepted"), default=0, db_default=0)
    discarded_count = models.IntegerField(_("discarded"), default=0, db_default=0)
    status = models.TextField(
        _("status"), choices=RunStatus, default=RunStatus.AWAITING_REVIEW, db_default=RunStatus.AWAITING_REVIEW
    )
    # Templates that were not proposed: [{"template", "name", "guardrail", "resets_at"}].
    skipped = models.JSONField(_("skipped"), default=list, db_default=[], blank=True)
    error = models.TextField(_("error"), blank=True, default="", db_default="")
    # The last payload on the project's channel.
    payload = models.JSONField(_("payload"), default=dict, db_default={}, blank=True)
    # Relative to the document root; empty until the report is written.
    report_path = models.TextField(_("path of the report"), blank=True, default="", db_default="")
    started_at = models.DateTimeField(_("started"), db_default=TransactionNow())
    completed_at = models.DateTimeField(_("completed"), null=True, blank=True)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "mission_fallback_runs"
        verbose_name = _("fallback run")
        verbose_name_plural = _("fallback runs")
        ordering = [F("started_at").desc(), F("id").desc()]
        constraints = [
            choices_check("mission_fallback_runs", "triggered_by", Trigger),
            choices_check("mission_fallback_runs", "status", RunStatus),
            CheckConstraint(
                condition=Q(generated_count__gte=0, accepted_count__gte=0, discarded_count__gte=0)
                & Q(generated_count__gte=F("accepted_count") + F("discarded_count")),
                name="mission_fallback_runs_counts_add_up",
            ),
            not_before_check(
                "mission_fallback_runs",
                "completed_at",
                "started_at",
                _("A run cannot be completed before it starts."),
                code="run_completed_before_start",
            ),
            # A project has one run at a time in progress.
            UniqueConstraint(
                fields=["project"], name="mission_fallback_runs_one_pending", condition=Q(status="pending")
            ),
        ]
        indexes = [
            # The history of a project; includes the status for index-only scans.
            NamedIndex(
                F("project"),
                F("started_at").desc(),
                name="idx_mission_fallback_runs_project",
                include=["status"],
            ),
            models.Index(F("started_at").desc(), F("id").desc(), name="mission_fallback_runs_newest"),
            # The same by status: completed runs are many.
            models.Index(F("status"), F("started_at").desc(), F("id").desc(), name="mission_fallback_runs_status"),
            # Runs that skipped a template, for the review.
            models.Index(
                F("started_at").desc(), F("id").desc(), name="fallback_runs_skipped", condition=~Q(skipped=[])
            ),
            # Runs whose report is not written yet.
            models.Index(
                fields=["id"],
                name="fallback_runs_unwritten",
                condition=Q(report_path="", status__in=rules.ENDED_RUN_STATUSES),
            ),
        ]

    def __str__(self) -> str:
        when = date_format(timezone.localtime(self.started_at), "DATETIME_FORMAT")
        return gettext("Run of {when}").format(when=when)

    @property
    def is_open(self) -> bool:
        """Whether the run has open proposals or is in progress."""
        return self.status in rules.OPEN_RUN_STATUSES


class ItemQuerySet(QuerySet["MissionFallbackItem"]):
    def proposed(self) -> ItemQuerySet:
        """Open proposals."""
        return self.filter(status=ItemStatus.PROPOSED)


ItemManager = models.Manager.from_queryset(ItemQuerySet)


class MissionFallbackItem(TimestampedModel):
    """A proposed mission, with the decision on it."""

    run = within_project(
        "fallback.MissionFallbackRun",
        BY_DATABASE,
        related_name="items",
        db_column="mission_fallback_run_id",
        db_index=False,
        verbose_name=_("run"),
    )
    template = within_project(
        "fallback.MissionFallbackTemplate", related_name="items", db_index=False, verbose_name=_("template")
    )
    project = models.ForeignKey(
        "fallback.Project", BY_DATABASE, related_name="fallback_items", db_index=False, verbose_name=_("project")
    )
    title = models.CharField(_("title"), max_length=500)
    description = models.TextField(_("description"), blank=True, default="", db_default="")
    flow = within_project("fallback.Flow", related_name="+", db_index=False, verbose_name=_("flow"))
    actor = within_project("fallback.Actor", related_name="+", db_index=False, verbose_name=_("actor"))
    repository = within_project(
        "fallback.ProjectRepository", related_name="+", db_index=False, verbose_name=_("repository")
    )
    priority = models.IntegerField(_("priority"), choices=Priority, default=Priority.NORMAL, db_default=Priority.NORMAL)
    estimated_effort_minutes = models.IntegerField(_("estimated effort (minutes)"), default=60, db_default=60)
    status = models.TextField(
        _("status"), choices=ItemStatus, default=ItemStatus.PROPOSED, db_default=ItemStatus.PROPOSED
    )
    mission = models.ForeignKey(
        "fallback.Mission", BY_DATABASE, null=True, blank=True, related_name="fallback_items", verbose_name=_("mission")
    )
    feedback = models.TextField(_("feedback"), blank=True, default="", db_default="")
    reason = models.TextField(_("reason"), choices=DiscardReason, null=True, blank=True)  # noqa: DJ001  (NULL: none given)
    duplicate_of = models.ForeignKey(
        "fallback.Mission",
        BY_DATABASE,
        null=True,
        blank=True,
        related_name="duplicate_items",
        verbose_name=_("duplicate of"),
    )
    snoozed_until = models.DateTimeField(_("snoozed until"), null=True, blank=True)
    # Until when its template rests because of this discard; NULL if it does not, or rests until it is edited.
    rest_until = models.DateTimeField(_("template rests until"), null=True, blank=True, editable=False)
    reviewed_by = models.ForeignKey(
        "groups.Member",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="reviewed_fallback_items",
        verbose_name=_("reviewed by"),
    )
    # Replaces the reviewer after the member is erased.
    reviewer_token = models.TextField(
        _("pseudonym of the reviewer"), blank=True, default="", db_default="", editable=False
    )
    reviewed_at = models.DateTimeField(_("reviewed"), null=True, blank=True)
    # The week and the month in which it counts while accepted; set by a trigger.
    counted_week = models.DateField(_("week it counts in"), null=True, blank=True, editable=False)
    counted_month = models.DateField(_("month it counts in"), null=True, blank=True, editable=False)

    objects: ClassVar[ItemManager] = ItemManager()

    class Meta:
        db_table = "mission_fallback_items"
        verbose_name = _("proposal")
        verbose_name_plural = _("proposals")
        permissions = [("review_missionfallbackitem", _("Decides on proposals"))]
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            *one_line_checks("mission_fallback_items", "title"),
            choices_check("mission_fallback_items", "status", ItemStatus),
            choices_check("mission_fallback_items", "reason", DiscardReason),
            choices_check("mission_fallback_items", "priority", Priority),
            name_check("mission_fallback_items", "title"),
            range_check(
                "estimated_effort_minutes",
                rules.EFFORT_MINUTES,
                name="mission_fallback_items_effort_in_range",
                message=_("Enter an effort between {low} and {high} minutes."),
            ),
            CheckConstraint(
                condition=Q(status="proposed", reviewed_at__isnull=True)
                | Q(status__in=["accepted", "discarded"], reviewed_at__isnull=False),
                name="mission_fallback_items_decision_has_time",
                violation_error_message=_("A decided proposal needs a time of decision; an open one has none."),
            ),
            CheckConstraint(
                condition=Q(mission__isnull=True) | Q(status="accepted"),
                name="mission_fallback_items_mission_if_accepted",
                violation_error_message=_("Only an accepted proposal has a mission."),
            ),
            CheckConstraint(
                condition=~Q(status="discarded") | Q(reason__isnull=False) | Q(feedback__regex=r"\S"),
                name="mission_fallback_items_discard_has_reason",
                violation_error_code="reason_missing",
                violation_error_message=_("Choose a reason or enter feedback."),
                field="feedback",
            ),
            CheckConstraint(
                condition=(Q(rest_until__isnull=True) | Q(status="discarded"))
                & (~Q(status="discarded", reason="wrong_time", reason__isnull=False) | Q(rest_until__isnull=False)),
                name="mission_fallback_items_wrong_time_has_end",
                violation_error_code="rest_until_missing",
                violation_error_message=_("Enter the date before which this is not to be proposed."),
                field="rest_until",
            ),
            UniqueConstraint(fields=["mission"], name="mission_fallback_items_mission_once"),
            not_future_check(
                "mission_fallback_items",
                "reviewed_at",
                _("The time of a decision must not be in the future."),
                code="reviewed_in_future",
            ),
        ]
        indexes = [
            NamedIndex(fields=["run", "status"], name="idx_mission_fallback_items_run_status"),
            # Open proposals, oldest first, and their number per project.
            models.Index(
                fields=["project", "created_at", "id"],
                name="mission_fallback_items_waiting",
                condition=Q(status="proposed"),
            ),
            # All proposals, newest first; and those of one project, which may be far down in the first index.
            models.Index(F("created_at").desc(), F("id").desc(), name="mission_fallback_items_newest"),
            models.Index(F("project"), F("created_at").desc(), F("id").desc(), name="mission_fallback_items_of"),
            models.Index(F("status"), F("created_at").desc(), F("id").desc(), name="mission_fallback_items_status"),
            # The acceptance record of a template, and its last use.
            models.Index(F("template"), F("created_at").desc(), F("status"), name="mission_fallback_items_record"),
            # The rest of a template: until a time, or until it is edited.
            models.Index(
                fields=["template", "rest_until"],
                name="mission_fallback_items_rest",
                condition=Q(rest_until__isnull=False),
            ),
            models.Index(
                fields=["template", "reviewed_at"],
                name="fallback_items_rest_edited",
                condition=Q(reason__in=rules.REST_UNTIL_EDITED),
            ),
            # The recent decisions of a member, for undo.
            models.Index(
                F("reviewed_by"),
                F("reviewed_at").desc(),
                name="mission_fallback_items_decided",
                condition=Q(reviewed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.title

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Count, F, Max, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from fallback import rules
from fallback.models.base import BY_DATABASE, TimestampedModel, name_check, range_check, within_project
from fallback.models.choices import Priority, Schedule
from missionsite.common.constraints import CheckConstraint, choices_check, one_line_checks
from missionsite.common.querysets import QuerySet


class TemplateQuerySet(QuerySet["MissionFallbackTemplate"]):
    def enabled(self) -> TemplateQuerySet:
        """Enabled templates."""
        return self.filter(enabled=True)

    def with_record(self) -> TemplateQuerySet:
        """Annotate `proposed_count`, `accepted_count`, `discarded_count` and `last_used_at` (None if never used)."""
        record: dict[str, Any] = {
            "proposed_count": Count("items", filter=Q(items__status="proposed")),
            "accepted_count": Count("items", filter=Q(items__status="accepted")),
            "discarded_count": Count("items", filter=Q(items__status="discarded")),
            "last_used_at": Max("items__created_at"),
        }
        return self.annotate(**record)


TemplateManager = models.Manager.from_queryset(TemplateQuerySet)


class MissionFallbackTemplate(TimestampedModel):
    """The template of proposed missions; can be used any number of times."""

    # Annotated by with_record().
    proposed_count: int
    accepted_count: int
    discarded_count: int
    last_used_at: datetime | None

    project = models.ForeignKey(
        "fallback.Project", BY_DATABASE, related_name="fallback_templates", db_index=False, verbose_name=_("project")
    )
    name = models.CharField(_("name"), max_length=255)
    description = models.TextField(_("description"), blank=True, default="", db_default="")
    flow = within_project("fallback.Flow", related_name="templates", verbose_name=_("flow"))
    actor = within_project("fallback.Actor", related_name="templates", verbose_name=_("actor"))
    repository = within_project("fallback.ProjectRepository", related_name="templates", verbose_name=_("repository"))
    priority = models.IntegerField(_("priority"), choices=Priority, default=Priority.NORMAL, db_default=Priority.NORMAL)
    estimated_effort_minutes = models.IntegerField(_("estimated effort (minutes)"))
    acceptance_criteria = models.TextField(_("acceptance criteria"), blank=True, default="", db_default="")
    enabled = models.BooleanField(
        _("enabled"),
        default=True,
        db_default=True,
        help_text=_("If disabled, no proposals are made from this template."),
    )
    tags = models.JSONField(_("tags"), default=list, db_default=[], blank=True)
    max_open = models.IntegerField(
        _("open at a time"),
        default=rules.DEFAULT_MAX_OPEN,
        db_default=rules.DEFAULT_MAX_OPEN,
        help_text=_("Maximum of open proposals and unfinished missions from this template."),
    )
    auto_accept = models.BooleanField(
        _("accept automatically"),
        default=False,
        db_default=False,
        help_text=_("Its proposals become missions immediately, as long as its acceptance record is good enough."),
    )
    schedule = models.TextField(
        _("schedule"),
        choices=Schedule,
        blank=True,
        default="",
        db_default="",
        help_text=_(
            "One proposal on its day, even with enough ready missions. Without a schedule: when work runs low."
        ),
    )
    schedule_day = models.IntegerField(
        _("day of the schedule"),
        null=True,
        blank=True,
        help_text=_("1 (Monday) to 7 (Sunday) for every week; 1 to 31 for every month."),
    )
    # In the library of all organisations since then.
    published_at = models.DateTimeField(_("published"), null=True, blank=True, editable=False)
    last_scheduled_on = models.DateField(_("last scheduled day"), null=True, blank=True, editable=False)
    # When its content was last edited; set by a trigger.
    edited_at = models.DateTimeField(_("content edited"), db_default=TransactionNow(), editable=False)

    objects: ClassVar[TemplateManager] = TemplateManager()

    class Meta:
        db_table = "mission_fallback_templates"
        verbose_name = _("fallback template")
        verbose_name_plural = _("fallback templates")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            *one_line_checks("mission_fallback_templates", "name"),
            name_check("mission_fallback_templates"),
            choices_check("mission_fallback_templates", "priority", Priority),
            range_check(
                "estimated_effort_minutes",
                rules.EFFORT_MINUTES,
                name="mission_fallback_templates_effort_in_range",
                message=_("Enter an effort between {low} and {high} minutes."),
            ),
            range_check(
                "max_open",
                rules.MAX_OPEN,
                name="mission_fallback_templates_max_open_in_range",
                message=_("Enter a number between {low} and {high}."),
            ),
            CheckConstraint(
                condition=Q(schedule="", schedule_day__isnull=True)
                | Q(schedule=Schedule.WEEKLY, schedule_day__isnull=False, schedule_day__range=rules.WEEKLY_DAY)
                | Q(schedule=Schedule.MONTHLY, schedule_day__isnull=False, schedule_day__range=rules.MONTHLY_DAY),
                name="mission_fallback_templates_schedule_has_day",
                violation_error_code="schedule_day_invalid",
                violation_error_message=_(
                    "A weekly schedule needs a day from 1 to 7, a monthly one a day from 1 to 31."
                ),
                field="schedule_day",
            ),
        ]
        indexes = [
            # The library.
            models.Index(Lower("name"), name="fallback_templates_library", condition=Q(published_at__isnull=False)),
            # The Fallback area of a board, and the templates of a run.
            models.Index(F("project"), Lower("name"), name="mission_fallback_templates_of", condition=Q(enabled=True)),
            models.Index(F("project"), F("created_at").desc(), name="fallback_templates_of_project"),
            # The templates whose day it may be.
            models.Index(
                fields=["project"], name="fallback_templates_scheduled", condition=Q(enabled=True) & ~Q(schedule="")
            ),
        ]

    def __str__(self) -> str:
        return self.name

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Count, F, Max, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from fallback import rules
from fallback.models.base import BY_DATABASE, TimestampedModel, name_check, range_check, within_project
from fallback.models.choices import Priority
from missionsite.common.constraints import choices_check, one_line_checks
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
        ]
        indexes = [
            # The Fallback area of a board, and the templates of a run.
            models.Index(F("project"), Lower("name"), name="mission_fallback_templates_of", condition=Q(enabled=True)),
            models.Index(F("project"), F("created_at").desc(), name="fallback_templates_of_project"),
        ]

    def __str__(self) -> str:
        return self.name

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from fallback.models.base import BY_DATABASE, TimestampedModel, name_check
from missionsite.common.constraints import one_line_checks


def default_stages() -> list[str]:
    """The stages of a flow no one has changed."""
    return ["clarify", "plan", "code", "review"]


class Flow(TimestampedModel):
    """How missions of a project go from stage to stage."""

    project = models.ForeignKey("fallback.Project", BY_DATABASE, related_name="flows", db_index=False)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True, default="", db_default="")
    stages = models.JSONField(
        default=default_stages,
        db_default=["clarify", "plan", "code", "review"],
        help_text=_("Names of the stages, in order."),
    )

    class Meta:
        db_table = "flows"
        ordering = [Lower("name"), "id"]
        constraints = [
            *one_line_checks("flows", "name"),
            name_check("flows"),
            models.UniqueConstraint(
                fields=["project", "name"],
                name="flows_name_once",
                violation_error_message=_("The project already has a flow with this name."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Actor(TimestampedModel):
    """A persona missions of a project are worked on as."""

    project = models.ForeignKey("fallback.Project", BY_DATABASE, related_name="actors", db_index=False)
    name = models.CharField(max_length=255)
    description = models.TextField(_("persona"), blank=True, default="", db_default="")

    class Meta:
        db_table = "actors"
        ordering = [Lower("name"), "id"]
        constraints = [
            *one_line_checks("actors", "name"),
            name_check("actors"),
            models.UniqueConstraint(
                fields=["project", "name"],
                name="actors_name_once",
                violation_error_message=_("The project already has an actor with this name."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

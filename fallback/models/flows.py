from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from fallback.models.base import BY_DATABASE, TimestampedModel, name_check
from missionsite.common.constraints import UniqueConstraint, one_line_checks


def default_stages() -> list[str]:
    """The default stages of a flow."""
    return ["clarify", "plan", "code", "review"]


class Flow(TimestampedModel):
    """The stages of a project's missions."""

    project = models.ForeignKey(
        "fallback.Project", BY_DATABASE, related_name="flows", db_index=False, verbose_name=_("project")
    )
    name = models.CharField(_("name"), max_length=255)
    description = models.TextField(_("description"), blank=True, default="", db_default="")
    stages = models.JSONField(
        _("stages"),
        default=default_stages,
        db_default=["clarify", "plan", "code", "review"],
        help_text=_("Names of the stages, in order."),
    )

    class Meta:
        db_table = "flows"
        verbose_name = _("flow")
        verbose_name_plural = _("flows")
        ordering = [Lower("name"), "id"]
        constraints = [
            *one_line_checks("flows", "name"),
            name_check("flows"),
            UniqueConstraint(
                fields=["project", "name"],
                name="flows_name_once",
                violation_error_code="flow_name_taken",
                violation_error_message=_("The project already has a flow with this name. Choose another name."),
                field="name",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Actor(TimestampedModel):
    """A persona that works on missions of a project."""

    project = models.ForeignKey(
        "fallback.Project", BY_DATABASE, related_name="actors", db_index=False, verbose_name=_("project")
    )
    name = models.CharField(_("name"), max_length=255)
    description = models.TextField(_("persona"), blank=True, default="", db_default="")

    class Meta:
        db_table = "actors"
        verbose_name = _("actor")
        verbose_name_plural = _("actors")
        ordering = [Lower("name"), "id"]
        constraints = [
            *one_line_checks("actors", "name"),
            name_check("actors"),
            UniqueConstraint(
                fields=["project", "name"],
                name="actors_name_once",
                violation_error_code="actor_name_taken",
                violation_error_message=_("The project already has an actor with this name. Choose another name."),
                field="name",
            ),
        ]

    def __str__(self) -> str:
        return self.name

from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from missiondeck.models.base import TimestampedModel
from missionsite.common.constraints import UniqueConstraint, not_blank_check, one_line_checks
from missionsite.common.querysets import QuerySet


class DodTemplate(TimestampedModel):
    """A definition of done for a kind of client, whose items are added to missions.

    items: [{"text", "category", "evidence": [{"kind", "value"}]}]; kinds are those of `rules.TEMPLATE_EVIDENCE`.
    """

    name = models.CharField(_("kind of client"), max_length=100, help_text=_("Such as: Online shop."))
    description = models.CharField(_("description"), max_length=500, default="", db_default="", blank=True)
    items = models.JSONField(_("items"), default=list, db_default=[])
    is_enabled = models.BooleanField(
        _("enabled"), default=True, db_default=True, help_text=_("Whether it is offered for missions.")
    )
    updated_at = models.DateTimeField(_("updated at"), db_default=TransactionNow(), editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "deck_dod_templates"
        verbose_name = _("definition of done template")
        verbose_name_plural = _("definition of done templates")
        ordering = ["name"]
        constraints = [
            *one_line_checks("deck_dod_templates", "name", "description"),
            not_blank_check("deck_dod_templates", "name", _("Enter the kind of client."), code="name_missing"),
            UniqueConstraint(
                Lower("name"),
                name="deck_dod_templates_name_unique",
                violation_error_message=_("A template with this name exists already."),
                violation_error_code="template_taken",
                field="name",
            ),
        ]

    def __str__(self) -> str:
        return self.name

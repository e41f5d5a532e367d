from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from fallback.models.base import BY_DATABASE, TimestampedModel


class TemplateCopy(TimestampedModel):
    """That a template was copied from the library. content: of the origin, at the copy or the last update."""

    template = models.OneToOneField(
        "fallback.MissionFallbackTemplate", BY_DATABASE, related_name="copied_from", verbose_name=_("template")
    )
    origin = models.ForeignKey(
        "fallback.MissionFallbackTemplate",
        BY_DATABASE,
        null=True,
        blank=True,
        related_name="copies",
        verbose_name=_("origin"),
    )
    content = models.JSONField(_("content of the origin"), default=dict, db_default={}, blank=True)

    class Meta:
        db_table = "template_copies"
        db_table_comment = "Templates that were copied from the library, with what the origin was then."
        verbose_name = _("copy of a template")
        verbose_name_plural = _("copies of templates")

    def __str__(self) -> str:
        return str(self.template)

"""What was chosen for the columns of an imported file, remembered for the next file with the same headings."""

from __future__ import annotations

from django.contrib.postgres.functions import RandomUUID, TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from missionsite.common.constraints import CheckConstraint
from missionsite.common.querysets import QuerySet


class ImportMapping(models.Model):
    """The columns and roles that a user chose for files of one shape. shape: the SHA-256 of the headings."""

    id = models.UUIDField(primary_key=True, db_default=RandomUUID(), editable=False)
    shape = models.CharField(_("shape"), max_length=64, unique=True, editable=False, db_collation="C")
    # By heading, the column; and by the text in the file, the role.
    columns = models.JSONField(_("columns"), default=dict, db_default={}, editable=False)
    roles = models.JSONField(_("roles"), default=dict, db_default={}, editable=False)
    saved_by = models.ForeignKey("groups.Member", models.PROTECT, related_name="+", verbose_name=_("saved by"))
    saved_at = models.DateTimeField(_("saved at"), db_default=TransactionNow(), editable=False)

    objects = QuerySet["ImportMapping"].as_manager()

    class Meta:
        db_table = "import_mappings"
        verbose_name = _("remembered columns of imports")
        verbose_name_plural = _("remembered columns of imports")
        ordering = [F("saved_at").desc(), F("id").desc()]
        constraints = [
            CheckConstraint(condition=Q(shape__regex=r"^[0-9a-f]{64}$"), name="import_mappings_shape_format"),
        ]

    def __str__(self) -> str:
        return self.shape[:8]

    def audit_links(self) -> dict:
        """Return the links of events about this row."""
        return {}

from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from fallback.models.base import BY_DATABASE
from missionsite.common.constraints import one_line_checks
from missionsite.common.ids import UlidField


class Notification(models.Model):
    """A notification for a member."""

    id = UlidField()
    member = models.ForeignKey(
        "groups.Member", models.CASCADE, related_name="notifications", db_index=False, verbose_name=_("member")
    )
    project = models.ForeignKey(
        "fallback.Project", BY_DATABASE, null=True, blank=True, related_name="notifications", verbose_name=_("project")
    )
    mission = models.ForeignKey(
        "fallback.Mission", BY_DATABASE, null=True, blank=True, related_name="notifications", verbose_name=_("mission")
    )
    kind = models.TextField(_("kind"))
    title = models.CharField(_("title"), max_length=500)
    payload = models.JSONField(_("payload"), default=dict, db_default={}, blank=True)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=TransactionNow(), editable=False)

    class Meta:
        db_table = "notifications"
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints = [*one_line_checks("notifications", "title")]
        ordering = [F("created_at").desc(), F("id").desc()]
        indexes = [
            models.Index(F("member"), F("created_at").desc(), name="notifications_of_member"),
            # The number of unread notifications of a member.
            models.Index(fields=["member"], name="notifications_unread", condition=Q(read_at__isnull=True)),
        ]

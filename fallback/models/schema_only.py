"""Tables of the seed that only the schema needs so far.

Nothing writes them: they are there with the links and constraints that later features need.
"""

from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from fallback.models.base import BY_DATABASE
from missionsite.common.constraints import UniqueConstraint
from missionsite.common.ids import UlidField


class ProjectStar(models.Model):
    """A project that a member has starred."""

    id = UlidField()
    project = models.ForeignKey(
        "fallback.Project", BY_DATABASE, related_name="stars", db_index=False, verbose_name=_("project")
    )
    member = models.ForeignKey("groups.Member", models.CASCADE, related_name="project_stars", verbose_name=_("member"))
    created_at = models.DateTimeField(_("created"), db_default=TransactionNow(), editable=False)

    class Meta:
        db_table = "project_stars"
        verbose_name = _("project star")
        verbose_name_plural = _("project stars")
        constraints = [UniqueConstraint(fields=["project", "member"], name="project_stars_once")]


class AuditEvent(models.Model):
    """An entry of the compliance log. The actor is a pseudonym, never personal data."""

    id = models.BigAutoField(primary_key=True)
    action = models.TextField(_("action"))
    actor_token = models.TextField(_("pseudonym of the actor"), blank=True, default="", db_default="")
    organization = models.ForeignKey(
        "fallback.Organization",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="audit_events",
        verbose_name=_("organisation"),
    )
    project = models.ForeignKey(
        "fallback.Project",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="audit_events",
        verbose_name=_("project"),
    )
    payload = models.JSONField(_("payload"), default=dict, db_default={}, blank=True)
    occurred_at = models.DateTimeField(_("occurred"), db_default=TransactionNow())

    class Meta:
        db_table = "audit_events"
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        ordering = [F("occurred_at").desc(), F("id").desc()]
        indexes = [models.Index(F("occurred_at").desc(), F("id").desc(), name="audit_events_newest")]

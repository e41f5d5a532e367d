from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from missionsite.common.audit.events import event_label
from missionsite.common.audit.fields import AuditChangesetId
from missionsite.common.constraints import CheckConstraint


class Event(models.Model):
    """A recorded event; the database makes the table append-only."""

    id = models.BigAutoField(primary_key=True)
    # `membership.created`, `membership.ended`, `group.archived` …: noun, dot, past participle.
    type = models.TextField(_("type"))
    actor = models.ForeignKey(
        "groups.Member",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="caused_events",
        db_index=False,
        verbose_name=_("actor"),
    )
    member = models.ForeignKey(
        "groups.Member",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="events",
        db_index=False,
        verbose_name=_("member"),
    )
    group = models.ForeignKey(
        "groups.Group",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="events",
        db_index=False,
        verbose_name=_("mission or colony"),
    )
    payload = models.JSONField(_("details"), default=dict, db_default={}, blank=True)
    occurred_at = models.DateTimeField(_("time"), db_default=TransactionNow())
    # The request, bulk action, import, run or job that the event belongs to.
    changeset_id = models.UUIDField(_("changeset"), null=True, db_default=AuditChangesetId(), editable=False)

    class Meta:
        db_table = "events"
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = [F("occurred_at").desc(), F("id").desc()]
        constraints = [
            CheckConstraint(
                condition=Q(type__regex=r"^[a-z_]+(\.[a-z_]+)+$"),
                name="events_type_format",
                violation_error_message=_("An event type looks like membership.created."),
            ),
        ]
        indexes = [
            # The list, newest first: all events, and those of one member, group, actor or type.
            models.Index(F("occurred_at").desc(), F("id").desc(), name="events_newest"),
            models.Index(F("member"), F("occurred_at").desc(), F("id").desc(), name="events_of_member"),
            models.Index(F("group"), F("occurred_at").desc(), F("id").desc(), name="events_of_group"),
            models.Index(F("actor"), F("occurred_at").desc(), F("id").desc(), name="events_by_actor"),
            models.Index(F("type"), F("occurred_at").desc(), F("id").desc(), name="events_of_type"),
            # The events of one changeset.
            models.Index(fields=["changeset_id"], name="events_of_changeset", condition=Q(changeset_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return event_label(self.type)

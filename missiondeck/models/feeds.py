from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from missiondeck.models.base import TimestampedModel
from missiondeck.rules import MAX_ALARM_HOURS
from missionsite.common.constraints import CheckConstraint, one_line_checks
from missionsite.common.querysets import QuerySet


class DeckFeed(TimestampedModel):
    """A calendar feed at a secret URL; only a digest of the secret is stored."""

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="deck_feeds", verbose_name=_("member")
    )
    name = models.CharField(_("name"), max_length=100, help_text=_("Where you use it, such as phone or laptop."))
    only_own = models.BooleanField(
        _("only my missions"),
        default=False,
        db_default=False,
        help_text=_("Include only missions that are assigned to you."),
    )
    alarm_hours = models.PositiveSmallIntegerField(
        _("reminder in hours"),
        null=True,
        blank=True,
        help_text=_("Hours before a deadline; empty for no reminder."),
    )
    hides_budget = models.BooleanField(_("without budgets"), default=False, db_default=False)
    hides_addresses = models.BooleanField(
        _("without e-mail addresses"),
        default=False,
        db_default=False,
        help_text=_("Leave out who delivers a mission."),
    )
    digest = models.CharField(_("digest"), max_length=64, unique=True, editable=False)
    last_read_at = models.DateTimeField(_("last read"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "deck_feeds"
        verbose_name = _("calendar feed")
        verbose_name_plural = _("calendar feeds")
        constraints = [
            *one_line_checks("deck_feeds", "name"),
            CheckConstraint(
                condition=Q(alarm_hours=None) | Q(alarm_hours__gte=1, alarm_hours__lte=MAX_ALARM_HOURS),
                name="deck_feeds_alarm_range",
                violation_error_message=format_lazy(
                    _("A reminder can be 1 to {limit} hours before a deadline."), limit=MAX_ALARM_HOURS
                ),
                violation_error_code="alarm_out_of_range",
                field="alarm_hours",
            ),
        ]
        ordering = [F("created_at").desc(), F("id").desc()]

    def __str__(self) -> str:
        return self.name

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from missiondeck import rules
from missiondeck.models.base import BY_DATABASE, TimestampedModel
from missionsite.common.constraints import CheckConstraint, not_future_check, one_line_checks
from missionsite.common.querysets import QuerySet


class DeckCost(TimestampedModel):
    """Time or an amount that was spent on a mission.

    minutes: of work; None for an amount. amount_cents: in hundredths of the currency; of time, what it costs, 0 if it
    has no rate. removed_at: a removed entry does not count.
    """

    mission = models.ForeignKey(
        "missiondeck.DeckMission", BY_DATABASE, related_name="costs", db_index=False, verbose_name=_("client mission")
    )
    worked_on = models.DateField(_("day"))
    minutes = models.PositiveIntegerField(_("minutes"), null=True, blank=True)
    amount_cents = models.PositiveBigIntegerField(_("amount in cents"), default=0, db_default=0)
    currency = models.CharField(_("currency"), max_length=3)
    note = models.CharField(_("note"), max_length=300, default="", db_default="", blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        db_index=False,
        editable=False,
        verbose_name=_("recorded by"),
    )
    removed_at = models.DateTimeField(_("removed at"), null=True, blank=True, editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "deck_costs"
        verbose_name = _("cost of a mission")
        verbose_name_plural = _("costs of missions")
        ordering = [F("worked_on").desc(), F("created_at").desc(), F("id").desc()]
        constraints = [
            *one_line_checks("deck_costs", "note", "currency"),
            not_future_check("deck_costs", "worked_on", _("A cost cannot be in the future."), code="cost_in_future"),
            CheckConstraint(
                condition=Q(minutes=None) | Q(minutes__gte=1, minutes__lte=rules.COST_MINUTES),
                name="deck_costs_minutes_range",
                violation_error_message=format_lazy(
                    _("Enter 1 to {limit:,} minutes of work."), limit=rules.COST_MINUTES
                ),
                violation_error_code="minutes_out_of_range",
                field="minutes",
            ),
            CheckConstraint(
                condition=Q(amount_cents__lte=rules.COST_CENTS) & (Q(minutes__isnull=False) | Q(amount_cents__gte=1)),
                name="deck_costs_amount_range",
                violation_error_message=_("Enter an amount from 0.01 to 1,000,000,000, or minutes of work."),
                violation_error_code="amount_out_of_range",
                field="amount_cents",
            ),
            CheckConstraint(
                condition=Q(currency__regex=rules.CURRENCY),
                name="deck_costs_currency_form",
                violation_error_message=_("Enter a currency as three capital letters, such as USD, EUR or BRL."),
                violation_error_code="currency_invalid",
                field="currency",
            ),
        ]
        indexes = [models.Index(F("mission"), F("worked_on").desc(), name="deck_costs_of_mission")]

    def __str__(self) -> str:
        return f"{self.currency} {self.amount_cents / 100:.2f}"

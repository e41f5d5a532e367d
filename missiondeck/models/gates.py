from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import MD5
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from missiondeck import rules
from missiondeck.models.base import BY_DATABASE
from missiondeck.models.missions import DeckMission
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, not_blank_check
from missionsite.common.querysets import QuerySet


class GateRules(models.Model):
    """The rules of the gate of one mission; a mission without a row has the defaults.

    required_suites: suites (jobs of CI) that must have passed; without any, all suites that ran for the commit.
    min_tests: None for a share of the baseline. max_age_days: None for any age.
    """

    mission = models.OneToOneField(
        DeckMission,
        BY_DATABASE,
        primary_key=True,
        related_name="gate_rules",
        editable=False,
        verbose_name=_("client mission"),
    )
    required_suites = ArrayField(
        models.CharField(max_length=150), default=list, db_default=[], blank=True, verbose_name=_("required suites")
    )
    min_tests = models.PositiveIntegerField(_("minimum tests"), null=True, blank=True)
    max_failures = models.PositiveIntegerField(_("maximum failures"), default=0, db_default=0)
    max_age_days = models.PositiveIntegerField(_("maximum age in days"), null=True, blank=True)
    updated_at = models.DateTimeField(_("updated at"), db_default=TransactionNow(), editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "deck_gate_rules"
        verbose_name = _("rules of a gate")
        verbose_name_plural = _("rules of gates")
        constraints = [
            CheckConstraint(
                condition=Q(required_suites__len__lte=rules.MAX_SUITES),
                name="deck_gate_rules_suites_bounded",
                violation_error_message=format_lazy(
                    _("A gate can require at most {limit} suites."), limit=rules.MAX_SUITES
                ),
                violation_error_code="too_many_suites",
                field="required_suites",
            ),
            CheckConstraint(
                condition=Q(min_tests=None) | Q(min_tests__gte=1, min_tests__lte=rules.MAX_TESTS),
                name="deck_gate_rules_min_tests_range",
                violation_error_message=format_lazy(
                    _("Enter a minimum of 1 to {limit:,} tests."), limit=rules.MAX_TESTS
                ),
                violation_error_code="min_tests_out_of_range",
                field="min_tests",
            ),
            CheckConstraint(
                condition=Q(max_failures__lte=rules.MAX_TESTS),
                name="deck_gate_rules_max_failures_range",
                violation_error_message=format_lazy(
                    _("Enter a maximum of 0 to {limit:,} failures."), limit=rules.MAX_TESTS
                ),
                violation_error_code="max_failures_out_of_range",
                field="max_failures",
            ),
            CheckConstraint(
                condition=Q(max_age_days=None) | Q(max_age_days__gte=1, max_age_days__lte=rules.MAX_AGE_DAYS),
                name="deck_gate_rules_max_age_range",
                violation_error_message=format_lazy(
                    _("Enter a maximum age of 1 to {limit:,} days."), limit=rules.MAX_AGE_DAYS
                ),
                violation_error_code="max_age_out_of_range",
                field="max_age_days",
            ),
        ]

    def __str__(self) -> str:
        return str(self.mission_id)


class GateBaseline(models.Model):
    """The runs that later runs of a mission are compared with: those that completed it, or that a lead confirmed.

    tests: how many of their tests ran. reason: "" for a completion. Append-only; the last one counts.
    """

    id = models.BigAutoField(primary_key=True)
    mission = models.ForeignKey(
        DeckMission, BY_DATABASE, related_name="baselines", db_index=False, verbose_name=_("client mission")
    )
    runs = ArrayField(models.UUIDField(), verbose_name=_("test runs"))
    tests = models.PositiveIntegerField(_("tests"))
    reason = models.TextField(_("reason"), default="", db_default="", blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("confirmed by"),
    )
    created_at = models.DateTimeField(_("time"), db_default=TransactionNow(), editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "deck_gate_baselines"
        verbose_name = _("baseline of a gate")
        verbose_name_plural = _("baselines of gates")
        ordering = [F("id").desc()]
        constraints = [
            # Only a completion needs no reason; the trigger of the status changes records it.
            CheckConstraint(
                condition=Q(reason="") | ~Q(reason__regex=r"^\s*$"),
                name="deck_gate_baselines_reason_not_empty",
                violation_error_message=_("Enter a reason for the new baseline."),
                violation_error_code="baseline_reason_missing",
                field="reason",
            ),
        ]
        indexes = [models.Index(F("mission"), F("id").desc(), name="deck_gate_baselines_of_mission")]

    def __str__(self) -> str:
        return f"{self.tests} {self.created_at:%Y-%m-%d %H:%M}"


class VanishedTest(models.Model):
    """A test of the baseline that no longer runs, confirmed by a lead with a reason."""

    id = models.BigAutoField(primary_key=True)
    mission = models.ForeignKey(
        DeckMission, BY_DATABASE, related_name="vanished_tests", db_index=False, verbose_name=_("client mission")
    )
    test = models.TextField(_("test"))
    reason = models.TextField(_("reason"))
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False, verbose_name=_("confirmed by")
    )
    created_at = models.DateTimeField(_("time"), db_default=TransactionNow(), editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "deck_vanished_tests"
        verbose_name = _("confirmed vanished test")
        verbose_name_plural = _("confirmed vanished tests")
        constraints = [
            # By digest: a name is longer than an index entry may be.
            UniqueConstraint(
                F("mission"),
                MD5("test"),
                name="deck_vanished_tests_unique",
                violation_error_message=_("This test was confirmed already."),
                violation_error_code="vanished_test_taken",
            ),
            not_blank_check(
                "deck_vanished_tests", "reason", _("Enter a reason why the test is gone."), code="reason_missing"
            ),
        ]

    def __str__(self) -> str:
        return self.test

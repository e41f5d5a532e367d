from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import MD5
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from missiondeck import rules
from missiondeck.models.base import BY_DATABASE, TimestampedModel
from missiondeck.models.runs import TestRun
from missionsite.common.constraints import CheckConstraint, UniqueConstraint
from missionsite.common.querysets import QuerySet


class TestResult(models.Model):
    """The result of one test in a run, stored by a trigger from the run's results.

    rank: 0 error, 1 failed, 2 skipped, 3 passed. number: from 1, in the order of the report. test: its identity across
    runs, see test_identity(). test_key: MD5 digest of it. error_key: the same for failures with the same error, see
    test_error_key(). result: as in TestRun.results.
    """

    __test__ = False

    # Pages show the worst results first.
    pk = models.CompositePrimaryKey("run", "rank", "number")
    run = models.ForeignKey(TestRun, BY_DATABASE, related_name="+", db_index=False, verbose_name=_("test run"))
    rank = models.SmallIntegerField(_("rank"))
    number = models.IntegerField(_("number"))
    test = models.TextField(_("test"))
    test_key = models.UUIDField(_("key of the test"))
    duration = models.FloatField(_("seconds"), null=True)
    error_key = models.UUIDField(_("key of the error"), null=True)
    result = models.JSONField(_("result"))

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "test_results"
        verbose_name = _("test result")
        verbose_name_plural = _("test results")
        ordering = ["run", "rank", "number"]
        indexes = [
            # One test in a run, and two runs compared by test.
            models.Index(fields=["run", "test_key"], name="test_results_of_test"),
        ]

    def __str__(self) -> str:
        return self.test


class DeckTest(TimestampedModel):
    """What a team states about a test of a mission: its owner, and its quarantine.

    While a test is in quarantine, its failures do not close the gate. quarantined_until: when it ends.
    """

    mission = models.ForeignKey(
        "missiondeck.DeckMission", BY_DATABASE, related_name="tests", db_index=False, verbose_name=_("client mission")
    )
    test = models.TextField(_("test"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("owner"),
    )
    quarantine_reason = models.TextField(_("reason"), default="", db_default="", blank=True)
    issue_url = models.CharField(_("issue"), max_length=500, default="", db_default="", blank=True)
    quarantined_at = models.DateTimeField(_("in quarantine since"), null=True, blank=True, editable=False)
    quarantined_until = models.DateTimeField(_("in quarantine until"), null=True, blank=True)
    quarantined_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        editable=False,
        verbose_name=_("put in quarantine by"),
    )

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "deck_tests"
        verbose_name = _("test of a client mission")
        verbose_name_plural = _("tests of client missions")
        constraints = [
            # By digest: a name is longer than an index entry may be.
            UniqueConstraint(
                F("mission"),
                MD5("test"),
                name="deck_tests_unique",
                violation_error_message=_("This test has an entry already."),
                violation_error_code="deck_test_taken",
            ),
            CheckConstraint(
                condition=Q(quarantined_until=None, quarantined_at=None, quarantined_by=None)
                & Q(quarantine_reason="", issue_url="")
                | Q(quarantined_until__isnull=False, quarantined_at__isnull=False, quarantined_by__isnull=False)
                & ~Q(quarantine_reason__regex=r"^\s*$"),
                name="deck_tests_quarantine_has_reason",
                violation_error_message=_("Enter a reason for the quarantine."),
                violation_error_code="quarantine_reason_missing",
                field="quarantine_reason",
            ),
            CheckConstraint(
                condition=Q(issue_url="", quarantined_until=None) | Q(issue_url__regex="^https?://[!-~]+$"),
                name="deck_tests_issue_url_form",
                violation_error_message=_("Enter the URL of the issue, starting with https://."),
                violation_error_code="issue_url_invalid",
                field="issue_url",
            ),
            # A quarantine must end; it can be extended with a new reason.
            CheckConstraint(
                condition=Q(quarantined_until=None)
                | Q(quarantined_until__gt=F("quarantined_at"))
                & Q(quarantined_until__lte=F("quarantined_at") + rules.MAX_QUARANTINE),
                name="deck_tests_quarantine_range",
                violation_error_message=format_lazy(
                    _("A quarantine must end within {limit} days."), limit=rules.MAX_QUARANTINE.days
                ),
                violation_error_code="quarantine_out_of_range",
                field="quarantined_until",
            ),
        ]

    def __str__(self) -> str:
        return self.test

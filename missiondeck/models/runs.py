from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from missiondeck.models.base import BY_DATABASE, TimestampedModel
from missiondeck.models.choices import RunSource, RunStatus
from missiondeck.rules import KEY_LENGTH
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check
from missionsite.common.querysets import QuerySet


class RunOutcome(Func):
    """The status of a finished run with this summary and these results; a CHECK compares the stored status with it."""

    function = "test_run_outcome"
    output_field = models.TextField()


class TestRun(TimestampedModel):
    """One run of a mission's tests. A finished run is immutable, and its status follows from its results.

    summary: {"passed", "failed", "errors", "skipped", "total": counts, "duration": seconds}, and pairs like
    functional_passed and functional_total. results: [{"name", "status", "duration", "classname", "suite", "file",
    "error", "traceback", "output", "flaky", "retries"}], see missiondeck/reports. warnings: [{"code", "values"}] or
    texts, see missiondeck/reports/messages.py. logs: the complete output; lists never load it, and pages read
    `TestRunLogPage`. import_key: the key of the import; unique per mission. flaky_tests: tests that failed in this run
    and passed after a failure within their last five runs; set by a trigger.
    """

    # Otherwise pytest collects this class as a test.
    __test__ = False

    mission = models.ForeignKey(
        "missiondeck.DeckMission",
        BY_DATABASE,
        related_name="test_runs",
        db_index=False,
        verbose_name=_("client mission"),
    )
    status = models.TextField(_("status"), choices=RunStatus)
    summary = models.JSONField(_("summary"), null=True, blank=True)
    results = models.JSONField(_("results"), null=True, blank=True)
    logs = models.TextField(_("logs"), null=True, blank=True)  # noqa: DJ001  (as the seed has it: NULL is no output)
    name = models.CharField(_("name"), max_length=255, default="", db_default="", blank=True)
    source = models.TextField(_("source"), choices=RunSource, default=RunSource.MANUAL, db_default=RunSource.MANUAL)
    digest = models.CharField(_("SHA-256 digest of the file"), max_length=64, default="", db_default="", blank=True)
    import_key = models.CharField(
        _("import key"), max_length=KEY_LENGTH, default="", db_default="", blank=True, editable=False
    )
    warnings = models.JSONField(_("warnings"), default=list, db_default=[], blank=True)
    flaky_tests = ArrayField(
        models.TextField(), default=list, db_default=[], blank=True, editable=False, verbose_name=_("flaky tests")
    )
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("imported by"),
    )

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "test_runs"
        verbose_name = _("test run")
        verbose_name_plural = _("test runs")
        ordering = [F("created_at").desc(), F("id").desc()]
        constraints = [
            choices_check("test_runs", "status", RunStatus),
            choices_check("test_runs", "source", RunSource),
            CheckConstraint(
                condition=Q(digest="") | Q(digest__regex="^[0-9a-f]{64}$"),
                name="test_runs_digest_form",
                violation_error_message=_("A digest must have 64 lower-case hexadecimal digits."),
                violation_error_code="digest_invalid",
            ),
            UniqueConstraint(
                fields=["mission", "import_key"],
                name="test_runs_key_unique",
                condition=~Q(import_key=""),
                violation_error_message=_("This key was already used for another report. Use a new key for each run."),
                violation_error_code="run_key_taken",
            ),
            CheckConstraint(
                condition=Q(import_key="") | Q(import_key__regex="^[!-~]+$"),
                name="test_runs_key_form",
                violation_error_message=format_lazy(
                    _("A key must have 1 to {limit} visible ASCII characters."), limit=KEY_LENGTH
                ),
                violation_error_code="run_key_invalid",
            ),
        ]
        indexes = [
            models.Index(F("mission"), F("created_at").desc(), name="idx_test_runs_mission"),
            # The run of a mission that ended last or is still running.
            models.Index(F("mission"), F("finished_at").desc(), name="test_runs_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.created_at:%Y-%m-%d %H:%M}"


class LatestRun(models.Model):
    """The latest run of each mission, maintained by a trigger for the lists."""

    mission = models.OneToOneField(
        "missiondeck.DeckMission",
        BY_DATABASE,
        primary_key=True,
        related_name="latest_run",
        editable=False,
        verbose_name=_("client mission"),
    )
    run = models.ForeignKey(
        TestRun, BY_DATABASE, related_name="+", db_index=False, editable=False, verbose_name=_("test run")
    )
    status = models.TextField(_("status"), choices=RunStatus, editable=False)
    created_at = models.DateTimeField(_("time"), editable=False)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "deck_latest_runs"
        verbose_name = _("latest run")
        verbose_name_plural = _("latest runs")
        indexes = [models.Index(fields=["status"], name="deck_latest_runs_status")]

    def __str__(self) -> str:
        return f"{self.status} {self.created_at:%Y-%m-%d %H:%M}"


class TestRunLogPage(models.Model):
    """A page of a run's logs, created by a trigger when logs are stored."""

    __test__ = False

    pk = models.CompositePrimaryKey("run", "page")
    run = models.ForeignKey(TestRun, BY_DATABASE, related_name="log_pages", db_index=False, verbose_name=_("test run"))
    page = models.IntegerField(_("page"))
    first_line = models.IntegerField(_("first line"))
    text = models.TextField(_("text"))

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "test_run_log_pages"
        verbose_name = _("test run log page")
        verbose_name_plural = _("test run log pages")
        ordering = ["run", "page"]

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Coalesce
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from missiondeck.models.base import BY_DATABASE, TimestampedModel
from missiondeck.models.choices import RunSource, RunStatus
from missiondeck.rules import KEY_LENGTH, MAX_SHARDS
from missionsite.common.constraints import CheckConstraint, UniqueConstraint, choices_check, one_line_checks
from missionsite.common.querysets import QuerySet

# The latest run first: by commit, then by start, then by arrival.
LATEST_FIRST = [
    F("ordered_at").desc(),
    Coalesce("started_at", "created_at").desc(),
    F("created_at").desc(),
    F("id").desc(),
]


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

    A run with a commit or a build URL is a run of CI, identified by commit, branch, build_url, job, attempt and
    environment: reports under the same values are parts of one run. shards: the announced number of parts, None if it
    was not announced. parts: how many have been received. started_at, committed_at: when the tests started and when
    the commit was made, as CI states them; never later than created_at. ordered_at orders the runs of a mission.
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
    commit = models.CharField(_("commit"), max_length=64, default="", db_default="", blank=True)
    branch = models.CharField(_("branch"), max_length=200, default="", db_default="", blank=True)
    build_url = models.CharField(_("build URL"), max_length=500, default="", db_default="", blank=True)
    job = models.CharField(_("suite"), max_length=150, default="", db_default="", blank=True)
    attempt = models.PositiveIntegerField(_("attempt"), default=1, db_default=1)
    environment = models.CharField(_("environment"), max_length=100, default="", db_default="", blank=True)
    shards = models.PositiveIntegerField(_("announced shards"), null=True, blank=True)
    parts = models.PositiveIntegerField(_("received shards"), default=0, db_default=0, editable=False)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    committed_at = models.DateTimeField(_("committed"), null=True, blank=True)
    is_given_up = models.BooleanField(_("given up"), default=False, db_default=False, editable=False)
    ordered_at = models.GeneratedField(
        expression=Coalesce("committed_at", "started_at", "created_at"),
        output_field=models.DateTimeField(),
        db_persist=True,
        verbose_name=_("time of the commit or start"),
    )
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
        ordering = LATEST_FIRST
        constraints = [
            *one_line_checks("test_runs", "branch", "job", "environment"),
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
            UniqueConstraint(
                fields=["mission", "commit", "branch", "build_url", "job", "attempt", "environment"],
                name="test_runs_ci_run_unique",
                condition=~Q(commit="", build_url=""),
                violation_error_message=_("This CI run exists already. Import further reports under the same values."),
                violation_error_code="ci_run_taken",
            ),
            CheckConstraint(
                condition=Q(commit="") | Q(commit__regex="^([0-9a-f]{40}|[0-9a-f]{64})$"),
                name="test_runs_commit_form",
                violation_error_message=_("Enter the full commit: 40 or 64 lower-case hexadecimal digits."),
                violation_error_code="commit_invalid",
                field="commit",
            ),
            CheckConstraint(
                condition=Q(build_url="") | Q(build_url__regex="^https?://[!-~]+$"),
                name="test_runs_build_url_form",
                violation_error_message=_("Enter the URL of the build, starting with https://."),
                violation_error_code="build_url_invalid",
                field="build_url",
            ),
            CheckConstraint(
                condition=Q(attempt__gte=1),
                name="test_runs_attempt_positive",
                violation_error_message=_("Attempts are numbered from 1."),
                violation_error_code="attempt_not_positive",
                field="attempt",
            ),
            CheckConstraint(
                condition=Q(shards=None) | Q(shards__gte=1, shards__lte=MAX_SHARDS),
                name="test_runs_shards_range",
                violation_error_message=format_lazy(_("A run can have 1 to {limit} shards."), limit=MAX_SHARDS),
                violation_error_code="shards_out_of_range",
                field="shards",
            ),
            # A run of which a shard is missing cannot pass.
            CheckConstraint(
                condition=~Q(status=RunStatus.PASSED) | Q(shards=None) | Q(parts__gte=F("shards")),
                name="test_runs_shards_complete",
                violation_error_message=_("A run passes only when all announced shards were received."),
                violation_error_code="shards_missing",
            ),
        ]
        indexes = [
            # The latest run of a mission.
            models.Index(F("mission"), F("ordered_at").desc(), name="test_runs_latest"),
            # Runs that may have to be given up.
            models.Index(fields=["created_at"], name="test_runs_running", condition=Q(status="running")),
            models.Index(F("mission"), F("created_at").desc(), name="idx_test_runs_mission"),
            # The run of a mission that ended last or is still running.
            models.Index(F("mission"), F("finished_at").desc(), name="test_runs_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_ci_run(self) -> bool:
        """Whether reports under the same values are parts of this run."""
        return bool(self.commit or self.build_url)


class TestRunPart(TimestampedModel):
    """A report that is a part of a run of CI, such as a shard.

    label: its number or import key; "" if it has none. digest: SHA-256 of its files.
    """

    __test__ = False

    run = models.ForeignKey(TestRun, BY_DATABASE, related_name="received", db_index=False, verbose_name=_("test run"))
    label = models.CharField(_("shard"), max_length=KEY_LENGTH, default="", db_default="", blank=True)
    digest = models.CharField(_("SHA-256 digest of the file"), max_length=64)

    objects = QuerySet.as_manager()

    class Meta:
        db_table = "test_run_parts"
        verbose_name = _("part of a test run")
        verbose_name_plural = _("parts of test runs")
        constraints = [
            UniqueConstraint(
                fields=["run", "label", "digest"],
                name="test_run_parts_unique",
                violation_error_message=_("This report is a part of the run already."),
                violation_error_code="part_taken",
            ),
            CheckConstraint(
                condition=Q(digest__regex="^[0-9a-f]{64}$"),
                name="test_run_parts_digest_form",
                violation_error_message=_("A digest must have 64 lower-case hexadecimal digits."),
                violation_error_code="digest_invalid",
            ),
        ]

    def __str__(self) -> str:
        return self.label or self.digest[:12]


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

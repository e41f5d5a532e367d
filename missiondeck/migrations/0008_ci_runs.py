import django.contrib.postgres.fields
import django.contrib.postgres.functions
import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

from missionsite.common.operations import OnDelete, RenderOnce
from missionsite.common.sql_loader import SQLFile


class Migration(migrations.Migration):
    """A test run is a run of CI: its key and parts, and the rules, baselines and confirmations of the gate."""

    dependencies = [
        ("missiondeck", "0007_translate_warnings"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="GateBaseline",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "runs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), size=None, verbose_name="test runs"
                    ),
                ),
                ("tests", models.PositiveIntegerField(verbose_name="tests")),
                ("reason", models.TextField(blank=True, db_default="", default="", verbose_name="reason")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="time",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="confirmed by",
                    ),
                ),
                (
                    "mission",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="baselines",
                        to="missiondeck.deckmission",
                        verbose_name="client mission",
                    ),
                ),
            ],
            options={
                "verbose_name": "baseline of a gate",
                "verbose_name_plural": "baselines of gates",
                "db_table": "deck_gate_baselines",
                "ordering": [models.OrderBy(models.F("id"), descending=True)],
            },
        ),
        migrations.CreateModel(
            name="GateRules",
            fields=[
                (
                    "mission",
                    models.OneToOneField(
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="gate_rules",
                        serialize=False,
                        to="missiondeck.deckmission",
                        verbose_name="client mission",
                    ),
                ),
                (
                    "required_suites",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=150),
                        blank=True,
                        db_default=[],
                        default=list,
                        size=None,
                        verbose_name="required suites",
                    ),
                ),
                ("min_tests", models.PositiveIntegerField(blank=True, null=True, verbose_name="minimum tests")),
                ("max_failures", models.PositiveIntegerField(db_default=0, default=0, verbose_name="maximum failures")),
                (
                    "max_age_days",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="maximum age in days"),
                ),
                (
                    "updated_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="updated at",
                    ),
                ),
            ],
            options={
                "verbose_name": "rules of a gate",
                "verbose_name_plural": "rules of gates",
                "db_table": "deck_gate_rules",
            },
        ),
        migrations.CreateModel(
            name="TestRunPart",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="created at",
                    ),
                ),
                (
                    "label",
                    models.CharField(blank=True, db_default="", default="", max_length=255, verbose_name="shard"),
                ),
                ("digest", models.CharField(max_length=64, verbose_name="SHA-256 digest of the file")),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="received",
                        to="missiondeck.testrun",
                        verbose_name="test run",
                    ),
                ),
            ],
            options={
                "verbose_name": "part of a test run",
                "verbose_name_plural": "parts of test runs",
                "db_table": "test_run_parts",
            },
        ),
        migrations.CreateModel(
            name="VanishedTest",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("test", models.TextField(verbose_name="test")),
                ("reason", models.TextField(verbose_name="reason")),
                (
                    "created_at",
                    models.DateTimeField(
                        db_default=django.contrib.postgres.functions.TransactionNow(),
                        editable=False,
                        verbose_name="time",
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="confirmed by",
                    ),
                ),
                (
                    "mission",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="vanished_tests",
                        to="missiondeck.deckmission",
                        verbose_name="client mission",
                    ),
                ),
            ],
            options={
                "verbose_name": "confirmed vanished test",
                "verbose_name_plural": "confirmed vanished tests",
                "db_table": "deck_vanished_tests",
            },
        ),
        RenderOnce(
            migrations.AddField(
                model_name="testrun",
                name="attempt",
                field=models.PositiveIntegerField(db_default=1, default=1, verbose_name="attempt"),
            ),
            migrations.AddField(
                model_name="testrun",
                name="branch",
                field=models.CharField(blank=True, db_default="", default="", max_length=200, verbose_name="branch"),
            ),
            migrations.AddField(
                model_name="testrun",
                name="build_url",
                field=models.CharField(blank=True, db_default="", default="", max_length=500, verbose_name="build URL"),
            ),
            migrations.AddField(
                model_name="testrun",
                name="commit",
                field=models.CharField(blank=True, db_default="", default="", max_length=64, verbose_name="commit"),
            ),
            migrations.AddField(
                model_name="testrun",
                name="committed_at",
                field=models.DateTimeField(blank=True, null=True, verbose_name="committed"),
            ),
            migrations.AddField(
                model_name="testrun",
                name="environment",
                field=models.CharField(
                    blank=True, db_default="", default="", max_length=100, verbose_name="environment"
                ),
            ),
            migrations.AddField(
                model_name="testrun",
                name="is_given_up",
                field=models.BooleanField(db_default=False, default=False, editable=False, verbose_name="given up"),
            ),
            migrations.AddField(
                model_name="testrun",
                name="job",
                field=models.CharField(blank=True, db_default="", default="", max_length=150, verbose_name="suite"),
            ),
            migrations.AddField(
                model_name="testrun",
                name="started_at",
                field=models.DateTimeField(blank=True, null=True, verbose_name="started"),
            ),
            migrations.AddField(
                model_name="testrun",
                name="parts",
                field=models.PositiveIntegerField(
                    db_default=0, default=0, editable=False, verbose_name="received shards"
                ),
            ),
            migrations.AddField(
                model_name="testrun",
                name="shards",
                field=models.PositiveIntegerField(blank=True, null=True, verbose_name="announced shards"),
            ),
        ),
        migrations.AddField(
            model_name="testrun",
            name="ordered_at",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.comparison.Coalesce("committed_at", "started_at", "created_at"),
                output_field=models.DateTimeField(),
                verbose_name="time of the commit or start",
            ),
        ),
        migrations.AlterModelOptions(
            name="testrun",
            options={
                "ordering": [
                    models.OrderBy(models.F("ordered_at"), descending=True),
                    models.OrderBy(
                        django.db.models.functions.comparison.Coalesce("started_at", "created_at"), descending=True
                    ),
                    models.OrderBy(models.F("created_at"), descending=True),
                    models.OrderBy(models.F("id"), descending=True),
                ],
                "verbose_name": "test run",
                "verbose_name_plural": "test runs",
            },
        ),
        RenderOnce(
            migrations.AddIndex(
                model_name="testrun",
                index=models.Index(
                    models.F("mission"),
                    models.OrderBy(models.F("ordered_at"), descending=True),
                    name="test_runs_latest",
                ),
            ),
            migrations.AddIndex(
                model_name="testrun",
                index=models.Index(
                    condition=models.Q(("status", "running")), fields=["created_at"], name="test_runs_running"
                ),
            ),
            migrations.AddConstraint(
                model_name="gatebaseline",
                constraint=models.CheckConstraint(
                    condition=models.Q(
                        ("reason", ""), models.Q(("reason__regex", "^\\s*$"), _negated=True), _connector="OR"
                    ),
                    name="deck_gate_baselines_reason_not_empty",
                ),
            ),
            migrations.AddConstraint(
                model_name="testrun",
                constraint=models.CheckConstraint(
                    condition=models.Q(
                        ("branch__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                    ),
                    name="test_runs_branch_one_line",
                ),
            ),
            migrations.AddConstraint(
                model_name="testrun",
                constraint=models.CheckConstraint(
                    condition=models.Q(("job__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True),
                    name="test_runs_job_one_line",
                ),
            ),
            migrations.AddConstraint(
                model_name="testrun",
                constraint=models.CheckConstraint(
                    condition=models.Q(
                        ("environment__regex", "[\\u0001-\\u001f\\u007f-\\u009f\\u2028\\u2029]"), _negated=True
                    ),
                    name="test_runs_environment_one_line",
                ),
            ),
            migrations.AddConstraint(
                model_name="testrun",
                constraint=models.UniqueConstraint(
                    condition=models.Q(("build_url", ""), ("commit", ""), _negated=True),
                    fields=("mission", "commit", "branch", "build_url", "job", "attempt", "environment"),
                    name="test_runs_ci_run_unique",
                ),
            ),
            migrations.AddConstraint(
                model_name="testrun",
                constraint=models.CheckConstraint(
                    condition=models.Q(
                        ("commit", ""), ("commit__regex", "^([0-9a-f]{40}|[0-9a-f]{64})$"), _connector="OR"
                    ),
                    name="test_runs_commit_form",
                ),
            ),
            migrations.AddConstraint(
                model_name="testrun",
                constraint=models.CheckConstraint(
                    condition=models.Q(("build_url", ""), ("build_url__regex", "^https?://[!-~]+$"), _connector="OR"),
                    name="test_runs_build_url_form",
                ),
            ),
            migrations.AddConstraint(
                model_name="testrun",
                constraint=models.CheckConstraint(
                    condition=models.Q(("attempt__gte", 1)), name="test_runs_attempt_positive"
                ),
            ),
            migrations.AddConstraint(
                model_name="testrun",
                constraint=models.CheckConstraint(
                    condition=models.Q(
                        ("shards", None), models.Q(("shards__gte", 1), ("shards__lte", 1000)), _connector="OR"
                    ),
                    name="test_runs_shards_range",
                ),
            ),
            migrations.AddConstraint(
                model_name="testrun",
                constraint=models.CheckConstraint(
                    condition=models.Q(
                        models.Q(("status", "passed"), _negated=True),
                        ("shards", None),
                        ("parts__gte", models.F("shards")),
                        _connector="OR",
                    ),
                    name="test_runs_shards_complete",
                ),
            ),
            migrations.AddConstraint(
                model_name="gaterules",
                constraint=models.CheckConstraint(
                    condition=models.Q(("required_suites__len__lte", 50)), name="deck_gate_rules_suites_bounded"
                ),
            ),
            migrations.AddConstraint(
                model_name="gaterules",
                constraint=models.CheckConstraint(
                    condition=models.Q(
                        ("min_tests", None),
                        models.Q(("min_tests__gte", 1), ("min_tests__lte", 1000000)),
                        _connector="OR",
                    ),
                    name="deck_gate_rules_min_tests_range",
                ),
            ),
            migrations.AddConstraint(
                model_name="gaterules",
                constraint=models.CheckConstraint(
                    condition=models.Q(("max_failures__lte", 1000000)), name="deck_gate_rules_max_failures_range"
                ),
            ),
            migrations.AddConstraint(
                model_name="gaterules",
                constraint=models.CheckConstraint(
                    condition=models.Q(
                        ("max_age_days", None),
                        models.Q(("max_age_days__gte", 1), ("max_age_days__lte", 3650)),
                        _connector="OR",
                    ),
                    name="deck_gate_rules_max_age_range",
                ),
            ),
            migrations.AddIndex(
                model_name="gatebaseline",
                index=models.Index(
                    models.F("mission"),
                    models.OrderBy(models.F("id"), descending=True),
                    name="deck_gate_baselines_of_mission",
                ),
            ),
            migrations.AddConstraint(
                model_name="testrunpart",
                constraint=models.UniqueConstraint(fields=("run", "label", "digest"), name="test_run_parts_unique"),
            ),
            migrations.AddConstraint(
                model_name="testrunpart",
                constraint=models.CheckConstraint(
                    condition=models.Q(("digest__regex", "^[0-9a-f]{64}$")), name="test_run_parts_digest_form"
                ),
            ),
            migrations.AddConstraint(
                model_name="vanishedtest",
                constraint=models.UniqueConstraint(
                    models.F("mission"), django.db.models.functions.text.MD5("test"), name="deck_vanished_tests_unique"
                ),
            ),
            migrations.AddConstraint(
                model_name="vanishedtest",
                constraint=models.CheckConstraint(
                    condition=models.Q(("reason__regex", "^\\s*$"), _negated=True),
                    name="deck_vanished_tests_reason_not_empty",
                ),
            ),
        ),
        OnDelete(
            "CASCADE",
            "test_run_parts.run_id",
            "deck_gate_rules.mission_id",
            "deck_gate_baselines.mission_id",
            "deck_vanished_tests.mission_id",
        ),
        SQLFile("missiondeck/functions/deck_gate_runs"),
        SQLFile("missiondeck/functions/deck_vanished_tests_of"),
        SQLFile("missiondeck/functions/deck_gate"),
        SQLFile("missiondeck/functions/deck_mission_missing", version=2),
        SQLFile("missiondeck/functions/finish_test_run", version=2),
        SQLFile("missiondeck/functions/update_latest_run", version=2),
        SQLFile("missiondeck/functions/log_deck_status_change", version=2),
        SQLFile("missiondeck/tables/ci_runs_grants"),
    ]
